"""One LocalStack for all end-to-end tests. The module and each example are applied once, in parallel.

The tests of test_retries.py need several tries with waits between them. Their photos are therefore uploaded as soon as
the bucket exists. The examples take minutes to apply, so the tests of the module run before those of the examples.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from applied_examples import ALL, NAMES, Examples
from image_labels_emulator import server
from pictures import jpeg
from stack import DIRECTORY, NEVER, THROTTLED, Stack, stack_of, wait_for
from support.event_files import load

from tools.terraform import ROOT, Root

# In this order, after all other files: the examples, which are applied meanwhile, and then the tests that check what
# the previous ones have left.
LAST = ("test_examples.py", "test_retries.py", "test_settled.py", "test_watch.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LAST.index(item.path.name) if item.path.name in LAST else -1)


@pytest.fixture(scope="session")
def localstack() -> Iterator[server.Server]:
    """A new LocalStack on a free port, or the one that AWS_ENDPOINT_URL names."""
    if elsewhere := server.running_elsewhere():
        elsewhere.take_over_environment()
        yield elsewhere
        return
    server.stop(DIRECTORY / "localstack")  # a killed run leaves it running
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    # The default is one minute, which would delay the alarms.
    often = {"SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "10"}
    running = server.start(DIRECTORY / "localstack", port=0, environment=often)
    running.take_over_environment()
    yield running
    server.stop(DIRECTORY / "localstack")


@pytest.fixture(scope="session")
def begun(localstack: server.Server) -> Iterator[Examples]:
    """The examples, while they are being applied."""
    examples = Examples(localstack)
    yield examples
    examples.close()


@pytest.fixture(scope="session")
def examples(begun: Examples, request: pytest.FixtureRequest) -> Examples:
    """The examples. If all are applied, the tests' root module is applied at the same time; a selection needs none."""
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
    if not localstack.is_ours:  # a LocalStack of the tests is deleted with its resources
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
            # 8 photos with 3 calls per attempt: all first attempts fail, and all second ones succeed.
            {"key_prefix": "images/throttled/", "error": "ThrottlingException", "times": 30},
        ],
    )
    # A cold start, or the calls of the other photos, could use up the function's 5 s in its first attempt of NEVER.
    # Then that attempt would be handed back, and would be missing among the failed ones.
    stack.invoke(load("s3_test_event"))
    stack.upload(NEVER, jpeg(), "Dog=99")
    wait_for(f"first attempt of {NEVER}", lambda: stack.log(NEVER, "photo failed"), seconds=300)
    for key in THROTTLED:
        stack.upload(key, jpeg(), "Dog=99")
    return stack
