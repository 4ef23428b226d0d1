"""`image-labels faces`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from image_labels.search.faces import MAX_IMAGE_BYTES
from support.collection_aws import ASKED, aws_with, collection_of_files, put_people
from support.command import run, run_on_terminal
from support.fakes import BUCKET

if TYPE_CHECKING:
    from pathlib import Path

    from image_labels.tables.store import Store
    from image_labels_cli.aws import Aws
    from image_labels_cli.deployment import Deployment
    from support.face_collection import FaceCollection
    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("deployment")
ADA, TEAM, BOB = "images/ada.jpg", "images/team.jpg", "images/bob.jpg"


@dataclass
class People:
    """A deployment with photos of people."""

    store: Store
    collection: FaceCollection = field(default_factory=collection_of_files)

    def __post_init__(self) -> None:
        for key, people in {ADA: "Ada", TEAM: "Bob Ada Cyd", BOB: "Bob", "images/fog.jpg": "Blurred"}.items():
            put_people(self.store, self.collection, key, people)

    def make_aws(self, _deployment: Deployment) -> Aws:
        return aws_with(self.collection)

    def faces(self, *arguments: str) -> Result:
        return run("faces", *arguments, make_aws=self.make_aws)

    def keys(self, *arguments: str) -> list[str]:
        return [line.split("\t")[0] for line in self.faces(*arguments).stdout.splitlines()]


@pytest.fixture
def people(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> People:
    monkeypatch.setenv("IMAGE_LABELS_FACES_SETTINGS", ASKED.text)
    monkeypatch.chdir(tmp_path)
    return People(store)


def test_photo_finds_other_photos_of_all_its_people(people: People) -> None:
    assert people.keys("--like", ADA) == [TEAM]
    assert people.keys("--like", f"s3://{BUCKET}/{TEAM}") == [ADA, BOB]
    assert people.keys("--like", TEAM, "--face", "2") == [ADA]
    assert people.collection.calls.count("SearchFaces") == 5  # one for each face


def test_file_finds_photos_of_its_largest_face(people: People, tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(b"Bob Ada")
    assert people.keys("--like", str(portrait)) == [TEAM, BOB]
    assert people.keys("--like", "portrait.jpg", "--limit", "1") == [TEAM]
    assert "--limit 4 prints more" in people.faces("--like", "portrait.jpg", "--limit", "1").stderr


def test_minimum_similarity_limits_the_photos(people: People, tmp_path: Path) -> None:
    (tmp_path / "bob.jpg").write_bytes(b"Bob")
    assert people.keys("--like", "bob.jpg", "--min-similarity", "99") == [TEAM]


def test_each_output_has_the_similarity(people: People) -> None:
    (face_id,) = [
        face.face_id for face in people.collection.faces.values() if face.person == "Ada" and face.image != "Ada"
    ]
    assert people.faces("--like", ADA).stdout == f"{TEAM}\t99.9\t{face_id}\n"
    found = json.loads(people.faces("--like", ADA, "--json").stdout)
    (photo,) = found["photos"]
    assert (photo["key"], photo["similarity"], photo["face_id"]) == (TEAM, 99.9, face_id)
    assert photo["box"].keys() == {"left", "top", "width", "height"}
    assert (found["searches"], found["more"], found["unknown_faces"]) == (1, False, 0)
    assert "Similarity %" in run_on_terminal("faces", "--like", ADA, make_aws=people.make_aws).stdout


def test_face_without_a_photo_is_reported(people: People) -> None:
    people.collection.faces["ffffffff-0000-4000-8000-000000000000"] = next(
        face for face in people.collection.faces.values() if face.person == "Ada"
    )
    people.collection.faces = {
        face_id: type(face)(face_id, face.person, face.image, face.external_image_id)
        for face_id, face in people.collection.faces.items()
    }
    result = people.faces("--like", ADA)
    assert (result.exit_code, "belong to no photo: image-labels audit" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    ("like", "exit_code", "words"),
    [
        ("images/none.jpg", 1, "the table has no photo with this key"),
        ("images/dog.jpg", 1, "not searched for faces yet: `image-labels relabel --stale`"),
        ("images/fog.jpg", 1, "no face of the photo is in the collection: LOW_SHARPNESS"),
        ("empty.jpg", 1, "Rekognition found no face in the image"),
        ("large.jpg", 2, "upload it to the bucket and give its key"),
    ],
)
def test_nothing_to_search_by_has_a_reason(
    people: People, tmp_path: Path, like: str, exit_code: int, words: str
) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "large.jpg").write_bytes(b"x" * (MAX_IMAGE_BYTES + 1))
    result = people.faces("--like", like)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr


def test_nobody_else_is_an_answer(people: People) -> None:
    people.collection.faces = {i: face for i, face in people.collection.faces.items() if face.image != "Bob Ada Cyd"}
    result = people.faces("--like", ADA)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no other photo has a face that is similar by at least 90 percent" in result.stderr


def test_deployment_without_a_collection_is_told_what_to_do(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_LABELS_FACES_SETTINGS", "attributes=+max=20")
    result = people.faces("--like", ADA)
    assert result.exit_code == 2
    assert "docs/faces.md" in result.stderr
    assert "faces = { index = true }" in result.stderr
