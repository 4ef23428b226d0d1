"""How many photos have each term: deltas and the counts that they are added to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from image_labels.failures import NeedsOperator
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.tables.counts import Counts, Delta, delta_of
from image_labels.tables.items import item_of
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.replaced import Replaced
from support.tables import Tables, revisions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTO = Photo(BUCKET, "a.jpg", "e", None, 1000, "2026-11-17T08:00:00.000+00:00")
NOW = 1_795_000_000.0
FOREVER = float("inf")


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def store(tables: Tables) -> Store:
    return Store(cast("DynamoDBClient", tables), "images", "labels", new_revision=revisions())


def counts_of(tables: object, **options: Any) -> Counts:
    return Counts(cast("DynamoDBClient", tables), "labels", now=lambda: NOW, **options)


def put(store: Store, key: str, *names: str, modified: str = PHOTO.modified) -> None:
    found = Labels(tuple(Label(name, 99.0, ("Thing",)) for name in names), "3.0")
    store.put(replace(PHOTO, key=key, modified=modified), found, "s", store.get(key))


def state(tables: Tables) -> dict[str, Any]:
    return tables.items["labels"]["*count", "*"]


def test_photos_are_counted_by_the_terms_that_they_have_now(store: Store, tables: Tables) -> None:
    counts = counts_of(tables)
    put(store, "a.jpg", "Dog", "Cat")
    put(store, "b.jpg", "Dog")
    assert tables.counts() == {"dog": 2, "cat": 1, "thing": 2}
    assert counts.fold(FOREVER) == {"counted": 2}
    put(store, "a.jpg", "Dog", "Car")
    put(store, "b.jpg", "Dog")
    item = store.get("b.jpg")
    assert item is not None
    store.delete(item)
    assert tables.counts() == {"dog": 1, "car": 1, "thing": 1}
    # The labels of the second photo were written again and are the same, which changes no count.
    assert counts.fold(FOREVER) == {"counted": 2}
    assert tables.counts() == {"dog": 1, "car": 1, "thing": 1}
    assert tables.deltas() == 0
    store.put(PHOTO, Rejected("no photo"), "s", store.get("a.jpg"))
    assert tables.counts() == {}
    assert counts.fold(FOREVER) == {"counted": 1}
    assert state(tables)["Folds"] == {"N": "3"}


def test_deltas_of_many_photos_and_terms_change_each_count_once(store: Store, tables: Tables) -> None:
    """In transactions of at most 100 actions, which the fake demands."""
    changed: list[str] = []

    def write(TransactItems: list[Any]) -> Any:  # noqa: N803
        updates = [action["Update"]["Key"]["Rank"]["S"] for action in TransactItems if "Update" in action]
        changed.extend(rank for rank in updates if rank != "*")
        return tables.transact_write_items(TransactItems=TransactItems)

    for number in range(80):
        put(store, f"{number}.jpg", "Dog", *(f"Label {number * 7 % 40 + n}" for n in range(5)))
    put(store, "crowd.jpg", *(f"Label {n}" for n in range(300)))
    before = tables.counts()
    assert before["dog"] == 80
    counts = counts_of(Replaced(tables, transact_write_items=write))
    assert counts.fold(FOREVER) == {"counted": 84}  # the crowd has four
    assert sorted(changed) == sorted(before)
    assert tables.counts() == before
    assert tables.deltas() == 0


def test_counting_ends_in_time_and_goes_on_with_the_next_run(store: Store, tables: Tables) -> None:
    for number in range(9):
        put(store, f"{number}.jpg", "Dog")
    seconds = iter(range(100))
    counts = counts_of(tables, max_actions=6, clock=lambda: float(next(seconds)))
    assert counts.fold(2.0) == {"counted": 6}
    assert tables.counts() == {"dog": 9, "thing": 9}
    assert counts.fold(FOREVER) == {"counted": 3}
    assert tables.deltas() == 0


def test_photos_of_an_earlier_version_are_counted_when_their_items_are_written_again(
    store: Store, tables: Tables
) -> None:
    """The earlier version wrote neither the time of the upload nor deltas."""
    put(store, "old.jpg", "Dog", modified="")
    assert tables.counts() == {}
    counts_of(tables).fold(FOREVER)
    assert state(tables)["Since"] == {"S": "2026-11-18T11:06:40.000+00:00"}
    put(store, "new.jpg", "Dog")
    put(store, "old.jpg", "Dog", "Cat")
    counts_of(tables).fold(FOREVER)
    assert tables.counts() == {"dog": 2, "thing": 2, "cat": 1}
    assert "Since" in state(tables)


def test_new_table_counts_all_photos(store: Store, tables: Tables) -> None:
    put(store, "a.jpg", "Dog")
    counts_of(tables).fold(FOREVER)
    assert "Since" not in state(tables)
    assert tables.counts() == {"dog": 1, "thing": 1}


def test_delta_of_another_program_that_is_no_whole_number_counts_nothing() -> None:
    changes: Any = {"dog": {"N": "2"}, "cat": {"N": "1.5"}, "car": {"S": "1"}, "": {"N": "1"}}
    assert delta_of({"Rank": {"S": "x"}, "Deltas": {"M": changes}}) == Delta("x", {"dog": 2})
    assert delta_of({"Rank": {"S": "x"}, "Deltas": {"S": "dog"}}) == Delta("x", {})


def test_item_of_an_earlier_version_is_read_as_not_counted() -> None:
    item = {
        "Bucket": {"S": BUCKET},
        "ETag": {"S": "e"},
        "Settings": {"S": "s"},
        "Revision": {"N": "1"},
        "Status": {"S": "LABELLED"},
        "Detections": {"L": [{"M": {"Name": {"S": "Dog"}, "Confidence": {"N": "99"}}}]},
        "Rows": {"N": "1"},
    }
    assert item_of("a.jpg", item).counted == set()
    assert item_of("a.jpg", item | {"Uploaded": {"S": PHOTO.modified}}).counted == {"dog"}


@pytest.mark.parametrize(
    ("code", "reason", "logged"),
    [
        ("TransactionCanceledException", "TransactionConflict", ""),
        ("TransactionCanceledException", "ThrottlingError", "nothing: it is tried again within minutes"),
        ("AccessDeniedException", "", "allow TransactWriteItems to the function's role"),
    ],
)
def test_deltas_that_could_not_be_added_are_added_by_a_later_run(
    store: Store, tables: Tables, caplog: pytest.LogCaptureFixture, code: str, reason: str, logged: str
) -> None:
    def refuse(**_: Any) -> Any:
        response = {"Error": {"Code": code, "Message": "no"}, "CancellationReasons": [{"Code": reason}]}
        raise ClientError(cast("Any", response), "TransactWriteItems")

    put(store, "a.jpg", "Dog")
    refusing = counts_of(Replaced(tables, transact_write_items=refuse))
    if code == "AccessDeniedException":
        with pytest.raises(NeedsOperator):
            refusing.fold(FOREVER)
    else:
        assert refusing.fold(FOREVER) == {"counted": 0}
    assert [logged in vars(record)["next_step"] for record in caplog.records] == [True] * bool(logged)
    assert counts_of(tables).fold(FOREVER) == {"counted": 1}
    assert tables.counts() == {"dog": 1, "thing": 1}


def test_counts_are_kept_by_a_real_client(dynamodb: DynamoDBClient) -> None:
    """On moto, which evaluates the expressions."""
    store = Store(dynamodb, TABLE, LABELS_TABLE)
    put(store, "a.jpg", "Dog")
    put(store, "b.jpg", "Dog", "Cat")
    counts = Counts(dynamodb, LABELS_TABLE)
    assert counts.fold(FOREVER) == {"counted": 2}
    put(store, "a.jpg", "Cat")
    assert counts.fold(FOREVER) == {"counted": 1}
    found = dynamodb.query(
        TableName=LABELS_TABLE,
        KeyConditionExpression="Term = :count",
        ExpressionAttributeValues={":count": {"S": "*count"}},
    )["Items"]
    assert {row["Rank"]["S"]: row.get("Photos", row.get("Folds")) for row in found} == {
        "*": {"N": "2"},
        "cat": {"N": "2"},
        "dog": {"N": "1"},
        "thing": {"N": "2"},
    }
