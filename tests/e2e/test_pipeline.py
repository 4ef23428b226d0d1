"""From the upload of a photo to its labels in DynamoDB, with the applied module."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pictures import jpeg
from stack import DIRECTORY, Stack, notification, wait_for
from support.event_files import load
from support.listening import assert_loopback_only, outside_addresses

from tools import photographs
from tools.terraform import ROOT, Root

KEYS = {
    "jpg": "images/dog.jpg",
    "capital PNG": "images/dog.PNG",
    "space": "images/red flower.jpg",
    "plus": "images/1+1=2.jpg",
    "percent": "images/100%.jpg",
    "percent that looks encoded": "images/a%20b.jpg",
    "ampersand": "images/salt & pepper.jpg",
    "quotes": 'images/it\'s "quoted".jpg',
    "umlauts": "images/Käse/Größe.jpeg",
    "emoji": "images/🐕 🏖️.JPG",
    "long": "images/" + "/".join(["very-long-directory-name"] * 36) + "/photo.jpg",
}

# What anybody sees in the demo's photographs, of which nothing but the pixels tells.
SEEN = {
    "Chelsea (my cat).png": "Cat",
    "NASA/Eileen Collins.PNG": "Person",
    "Uncle's garage/motorcycle #1.png": "Motorcycle",
    "café & spoon 100%.png": "Cup",
    "🎥 cameraman.png": "Person",
}


def test_second_plan_has_no_changes(root: Root) -> None:
    done = root.run("plan", "-no-color", "-detailed-exitcode", allowed=(0, 2))
    assert done.returncode == 0, done.stdout


def test_function_runs_the_committed_zip(stack: Stack) -> None:
    function = stack.lambda_.get_function(FunctionName=stack.outputs["lambda_function_name"])["Configuration"]
    zip_ = (ROOT / "dist" / "lambda.zip").read_bytes()
    assert function["CodeSha256"] == base64.b64encode(hashlib.sha256(zip_).digest()).decode()


def test_photographs_get_the_labels_that_the_models_see(stack: Stack) -> None:
    shipped = photographs.shipped()
    versions = {photo.name: stack.upload(photo.key, photo.path.read_bytes()) for photo in shipped}
    for photo in shipped:
        item = stack.labelled(photo.key, versions[photo.name])
        confidences = {label["Name"]: float(label["Confidence"]) for label in item["Detections"]}
        assert item["Status"] == "LABELLED"
        assert item["LabelModelVersion"] == "3.0-emulated"
        assert item.get("Labels", set()) == confidences.keys()
        assert len(confidences) <= 10
        assert min(confidences.values(), default=100) >= 80
        if photo.name in SEEN:
            assert SEEN[photo.name] in confidences, photo.name


def test_detections_have_aliases_parents_categories_and_boxes(stack: Stack) -> None:
    version = stack.upload("images/taxonomy.jpg", jpeg(), "Mobile Phone=99.1@0.1:0.2:0.3:0.4")
    item = stack.labelled("images/taxonomy.jpg", version)
    phone = next(label for label in item["Detections"] if label["Name"] == "Mobile Phone")
    assert phone["Aliases"] == ["Cell Phone"]
    assert {"Electronics", "Phone"} <= set(phone["Parents"])
    assert phone["Categories"] == ["Technology and Computing"]
    (box,) = phone["Instances"]
    assert {name: float(value) for name, value in box.items()} == {
        "Left": 0.1,
        "Top": 0.2,
        "Width": 0.3,
        "Height": 0.4,
        "Confidence": 99.1,
    }


def test_label_policy_renames_and_drops_labels(stack: Stack) -> None:
    item = stack.labelled("images/policy.jpg", stack.upload("images/policy.jpg", jpeg(), "Zebra=99,Weapon=98,Dog=97"))
    assert "Striped Horse" in item["Labels"]
    assert not {"Zebra", "Weapon"} & item["Labels"]
    assert {"Zebra", "Weapon"} <= {label["Name"] for label in item["OtherDetections"]}
    rows = stack.dynamodb.query(
        TableName=stack.outputs["labels_table_name"],
        KeyConditionExpression="Term = :term",
        ExpressionAttributeValues={":term": {"S": "striped horse"}},
    )
    assert [row["PK"]["S"] for row in rows["Items"]] == ["images/policy.jpg"]


def test_photos_with_unusual_keys_are_labelled(stack: Stack) -> None:
    assert len(KEYS["long"].encode()) >= 900
    versions = {key: stack.upload(key, jpeg(), "Dog=98.7") for key in KEYS.values()}
    for key, version in versions.items():
        assert "Dog" in stack.labelled(key, version)["Labels"], key


def test_fifty_photos_at_once_cause_fifty_calls_to_rekognition(stack: Stack) -> None:
    keys = [f"images/fifty/{n}.jpg" for n in range(50)]
    versions = {key: stack.upload(key, jpeg(), f"Label {n}=99") for n, key in enumerate(keys)}
    for n, (key, version) in enumerate(versions.items()):
        assert stack.labelled(key, version)["Labels"] == {f"Label {n}"}
    assert [stack.rekognition_calls(key) for key in keys] == [1] * 50


def test_overwrite_replaces_the_labels_of_the_item(stack: Stack) -> None:
    key = "images/overwritten.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))
    item = stack.labelled(key, stack.upload(key, jpeg(), "Cat=99"))
    assert "Cat" in item["Labels"]
    assert "Dog" not in item["Labels"]
    assert [k for k in stack.labelled_keys() if k.startswith("images/overwritten")] == [key]


def test_delete_removes_the_item(stack: Stack) -> None:
    key = "images/to be deleted.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))
    stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    wait_for("item gone", lambda: stack.item(key) is None)


def test_objects_outside_prefix_and_suffixes_are_not_labelled(stack: Stack) -> None:
    outside = ["other/photo.jpg", "images/notes.txt", "images/movie.mp4", "photo.jpg"]
    for key in outside:
        stack.upload(key, jpeg(), "Dog=99")
    # A photo uploaded after them: when it is labelled, they would be, too.
    stack.labelled("images/inside.jpg", stack.upload("images/inside.jpg", jpeg(), "Dog=99"))
    assert not stack.labelled_keys() & set(outside)
    assert [stack.rekognition_calls(key) for key in outside] == [0] * 4


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("text.jpg", b"This is text.\n", "not a JPEG or PNG"),
        ("empty.jpg", b"", "not a JPEG or PNG"),
        ("truncated.jpg", jpeg(600, 400)[:1500], "not a JPEG or PNG"),
        ("79-pixels.jpg", jpeg(79, 200), "80 to 10,000"),
        ("16-megabytes.jpg", jpeg() + b"\0" * 16_000_000, "at most 15 MB"),
    ],
)
def test_invalid_photo_is_rejected_once_with_a_reason(stack: Stack, name: str, body: bytes, words: str) -> None:
    key = f"images/rejected/{name}"
    item = stack.labelled(key, stack.upload(key, body))
    assert item["Status"] == "REJECTED"
    assert words in item["Reason"]
    assert "Labels" not in item
    (line,) = wait_for("log line", lambda: stack.log(key, "photo rejected"))
    assert words in line["reason"]
    # HeadObject shows that an object is too large: Rekognition is not called.
    assert stack.rekognition_calls(key) == (0 if name == "16-megabytes.jpg" else 1)


def test_photo_with_low_confidence_only_has_an_item_without_labels(stack: Stack) -> None:
    key = "images/fog.jpg"
    item = stack.labelled(key, stack.upload(key, jpeg(), "Fog=61.5,Dog=79.9"))
    assert item["Status"] == "LABELLED"
    assert "Labels" not in item
    assert item["Detections"] == []


def test_invocation_with_the_consoles_test_event_labels_the_photo(stack: Stack) -> None:
    # S3 sends no event for a key without a suffix: only the invocation labels the photo.
    key = "images/only by hand"
    version = stack.upload(key, jpeg(), "Dog=99")
    event = load("console_s3_put")
    event["Records"][0]["s3"]["bucket"]["name"] = stack.bucket
    event["Records"][0]["s3"]["object"]["key"] = "images%2Fonly+by+hand"
    (photo,) = stack.invoke(event)["photos"]
    assert (photo["key"], photo["outcome"]) == (key, "labelled")
    assert "Dog" in stack.labelled(key, version)["Labels"]


def test_invocation_with_a_batch_operations_task_labels_the_photo(stack: Stack) -> None:
    key = "images/backfilled photo"
    stack.upload(key, jpeg(), "Dog=99")
    event = load("batch_operations_2_0")
    event["tasks"][0] |= {"s3Key": "images/backfilled+photo", "s3Bucket": stack.bucket}
    (result,) = stack.invoke(event)["results"]
    assert (result["resultCode"], result["resultString"]) == ("Succeeded", "labelled")


def test_duplicate_message_causes_no_call_to_rekognition(stack: Stack) -> None:
    key = "images/doubled.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))
    for checks in (1, 2):  # sequential, because duplicates in one batch are checked once
        stack.send(notification(stack.bucket, key))
        wait_for("another check", lambda: len(stack.log(key, "photo unchanged")) == checks)  # noqa: B023 - called at once
    assert stack.rekognition_calls(key) == 1


def test_log_line_has_the_fields_of_lambda_and_of_the_photo(stack: Stack) -> None:
    key = "images/logged.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))
    (line,) = wait_for("log line", lambda: stack.log(key, "photo labelled"))
    assert (line["level"], line["bucket"], line["outcome"]) == ("INFO", stack.bucket, "labelled")
    assert line["rekognition_calls"] == 1
    assert line["requestId"]
    assert line["duration_ms"] > 0


def test_emulated_rekognition_answers_other_programs(stack: Stack) -> None:
    answer = stack.rekognition.detect_labels(Image={"Bytes": jpeg()}, Features=["IMAGE_PROPERTIES"])
    assert 0 <= answer["ImageProperties"]["Quality"]["Brightness"] <= 100
    with pytest.raises(stack.rekognition.exceptions.InvalidS3ObjectException):
        stack.rekognition.detect_labels(Image={"S3Object": {"Bucket": stack.bucket, "Name": "images/none.jpg"}})


def test_emulator_states_that_it_is_not_rekognition(stack: Stack) -> None:
    assert "not Amazon Rekognition" in stack.emulator("GET")["about"]
    if stack.server.is_ours:
        assert "not Amazon Rekognition" in Path(DIRECTORY / "localstack" / "localstack.log").read_text()


def test_localstack_and_functions_listen_on_loopback_only(stack: Stack) -> None:
    """LocalStack with all its services, the Lambda Runtime API, the function's process, and the tests' own process."""
    if not stack.server.is_ours:
        pytest.skip("LocalStack is the user's own")
    stack.labelled("images/loopback.jpg", stack.upload("images/loopback.jpg", jpeg(), "Dog=99"))
    opened = assert_loopback_only(os.getpid())
    port = urlsplit(stack.server.url).port
    assert port in opened
    assert len(opened) > 1, "the Lambda Runtime API of the function is missing"
    for address in outside_addresses():
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((address, port), timeout=5)
