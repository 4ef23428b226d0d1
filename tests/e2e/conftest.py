"""One LocalStack for all end-to-end tests, and one apply, of the module and of each example, all side by side.

Two tests need several tries, with waits between them: their photos are uploaded as soon as there is a bucket, and
looked at last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from applied_examples import ALL, NAMES, Examples
from image_labels_emulator import server
from pictures import jpeg
from stack import DIRECTORY, NEVER, THROTTLED, Stack, stack_of

from tools.terraform import ROOT, Root


@pytest.fixture(scope="session")
def localstack() -> Iterator[server.Server]:
    """A LocalStack of our own on a free port, or the one that AWS_ENDPOINT_URL names."""
    if elsewhere := server.running_elsewhere():
        elsewhere.take_over_environment()
        yield elsewhere
        return
    server.stop(DIRECTORY / "localstack")  # left behind by a run that was killed
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    # SQS measures once a minute; nobody wants to wait so long for an alarm.
    often = {"SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "10"}
    running = server.start(DIRECTORY / "localstack", port=0, environment=often)
    running.take_over_environment()
    yield running
    server.stop(DIRECTORY / "localstack")


@pytest.fixture(scope="session")
def begun(localstack: server.Server) -> Iterator[Examples]:
    """The examples, which are being applied from now on."""
    examples = Examples(localstack)
    yield examples
    examples.close()


@pytest.fixture(scope="session")
def examples(begun: Examples, request: pytest.FixtureRequest) -> Examples:
    """The examples. When all are applied, the module itself is too, at the same time; chosen ones do without it."""
    if NAMES == ALL:
        request.getfixturevalue("stack")
    return begun


@pytest.fixture(scope="session")
def root(localstack: server.Server, begun: Examples) -> Iterator[Root]:
    """The applied root module."""
    root = Root(ROOT / "tests" / "e2e" / "root", DIRECTORY / "terraform", localstack.environment())
    root.run("init", "-no-color")
    root.run("apply", "-no-color", "-auto-approve")
    yield root
    if not localstack.is_ours:  # ours goes with all that is in it
        root.run("destroy", "-no-color", "-auto-approve")


@pytest.fixture(scope="session")
def stack(localstack: server.Server, root: Root) -> Stack:
    stack = stack_of(localstack, json.loads(root.run("output", "-json", "image_labels").stdout))
    stack.emulator("POST", "/reset")
    stack.heal()
    stack.emulator(
        "POST",
        "/rules",
        [
            {"key_prefix": "images/down/", "error": "InternalServerError"},
            # 8 photos at 3 calls a try: none gets through on its first, all do on their second.
            {"key_prefix": "images/throttled/", "error": "ThrottlingException", "times": 30},
        ],
    )
    for key in (NEVER, *THROTTLED):
        stack.upload(key, jpeg(), "Dog=99")
    return stack
