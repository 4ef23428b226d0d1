"""`image-labels show`."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_labels.model import Rejected
from image_labels.selection import Criteria
from support.collection_aws import collection_of_files, put_people
from support.command import run, run_on_terminal
from support.detecting import KEY as DETECTED
from support.detecting import Deployment
from support.fakes import BUCKET, TABLE
from support.foreign import KEY, items
from support.seed import put_photo, put_unwanted

if TYPE_CHECKING:
    from image_labels.tables.store import Store
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")


def test_show_in_a_pipe_names_each_line_in_its_first_cell(store: Store) -> None:
    result = run("show", "images/dog.jpg")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert ["status", "LABELLED"] in lines
    assert ["labelled_at", "2026-11-18T11:06:40.000+00:00"] in lines
    assert lines[-1] == ["label", "Dog", "98.765", "Animal, Pet", "Hound", "Animals and Pets", "2"]


def test_show_json_has_all_attributes(store: Store) -> None:
    photo = json.loads(run("show", "images/dog.jpg", "--json").stdout)
    (label,) = photo.pop("labels")
    assert photo.pop("labelled_at").startswith("20")
    assert photo == {
        "key": "images/dog.jpg",
        "bucket": BUCKET,
        "status": "LABELLED",
        "reason": None,
        "version_id": "v1",
        "etag": "e",
        "size": 4711,
        "label_model_version": "3.0",
        "settings": "s",
        "indexed": True,
        "boxes_cut": False,
        "foreign": False,
        "other_labels": [],
        "text": None,
        "other_text": None,
        "text_reason": None,
        "text_cut": False,
        "faces": None,
        "faces_reason": None,
        "faces_cut": False,
        "moderation": None,
        "moderation_reason": None,
        "unwanted": None,
    }
    assert label["boxes"][0] == {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4, "confidence": 97.5}
    assert (label["name"], label["confidence"], label["parents"]) == ("Dog", 98.765, ["Animal", "Pet"])


@pytest.fixture
def sign(dynamodb: DynamoDBClient) -> str:
    """A photo with text, of which the settings leave out a part."""
    deployment = Deployment()
    deployment.reconcile(50.0)
    deployment.reconcile(98.5, Criteria(10, 96.0))
    dynamodb.put_item(TableName=TABLE, Item=deployment.item)
    return DETECTED


def test_show_has_the_text_and_what_the_settings_leave_out(sign: str) -> None:
    lines = [line.split("\t") for line in run("show", sign).stdout.splitlines()]
    assert lines[-4:] == [
        ["other_label", "Street", "95", "", "", "", "0"],
        ["text", "SPEED LIMIT", "99.1"],
        ["other_text", "55", "98"],
        ["other_text", "rust", "61.5"],
    ]
    photo = json.loads(run("show", sign, "--json").stdout)
    box = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    assert photo["text"] == [{"text": "SPEED LIMIT", "confidence": 99.1, "box": box}]
    assert ([label["name"] for label in photo["other_labels"]], photo["labels"]) == (["Street"], [])
    shown = run_on_terminal("show", sign).stdout
    for words in ("Label left out by the settings", "│ SPEED LIMIT │ 99.1 │", "Text left out by the settings"):
        assert words in shown


def test_show_says_why_there_is_no_text(dynamodb: DynamoDBClient) -> None:
    deployment = Deployment()
    deployment.rekognition.failing = {"DetectText": "ImageTooLargeException"}
    deployment.reconcile()
    dynamodb.put_item(TableName=TABLE, Item=deployment.item)
    assert "text_reason\tImageTooLargeException: it is too large" in run("show", DETECTED).stdout


def test_show_accepts_an_s3_uri(store: Store) -> None:
    assert run("show", f"s3://{BUCKET}/images/dog.jpg").stdout == run("show", "images/dog.jpg").stdout
    other_bucket = run("show", "s3://another/images/dog.jpg")
    assert (other_bucket.exit_code, other_bucket.stdout) == (1, "")
    assert BUCKET in other_bucket.stderr
    assert run("show", "s3://no-key").exit_code == 2


def test_show_rejected_photo_has_the_reason(store: Store) -> None:
    put_photo(store, "images/notes.jpg", Rejected("InvalidImageFormatException: it is not a JPEG or PNG"))
    result = run("show", "images/notes.jpg")
    assert result.exit_code == 0
    assert "reason\tInvalidImageFormatException: it is not a JPEG or PNG\n" in result.stdout


def test_show_removed_photo_says_what_was_done_why_and_when(store: Store) -> None:
    put_unwanted(store, "images/gun.jpg", done=True)
    said = (
        "Unwanted: moved to quarantine 2026-11-28T10:00:00.000+00:00, s3://q/v1/images/gun.jpg. Reason: Rifle 95.0 %."
    )
    assert f"unwanted\t{said}\n" in run("show", "images/gun.jpg").stdout
    assert said in " ".join(run_on_terminal("show", "images/gun.jpg").stdout.split())
    photo = json.loads(run("show", "images/gun.jpg", "--json").stdout)
    assert (photo["status"], photo["labels"]) == ("REMOVED", [])
    assert photo["unwanted"] == {
        "action": "quarantine",
        "state": "done",
        "dry_run": False,
        "at": "2026-11-28T10:00:00.000+00:00",
        "of": "v1",
        "to": "s3://q/v1/images/gun.jpg",
        "gone": False,
        "matches": [{"name": "Rifle", "confidence": 95.0, "kind": "label"}],
    }


def test_show_pending_photo_says_what_is_about_to_be_done(store: Store) -> None:
    put_unwanted(store, "images/gun.jpg", done=False)
    result = run("show", "images/gun.jpg")
    assert (
        "unwanted\tUnwanted: the function is about to move it to quarantine. Reason: Rifle 95.0 %.\n" in result.stdout
    )


def test_show_unknown_key_lists_possible_reasons(store: Store) -> None:
    result = run("--images-table", TABLE, "show", "images/cat.jpg", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    for words in (
        "it was not uploaded",
        "filter_prefix",
        "dead-letter queue",
        f"image-labels --images-table {TABLE} status",
    ):
        assert words in result.stderr


def test_show_on_a_terminal_is_a_table(store: Store) -> None:
    shown = run_on_terminal("show", "images/dog.jpg").stdout
    assert "┃ Label" in shown
    assert "status               LABELLED" in shown
    assert "│ Dog   │ 98.8 │" in shown
    assert "false" not in shown  # what is as it should be is not mentioned


def test_show_has_the_faces_with_their_numbers(store: Store) -> None:
    (face_id,) = put_people(store, collection_of_files(), "images/ada.jpg", "Ada")
    line = run("show", "images/ada.jpg").stdout.splitlines()[-1]
    assert line.split("\t") == ["face", "1", "99", face_id, "Smile: yes 97.5"]
    (face,) = json.loads(run("show", "images/ada.jpg", "--json").stdout)["faces"]
    assert (face["face_id"], face["attributes"]) == (face_id, {"Smile": {"Value": True, "Confidence": 97.5}})
    put_people(store, collection_of_files(), "images/fog.jpg", "Blurred")
    assert "LOW_SHARPNESS" in run_on_terminal("show", "images/fog.jpg").stdout


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"DetectionsCut": {"BOOL": True}}, "Some boxes are missing: the item has room for no more."),
        ({"Rows": None}, "The photo is not indexed yet: `image-labels find` may not find it."),
        ({"Settings": {"N": "1"}}, "Another program wrote or changed this item."),
    ],
)
def test_what_is_unusual_about_an_item_is_a_sentence(
    store: Store, dynamodb: DynamoDBClient, attributes: dict[str, Any], sentence: str
) -> None:
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "images/dog.jpg"}})["Item"] | attributes
    dynamodb.put_item(TableName=TABLE, Item={name: value for name, value in item.items() if value is not None})
    assert sentence in run_on_terminal("show", "images/dog.jpg").stdout


class OneItem:
    """DynamoDB with one item."""

    def __init__(self, item: dict[str, Any]) -> None:
        self._item = item

    def get_item(self, **_: object) -> dict[str, Any]:
        return {"Item": self._item}


@settings(suppress_health_check=list(HealthCheck))
@given(items, st.sampled_from(["terminal", "pipe", "json"]))
def test_show_accepts_any_item_of_another_program(item: dict[str, Any], output: str) -> None:
    def make_aws(_deployment: object) -> Any:
        return SimpleNamespace(dynamodb=OneItem(item), labels_by="")

    options = ["--json"] if output == "json" else []
    result = (run_on_terminal if output == "terminal" else run)("show", KEY, *options, make_aws=make_aws)
    assert (result.exit_code, result.stderr) == (0, "")
    if output == "json":
        assert json.loads(result.stdout)["key"] == KEY
    else:
        assert KEY in result.stdout
