"""Start, find and stop LocalStack on this machine, without Docker and without network access.

All files are written under the caller's directory: LocalStack's files, its log, and `server.json`. It identifies the
process, so that a later command finds and stops that process and no other.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 4566
REGION = "us-east-1"
REKOGNITION = "/_emulator/rekognition"
START_SECONDS = 120  # 2 s on a warm machine; the first start compiles some 3,000 modules
STOP_SECONDS = 20


class EmulatorError(Exception):
    """LocalStack cannot be started or reached; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running LocalStack. `pid` and `started` are 0 if the user started it."""

    url: str
    pid: int = 0
    started: float = 0

    @property
    def is_ours(self) -> bool:
        return self.pid != 0

    def environment(self) -> dict[str, str]:
        """This process's environment with the emulator's AWS settings instead of the user's.

        The user's environment or profile may have credentials of a real account, which must not reach Terraform or
        boto3.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        direct = [kept.get("no_proxy") or kept.get("NO_PROXY"), "127.0.0.1", "::1", "localhost"]
        no_proxy = ",".join(filter(None, direct))
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    def models(self) -> list[str]:
        """The names of the installed models that labels come from. Empty without models."""
        try:
            return [str(name) for name in json.loads(_get(self.url + REKOGNITION) or b"{}").get("models", [])]
        except (ValueError, AttributeError, TypeError):
            return []

    def take_over_environment(self) -> None:
        """Apply `environment` to this process, for boto3."""
        wanted = self.environment()
        for name in os.environ.keys() - wanted.keys():
            del os.environ[name]
        os.environ.update(wanted)


def running_elsewhere() -> Server | None:
    """The LocalStack at AWS_ENDPOINT_URL, or None if the variable is not set.

    Raises EmulatorError if it does not answer, or lacks the emulated Rekognition.
    """
    url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not url:
        return None
    if _get(f"{url}/_localstack/health") is None:
        raise EmulatorError(f"LocalStack at AWS_ENDPOINT_URL={url} does not answer: start it, or unset the variable")
    if _get(url + REKOGNITION) is None:
        raise EmulatorError(
            f"LocalStack at AWS_ENDPOINT_URL={url} does not have the emulated Rekognition: "
            "unset the variable to use this project's emulator"
        )
    return Server(url)


def find(directory: Path) -> Server | None:
    """The running LocalStack that `start` started from this directory, or None."""
    try:
        server = Server(**json.loads((directory / "server.json").read_text()))
        process = psutil.Process(server.pid)
        # The system reuses pids. The start time identifies the process.
        same = abs(process.create_time() - server.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return server if same else None


def start(
    directory: Path, port: int = DEFAULT_PORT, environment: dict[str, str] | None = None, *, host: str = DEFAULT_HOST
) -> Server:
    """Start LocalStack on a loopback port and wait until it answers. If it already runs, return it.

    `port` 0 selects a free port. `host` is 127.0.0.1, or ::1 for both, because LocalStack calls itself at 127.0.0.1.
    `environment` adds variables for LocalStack, such as the emulator's settings.
    Raises EmulatorError if the port is in use, or if LocalStack ends or does not answer in time.
    """
    if server := find(directory):
        return server
    port = _usable(DEFAULT_HOST, _usable(host, port))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    directory.mkdir(parents=True, exist_ok=True)
    with log(directory).open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstack.runtime.main"],
            env=_localstack_environment(directory, ",".join(dict.fromkeys((address, f"{DEFAULT_HOST}:{port}"))))
            | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # only the caller handles Ctrl-C
        )
    server = Server(f"http://{address}", process.pid, psutil.Process(process.pid).create_time())
    (directory / "server.json").write_text(json.dumps(asdict(server)))
    deadline = time.monotonic() + START_SECONDS
    while _get(f"{server.url}/_localstack/health") is None:
        if process.poll() is not None:
            raise EmulatorError(
                f"LocalStack ended while it started; last lines of {log(directory)}:\n{log_tail(directory)}"
            )
        if time.monotonic() > deadline:
            stop(directory)
            raise EmulatorError(f"LocalStack did not answer within {START_SECONDS} s; see {log(directory)}")
        time.sleep(0.1)
    return server


def stop(directory: Path) -> bool:
    """Stop this directory's LocalStack and its functions. Returns False if none runs."""
    server = find(directory)
    if server is None:
        return False
    process = psutil.Process(server.pid)
    functions = process.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _gone, alive = psutil.wait_procs([process, *functions], timeout=STOP_SECONDS)
    for left in alive:
        left.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
    (directory / "server.json").unlink(missing_ok=True)
    return True


def log(directory: Path) -> Path:
    """LocalStack's log."""
    return directory / "localstack.log"


def log_tail(directory: Path, lines: int = 15) -> str:
    """The last lines of LocalStack's log."""
    return "\n".join(log(directory).read_text(errors="replace").splitlines()[-lines:])


def _localstack_environment(directory: Path, addresses: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALSTACK_"))}
    (directory / "tmp").mkdir(exist_ok=True)
    return kept | {
        "GATEWAY_LISTEN": addresses,
        # Loopback only (image_labels_emulator.loopback). A debugger would listen on every interface.
        "GATEWAY_SERVER": "loopback",
        "DEVELOP": "0",
        # Not ~/.localstack, which may have settings of the user's LocalStack.
        "CONFIG_DIR": str(directory / "config"),
        "FILESYSTEM_ROOT": str(directory / "files"),
        "TMPDIR": str(directory / "tmp"),
        # Our plugins, which need no Docker.
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "moto",
        # No network access.
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "NO_PROXY": "127.0.0.1,::1,localhost",
        # Poll again within a second after an empty response or a failed batch, as AWS does.
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "1",
    }


def _usable(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise EmulatorError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
            raise EmulatorError(
                f"port {port} on {host} is in use by another program: stop it, or select another port "
                "(make: PORT=n, python -m image_labels_emulator: --port n)"
            ) from None
        return int(probe.getsockname()[1])


def _get(url: str) -> bytes | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bytes(answer.read())
    except (OSError, urllib.error.URLError):
        return None
