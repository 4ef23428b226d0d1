"""Reading and writing the attributes of items, including items of other programs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from image_labels.model import Label, Labels
from image_labels.tables.items import MAX_FOREIGN_TERMS, Item, Rows, detections, item_of, labels_of
from image_labels.tables.rows import rows_of
from image_labels.tables.terms import terms_of
from support.fakes import BUCKET, UPLOADED
from support.foreign import DOG, KEY, LAB, item_of_ours, items


@given(st.lists(st.floats(0, 100), max_size=5))
def test_stored_labels_have_the_terms_of_the_labels(confidences: list[float]) -> None:
    """The rows are made from the labels; later, those of the item are expected to be the same."""
    labels = tuple(Label(f"Label {n}", confidence, parents=("Thing",)) for n, confidence in enumerate(confidences))
    assert terms_of(labels_of(detections(Labels(labels, "3.0"), room=100_000))) == terms_of(labels)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(items)
@example(LAB)
def test_any_item_can_be_read(item: dict[str, Any]) -> None:
    read = item_of(KEY, item)
    assert all(0 <= label.confidence <= 100 for label in labels_of(item))
    for (term, rank), row in rows_of(KEY, read.terms, read.dated).items():  # a worker would delete or write these
        assert 0 < len(term.encode()) <= 2048
        assert 0 < len(rank.encode()) <= 1024
        assert row["PK"] == {"S": KEY}


def test_item_of_this_module_is_not_foreign() -> None:
    read = item_of(KEY, item_of_ours())
    at = "2026-11-18T11:06:40.250+00:00"
    assert isinstance(read.answer, Labels)
    assert (read.answer.model_version, read.answer.asked, read.answer.at) == ("3.0", "s", at)
    assert [label.name for label in read.answer.labels] == ["Dog"]
    assert read._replace(answer=None) == Item(
        KEY,
        BUCKET,
        "e",
        "v1",
        "s",
        1_795_000_000_250_000_000,
        terms_of((DOG,)),
        Rows.COMPLETE,
        foreign=None,
        labelled_at=at,
        uploaded=UPLOADED,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"DetectionsCut": {"BOOL": True}},
        {"OtherDetections": {"L": [{"S": "Sky"}]}},
        {"OtherDetections": {"SS": ["Sky"]}},
        {"Status": {"S": "REJECTED"}},  # without a reason
    ],
)
def test_item_without_the_whole_answer_has_none(change: dict[str, Any]) -> None:
    item = item_of_ours() | change
    if "Status" in change:
        del item["Detections"]
    assert item_of(KEY, item).answer is None


def test_number_of_rows_deleted_for_a_foreign_item_is_limited() -> None:
    detection = {
        "Name": {"S": "Dog"},
        "Confidence": {"N": "99"},
        "Aliases": {"L": [{"S": f"a{n}"} for n in range(5000)]},
    }
    item = item_of_ours() | {"Detections": {"L": [{"M": detection}]}, "Revision": {"S": "x"}}
    assert len(item_of(KEY, item).terms) == MAX_FOREIGN_TERMS
    assert len(item_of(KEY, item | {"Revision": {"N": "7"}}).terms) == 5001
