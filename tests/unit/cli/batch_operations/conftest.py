"""A command for the jobs, as `image-labels backfill --batch-operations` calls them, and the service that runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, cast

import pytest
import typer
from image_labels_cli import batch_operations, emulated, main
from image_labels_cli.aws import Aws
from image_labels_cli.batch_operations import jobs
from support import command
from support.batch_service import ACCOUNT, BatchService
from typer.testing import Result

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment

Run = Callable[..., Result]

app = typer.Typer(cls=main.CommandGroup, add_completion=False)
app.callback()(main.callback)


@app.command()
def backfill(
    ctx: typer.Context,
    prefix: Annotated[str, typer.Argument()] = "",
    limit: Annotated[int | None, typer.Option()] = None,
    yes: Annotated[bool, typer.Option("--yes")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    batch_operations.run(ctx.obj, prefix, limit=limit, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command()
def other() -> None:
    """A second command: typer has no subcommands otherwise."""


@pytest.fixture
def service() -> BatchService:
    return BatchService(["images/a.jpg", "images/b.jpg", "images/2026/red flower.jpg", "images/c.PNG", "notes.txt"])


@pytest.fixture(autouse=True)
def batch_deployment(deployment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "FILTER_PREFIX": "images/",
        "FILTER_SUFFIXES": ".PNG,.gif,.jpg",
        "BATCH_FUNCTION_ARN": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:image-labels-batch",
        "BATCH_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/application/image-labels-batch-2026",
        "BATCH_TPS": "4",
    }.items():
        monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)
    monkeypatch.setattr(jobs, "COUNTING_SECONDS", 0)
    monkeypatch.setattr(jobs, "FOLLOWING_SECONDS", 0)
    emulated.labels_by.cache_clear()


@pytest.fixture
def make_aws(service: BatchService) -> command.MakeAws:
    def make(deployment: Deployment) -> Aws:
        aws = Aws(deployment)
        answer = cast("Callable[..., None]", lambda request, **_: service.send(request))  # the stubs allow no answer
        aws.session.events.register("before-send", answer)
        return aws

    return make


@pytest.fixture
def run(make_aws: command.MakeAws) -> Run:
    return lambda *words: command.run("backfill", *words, make_aws=make_aws, app=app)


@pytest.fixture
def run_on_terminal(make_aws: command.MakeAws) -> Run:
    return lambda *words, typed=None: command.run_on_terminal(
        "backfill", *words, typed=typed, make_aws=make_aws, app=app
    )
