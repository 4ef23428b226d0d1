"""`make bench-backfill`: memory and rate of `image-labels backfill` at 10,000 and 1,000,000 photos.

The real command runs on an AWS that makes the photos up (bench/backfill_world.py), each size in a process of its own. A
quarter of the photos is labelled already. The others are sent, at a quota of 50 calls per second, on a clock that moves
only while the command sleeps: a million photos take four hours of that clock, and minutes of this machine.

Figures of the last line:

    memory_growth   peak memory at 1,000,000 photos, divided by that at 10,000
    feed_share      messages that the function took, divided by those that it had time for, from the first message to
                    the last: the minimum of both sizes. SQS's counts are five seconds late.
    keys_per_s      photos per second of real time, from the first request to the first message, at 1,000,000: read the
                    table, list the bucket, compare, choose. It is the time of the command and of the made-up answers,
                    without a network. On AWS, 1,000 photos take a list request, and about 500 items a Scan request.

Goals: memory_growth of at most 1.2, feed_share of at least 0.95.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import report

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment

SIZES = (10_000, 1_000_000)
QUOTA = 50.0
MAX_GROWTH = 1.2
MIN_SHARE = 0.95


@dataclass(frozen=True)
class Measurement:
    """One run of the command. `seconds` is real time, `clock_seconds` the time of its clock."""

    photos: int
    sent: int
    labelled: int
    peak_bytes: int
    feed_share: float
    keys_per_second: float
    deepest_queue_seconds: float
    seconds: float
    clock_seconds: float


def main() -> None:
    """Measure each size in its own process, and report."""
    measured = []
    for size in SIZES:
        command = [sys.executable, "-m", "bench.backfill", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"error: {size:,} photos: {done.stderr}")
        each = Measurement(**json.loads(done.stdout))
        measured.append(each)
        print(
            f"{each.photos:>9,} photos: {each.labelled:,} labelled, peak memory {each.peak_bytes / 1e6:.1f} MB, "
            f"{each.keys_per_second:,.0f} photos/s compared, function {each.feed_share:.1%} busy, queue of at most "
            f"{each.deepest_queue_seconds:.1f} s of the quota; {each.clock_seconds:,.0f} s of the quota took "
            f"{each.seconds:.0f} s",
            flush=True,
        )
    figures = {
        "memory_growth": measured[-1].peak_bytes / measured[0].peak_bytes,
        "feed_share": min(each.feed_share for each in measured),
        "keys_per_s": measured[-1].keys_per_second,
    }
    for name, holds in (
        (f"memory_growth at most {MAX_GROWTH}", figures["memory_growth"] <= MAX_GROWTH),
        (f"feed_share at least {MIN_SHARE}", figures["feed_share"] >= MIN_SHARE),
    ):
        print(f"{name}: {'met' if holds else 'MISSED'}")
    report("backfill", figures, {"quota": QUOTA, "runs": [asdict(each) for each in measured]})


def measure(photos: int, quota: float = QUOTA, *, tps: float | None = None) -> Measurement:
    """Run the command in this process. Raises AssertionError if a photo is not labelled exactly once.

    The function takes `quota` messages per second. The command takes it for `tps`, if given.
    """
    from image_labels_cli import main as cli
    from image_labels_cli.aws import Aws
    from image_labels_cli.feeding import session

    from bench.backfill_world import BUCKET, DEAD, QUEUE, TABLE, BackfillWorld

    world = BackfillWorld(photos, quota)

    def make_aws(deployment: Deployment) -> Aws:
        aws = Aws(deployment)
        vars(aws).update(s3=world, dynamodb=world, sqs=world)
        return aws

    arguments = {
        "bucket": BUCKET,
        "images-table": TABLE,
        "queue-url": QUEUE,
        "dead-letter-queue-url": DEAD,
        "filter-prefix": "images/",
        "filter-suffixes": ".jpg",
        "min-confidence": "80",
        "max-labels": "10",
        "rekognition-tps": str(tps or quota),
        "region": "us-east-1",
    }
    flags = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    before, session.TIME = session.TIME, world.time
    began = time.perf_counter()
    try:
        with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()):
            cli.app([*flags, "backfill", "--yes", "--json"], "image-labels", obj=make_aws, standalone_mode=False)
    finally:
        session.TIME = before
    result = json.loads(printed.getvalue())["result"]
    assert result["labelled"] == world.sent == world.to_send, result
    return Measurement(
        photos,
        world.sent,
        result["labelled"],
        peak_bytes(),
        world.feed_share,
        photos / world.read_seconds,
        world.deepest / quota,
        time.perf_counter() - began,
        world.time.clock(),
    )


def peak_bytes() -> int:
    """The peak of this process's resident memory. Not that of getrusage, which includes the parent's before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    if sys.argv[1:]:
        for name in [name for name in os.environ if name.startswith("IMAGE_LABELS_")]:
            del os.environ[name]
        print(json.dumps(asdict(measure(int(sys.argv[1])))))
    else:
        main()
