"""`make demo`: the module, applied as it is to an AWS on this machine, labels real photographs before your eyes."""

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
LABEL_SECONDS = 120  # without another photo's labels
# A LocalStack that does not answer is noticed within a minute.
IMPATIENT = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3})
NOT_A_PHOTO = ("notes.jpg", b"This is a text that somebody called notes.jpg.\n")
# For the photographs that come along: a person, but no woman; a parent ("Pet") or a label with a bound.
FINDS = ["person AND NOT woman", 'pet OR "coffee cup">=99']

console = Console(highlight=False)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    photos: Annotated[
        Path | None, typer.Option(help="Your own photographs instead of the ones that come along.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of LocalStack on 127.0.0.1.")] = server.DEFAULT_PORT,
) -> None:
    """Start LocalStack, apply examples/complete, upload photographs and show their labels."""
    began = time.monotonic()
    try:
        chosen = photographs.own(photos) if photos else photographs.shipped()
        running = _localstack(port)
        outputs = _apply(running)
        running.take_over_environment()  # for boto3, here: endpoint, credentials, no proxy
        environment = _write_environment(running, outputs)
        s3 = boto3.client("s3", config=IMPATIENT)
        uploaded = _upload(s3, outputs["bucket_name"], chosen)
        if photos is None:
            uploaded |= _upload_text(s3, outputs["bucket_name"])
        found = await_items(boto3.client("dynamodb", config=IMPATIENT), outputs, uploaded)
        items = [found[key] for key in uploaded if key in found]
        if missing := [key for key in uploaded if key not in found]:
            logs, sqs = boto3.client("logs", config=IMPATIENT), boto3.client("sqs", config=IMPATIENT)
            _show(items, outputs)
            show_unfinished(explain(missing, outputs, logs, sqs), len(uploaded), outputs)
            raise typer.Exit(1)
    except (server.EmulatorError, TerraformError, PhotographsError, BotoCoreError, ClientError) as error:
        _say(f"[red]error:[/red] {escape(str(error))}")
        if isinstance(error, (BotoCoreError, ClientError)):
            _say(f"LocalStack's log is {DIRECTORY / 'localstack' / 'localstack.log'}. To begin again: make down demo")
        raise typer.Exit(1) from None
    _show(items, outputs)
    _find(_likely_finds(items) if photos else FINDS, environment)
    _farewell(outputs, time.monotonic() - began, own=photos is not None)


@app.command()
def down() -> None:
    """Stop the demo's LocalStack and forget what was in it."""
    try:
        if (elsewhere := _running_elsewhere()) and STATE.exists():
            with _step(f"terraform destroy on your LocalStack at {elsewhere.url}"):
                _root(elsewhere).run("destroy", "-auto-approve", "-no-color")
            shutil.rmtree(STATE.parent)
            return
    except (server.EmulatorError, TerraformError) as error:
        _say(f"[red]error:[/red] {escape(str(error))}")
        raise typer.Exit(1) from None
    stopped = server.stop(DIRECTORY / "localstack")
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    _say("LocalStack is stopped, and the demo's state is gone." if stopped else "No LocalStack of the demo is running.")


def _say(text: str) -> None:
    console.print(text, soft_wrap=True)


@contextmanager
def _step(what: str) -> Iterator[None]:
    """One line for a step: what is done while it is done, and how long it took."""
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    _say(f"[green]✓[/green] {what}  [dim]{time.monotonic() - began:.1f} s[/dim]")


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
    """The user's LocalStack, if AWS_ENDPOINT_URL names one: the demo's own is named by its environment.sh, too."""
    ours = server.find(DIRECTORY / "localstack")
    if ours and os.environ.get("AWS_ENDPOINT_URL") == ours.url:
        return None
    return server.running_elsewhere()


def _localstack(port: int) -> server.Server:
    if elsewhere := _running_elsewhere():
        _say(f"[green]✓[/green] LocalStack is yours, at {elsewhere.url}")
        return elsewhere
    if running := server.find(DIRECTORY / "localstack"):
        _say(f"[green]✓[/green] LocalStack runs already, at {running.url}")
        return running
    # A LocalStack that has just started knows nothing of what an earlier one had.
    STATE.unlink(missing_ok=True)
    with _step("Starting LocalStack, an AWS on this machine (the first time it takes a minute)"):
        return server.start(DIRECTORY / "localstack", port)


def _root(running: server.Server) -> Root:
    return Root(ROOT / "examples" / "complete", STATE.parent, running.environment())


def _apply(running: server.Server) -> dict[str, str]:
    root = _root(running)
    with _step("terraform init in examples/complete (the first time it downloads the provider)"):
        root.run("init", "-no-color")
    if not STATE.exists():
        _say("  terraform apply takes about a minute: the provider waits 25 s for each SQS queue to settle, as on AWS.")
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
    """Upload; the answer maps each key to its version, which tells a photo of now from one of an earlier demo."""
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
    """The item of each photo, as soon as it is about the version that was uploaded.

    Photos whose items have not come are left out, once none has come for LABEL_SECONDS.
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
    """Which photos have no labels, why, and what to do."""
    have = "has" if len(unfinished) == 1 else "have"
    which = f"{len(unfinished)} of {of} photos {have} no labels"
    _say(f"\n[red]error:[/red] {which}, and none has come for {LABEL_SECONDS} s:")
    for photo in unfinished:
        _say(f"\n  [bold]{escape(photo.key)}[/bold]  {escape(photo.where)}")
        _say(f"    why   {escape(photo.why)}")
        _say(f"    next  {escape(photo.next_step)}")
    _say(
        "\nThe function tries again, for up to half an hour. To see what becomes of them:\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)} && {COMMAND.relative_to(ROOT)} status\n"
        f"The function's log is the log group {outputs['log_group_name']}, LocalStack's is\n"
        f"{DIRECTORY / 'localstack' / 'localstack.log'}. To stop LocalStack: make down"
    )


def _show(items: list[dict[str, Any]], outputs: dict[str, str]) -> None:
    table = Table(title=f"What DynamoDB's table {outputs['images_table_name']} says now", show_lines=True)
    table.add_column("Photo", style="bold", overflow="fold")
    table.add_column("Labels, with confidence in %", ratio=1)
    for item in items:
        if item["Status"] == "REJECTED":
            table.add_row(escape(item["PK"]), f"[yellow]REJECTED[/yellow]  {escape(item['Reason'])}")
            continue
        seen = [f"{escape(label['Name'])} [dim]{float(label['Confidence']):.1f}[/dim]" for label in item["Detections"]]
        table.add_row(escape(item["PK"]), ", ".join(seen) or "[dim]none above the threshold[/dim]")
    console.print()
    console.print(table)


def _write_environment(running: server.Server, outputs: dict[str, str]) -> dict[str, str]:
    """What the command image-labels needs to know of the demo, also as a file for the user's shell."""
    emulated = {name: value for name, value in running.environment().items() if name.startswith("AWS_")}
    environment: dict[str, str] = emulated | json.loads(outputs["cli_environment"])
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    ENVIRONMENT.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()))
    return environment


def _likely_finds(items: list[dict[str, Any]]) -> list[str]:
    """Two expressions that find something among the user's own photos, if there is anything to find."""
    names = Counter(label["Name"] for item in items for label in item.get("Detections", []))
    common = [f'"{name}"' for name, _ in names.most_common(2)]
    return [*common[:1], " OR ".join(common)] if len(common) == 2 else common


def _find(expressions: list[str], environment: dict[str, str]) -> None:
    console.print("\n[bold]Found by label, without a scan[/bold]")
    for expression in expressions:
        console.print(f"\n[dim]$[/dim] image-labels find {escape(shlex.quote(expression))}", soft_wrap=True)
        subprocess.run([COMMAND, "find", expression], env=os.environ | environment, check=False)


def _farewell(outputs: dict[str, str], seconds: float, *, own: bool) -> None:
    if own:
        source = "words of the files' names"
        if os.environ.get("REKOGNITION_EMULATOR_ONNX_MODEL"):
            source = "ONNX classifier that REKOGNITION_EMULATOR_ONNX_MODEL names"
    else:
        source = "metadata that was written by hand and uploaded with each photograph"
    console.print(
        f"\nDone in {seconds:.0f} s. The Terraform module, the function and its zip are the ones that run in AWS;\n"
        "S3, SQS, Lambda and DynamoDB were LocalStack's. Rekognition is [bold]emulated[/bold]: the labels come from\n"
        f"the {source}.\n\n"
        "[bold]See the photos[/bold]        make browse\n"
        "[bold]Look around[/bold]\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)}\n"
        f"  {COMMAND.relative_to(ROOT)} find 'cat OR rocket'\n"
        f"  aws s3 cp my-photo.jpg s3://{outputs['bucket_name']}/images/\n"
        f"  aws dynamodb scan --table-name {outputs['images_table_name']}\n"
        "[bold]Your own photos[/bold]       make demo PHOTOS=directory\n"
        "[bold]Stop it[/bold]               make down",
        soft_wrap=True,
    )


if __name__ == "__main__":
    app()
