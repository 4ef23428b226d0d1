"""A photo with an unwanted label is moved to quarantine, once, and its item says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from command import Command
from pictures import jpeg
from stack import Stack, wait_for

if TYPE_CHECKING:
    from image_labels_emulator import server

KEY = "images/unwanted/a +b 100%.jpg"


def test_unwanted_photo_is_moved_to_quarantine(localstack: server.Server, stack: Stack) -> None:
    """The rule is for Firearm, a parent of Rifle, which the label policy drops."""
    command = Command(localstack, json.loads(stack.outputs["cli_environment"]))
    body = jpeg()
    version = stack.upload(KEY, body, "Rifle=95,Dog=90")

    def removed() -> dict[str, Any] | None:
        item = stack.item(KEY)
        return item if item and item["Status"] == "REMOVED" else None

    item = wait_for("removal", removed)
    unwanted = item["Unwanted"]
    assert (unwanted["Action"], unwanted["State"], unwanted["Of"]) == ("quarantine", "DONE", version)
    assert {match["Name"] for match in unwanted["Matches"]} == {"Rifle", "Firearm"}
    assert {"Rifle", "Dog"} <= {label["Name"] for label in item["OtherDetections"]}

    copy_key = f"quarantine/{version}/{KEY}"
    assert unwanted["To"] == f"s3://{stack.bucket}/{copy_key}"
    copy = stack.s3.get_object(Bucket=stack.bucket, Key=copy_key)
    assert (copy["Body"].read(), copy["Metadata"]) == (body, {"labels": "Rifle=95,Dog=90"})
    assert not stack.s3.list_object_versions(Bucket=stack.bucket, Prefix=KEY).get("Versions")

    assert json.loads(command.run("show", KEY, "--json").stdout)["unwanted"]["to"] == unwanted["To"]
    assert command.run("find", "dog", "--prefix", "images/unwanted/", exit_code=1).stdout == ""
    assert json.loads(command.run("status", "--json").stdout)["rejected"]["unwanted"]["quarantine"] == 1
    answer = command.audit("images/unwanted/")
    assert (answer["agree"], answer["removed"]) == (True, 1)

    # The event of the deletion, which S3 sends once the photo is in quarantine.
    wait_for("the event of the deletion", lambda: stack.log(KEY, "photo unchanged"))
    assert [line["acted"] for line in stack.log(KEY, "photo unwanted")] == [1]
    assert stack.rekognition_calls(KEY) == 1
    assert not [line for line in stack.all_lines() if line.get("key") == copy_key]

    stack.labelled(KEY, stack.upload(KEY, jpeg(), "Cat=99"))
