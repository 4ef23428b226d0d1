"""Prints the candidates for a word, one a line. Any failure prints none: an error would garble the user's line."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.config import Config
from image_labels.search.printable import is_plain

from image_labels_cli.aws import Aws
from image_labels_cli.completion import candidates, words
from image_labels_cli.completion.line import Line
from image_labels_cli.completion.scripts import SCRIPTS
from image_labels_cli.deployment import PREFIX, Deployment, locate, variable
from image_labels_cli.finding.formats import Format
from image_labels_cli.finding.order import Sort
from image_labels_cli.sources import chosen

if TYPE_CHECKING:
    import boto3

# Set by the scripts to the name of the shell.
VARIABLE = "_IMAGE_LABELS_COMPLETE"
# Someone waits for the answer at a prompt: for Terraform and AWS together.
SECONDS = 5


class QuickAws(Aws):
    """Clients that give up early, and never ask the user for anything."""

    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})

    @cached_property
    def session(self) -> boto3.Session:
        session = super().session
        # A profile with mfa_serial would prompt for a code, in the middle of the user's line. botocore has no setting.
        providers = session._session.get_component("credential_provider")
        providers.get_provider("assume-role")._prompter = _refuse
        return session


@dataclass(frozen=True)
class Candidate:
    """A word, and a text that zsh and fish show beside it."""

    value: str
    help: str = ""


def main(root: Any, shell: str, arguments: Sequence[str], make_aws: Callable[..., Aws] = QuickAws) -> None:
    """Print the candidates for the last word. `root` is the click command. The arguments are those of the script."""
    try:
        with _deadline():
            lines = list(_lines(root, shell, arguments, make_aws))
        print("".join(f"{line}\n" for line in lines), end="", flush=True)
    except Exception:  # noqa: S110 - no credentials, no permission, no network, no Terraform
        pass


@contextmanager
def _deadline() -> Iterator[None]:
    signal.signal(signal.SIGALRM, _refuse)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def _refuse(*_: object) -> NoReturn:
    raise TimeoutError


def _lines(root: Any, shell: str, arguments: Sequence[str], make_aws: Callable[..., Aws]) -> Iterable[str]:
    if shell == "bash":
        command, text, breaks = arguments
        before, word = words.split(text)
        found = complete(root, before[before.index(command) + 1 :], word.text, make_aws)
        lines = (words.continued(word, each.value, breaks) for each in found)
        return [line for line in lines if line is not None and is_plain(line)]
    *before, current = arguments
    text = words.split(current)[1].text if shell == "fish" else current  # fish does not remove its quotes
    found = complete(root, before, text, make_aws)
    return [f"{each.value}\t{each.help}" if each.help else each.value for each in found if is_plain(each.value)]


def complete(root: Any, before: Sequence[str], text: str, make_aws: Callable[..., Aws] = QuickAws) -> list[Candidate]:
    """The candidates for a word that starts with the text, after these words."""
    line = Line.of(root, before)
    if line.option is None and text.startswith("-") and not line.literal:
        name, equals, value = text.partition("=")
        if not equals:
            known = {flag: each.help or "" for flag, each in line.options().items()} | {"--help": ""}
            return [Candidate(flag, _short(text_)) for flag, text_ in known.items() if flag.startswith(text)]
        line.option = line.options().get(name)
        return [Candidate(f"{name}={each}") for each in _values(line, value, make_aws)]
    if line.command is None and line.option is None and not line.arguments:
        return [
            Candidate(name, command.get_short_help_str(100))
            for name, command in root.commands.items()
            if name.startswith(text) and not command.hidden
        ]
    return [Candidate(value) for value in _values(line, text, make_aws)]


def _values(line: Line, text: str, make_aws: Callable[..., Aws]) -> Iterable[str]:
    parameter = line.parameter()
    match getattr(parameter, "name", None):
        case "terraform_dir" | "download":
            return candidates.directories(text)
        case "deployment":
            return candidates.names(text)
        case "sort":
            return [order for order in Sort if order.startswith(text)]
        case "wanted":
            return [format_ for format_ in Format if format_.startswith(text)]
        case "shell":
            return [shell for shell in SCRIPTS if shell.startswith(text)]
        case "expression":
            deployment, aws = _connect(line, make_aws, "labels_table")
            return candidates.expressions(aws.dynamodb, deployment.labels_table, text)
        case "prefix" if line.command.name == "labels":
            deployment, aws = _connect(line, make_aws, "labels_table")
            return candidates.labels(aws.dynamodb, deployment.labels_table, text)
        case "key" | "prefix":
            deployment, aws = _connect(line, make_aws, "bucket")
            return candidates.keys(aws.s3, deployment, text)
        case "like":
            deployment, aws = _connect(line, make_aws, "bucket")
            return [*candidates.files(text), *candidates.keys(aws.s3, deployment, text)]
        case _:
            return []


def _connect(line: Line, make_aws: Callable[..., Aws], needed: str) -> tuple[Deployment, Aws]:
    names = [field.name for field in fields(Deployment)]
    environment = {name: os.environ.get(variable(name), "") for name in names}
    given, source = chosen(
        environment | {name: value for name, value in line.values.items() if name in names},
        line.values,
        line.values.get("deployment") or os.environ.get(PREFIX + "DEPLOYMENT", ""),
    )
    deployment = locate(given, needed, source=source)
    aws = make_aws(deployment)
    return deployment, aws


def _short(help_: str) -> str:
    """The first sentence."""
    return help_.partition(". ")[0].partition("  ")[0].replace("\n", " ")
