"""`make bench-cold-start`: time from the start of the process until the handler is ready for its first event.

Four programs start in turn, many times. They find only the packages of Lambda's runtime (boto3 and its dependencies,
compiled) and the code of dist/lambda.zip (uncompiled and read-only, as in /var/task):

    ours          image_labels.handler with its three clients (S3, Rekognition, DynamoDB) and its settings
    bare          (a) a botocore session and two clients, Rekognition and DynamoDB: the minimum
    bare_three    the same, plus the S3 client that HeadObject needs, for comparison
    blueprint     (b) code like AWS's blueprint rekognition-python with a table: boto3 client and resource

Goal: at most 1.10 times (a), and faster than (b).
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from bench.lambda_runtime import PYTHON_OPTIONS, unpack
from bench.report import report

LIMIT = 1.10
READY = "import os; os.write(1, b'!')"

STARTS = {
    "ours": "import image_labels.handler",
    "bare": """
import botocore.session
session = botocore.session.Session()
rekognition = session.create_client("rekognition")
dynamodb = session.create_client("dynamodb")
""",
    "bare_three": """
import botocore.session
session = botocore.session.Session()
rekognition = session.create_client("rekognition")
dynamodb = session.create_client("dynamodb")
s3 = session.create_client("s3")
""",
    "blueprint": """
import boto3
import json
import urllib.parse
rekognition = boto3.client("rekognition")
table = boto3.resource("dynamodb").Table("images")
def lambda_handler(event, context):
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    key = urllib.parse.unquote_plus(event["Records"][0]["s3"]["object"]["key"])
    labels = rekognition.detect_labels(Image={"S3Object": {"Bucket": bucket, "Name": key}})
    table.put_item(Item={"PK": key, "Labels": {label["Name"] for label in labels["Labels"]}})
""",
}


def main(runs: Annotated[int, typer.Option(min=10, help="Number of starts of each program.")] = 25) -> None:
    """Measure the cold start, and report it."""
    with tempfile.TemporaryDirectory() as directory:
        environment = _environment(Path(directory))
        for _ in range(2):  # warm the disk cache, and compile the runtime's packages
            for code in STARTS.values():
                _seconds(code, environment | {"PYTHONDONTWRITEBYTECODE": ""})
        for compiled in (Path(directory) / "task").rglob("__pycache__"):
            shutil.rmtree(compiled)
        seconds: dict[str, list[float]] = {name: [] for name in STARTS}
        for run in range(runs):
            names = list(STARTS)
            for name in names[run % len(names) :] + names[: run % len(names)]:
                seconds[name].append(_seconds(STARTS[name], environment))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        median, least, most = (round(1000 * value) for value in (medians[name], min(times), max(times)))
        print(f"{name:10}  median {median:4} ms   min {least:4}   max {most:4}")
    # Ratios of pairs, because the machine's speed drifts and a pair is measured within a second.
    to = {
        name: statistics.median(mine / other for mine, other in zip(seconds["ours"], seconds[name], strict=True))
        for name in STARTS
    }
    print(f"ours / bare {to['bare']:.2f} (limit {LIMIT})   ours / bare_three {to['bare_three']:.2f}")
    figures = {"ratio_to_limit": to["bare"] / LIMIT, "ratio_to_blueprint": to["blueprint"]}
    details = {
        "runs": runs,
        "median_ms": {name: round(median * 1000, 1) for name, median in medians.items()},
        "ours_to": {name: round(ratio, 3) for name, ratio in to.items() if name != "ours"},
    }
    report("cold_start", figures, details)


def _environment(directory: Path) -> dict[str, str]:
    """Lambda's environment variables, and the function's settings."""
    return unpack(directory) | {
        "BUCKET_NAME": "photos",
        "IMAGES_TABLE_NAME": "images",
        "LABELS_TABLE_NAME": "labels",
        "MIN_CONFIDENCE": "80",
        "MAX_LABELS": "10",
        "CONCURRENCY": "10",
        "DETECT_LABELS_PER_SECOND": "5",
        "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/photos",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/dead-letters",
        "MAX_RECEIVE_COUNT": "5",
        "RETRY_DELAY_SECONDS": "20",
        "WAITING_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/waiting",
        "MAX_QUEUE_BACKLOG": "3000",
    }


def _seconds(code: str, environment: dict[str, str]) -> float:
    """Seconds from the start of the process until `code` has run, without the end of the process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *PYTHON_OPTIONS, "-c", f"{code}\n{READY}"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = process.stdout.read(1)
    seconds = time.perf_counter() - began
    if process.wait() != 0 or ready != b"!":
        raise RuntimeError(f"the code failed:\n{code}")
    return seconds


if __name__ == "__main__":
    typer.run(main)
