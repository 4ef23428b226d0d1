"""`make demo`: applies the module to an emulated AWS on this machine and labels real photographs."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from image_labels.search.printable import visible
from image_labels_emulator import server
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools import photographs
from tools.demo_photos import LABEL_SECONDS, Photos, RemovalError
from tools.demo_searches import expressions
from tools.photographs import PREFIX, LeftOut, Photograph, PhotographsError
from tools.terraform import LOCAL, ROOT, Root, TerraformError
from tools.unfinished import Unfinished, explain

DIRECTORY = LOCAL / "demo"
STATE = DIRECTORY / "terraform" / "terraform.tfstate"
ENVIRONMENT = DIRECTORY / "environment.sh"
COMMAND = Path(sys.executable).with_name("image-labels")
# Detects within a minute that LocalStack does not answer.
SHORT_TIMEOUTS = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3})
NOT_A_PHOTO = (f"{PREFIX}notes.jpg", b"This is a text file with the name notes.jpg.\n")
MAX_NAMES = 5  # of the files that are left out for one reason


class DemoError(Exception):
    """The demo cannot continue, or a search found nothing; the message is for the user."""


ERRORS = (DemoError, RemovalError, PhotographsError, TerraformError, server.EmulatorError)

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
        chosen = _own(photos) if photos else photographs.shipped()
        running = _localstack(port)
        _require_models(running)
        outputs = _apply(running)
        running.take_over_environment()  # endpoint and credentials for boto3 in this process
        environment = _write_environment(running, outputs)
        s3, dynamodb = boto3.client("s3", config=SHORT_TIMEOUTS), boto3.client("dynamodb", config=SHORT_TIMEOUTS)
        uploaded, found = replace_photos(Photos(s3, dynamodb, outputs), chosen, [] if photos else [NOT_A_PHOTO])
        items = [found[key] for key in uploaded if key in found]
        if missing := [key for key in uploaded if key not in found]:
            logs, sqs = boto3.client("logs", config=SHORT_TIMEOUTS), boto3.client("sqs", config=SHORT_TIMEOUTS)
            _show(items, outputs)
            show_unfinished(explain(missing, outputs, logs, sqs), len(uploaded), outputs)
            raise typer.Exit(1)
        _show(items, outputs)
        searches = expressions(items)
        _find(searches, environment)
    except (*ERRORS, BotoCoreError, ClientError) as error:
        _print(f"[red]error:[/red] {escape(str(error))}")
        if isinstance(error, (BotoCoreError, ClientError)):
            _print(f"LocalStack's log: {DIRECTORY / 'localstack' / 'localstack.log'}. To start over: make down demo")
        raise typer.Exit(1) from None
    _show_next_steps(outputs, time.monotonic() - began, searches, running.models())


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


def _own(directory: Path) -> list[Photograph]:
    """The user's photographs. Prints the files that are left out. Raises DemoError if no photograph remains."""
    with _step(f"Checking the files of PHOTOS={directory}"):
        chosen, left_out = photographs.own(directory)
    show_left_out(left_out)
    if not chosen:
        raise DemoError(f"PHOTOS={directory} has no .jpg, .jpeg or .png file that can be labelled")
    return chosen


def show_left_out(left_out: Sequence[LeftOut]) -> None:
    """Print the files that are not uploaded, by reason."""
    names: dict[str, list[str]] = {}
    for file in left_out:
        names.setdefault(file.why, []).append(file.name)
    for why, files in names.items():
        more = f" and {len(files) - MAX_NAMES:,} more" if len(files) > MAX_NAMES else ""
        shown = ", ".join(escape(visible(name)) for name in files[:MAX_NAMES])
        _print(f"  [yellow]left out[/yellow] {shown}{more}  [dim]{escape(why)}[/dim]")


def _require_models(running: server.Server) -> None:
    if not running.models():
        raise DemoError(
            f"the emulated Rekognition at {running.url} has no models, so it sees nothing: "
            f"install them with {Path(sys.executable).relative_to(ROOT)} -m image_labels_emulator.models"
        )


def replace_photos(
    photos: Photos, chosen: Sequence[Photograph], texts: Sequence[tuple[str, bytes]]
) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Remove the photographs of earlier runs, upload these, and wait. Returns versions and items by key."""
    if others := photos.others([*(photo.key for photo in chosen), *(key for key, _ in texts)]):
        with _progress() as progress:
            task = progress.add_task("Removing the photographs of the run before", total=len(others))
            photos.remove(others, lambda count: progress.update(task, completed=count))
    with _step(f"Uploading {len(chosen)} photographs to the bucket, under {PREFIX}"):
        uploaded = photos.upload(chosen)
        for key, body in texts:
            uploaded |= photos.upload_text(key, body)
    with _progress() as progress:
        task = progress.add_task("S3 → SQS → Lambda → Rekognition → DynamoDB", total=len(uploaded))
        return uploaded, photos.await_items(uploaded, lambda count: progress.update(task, completed=count))


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


def _find(searches: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the searches. Raises DemoError if one finds nothing or fails, because all of them match."""
    if not searches:
        _print("\nNo photograph has a label with the minimum confidence, so there is nothing to search for.")
        return
    console.print("\n[bold]Found by label, without a scan[/bold]")
    for expression in searches:
        console.print(f"\n[dim]$[/dim] image-labels find {escape(shlex.quote(expression))}", soft_wrap=True)
        done = subprocess.run([COMMAND, "find", expression], env=os.environ | environment, check=False)
        if done.returncode != 0:
            raise DemoError(f"image-labels find ended with exit code {done.returncode}, although photographs match")


def _show_next_steps(outputs: dict[str, str], seconds: float, searches: Sequence[str], models: list[str]) -> None:
    console.print(
        f"\nDone in {seconds:.0f} s. The Terraform module, the function and its zip are the same as in AWS.\n"
        "LocalStack emulates S3, SQS, Lambda and DynamoDB. Rekognition is [bold]emulated[/bold], too.\n"
        f"Its labels are what these models see in the pixels: {escape(', '.join(models))}.\n\n"
        "[bold]Web page[/bold]              make browse\n"
        "[bold]Command line[/bold]\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)}\n"
        f"  {COMMAND.relative_to(ROOT)} {escape(shlex.join(['find', *searches[:1]]) if searches else 'labels')}\n"
        f"  aws s3 cp my-photo.jpg s3://{outputs['bucket_name']}/{PREFIX}\n"
        f"  aws dynamodb scan --table-name {outputs['images_table_name']}\n"
        "[bold]Your own photos[/bold]       make demo PHOTOS=directory\n"
        "[bold]Stop the demo[/bold]         make down",
        soft_wrap=True,
    )


if __name__ == "__main__":
    app()
