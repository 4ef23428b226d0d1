"""`make demo`: applies the module to an emulated AWS on this machine and labels real photographs."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from image_labels_emulator import server
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools import photographs
from tools.photographs import Photograph, PhotographsError
from tools.terraform import LOCAL, ROOT, Root, TerraformError
from tools.unfinished import Unfinished, explain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

DIRECTORY = LOCAL / "demo"
STATE = DIRECTORY / "terraform" / "terraform.tfstate"
ENVIRONMENT = DIRECTORY / "environment.sh"
COMMAND = Path(sys.executable).with_name("image-labels")
LABEL_SECONDS = 120  # maximum time between two labelled photos
# Detects within a minute that LocalStack does not answer.
SHORT_TIMEOUTS = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3})
NOT_A_PHOTO = ("notes.jpg", b"This is a text file with the name notes.jpg.\n")
# Searches of the included photographs: NOT; a parent label ("Pet"); a minimum confidence.
EXPRESSIONS = ["person AND NOT woman", 'pet OR "coffee cup">=99']

console = Console(highlight=False)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    photos: Annotated[
        Path | None, typer.Option(help="Directory of your own photographs. Default: the included ones.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of LocalStack on 127.0.0.1.")] = server.DEFAULT_PORT,
) -> None:
    """Start LocalStack, apply examples/complete, upload photographs and show their labels."""
    began = time.monotonic()
    try:
        chosen = photographs.own(photos) if photos else photographs.shipped()
        running = _localstack(port)
        outputs = _apply(running)
        running.take_over_environment()  # endpoint and credentials for boto3 in this process
        environment = _write_environment(running, outputs)
        s3 = boto3.client("s3", config=SHORT_TIMEOUTS)
        uploaded = _upload(s3, outputs["bucket_name"], chosen)
        if photos is None:
            uploaded |= _upload_text(s3, outputs["bucket_name"])
        found = await_items(boto3.client("dynamodb", config=SHORT_TIMEOUTS), outputs, uploaded)
        items = [found[key] for key in uploaded if key in found]
        if missing := [key for key in uploaded if key not in found]:
            logs, sqs = boto3.client("logs", config=SHORT_TIMEOUTS), boto3.client("sqs", config=SHORT_TIMEOUTS)
            _show(items, outputs)
            show_unfinished(explain(missing, outputs, logs, sqs), len(uploaded), outputs)
            raise typer.Exit(1)
    except (server.EmulatorError, TerraformError, PhotographsError, BotoCoreError, ClientError) as error:
        _print(f"[red]error:[/red] {escape(str(error))}")
        if isinstance(error, (BotoCoreError, ClientError)):
            _print(f"LocalStack's log: {DIRECTORY / 'localstack' / 'localstack.log'}. To start over: make down demo")
        raise typer.Exit(1) from None
    _show(items, outputs)
    _find(_matching_expressions(items) if photos else EXPRESSIONS, environment)
    _show_next_steps(outputs, time.monotonic() - began, own=photos is not None)


@app.command()
def down() -> None:
    """Stop the demo's LocalStack and delete its state."""
    try:
        if (elsewhere := _running_elsewhere()) and STATE.exists():
            with _step(f"terraform destroy on your LocalStack at {elsewhere.url}"):
                _root(elsewhere).run("destroy", "-auto-approve", "-no-color")
            shutil.rmtree(STATE.parent)
            return
    except (server.EmulatorError, TerraformError) as error:
        _print(f"[red]error:[/red] {escape(str(error))}")
        raise typer.Exit(1) from None
    stopped = server.stop(DIRECTORY / "localstack")
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    _print("Stopped LocalStack and deleted the demo's state." if stopped else "The demo is not running.")


def _print(text: str) -> None:
    console.print(text, soft_wrap=True)


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Show a step while it runs, and then its duration."""
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    _print(f"[green]✓[/green] {what}  [dim]{time.monotonic() - began:.1f} s[/dim]")


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _running_elsewhere() -> server.Server | None:
    """The user's LocalStack at AWS_ENDPOINT_URL, which environment.sh may also set to the demo's LocalStack."""
    ours = server.find(DIRECTORY / "localstack")
    if ours and os.environ.get("AWS_ENDPOINT_URL") == ours.url:
        return None
    return server.running_elsewhere()


def _localstack(port: int) -> server.Server:
    if elsewhere := _running_elsewhere():
        _print(f"[green]✓[/green] Using your LocalStack at {elsewhere.url}")
        return elsewhere
    if running := server.find(DIRECTORY / "localstack"):
        _print(f"[green]✓[/green] LocalStack is already running at {running.url}")
        return running
    # A new LocalStack is empty, so the state of an earlier one is invalid.
    STATE.unlink(missing_ok=True)
    with _step("Starting LocalStack (the first start takes a minute)"):
        return server.start(DIRECTORY / "localstack", port)


def _root(running: server.Server) -> Root:
    return Root(ROOT / "examples" / "complete", STATE.parent, running.environment())


def _apply(running: server.Server) -> dict[str, str]:
    root = _root(running)
    with _step("terraform init in examples/complete (downloads the AWS provider if needed)"):
        root.run("init", "-no-color")
    if not STATE.exists():
        _print("  terraform apply takes about a minute: for each SQS queue, the provider waits 25 s, as on AWS.")
    with _progress() as progress:
        task = progress.add_task("terraform apply", total=None)
        process = root.start("apply", "-auto-approve", "-json")
        assert process.stdout is not None
        errors = []
        for line in process.stdout:
            event = _terraform_event(line)
            match event.get("type"):
                case "change_summary" if event["changes"]["operation"] == "plan":
                    planned = sum(event["changes"][what] for what in ("add", "change", "remove"))
                    progress.update(task, total=planned)
                case "apply_complete" if event["hook"]["action"] != "read":
                    progress.advance(task)
                case "diagnostic" if event["diagnostic"]["severity"] == "error":
                    errors.append(f"{event['diagnostic']['summary']}: {event['diagnostic'].get('detail', '')}".strip())
        if process.wait() != 0:
            raise TerraformError("terraform apply failed:\n" + "\n".join(errors))
        if not progress.tasks[0].total:
            progress.update(task, total=1, completed=1, description="terraform apply: nothing to change")
    answer: dict[str, Any] = json.loads(root.run("output", "-json").stdout)
    values = answer["image_labels"]["value"]
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _terraform_event(line: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return event


def _upload(s3: S3Client, bucket: str, chosen: list[Photograph]) -> dict[str, str]:
    """Upload the photographs, and return the version of each key. It distinguishes them from those of earlier runs."""
    versions = {}
    with _step(f"Uploading {len(chosen)} photographs to the bucket, under images/"):
        for photo in chosen:
            key = f"images/{photo.name}"
            with photo.path.open("rb") as body:
                answer = s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=body,
                    ContentType=photo.content_type,
                    Metadata={"labels": photo.labels} if photo.labels else {},
                )
            versions[key] = answer["VersionId"]
    return versions


def _upload_text(s3: S3Client, bucket: str) -> dict[str, str]:
    name, body = NOT_A_PHOTO
    return {f"images/{name}": s3.put_object(Bucket=bucket, Key=f"images/{name}", Body=body)["VersionId"]}


def await_items(
    dynamodb: DynamoDBClient,
    outputs: Mapping[str, str],
    versions: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, dict[str, Any]]:
    """Wait for the item of each uploaded version, and return the items by key.

    The wait ends when all items exist, or when no new item has appeared for LABEL_SECONDS.
    """
    items: dict[str, dict[str, Any]] = {}
    deadline = clock() + LABEL_SECONDS
    with _progress() as progress:
        task = progress.add_task("S3 → SQS → Lambda → Rekognition → DynamoDB", total=len(versions))
        while (missing := [key for key in versions if key not in items]) and clock() < deadline:
            for key in missing:
                table = outputs["images_table_name"]
                item = dynamodb.get_item(TableName=table, Key={"PK": {"S": key}}, ConsistentRead=True).get("Item", {})
                if item.get("VersionId", {}).get("S") == versions[key]:
                    items[key] = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
                    progress.advance(task)
                    deadline = clock() + LABEL_SECONDS
            sleep(0.2)
    return items


def show_unfinished(unfinished: list[Unfinished], of: int, outputs: Mapping[str, str]) -> None:
    """Print the photos without labels, with the cause and the next step."""
    have = "has" if len(unfinished) == 1 else "have"
    which = f"{len(unfinished)} of {of} photos {have} no labels"
    _print(f"\n[red]error:[/red] {which}; no photo was labelled in the last {LABEL_SECONDS} s:")
    for photo in unfinished:
        _print(f"\n  [bold]{escape(photo.key)}[/bold]  {escape(photo.where)}")
        _print(f"    cause      {escape(photo.why)}")
        _print(f"    next step  {escape(photo.next_step)}")
    _print(
        "\nThe function retries for up to half an hour. To see the current state:\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)} && {COMMAND.relative_to(ROOT)} status\n"
        f"The function's log group: {outputs['log_group_name']}\n"
        f"LocalStack's log: {DIRECTORY / 'localstack' / 'localstack.log'}\n"
        "To stop LocalStack: make down"
    )


def _show(items: list[dict[str, Any]], outputs: dict[str, str]) -> None:
    table = Table(title=f"Items of the DynamoDB table {outputs['images_table_name']}", show_lines=True)
    table.add_column("Photo", style="bold", overflow="fold")
    table.add_column("Labels with confidence in %", ratio=1)
    for item in items:
        if item["Status"] == "REJECTED":
            table.add_row(escape(item["PK"]), f"[yellow]REJECTED[/yellow]  {escape(item['Reason'])}")
            continue
        seen = [f"{escape(label['Name'])} [dim]{float(label['Confidence']):.1f}[/dim]" for label in item["Detections"]]
        table.add_row(escape(item["PK"]), ", ".join(seen) or "[dim]none with the minimum confidence[/dim]")
    console.print()
    console.print(table)


def _write_environment(running: server.Server, outputs: dict[str, str]) -> dict[str, str]:
    """The environment of the command image-labels, also written as a file for the user's shell."""
    emulated = {name: value for name, value in running.environment().items() if name.startswith("AWS_")}
    environment: dict[str, str] = emulated | json.loads(outputs["cli_environment"])
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    ENVIRONMENT.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()))
    return environment


def _matching_expressions(items: list[dict[str, Any]]) -> list[str]:
    """Up to two expressions that match the user's own photos."""
    names = Counter(label["Name"] for item in items for label in item.get("Detections", []))
    common = [f'"{name}"' for name, _ in names.most_common(2)]
    return [*common[:1], " OR ".join(common)] if len(common) == 2 else common


def _find(expressions: list[str], environment: dict[str, str]) -> None:
    console.print("\n[bold]Found by label, without a scan[/bold]")
    for expression in expressions:
        console.print(f"\n[dim]$[/dim] image-labels find {escape(shlex.quote(expression))}", soft_wrap=True)
        subprocess.run([COMMAND, "find", expression], env=os.environ | environment, check=False)


def _show_next_steps(outputs: dict[str, str], seconds: float, *, own: bool) -> None:
    source = "models that look at each photograph" if own else "hand-written metadata of each photograph"
    console.print(
        f"\nDone in {seconds:.0f} s. The Terraform module, the function and its zip are the same as in AWS.\n"
        "LocalStack emulates S3, SQS, Lambda and DynamoDB. Rekognition is [bold]emulated[/bold], too: the labels come\n"
        f"from the {source}.\n\n"
        "[bold]Web page[/bold]              make browse\n"
        "[bold]Command line[/bold]\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)}\n"
        f"  {COMMAND.relative_to(ROOT)} find 'cat OR rocket'\n"
        f"  aws s3 cp my-photo.jpg s3://{outputs['bucket_name']}/images/\n"
        f"  aws dynamodb scan --table-name {outputs['images_table_name']}\n"
        "[bold]Your own photos[/bold]       make demo PHOTOS=directory\n"
        "[bold]Stop the demo[/bold]         make down",
        soft_wrap=True,
    )


if __name__ == "__main__":
    app()
