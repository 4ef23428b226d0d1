"""`image-labels audit`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.search.printable import is_plain
from image_labels.tables.store import Store
from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from support.collection_aws import ASKED, aws_with, collection_of_files, put_people
from support.command import run, run_on_terminal
from support.face_collection import COLLECTION
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.foreign import LAB
from support.seed import put_unwanted, send_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from support.face_collection import FaceCollection

SETTINGS = "max_labels=10;min_confidence=80.0"
DOG = Labels((Label("Dog", 99.0),), "3.0")
# As in the module's defaults.
SUFFIXES = ".JPEG,.JPG,.PNG,.jpeg,.jpg,.png"

pytestmark = pytest.mark.usefixtures("module")


@pytest.fixture
def module(deployment: None, queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the module with its default filter and settings, and empty queues."""
    for name, value in {
        "FILTER_PREFIX": "images/",
        "FILTER_SUFFIXES": SUFFIXES,
        "MIN_CONFIDENCE": "80",
        "MAX_LABELS": "10",
    }.items():
        monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)


class Photos:
    """A bucket and tables that tests change independently of each other."""

    def __init__(self, s3: S3Client, dynamodb: DynamoDBClient) -> None:
        self.s3 = s3
        self.dynamodb = dynamodb
        self.store = Store(dynamodb, TABLE, LABELS_TABLE)
        self._objects = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets

    def upload(self, key: str, body: bytes = b"a photo") -> Photo:
        etag = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')
        return Photo(BUCKET, key, etag, None, len(body))

    def label(self, photo: Photo, content: Labels | Rejected = DOG, settings: str = SETTINGS) -> None:
        """Store the result for a photo as the function does."""
        self.store.put(photo, content, settings, None)

    def decide(self, photo: Photo, *, removed: bool) -> None:
        """Store that a photo is unwanted, and that it was moved to quarantine."""
        put_unwanted(self.store, photo.key, done=removed, photo=photo, settings=SETTINGS)

    def change(self, key: str, **attributes: Any) -> None:
        """Set attributes of an item; None removes one."""
        item: Any = self.dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": key}})["Item"]
        item = {name: value for name, value in (item | attributes).items() if value is not None}
        self.dynamodb.put_item(TableName=TABLE, Item=item)

    def age(self, **age: int) -> None:
        """Date the objects of the bucket back, for instance by hours=1."""
        for found in self._objects[BUCKET].keys.values():
            found.last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(**age)


@pytest.fixture
def photos(s3: S3Client, dynamodb: DynamoDBClient) -> Photos:
    return Photos(s3, dynamodb)


@pytest.fixture
def agreeing(photos: Photos) -> Photos:
    """A labelled photo, a rejected photo, and an object that the module's filter does not match."""
    photos.label(photos.upload("images/dog.jpg"))
    photos.label(photos.upload("images/notes.jpg"), Rejected("InvalidImageFormatException: no JPEG"))
    photos.upload("images/notes.txt")
    photos.upload("thumbnails/dog.jpg")
    photos.age(hours=1)
    return photos


@pytest.fixture
def differing(agreeing: Photos) -> Photos:
    """Every kind of difference."""
    photos = agreeing
    photos.upload("images/missing 1.jpg")
    photos.upload("images/missing 2.jpg")
    photos.label(photos.upload("images/replaced.jpg"))
    photos.upload("images/replaced.jpg", b"another photo")
    photos.label(photos.upload("images/settings.jpg"), settings="max_labels=10;min_confidence=70.0")
    photos.label(photos.upload("images/settings-rejected.jpg"), Rejected("x"), "max_labels=5;min_confidence=80.0")
    photos.label(photos.upload("images/rows.jpg"))
    photos.change("images/rows.jpg", Rows=None)
    photos.label(photos.upload("images/bucket.jpg"))
    photos.change("images/bucket.jpg", Bucket={"S": "another-bucket"})
    photos.upload("images/lab.jpg")
    photos.dynamodb.put_item(TableName=TABLE, Item=LAB | {"PK": {"S": "images/lab.jpg"}})
    photos.label(Photo(BUCKET, "images/ghost.jpg", "e", None, 1))
    photos.label(Photo(BUCKET, "images/ghost.gif", "e", None, 1))
    photos.dynamodb.put_item(TableName=TABLE, Item=LAB | {"PK": {"S": "images/ghost of the lab.jpg"}})
    photos.label(photos.upload("images/outside.gif"))
    photos.label(photos.upload("thumbnails/outside.jpg"))
    photos.age(hours=1)
    return photos


def audit(*arguments: str, exit_code: int = 0) -> Any:
    result = run("audit", "--json", *arguments)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def counts(answer: Any) -> dict[str, int]:
    """The states that some keys are in."""
    names = [
        "labelled",
        "rejected",
        "removed",
        "in_progress",
        "missing",
        "stale",
        "foreign",
        "ghosts",
        "outside_filter",
    ]
    return {name: answer[name] for name in names if answer[name]}


def keys(answer: Any) -> dict[str, list[str]]:
    """The listed photos by state."""
    return {state: [photo["key"] for photo in found] for state, found in answer["photos"].items()}


def test_agreeing_bucket_and_tables_have_exit_code_0(agreeing: Photos) -> None:
    answer = audit()
    assert counts(answer) == {"labelled": 1, "rejected": 1}
    assert (answer["agree"], answer["settings"], answer["prefix"]) == (True, SETTINGS, "images/")
    assert answer["model_versions"] == {"3.0": 1}
    assert not any(keys(answer).values())
    result = run("audit")
    assert result.exit_code == 0
    assert "differ" not in result.stderr


def test_every_difference_is_counted_and_listed(differing: Photos) -> None:
    answer = audit(exit_code=1)
    assert counts(answer) == {
        "labelled": 1,
        "rejected": 1,
        "missing": 2,
        "stale": 5,
        "foreign": 1,
        "ghosts": 3,
        "outside_filter": 2,
    }
    assert not answer["agree"]
    assert keys(answer) == {
        "missing": ["images/missing 1.jpg", "images/missing 2.jpg"],
        "stale": [f"images/{name}.jpg" for name in ("bucket", "replaced", "rows", "settings-rejected", "settings")],
        "foreign": ["images/lab.jpg"],
        "ghosts": ["images/ghost of the lab.jpg", "images/ghost.gif", "images/ghost.jpg"],
    }
    reasons = {photo["key"]: photo["reason"] for photo in answer["photos"]["stale"]}
    assert reasons["images/replaced.jpg"] == "the object was replaced"
    assert "min_confidence=70.0" in reasons["images/settings.jpg"]
    assert "another-bucket" in reasons["images/bucket.jpg"]


def test_removed_photo_is_no_ghost_and_one_that_is_pending_is_stale(photos: Photos) -> None:
    """Uploaded again, a removed photo is stale, too: the function has not seen the new object."""
    for name in ("removed", "pending", "again"):
        photos.decide(photos.upload(f"images/{name}.jpg"), removed=name != "pending")
    photos.s3.delete_object(Bucket=BUCKET, Key="images/removed.jpg")
    photos.age(hours=1)
    answer = audit(exit_code=1)
    assert counts(answer) == {"removed": 1, "stale": 2}
    assert {photo["key"]: photo["reason"] for photo in answer["photos"]["stale"]} == {
        "images/again.jpg": "uploaded again after it was removed as unwanted",
        "images/pending.jpg": "unwanted, and not yet tagged, moved or deleted",
    }
    photos.s3.delete_object(Bucket=BUCKET, Key="images/again.jpg")
    photos.s3.delete_object(Bucket=BUCKET, Key="images/pending.jpg")
    assert counts(audit(exit_code=1)) == {"removed": 2, "ghosts": 1}


def test_audit_changes_nothing(differing: Photos) -> None:
    before = differing.dynamodb.scan(TableName=TABLE)["Items"]
    assert audit(exit_code=1) == audit(exit_code=1)
    assert differing.dynamodb.scan(TableName=TABLE)["Items"] == before


def test_audit_in_a_pipe_names_each_line_in_its_first_cell(differing: Photos) -> None:
    result = run("audit", "--limit", "1")
    assert result.exit_code == 1
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["labelled", "1"],
        ["rejected", "1"],
        ["removed", "0"],
        ["in_progress", "0"],
        ["missing", "2"],
        ["stale", "5"],
        ["foreign", "1"],
        ["ghosts", "3"],
        ["outside_filter", "2"],
        ["in_queue", "0"],
        ["dead_letters", "0"],
        ["photo", "missing", "images/missing 1.jpg", ""],
        ["photo", "stale", "images/bucket.jpg", "labelled in the bucket another-bucket"],
        ["photo", "foreign", "images/lab.jpg", ""],
        ["photo", "ghosts", "images/ghost of the lab.jpg", ""],
    ]
    assert "bucket and tables differ: 2 missing, 5 stale, 1 foreign, 3 ghosts" in result.stderr
    assert "read units in 2 requests, and listed the bucket in 1 request, about $0.0000" in result.stderr


def test_audit_on_a_terminal_has_80_columns(differing: Photos) -> None:
    result = run_on_terminal("audit", "--limit", "2", columns=80)
    assert result.exit_code == 1
    assert "            5  stale           items of another object or other settings\n" in result.stdout
    assert "Stale, first 2 of 5" in result.stdout
    assert re.search(r"^Missing *$", result.stdout, re.MULTILINE)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_prefix_limits_the_audit(differing: Photos) -> None:
    answer = audit("images/missing", exit_code=1)
    assert (counts(answer), answer["prefix"]) == ({"missing": 2}, "images/missing")
    assert counts(audit("ima", exit_code=1))["missing"] == 2


def test_limit_0_lists_no_photos(differing: Photos) -> None:
    assert not any(keys(audit("--limit", "0", exit_code=1)).values())


def test_prefix_outside_the_filter_is_refused(agreeing: Photos) -> None:
    result = run("audit", "thumbnails/")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "keys that start with images/: thumbnails/ does not" in result.stderr


def test_filter_without_prefix_and_suffixes_matches_every_key(
    differing: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_LABELS_FILTER_PREFIX", "")
    monkeypatch.setenv("IMAGE_LABELS_FILTER_SUFFIXES", "*")
    answer = audit(exit_code=1)
    assert counts(answer) == {"labelled": 3, "rejected": 1, "missing": 4, "stale": 5, "foreign": 1, "ghosts": 3}
    assert {"images/notes.txt", "thumbnails/dog.jpg"} < set(keys(answer)["missing"])


def test_recent_photo_is_in_progress(agreeing: Photos) -> None:
    photos = agreeing
    photos.upload("images/dog.jpg", b"another photo")
    photos.upload("images/new.jpg")
    photos.upload("images/lab.jpg")
    photos.dynamodb.put_item(TableName=TABLE, Item=LAB | {"PK": {"S": "images/lab.jpg"}})
    photos.age(minutes=4)
    assert counts(audit()) == {"rejected": 1, "in_progress": 3}
    assert counts(audit("--grace", "120", exit_code=1)) == {"rejected": 1, "stale": 1, "missing": 1, "foreign": 1}


def test_recent_photo_with_a_current_item_of_other_settings_is_stale(photos: Photos) -> None:
    """Its event has been processed, so no other is on its way."""
    photos.label(photos.upload("images/dog.jpg"), settings="max_labels=10;min_confidence=70.0")
    assert counts(audit(exit_code=1)) == {"stale": 1}


def test_photo_uploaded_during_the_audit_is_in_progress(agreeing: Photos) -> None:
    aws = at_the_listing(lambda: agreeing.upload("images/new.jpg"))
    result = run("audit", "--json", "--grace", "0", make_aws=lambda _: aws)
    assert result.exit_code == 0
    assert counts(json.loads(result.stdout)) == {"labelled": 1, "rejected": 1, "in_progress": 1}


def test_photo_deleted_during_the_audit_is_no_ghost(agreeing: Photos) -> None:
    def delete() -> None:
        agreeing.s3.delete_object(Bucket=BUCKET, Key="images/dog.jpg")
        agreeing.dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "images/dog.jpg"}})

    aws = at_the_listing(delete)
    result = run("audit", "--json", make_aws=lambda _: aws)
    assert result.exit_code == 0
    assert counts(json.loads(result.stdout)) == {"rejected": 1}


def at_the_listing(happens: Callable[[], object]) -> Aws:
    """AWS where something happens between the read of the table and the listing of the bucket."""
    aws = Aws(Deployment(region="eu-central-1"))

    def handle(**_: object) -> None:
        happens()

    aws.session.events.register("before-call.s3.ListObjectsV2", handle)
    return aws


def test_events_in_the_queues_are_counted(differing: Photos, queues: dict[str, str], waiting_queue: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=queues["photos"], MessageBody="{}")
    send_dead_letter(queues["dead-letters"], Photo="s3://b/x.jpg", Cause="DetectLabels: 500")
    result = run("audit", "--json")
    answer = json.loads(result.stdout)
    assert answer["queue"] == {"waiting": 1, "in_flight": 0}
    assert answer["over_daily_limit"] == {"waiting": 2, "in_flight": 1}
    assert answer["dead_letters"] == {"waiting": 1, "in_flight": 0}
    assert "4 events in the queues may explain differences: run the command again later" in result.stderr
    assert "1 dead letter may explain differences: image-labels status" in result.stderr
    lines = run("audit").stdout.splitlines()
    assert lines[9:12] == ["in_queue\t1", "over_daily_limit\t3", "dead_letters\t1"]
    assert "            3  waiting (daily limit)\n" in run_on_terminal("audit").stdout


def test_versioned_bucket_is_compared_by_etag(photos: Photos) -> None:
    """A listing has no version ids. The same photo uploaded twice has the same labels."""
    photos.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = photos.s3.put_object(Bucket=BUCKET, Key="images/dog.jpg", Body=b"x")
    photos.label(Photo(BUCKET, "images/dog.jpg", first["ETag"].strip('"'), first["VersionId"], 1))
    photos.s3.put_object(Bucket=BUCKET, Key="images/dog.jpg", Body=b"x")
    photos.age(hours=1)
    assert counts(audit()) == {"labelled": 1}
    photos.s3.put_object(Bucket=BUCKET, Key="images/dog.jpg", Body=b"y")
    photos.age(hours=1)
    assert counts(audit(exit_code=1)) == {"stale": 1}
    photos.s3.delete_object(Bucket=BUCKET, Key="images/dog.jpg")
    assert counts(audit(exit_code=1)) == {"ghosts": 1}


def test_unusual_keys_are_compared(photos: Photos) -> None:
    keys_ = [f"images/{name}.jpg" for name in ("a b", "a+b", "Käse & 🐕", "%41", "\ue000", "\U0001f415", "a\tb", "<&>")]
    for key in keys_:
        photos.label(photos.upload(key))
    photos.upload("images/\U0001f415\ue000.jpg")
    photos.age(hours=1)
    answer = audit(exit_code=1)
    assert counts(answer) == {"labelled": len(keys_), "missing": 1}
    assert keys(answer)["missing"] == ["images/\U0001f415\ue000.jpg"]


def test_empty_bucket_agrees_with_empty_tables(photos: Photos) -> None:
    assert counts(audit()) == {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MIN_CONFIDENCE", "high", "MIN_CONFIDENCE='high' is not a number from 0 to 100"),
        ("MAX_LABELS", "2.5", "MAX_LABELS='2.5' is not a whole number from 1 to 1000"),
    ],
)
def test_invalid_setting_is_refused(
    photos: Photos, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)
    result = run("audit")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_unknown_filter_is_refused(photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, objects that the module does not label would be missing."""
    monkeypatch.delenv("IMAGE_LABELS_FILTER_SUFFIXES")
    monkeypatch.setenv("PATH", "")
    result = run("audit")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "export IMAGE_LABELS_FILTER_SUFFIXES=.jpg,.png" in result.stderr


def test_progress_is_shown_on_a_terminal_only(agreeing: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "items read" not in run("audit").stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    result = run("audit")
    assert "items read" in result.stderr
    assert "items read" not in result.stdout


def test_keys_with_control_characters_are_escaped_except_in_json(photos: Photos) -> None:
    key = "images/a\u202e\x1b[2J\tb.jpg"
    photos.dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": key}})
    for result in (run("audit"), run_on_terminal("audit")):
        assert r"images/a\u202e\x1b[2J\tb.jpg" in result.stdout
        assert all(is_plain(line.replace("\t", "")) for line in result.output.splitlines())
    assert keys(audit(exit_code=1))["ghosts"] == [key]


class TestFaces:
    """The face collection is compared with the items."""

    @pytest.fixture
    def collection(self, agreeing: Photos, monkeypatch: pytest.MonkeyPatch) -> FaceCollection:
        """Two photos of Ada and Bob, and their faces."""
        monkeypatch.setenv("IMAGE_LABELS_FACES_SETTINGS", ASKED.text)
        collection = collection_of_files()
        for key, people in {"images/ada.jpg": "Ada", "images/team.jpg": "Ada Bob"}.items():
            put_people(agreeing.store, collection, key, people, agreeing.upload(key))
        return collection

    def audit(self, collection: FaceCollection, *arguments: str) -> Any:
        return run("audit", *arguments, make_aws=lambda _deployment: aws_with(collection))

    def faces(self, collection: FaceCollection) -> Any:
        return json.loads(self.audit(collection, "--json").stdout)["faces"]

    def test_collection_agrees(self, collection: FaceCollection) -> None:
        found = self.faces(collection)
        assert (found["faces"], found["without_photo"], found["lost"]) == (3, [], [])

    def test_face_without_a_photo_is_listed_with_the_command_that_deletes_it(self, collection: FaceCollection) -> None:
        (bob,) = [face for face in collection.faces.values() if face.person == "Bob"]
        collection.faces["lost"] = replace(bob, face_id="lost", external_image_id="another.call")
        assert self.faces(collection)["without_photo"] == ["lost"]
        result = self.audit(collection)
        assert result.exit_code == 1
        assert "face\twithout_photo\tlost\n" in result.stdout
        assert f"aws rekognition delete-faces --collection-id {COLLECTION} --face-ids lost" in result.stderr
        assert self.faces(collection)["without_photo_count"] == 1

    def test_photo_whose_faces_are_gone_is_listed(self, collection: FaceCollection) -> None:
        collection.faces = {i: face for i, face in collection.faces.items() if face.person != "Bob"}
        assert self.faces(collection)["lost"] == ["images/team.jpg"]
        assert "photo\tlost_faces\timages/team.jpg\n" in self.audit(collection).stdout

    def test_photo_with_unclaimed_faces_is_stale(self, collection: FaceCollection, agreeing: Photos) -> None:
        (bob,) = [face for face in collection.faces.values() if face.person == "Bob"]
        collection.faces["open"] = replace(bob, face_id="open", external_image_id="open.call")
        unclaimed = {"M": {"Calls": {"L": [{"S": "open.call"}]}}}
        agreeing.change("images/ada.jpg", UnclaimedFaces=unclaimed)
        agreeing.age(hours=1)
        answer = json.loads(self.audit(collection, "--json").stdout)
        assert answer["faces"]["without_photo"] == []
        reasons = {each["key"]: each.get("reason") for each in answer["photos"]["stale"]}
        assert "faces are to be deleted" in reasons["images/ada.jpg"]

    def test_prefix_compares_no_faces(self, collection: FaceCollection) -> None:
        assert json.loads(self.audit(collection, "images/", "--json").stdout)["faces"] is None
        assert "ListFaces" not in collection.calls
