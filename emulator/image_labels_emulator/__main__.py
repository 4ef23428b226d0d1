"""`python -m image_labels_emulator`: LocalStack with the emulated Rekognition in the foreground, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import psutil
import typer

from image_labels_emulator import server

# Ctrl-C, `kill`, and a terminal that closes.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INSTALL_MODELS = "python -m image_labels_emulator.models"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Loopback(Enum):
    """The addresses to listen on. LocalStack runs functions as the user and does not check credentials."""

    IPV4 = "127.0.0.1"
    IPV6 = "::1"


class Stop(BaseException):
    """A signal. Not an Exception, so that no handler of errors takes it for one."""


@app.command()
def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 selects a free port.")] = server.DEFAULT_PORT,
    host: Annotated[Loopback, typer.Option(help="Address to listen on, of this machine only.")] = Loopback.IPV4,
    state: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            show_default=False,
            help="Directory for LocalStack's files and its log. Default: a temporary one, deleted at the end.",
        ),
    ] = None,
) -> None:
    """Run LocalStack with an emulated Amazon Rekognition until Ctrl-C.

    LocalStack forgets its resources when it stops, also with --state.
    """
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # ignored: started with nohup
            signal.signal(number, _stop)
    try:
        with nullcontext(state) if state else tempfile.TemporaryDirectory(prefix="image-labels-emulator-") as directory:
            _serve(Path(directory), port, host.value)
    except Stop:
        print("Stopped.", flush=True)
    except (server.EmulatorError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would leave LocalStack behind
    raise Stop


def _serve(directory: Path, port: int, host: str) -> None:
    if running := server.find(directory):
        raise server.EmulatorError(f"an emulator with these files runs already, at {running.url}")
    print("Starting LocalStack (the first start takes a minute) ...", flush=True)
    try:
        running = server.start(directory, port, host=host)
        print(introduction(running, directory), flush=True)
        psutil.Process(running.pid).wait()
        raise server.EmulatorError(f"LocalStack ended; last lines of its log:\n{server.log_tail(directory)}")
    except Stop:
        print("\nStopping LocalStack ...", flush=True)
        raise
    finally:
        server.stop(directory)


def introduction(running: server.Server, directory: Path) -> str:
    """What runs where, and how to use it."""
    environment = running.environment()
    variables = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
    exports = "\n".join(f"  export {name}={environment[name]}" for name in variables)
    models = ", ".join(running.models())
    missing = f"no models are installed, so only x-amz-meta-labels gives labels. Install them:\n  {INSTALL_MODELS}"
    return (
        f"LocalStack with an emulated Amazon Rekognition at {running.url}, on this machine only.\n"
        f"Models: {models or missing}\n\n"
        "boto3, AWS CLI 2 and Terraform's AWS provider (with s3_use_path_style = true) use it with:\n"
        f"{exports}\n"
        'AWS CLI 1 sends `aws sqs` to AWS itself, unless it has the option --endpoint-url "$AWS_ENDPOINT_URL".\n\n'
        f"Log: {server.log(directory)}\n"
        "Press Ctrl-C to stop."
    )


if __name__ == "__main__":
    app(prog_name="python -m image_labels_emulator")
