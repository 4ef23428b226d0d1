"""`make demo`: applies the module to an emulated AWS on this machine and labels real photographs."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from image_labels.search.printable import visible
from image_labels_cli import output
from image_labels_cli.layout import key
from image_labels_emulator import server
from rich.markup import escape

from tools import demo_apply, demo_shell, photographs
from tools.demo_output import console, progress, step, write
from tools.demo_photos import LABEL_SECONDS, Photos, RemovalError
from tools.demo_searches import expressions
from tools.photographs import PREFIX, LeftOut, Photograph, PhotographsError
from tools.terraform import LOCAL, ROOT, Root, TerraformError
from tools.unfinished import Unfinished, explain

DIRECTORY = LOCAL / "demo"
EXAMPLE = ROOT / "examples" / "complete"
STATE = DIRECTORY / "terraform" / "terraform.tfstate"
ENVIRONMENT = DIRECTORY / demo_shell.ENVIRONMENT
COMMAND = Path(sys.executable).with_name("image-labels")
# Detects within a minute that LocalStack does not answer.
SHORT_TIMEOUTS = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3})
NOT_A_PHOTO = (f"{PREFIX}notes.jpg", b"This is a text file with the name notes.jpg.\n")
MAX_NAMES = 5  # of the files that are left out for one reason
INTERRUPTED = 130  # the exit code
WARNING = (
    "  [yellow]warning:[/yellow] AWS CLI 1, which you have, sends `aws sqs` to AWS itself.\n"
    "  environment.sh prevents that, but not in scripts. In a script, write:\n"
    '  aws --endpoint-url "$AWS_ENDPOINT_URL" sqs list-queues\n'
)


class DemoError(Exception):
    """The demo cannot continue, or a search found nothing; the message is for the user."""


ERRORS = (DemoError, RemovalError, PhotographsError, TerraformError, server.EmulatorError)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    photos: Annotated[
        Path | None, typer.Option(help="Directory of your own photographs. Default: the included ones.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"Port of LocalStack on 127.0.0.1. Default: {server.DEFAULT_PORT}."),
    ] = None,
) -> None:
    """Start LocalStack, apply examples/complete, upload photographs and show their labels."""
    began = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored: started with nohup
            signal.signal(number, signal.default_int_handler)  # as Ctrl-C
    try:
        chosen = _own(photos) if photos else photographs.shipped()
        running = _started(port)
        _require_models(running)
        values = demo_apply.apply(_root(running), first=not STATE.exists())
        outputs = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
        running.take_over_environment()  # endpoint and credentials for boto3 in this process
        environment = demo_shell.write(DIRECTORY, running, values)
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
        write(f"[red]error:[/red] {escape(str(error))}")
        if isinstance(error, (BotoCoreError, ClientError)):
            write(f"LocalStack's log: {DIRECTORY / 'localstack' / 'localstack.log'}. To start over: make down demo")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        show_interrupted()
        raise typer.Exit(INTERRUPTED) from None
    _show_next_steps(outputs, time.monotonic() - began, searches, running.models())


@app.command()
def down() -> None:
    """Stop the demo's LocalStack and delete its state."""
    try:
        if (elsewhere := _running_elsewhere()) and STATE.exists():
            with step(f"terraform destroy on your LocalStack at {elsewhere.url}"):
                _root(elsewhere).run("destroy", "-auto-approve", "-no-color")
            shutil.rmtree(STATE.parent)
            return
    except (server.EmulatorError, TerraformError) as error:
        write(f"[red]error:[/red] {escape(str(error))}")
        raise typer.Exit(1) from None
    stopped = server.stop(DIRECTORY / "localstack")
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    write("Stopped LocalStack and deleted the demo's state." if stopped else "The demo is not running.")


def _running_elsewhere() -> server.Server | None:
    """The user's LocalStack at AWS_ENDPOINT_URL, which environment.sh may also set to that of a demo."""
    ours = server.find(DIRECTORY / "localstack")
    if os.environ.get("AWS_ENDPOINT_URL") in (ours and ours.url, os.environ.get(demo_shell.DEMO_URL)):
        return None
    return server.running_elsewhere()


def _started(port: int | None) -> server.Server:
    """LocalStack, started beside `terraform init`: the first time, each takes up to a minute."""
    root = Root(EXAMPLE, STATE.parent, os.environ)
    prepared = ThreadPoolExecutor(1).submit(root.run, "init", "-no-color")
    running = _localstack(port)
    with step("terraform init (downloads the AWS provider if needed)"):
        prepared.result()
    return running


def _localstack(port: int | None) -> server.Server:
    """The LocalStack that is already running, or a new one. Raises DemoError if it does not have the wanted port."""
    if elsewhere := _running_elsewhere():
        _require_port(port, elsewhere, "AWS_ENDPOINT_URL names your LocalStack", "or unset AWS_ENDPOINT_URL")
        write(f"[green]✓[/green] Using your LocalStack at {elsewhere.url}")
        return elsewhere
    if running := server.find(DIRECTORY / "localstack"):
        _require_port(port, running, "the demo is already running", "or stop that demo first: make down")
        write(f"[green]✓[/green] LocalStack is already running at {running.url}")
        return running
    # A new LocalStack is empty, so the state of an earlier one is invalid.
    STATE.unlink(missing_ok=True)
    with step("Starting LocalStack (the first start takes a minute)"):
        return server.start(DIRECTORY / "localstack", port or server.DEFAULT_PORT)


def _require_port(port: int | None, running: server.Server, why: str, otherwise: str) -> None:
    if port not in (None, urlsplit(running.url).port):
        raise DemoError(f"PORT={port} cannot be used, because {why} at {running.url}: omit PORT, {otherwise}")


def show_interrupted() -> None:
    """Print what still runs after Ctrl-C, and how to continue and to stop it."""
    if running := server.find(DIRECTORY / "localstack"):
        state = f"LocalStack still runs at {running.url}.\nTo continue: make demo\nTo stop it:  make down"
    elif STATE.exists():
        state = "Your LocalStack has resources of the demo.\nTo continue:    make demo\nTo delete them: make down"
    else:
        state = "Nothing of the demo runs."
    write(f"\nInterrupted. {state}")


def _root(running: server.Server) -> Root:
    return Root(EXAMPLE, STATE.parent, running.environment())


def _own(directory: Path) -> list[Photograph]:
    """The user's photographs. Prints the files that are left out. Raises DemoError if no photograph remains."""
    with step(f"Checking the files of PHOTOS={directory}"):
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
        write(f"  [yellow]left out[/yellow] {shown}{more}  [dim]{escape(why)}[/dim]")


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
        with progress() as bar:
            task = bar.add_task("Removing the photographs of the run before", total=len(others))
            photos.remove(others, lambda count: bar.update(task, completed=count))
    with step(f"Uploading {len(chosen)} photographs to the bucket, under {PREFIX}"):
        uploaded = photos.upload(chosen)
        for key, body in texts:
            uploaded |= photos.upload_text(key, body)
    with progress() as bar:
        task = bar.add_task("S3 → SQS → Lambda → Rekognition → DynamoDB", total=len(uploaded))
        return uploaded, photos.await_items(uploaded, lambda count: bar.update(task, completed=count))


def show_unfinished(unfinished: list[Unfinished], of: int, outputs: Mapping[str, str]) -> None:
    """Print the photos without labels, with the cause and the next step."""
    have = "has" if len(unfinished) == 1 else "have"
    which = f"{len(unfinished)} of {of} photos {have} no labels"
    write(f"\n[red]error:[/red] {which}; no photo was labelled in the last {LABEL_SECONDS} s:")
    for photo in unfinished:
        write(f"\n  [bold]{escape(photo.key)}[/bold]  {escape(photo.where)}")
        write(f"    cause      {escape(photo.why)}")
        write(f"    next step  {escape(photo.next_step)}")
    write(
        "\nThe function retries for up to half an hour. To see the current state:\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)} && {COMMAND.relative_to(ROOT)} status\n"
        f"The function's log group: {outputs['log_group_name']}\n"
        f"LocalStack's log: {DIRECTORY / 'localstack' / 'localstack.log'}\n"
        "To stop LocalStack: make down"
    )


def _show(items: list[dict[str, Any]], outputs: dict[str, str]) -> None:
    rows = []
    for item in items:
        if item["Status"] == "REJECTED":
            rows.append((item["PK"], f"REJECTED: {item['Reason']}"))
            continue
        seen = [f"{label['Name']} {float(label['Confidence']):.1f}" for label in item["Detections"]]
        rows.append((item["PK"], ", ".join(seen) or "none with the minimum confidence"))
    write(f"\n[bold]Items of the DynamoDB table {outputs['images_table_name']}[/bold]")
    output.write_table((key("Photo"), "Labels with confidence in %"), rows)


def _find(searches: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the searches. Raises DemoError if one finds nothing or fails, because all of them match."""
    if not searches:
        write("\nNo photograph has a label with the minimum confidence, so there is nothing to search for.")
        return
    console.print("\n[bold]Found by label, without a scan[/bold]")
    for expression in searches:
        console.print(f"\n[dim]$[/dim] image-labels find {escape(shlex.quote(expression))}", soft_wrap=True)
        done = subprocess.run([COMMAND, "find", expression], env=os.environ | environment, check=False)
        if done.returncode != 0:
            raise DemoError(f"image-labels find ended with exit code {done.returncode}, although photographs match")


def _show_next_steps(outputs: dict[str, str], seconds: float, searches: Sequence[str], models: list[str]) -> None:
    write(
        f"\nDone in {seconds:.0f} s. The Terraform module, the function and its zip are the same as in AWS. "
        "LocalStack emulates S3, SQS, Lambda and DynamoDB. Rekognition is [bold]emulated[/bold], too. "
        f"Its labels are what these models see in the pixels: {escape(', '.join(models))}.\n"
    )
    console.print(
        "[bold]Web page[/bold]              make browse\n"
        "[bold]Command line[/bold]\n"
        f"  . {ENVIRONMENT.relative_to(ROOT)}\n"
        f"  {COMMAND.relative_to(ROOT)} {escape(shlex.join(['find', *searches[:1]]) if searches else 'labels')}\n"
        f"  aws s3 cp my-photo.jpg s3://{outputs['bucket_name']}/{PREFIX}\n"
        f"  aws dynamodb scan --table-name {outputs['images_table_name']}\n"
        f"{WARNING if demo_shell.ignores_endpoint() else ''}"
        "[bold]Your own photos[/bold]       make demo PHOTOS=directory\n"
        "[bold]Stop the demo[/bold]         make down",
        soft_wrap=True,
    )


if __name__ == "__main__":
    app()
