"""A function receives the bodies of its messages unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_emulator import sqs_bodies
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller


class Function:
    """The receiver of the poller's events."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def process_events_batch(self, events: list[Any]) -> None:
        self.bodies = [event["body"] for event in events]


class Poller(SqsPoller):
    """LocalStack's poller between queue and function."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self.processor: Any = Function()

    def filter_events(self, events: list[Any]) -> list[Any]:
        return [event for event in events if not self._wanted or self._wanted in event["body"]]

    def delete_messages(self, messages: list[Any], message_ids_to_delete: set[str]) -> None:
        pass

    def add_source_metadata(self, events: list[Any], extra_metadata: Any = None) -> list[Any]:  # noqa: ARG002
        return events


def handed_over(bodies: list[str], wanted: str = "") -> list[str]:
    sqs_bodies.install()
    poller: Any = Poller(wanted)
    poller.handle_messages([
        {"MessageId": str(n), "ReceiptHandle": str(n), "Body": body} for n, body in enumerate(bodies)
    ])  # fmt: skip
    return list(poller.processor.bodies)


@pytest.mark.parametrize("body", ["9" * 5000, "[" * 100_000, '"text"', '{"a":1,"a":  2.0}', "[1e999]", "not JSON", "7"])
def test_body_is_unchanged(body: str) -> None:
    assert handed_over([body, '{"b": 1}']) == [body, '{"b": 1}']


@given(st.lists(st.text() | st.dictionaries(st.text(), st.floats() | st.text()).map(json.dumps), max_size=3))
def test_any_body_is_unchanged(bodies: list[str]) -> None:
    assert handed_over(bodies) == bodies


def test_filter_reads_the_body() -> None:
    assert handed_over(['{"a": 1}', '{"b": 1}', '["a"]', "7"], wanted="a") == ['{"a": 1}', '["a"]']
