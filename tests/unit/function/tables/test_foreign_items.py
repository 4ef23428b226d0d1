"""Items and rows that another program wrote, or that were changed manually: they are overwritten and stop nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from image_labels.model import Label, Labels, Photo
from image_labels.reconcile import Outcome, Reconciler
from image_labels.selection import Criteria
from image_labels.tables.items import ITEM_SCALARS, Rows, has_foreign_scalars, is_foreign, item_of
from image_labels.tables.rows import rows_of
from image_labels.tables.store import Conflict, Store
from image_labels.tables.terms import terms_of
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.foreign import DOG, KEY, LAB, item_of_ours, items
from support.replaced import Replaced
from support.tables import Tables, revisions

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTO = Photo(BUCKET, KEY, "e", "v1", 1000)
WANTED = Criteria(10, 80.0)
SETTINGS = WANTED.text

# One change of each kind; None removes the attribute.
CHANGES: dict[str, dict[str, Any]] = {
    "Revision of 1.5": {"Revision": {"N": "1.5"}},
    "Revision that is a string": {"Revision": {"S": "7"}},
    "Revision that is a set": {"Revision": {"NS": ["1", "2"]}},
    "Revision that is null": {"Revision": {"NULL": True}},
    "Revision of 0": {"Revision": {"N": "0"}},
    "Revision below 0": {"Revision": {"N": "-1"}},
    "no Revision": {"Revision": None},
    "Detections that is a list of strings": {"Detections": {"L": [{"S": "Dog"}]}},
    "Detections that is a string": {"Detections": {"S": "Dog"}},
    "no Detections": {"Detections": None},
    "confidence above 100": {
        "Detections": {"L": [{"M": {"Name": {"S": "Dog"}, "Confidence": {"N": "9.9E+125"}}}]},
    },
    "confidence that is a string": {
        "Detections": {"L": [{"M": {"Name": {"S": "Dog"}, "Confidence": {"S": "99"}}}]},
    },
    "label without a name": {"Detections": {"L": [{"M": {"Confidence": {"N": "99"}}}]}},
    "box that is a number": {
        "Detections": {
            "L": [{"M": {"Name": {"S": "Dog"}, "Confidence": {"N": "99"}, "Instances": {"L": [{"N": "1"}]}}}]
        },
    },
    "Status that is another": {"Status": {"S": "DONE"}},
    "no Status": {"Status": None},
    "REJECTED with Detections": {"Status": {"S": "REJECTED"}},
    "ETag that is a number": {"ETag": {"N": "1"}},
    "no Settings": {"Settings": None},
    "VersionId that is null": {"VersionId": {"NULL": True}},
    "Rows that is a string": {"Rows": {"S": "4"}},
}


def changed(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (item_of_ours() | change).items() if value is not None}


FOREIGN = {name: changed(change) for name, change in CHANGES.items()} | {
    "of the original lab": LAB,
    "a key and nothing else": {"PK": {"S": KEY}},
}


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Bucket:
    """One photo in a bucket, and Rekognition, which finds a dog in it."""

    def __init__(self, photo: Photo | None = PHOTO) -> None:
        self.photo = photo
        self.asked = 0

    def head(self, key: str) -> Photo | None:
        assert key == KEY
        return self.photo

    def detect(self, photo: Photo, _abandoned: object) -> Labels:
        assert photo == self.photo
        self.asked += 1
        return Labels((DOG,), "3.0")


def store_of(tables: Tables, **options: Any) -> Store:
    return Store(cast("DynamoDBClient", tables), "images", "labels", new_revision=revisions(), **options)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("max_actions", [100, 3])
def test_foreign_item_is_overwritten(name: str, max_actions: int) -> None:
    tables, bucket = Tables(), Bucket()
    tables.items["images"][(KEY,)] = FOREIGN[name]
    reconciler = Reconciler(bucket, bucket, store_of(tables, max_actions=max_actions), WANTED)
    assert reconciler.reconcile(KEY).outcome is Outcome.LABELLED
    item = item_of(KEY, tables.images()[KEY])
    assert (item.etag, item.terms, item.rows, item.foreign) == ("e", terms_of((DOG,)), Rows.COMPLETE, None)
    assert tables.rows() == rows_of(KEY, item.terms)
    assert bucket.asked == 1
    assert reconciler.reconcile(KEY).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("max_actions", [100, 3])
def test_foreign_item_of_a_photo_that_is_gone_is_deleted(name: str, max_actions: int) -> None:
    tables, bucket = Tables(), Bucket(photo=None)
    tables.items["images"][(KEY,)] = FOREIGN[name]
    reconciler = Reconciler(bucket, bucket, store_of(tables, max_actions=max_actions), WANTED)
    assert reconciler.reconcile(KEY).outcome is Outcome.REMOVED
    assert tables.images() == {}


@unhurried
@given(items)
def test_scalars_alone_never_make_an_item_of_the_module_foreign(item: dict[str, Any]) -> None:
    scalars = {name: value for name, value in item.items() if name in ITEM_SCALARS}
    assert has_foreign_scalars(scalars) == has_foreign_scalars(item)
    if has_foreign_scalars(scalars):
        assert is_foreign(item)
    assert not has_foreign_scalars(item_of_ours())


@given(items)
def test_any_item_is_overwritten_unless_it_is_up_to_date(item: dict[str, Any]) -> None:
    tables, bucket = Tables(), Bucket()
    tables.items["images"][(KEY,)] = item
    Reconciler(bucket, bucket, store_of(tables), WANTED).reconcile(KEY)
    read = item_of(KEY, tables.images()[KEY])
    assert (read.foreign, read.bucket, read.etag, read.settings) == (None, BUCKET, "e", SETTINGS)


@pytest.mark.parametrize("name", FOREIGN)
def test_write_over_a_foreign_item_that_another_worker_has_replaced_is_a_conflict(name: str) -> None:
    tables = Tables()
    store = store_of(tables)
    tables.items["images"][(KEY,)] = FOREIGN[name]
    read = store.get(KEY)
    assert read is not None
    store.put(PHOTO, Labels((Label("Cat", 90.0),), "3.0"), SETTINGS, replacing=store.get(KEY))
    with pytest.raises(Conflict):
        store.put(PHOTO, Labels((DOG,), "3.0"), SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        store.delete(read)
    assert {term for term, _ in tables.rows()} == {"cat"}


@pytest.mark.parametrize("name", FOREIGN)
def test_write_over_a_foreign_item_that_was_deleted_is_a_conflict(name: str) -> None:
    tables = Tables()
    store = store_of(tables)
    tables.items["images"][(KEY,)] = FOREIGN[name]
    read = store.get(KEY)
    assert read is not None
    store.delete(read)
    with pytest.raises(Conflict):
        store.put(PHOTO, Labels((DOG,), "3.0"), SETTINGS, replacing=read)


@pytest.mark.parametrize("name", FOREIGN)
def test_dynamodb_accepts_the_condition_for_a_foreign_item(
    name: str, clients: Clients, dynamodb: DynamoDBClient
) -> None:
    store = Store(clients.dynamodb, TABLE, LABELS_TABLE)
    dynamodb.put_item(TableName=TABLE, Item=FOREIGN[name])
    read = store.get(KEY)
    assert read is not None
    store.put(PHOTO, Labels((DOG,), "3.0"), SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        store.put(PHOTO, Labels((DOG,), "3.0"), SETTINGS, replacing=read)
    stored = store.get(KEY)
    assert stored is not None
    assert (stored.etag, stored.foreign) == ("e", None)


def test_rows_of_an_item_that_was_changed_manually_are_replaced() -> None:
    tables = Tables()
    store = store_of(tables)
    store.put(PHOTO, Labels((DOG, Label("Beach", 81.0)), "3.0"), SETTINGS, replacing=None)
    tables.items["images"][(KEY,)]["Revision"] = {"S": "by hand"}
    tables.items["images"][(KEY,)]["Detections"]["L"].append({"S": "Sofa"})
    store.put(PHOTO, Labels((DOG,), "3.0"), SETTINGS, replacing=store.get(KEY))
    assert tables.rows() == rows_of(KEY, terms_of((DOG,)))


def test_worker_that_fills_an_item_stops_when_another_empties_it_as_foreign() -> None:
    """The manual change has kept the Revision with which the first worker continues."""
    tables = Tables()

    def write(**request: Any) -> Any:
        """The second worker writes, and then the first continues."""
        tables.transact_write_items(**request)
        assert filled is not None
        with pytest.raises(Conflict):
            first.index(filled)
        return {}

    numbers = revisions()
    first, second = (
        Store(cast("DynamoDBClient", client), "images", "labels", new_revision=numbers, max_actions=3)
        for client in (tables, Replaced(tables, transact_write_items=write))
    )
    first.put(PHOTO, Labels((DOG, Label("Beach", 81.0)), "3.0"), SETTINGS, replacing=None)
    filled = first.get(KEY)
    tables.items["images"][(KEY,)]["Status"] = {"S": "DONE"}
    second.put(PHOTO, Labels((Label("Cat", 90.0),), "3.0"), SETTINGS, replacing=second.get(KEY))
    assert {term for term, _ in tables.rows()} == {"cat"}
