"""`image-labels` with the applied module: it finds uploaded photos, and not by labels of replaced or deleted ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import Command
from image_labels_cli.permissions import (
    COMMAND_PERMISSIONS,
    OPERATOR_PERMISSIONS,
    UPLOADER_PERMISSIONS,
    Resource,
    least_privilege,
)
from pictures import jpeg
from stack import Stack, wait_for

if TYPE_CHECKING:
    from image_labels_emulator import server

PREFIX = "images/found/"
# Labels that no other test uploads, so that a search finds photos of this file only.
PHOTOS = {
    f"{PREFIX}both.jpg": "Harp=97,Tuba=91",
    f"{PREFIX}harp only.jpg": "Harp=95",
    f"{PREFIX}Käse & 🐕.jpg": "Tuba=99",
    f"{PREFIX}phone.jpg": "Mobile Phone=99@0.1:0.2:0.3:0.4",
}


class Finder(Command):
    """The command, and its searches among the photos of this file."""

    def keys(self, expression: str, *options: str) -> list[str]:
        """The keys of the photos found, highest confidence first."""
        found = self.run("find", expression, "--prefix", PREFIX, *options, exit_code=0)
        return [line.split("\t")[0] for line in found.stdout.splitlines()]

    def finds_nothing(self, expression: str) -> bool:
        self.run("find", expression, "--prefix", PREFIX, exit_code=1)
        return True


@pytest.fixture(scope="module")
def command(localstack: server.Server, stack: Stack) -> Finder:
    return Finder(localstack, json.loads(stack.outputs["cli_environment"]))


def test_table_names_come_from_terraform_output(
    localstack: server.Server, stack: Stack, photos: dict[str, str]
) -> None:
    assert Finder(localstack, {}).keys("harp") == [f"{PREFIX}both.jpg", f"{PREFIX}harp only.jpg"]


@pytest.fixture(scope="module")
def photos(stack: Stack) -> dict[str, str]:
    """Upload the photos of this file and wait for their labels. Returns the version of each key."""
    versions = {key: stack.upload(key, jpeg(), labels) for key, labels in PHOTOS.items()}
    for key, version in versions.items():
        stack.labelled(key, version)
    return versions


def test_label_in_any_case_finds_photos_by_confidence(command: Finder, photos: dict[str, str]) -> None:
    assert command.keys("harp") == [f"{PREFIX}both.jpg", f"{PREFIX}harp only.jpg"]
    assert command.keys("TUBA") == [f"{PREFIX}Käse & 🐕.jpg", f"{PREFIX}both.jpg"]


def test_alias_finds_the_photo(command: Finder, photos: dict[str, str]) -> None:
    assert command.keys('"cell phone"') == [f"{PREFIX}phone.jpg"]


def test_operators_combine_labels(command: Finder, photos: dict[str, str]) -> None:
    assert command.keys("harp AND NOT tuba") == [f"{PREFIX}harp only.jpg"]
    assert command.keys("harp AND tuba") == [f"{PREFIX}both.jpg"]
    assert len(command.keys("harp OR tuba OR 'mobile phone'")) == len(PHOTOS)
    assert command.keys("harp>=96") == [f"{PREFIX}both.jpg"]
    assert command.keys("*har* NOT tuba") == [f"{PREFIX}harp only.jpg"]


def test_words_dates_and_download(stack: Stack, command: Finder, photos: dict[str, str], tmp_path: Path) -> None:
    search = ("find", "harps", "tuba", "--prefix", PREFIX, "--since", "1d", "-o", "jsonl", "--download", str(tmp_path))
    found = command.run(*search)
    [photo] = map(json.loads, found.stdout.splitlines())
    assert photo["s3_uri"] == f"s3://{stack.bucket}/{PREFIX}both.jpg"
    head = stack.s3.head_object(Bucket=stack.bucket, Key=photo["key"])
    assert datetime.fromisoformat(photo["uploaded"]) == head["LastModified"]
    assert "harps tuba: no such label; searched for harp AND tuba\n" in found.stderr
    assert (tmp_path / photo["key"]).stat().st_size == head["ContentLength"]
    assert "1 was there already" in command.run(*search).stderr
    command.run("find", "harp", "--prefix", PREFIX, "--until", "1d", exit_code=1)


def test_not_alone_requires_a_scan(command: Finder, photos: dict[str, str]) -> None:
    refused = command.run("find", "NOT harp", exit_code=2)
    assert "--scan" in refused.stderr
    assert set(command.keys("NOT harp", "--scan")) == {f"{PREFIX}Käse & 🐕.jpg", f"{PREFIX}phone.jpg"}


def test_token_continues_after_the_previous_page(command: Finder, photos: dict[str, str]) -> None:
    first = command.json("find", "harp", "--prefix", PREFIX, "--limit", "1")
    second = command.json("find", "harp", "--prefix", PREFIX, "--limit", "1", "--token", first["next_token"])
    assert [photo["key"] for photo in first["photos"] + second["photos"]] == command.keys("harp")


def test_unknown_label_gets_a_suggestion(command: Finder, photos: dict[str, str]) -> None:
    refused = command.run("find", "hrap", exit_code=1)
    assert "did you mean harp?" in refused.stderr


def test_overwritten_photo_is_not_found_by_its_old_label(stack: Stack, command: Finder) -> None:
    key = f"{PREFIX}overwritten.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Bassoon=99"))
    assert command.keys("bassoon") == [key]
    stack.labelled(key, stack.upload(key, jpeg(), "Zither=99"))
    # Queries are eventually consistent on AWS, but not on the emulator.
    assert command.finds_nothing("bassoon")
    assert command.keys("zither") == [key]


def test_deleted_photo_is_not_found(stack: Stack, command: Finder) -> None:
    key = f"{PREFIX}deleted.jpg"
    stack.labelled(key, stack.upload(key, jpeg(), "Theremin=99"))
    assert command.keys("theremin") == [key]
    stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    wait_for("item gone", lambda: stack.item(key) is None)
    assert command.finds_nothing("theremin")
    gone = command.run("show", key, exit_code=1)
    assert "it is in the queue" in gone.stderr


def test_show_prints_a_photo_with_its_labels(stack: Stack, command: Finder, photos: dict[str, str]) -> None:
    key = f"{PREFIX}phone.jpg"
    photo = command.json("show", f"s3://{stack.bucket}/{key}")
    assert (photo["key"], photo["status"], photo["version_id"]) == (key, "LABELLED", photos[key])
    phone = next(label for label in photo["labels"] if label["name"] == "Mobile Phone")
    assert phone["aliases"] == ["Cell Phone"]
    assert len(phone["boxes"]) == 1


def test_labels_lists_names_and_aliases(command: Finder, photos: dict[str, str]) -> None:
    assert {"Harp", "Tuba", "Mobile Phone", "Cell Phone"} <= {term["name"] for term in command.json("labels")}
    (phone,) = command.json("labels", "cell ph")
    assert phone["photos"] == len(command.json("find", '"cell phone"')["photos"])


def test_status_counts_messages_and_lists_rejected_photos(stack: Stack, command: Finder) -> None:
    key = f"{PREFIX}notes.jpg"
    stack.labelled(key, stack.upload(key, b"This is text.\n"))
    status = command.json("status", "--limit", "1000")
    assert status["queue"].keys() == {"waiting", "in_flight"}
    assert status["dead_letters"]["waiting"] >= 0
    (reason,) = [photo["reason"] for photo in status["rejected"]["photos"] if photo["key"] == key]
    assert "not a JPEG or PNG" in reason
    assert status["rejected"]["count"] == len(status["rejected"]["photos"])


def test_flag_overrides_the_name_of_a_table(stack: Stack, command: Finder, photos: dict[str, str]) -> None:
    refused = command.run("find", "harp", "--labels-table", "no-such-table", exit_code=3)
    assert "no-such-table" in refused.stderr


@pytest.mark.parametrize(
    ("output", "commands"),
    [
        ("reader_policy_json", COMMAND_PERMISSIONS),
        ("uploader_policy_json", UPLOADER_PERMISSIONS),
        ("operator_policy_json", OPERATOR_PERMISSIONS),
    ],
    ids=["readers", "uploaders", "operators"],
)
def test_policy_grants_exactly_the_permissions_of_its_commands(
    stack: Stack, output: str, commands: dict[str, dict[str, tuple[Resource, ...]]]
) -> None:
    """Unit tests check that the lists in permissions.py are complete and minimal."""
    places = {
        stack.outputs["images_table_arn"]: Resource.IMAGES_TABLE,
        stack.outputs["labels_table_arn"]: Resource.LABELS_TABLE,
        stack.outputs["queue_arn"]: Resource.QUEUE,
        stack.outputs["dead_letter_queue_arn"]: Resource.DEAD_LETTER_QUEUE,
        stack.outputs["waiting_queue_arn"]: Resource.WAITING_QUEUE,
        stack.outputs["bucket_arn"]: Resource.BUCKET,
        f"{stack.outputs['bucket_arn']}/images/*": Resource.PHOTOS,
    }
    allowed: dict[Resource, set[str]] = {}
    for statement in json.loads(stack.outputs[output])["Statement"]:
        assert statement["Effect"] == "Allow"
        for arn in _listed(statement["Resource"]):
            allowed.setdefault(places[arn], set()).update(_listed(statement["Action"]))
    assert allowed == least_privilege(commands)


def _listed(one_or_many: str | list[str]) -> list[str]:
    return [one_or_many] if isinstance(one_or_many, str) else one_or_many


def test_terminal_names_the_emulated_rekognition(command: Finder, photos: dict[str, str]) -> None:
    """The emulator itself is asked. Pipes, as in the tests above, get no such line."""
    assert "Labels by the emulated Rekognition: " in command.on_a_terminal("find", "harp", "--prefix", PREFIX)
    assert "emulated Rekognition" not in command.run("find", "harp", "--prefix", PREFIX).stderr
