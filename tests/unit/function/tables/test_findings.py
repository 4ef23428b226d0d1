"""Findings of detectors in an item: what is stored is what is read, and it fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.detectors.text import Line, Text
from image_labels.tables.findings import MAX_FINDING_BYTES, attributes_of
from image_labels.tables.item_size import item_size
from image_labels.tables.items import findings_of, is_foreign, item_of
from support.foreign import KEY, item_of_ours, item_with_text

NOW = "2026-11-28T10:00:00.000+00:00"
ratios = st.integers(0, 100_000).map(lambda number: number / 100_000)
lines = st.builds(
    Line,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.integers(0, 100_000).map(lambda number: number / 1000),
    *[ratios] * 4,
)
texts = st.builds(
    Text,
    asked=st.just("min_confidence=80.0"),
    model_version=st.sampled_from(["", "3.0"]),
    reason=st.sampled_from(["", "ImageTooLargeException: too large"]),
    lines=st.lists(lines, max_size=3).map(tuple),
    others=st.lists(lines, max_size=3).map(tuple),
)


@given(texts)
def test_stored_finding_is_read_unchanged(text: Text) -> None:
    assert findings_of(attributes_of([text], NOW)) == (replace(text, at=NOW),)
    assert findings_of(attributes_of([replace(text, at="earlier")], NOW))[0].at == "earlier"


def test_finding_that_is_too_large_loses_its_last_lines() -> None:
    line = Line("x" * 1000, 99.0, 0.0, 0.0, 1.0, 1.0)
    attributes = attributes_of([Text(asked="a", lines=(line,) * 40, others=(line,) * 40)], NOW)
    [found] = findings_of(attributes)
    assert isinstance(found, Text)
    assert found.cut
    assert (len(found.lines), found.others[1:]) == (40, (line,) * (len(found.others) - 1))
    assert MAX_FINDING_BYTES - 1200 < item_size(attributes["Text"]["M"]) <= MAX_FINDING_BYTES
    # A finding that was read is stored again without a further loss.
    assert findings_of(attributes_of([found], NOW)) == (found,)


def test_item_with_text_has_its_terms() -> None:
    item = item_of(KEY, item_with_text())
    assert item.foreign is None
    assert {"speed limit", "dog"} <= {term.text for term in item.terms}


@pytest.mark.parametrize(
    "change",
    [
        {"Settings": {"S": "s"}},
        {"Text": None},
        {"Text": {"S": "SPEED LIMIT"}},
        {"Text": {"M": {}}},
        {"Text": {"M": {"Asked": {"S": "a"}, "At": {"S": NOW}, "Lines": {"L": [{"S": "SPEED LIMIT"}]}}}},
    ],
    ids=["not named", "missing", "a string", "empty", "of strings"],
)
def test_item_whose_text_another_program_changed_is_foreign(change: dict[str, Any]) -> None:
    item = {name: value for name, value in (item_with_text() | change).items() if value is not None}
    assert is_foreign(item)
    assert item_of(KEY, item).foreign is not None


def test_text_in_an_item_that_does_not_name_it_is_foreign() -> None:
    assert is_foreign(item_of_ours() | {"Text": item_with_text()["Text"]})
