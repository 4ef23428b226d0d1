"""Log lines with fields of any content, formatted by Lambda's own formatter."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from image_labels import logs


class Sink(logging.Handler):
    """Writes as Lambda does: the formatted line as UTF-8."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record).encode()))


@pytest.fixture(name="sink", scope="module")
def a_sink() -> Iterator[Sink]:
    sink, logger = Sink(), logging.getLogger("image_labels.test_logs")
    logger.addHandler(sink)
    yield sink
    logger.removeHandler(sink)


LOGGER = logging.getLogger("image_labels.test_logs")


def written(sink: Sink, fields: Any, error: BaseException | None = None) -> dict[str, Any]:
    sink.lines.clear()
    logs.write(LOGGER, logging.ERROR, "photo failed", fields, error)
    (line,) = sink.lines
    assert line["message"] == "photo failed"
    assert line["level"] == "ERROR"
    return dict(line)


@given(st.dictionaries(st.sampled_from(["key", "cause", "n"]), st.text() | st.integers() | st.floats()))
def test_any_field_is_logged(sink: Sink, fields: dict[str, Any]) -> None:
    assert written(sink, fields).keys() >= fields.keys()


def test_half_of_a_surrogate_pair_is_escaped(sink: Sink) -> None:
    assert written(sink, {"key": "images/\ud83d.jpg"})["key"] == r"images/\ud83d.jpg"


def test_readable_field_is_unchanged_up_to_the_maximum_length(sink: Sink) -> None:
    line = written(sink, {"key": "images/Käse 🐕\n.jpg", "attempt": 3, "cause": "x" * 10_000})
    assert (line["key"], line["attempt"]) == ("images/Käse 🐕\n.jpg", 3)
    assert len(line["cause"]) == logs.MAX_TEXT


def test_traceback_that_cannot_be_written_is_left_out(sink: Sink) -> None:
    assert written(sink, {"key": "k"}, ValueError("no \udc80"))["key"] == "k"
    assert "stackTrace" in written(sink, {"key": "k"}, ValueError("no"))
