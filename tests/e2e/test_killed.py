"""The function is killed or frozen in the middle of a batch: all photos are labelled, and none is a dead letter."""

from __future__ import annotations

import pytest
from pictures import jpeg
from stack import Stack, wait_for

# The batch becomes visible again after the visibility timeout, six times the function's timeout of 5 s.
SECONDS = 120

HOW = {"kill": "images/killed/", "freeze": "images/frozen/"}


def keys(how: str) -> list[str]:
    return [f"{HOW[how]}{n}.jpg" for n in range(4)]


@pytest.fixture(scope="module")
def versions(stack: Stack) -> dict[str, str]:
    """Kill and then freeze the function, each while it waits for Rekognition's answers for photos of a batch."""
    # These batches must not contain photos of other tests, which check the number of their attempts.
    wait_for("an empty queue", lambda: stack.in_queue(stack.outputs["queue_url"]) == 0, SECONDS)
    versions: dict[str, str] = {}
    for how, prefix in HOW.items():
        slow = {"service": "rekognition", "operation": "DetectLabels", "containing": prefix, "delay_ms": 3000}
        stack.fail([slow | {"times": 4}])
        versions |= {key: stack.upload(key, jpeg(), "Dog=99") for key in keys(how)}
        wait_for(
            "a call to Rekognition",
            lambda: any(r["struck"] for r in stack.faults() if r["containing"] == prefix),  # noqa: B023
        )
        stack.strike_function(how)
    return versions


@pytest.mark.parametrize("how", HOW)
def test_all_photos_of_the_batch_are_labelled(stack: Stack, versions: dict[str, str], how: str) -> None:
    for key in keys(how):
        assert "Dog" in stack.labelled(key, versions[key], SECONDS)["Labels"]
    lines = [line for key in keys(how) for line in wait_for("log line", lambda: stack.log(key, "photo labelled"))]  # noqa: B023
    assert len(lines) == 4
    assert max(line["attempt"] for line in lines) == 2, "the function had finished the batch before"
    assert not {letter.why.get("Photo") for letter in stack.dead_letters()} & {
        f"s3://{stack.bucket}/{k}" for k in keys(how)
    }


def test_invocations_are_reported_as_failed_and_timed_out(stack: Stack, versions: dict[str, str]) -> None:
    reports = [line["record"] for line in stack.platform_lines("platform.report")]
    statuses = {report["status"] for report in reports}
    assert {"success", "timeout", "failure"} <= statuses
