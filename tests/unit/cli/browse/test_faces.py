"""Faces of a photo on the page, and photos of the same person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from image_labels.search.faces import FaceFinder
from image_labels_cli.browse import Access
from image_labels_cli.browse.photos import Library
from image_labels_cli.browse.problems import BadRequest
from support.collection_aws import aws_with, collection_of_files, put_people
from support.face_collection import COLLECTION
from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from image_labels.tables.store import Store

NOBODY = cast("Any", None)


@pytest.fixture
def access(store: Store) -> Access:
    """A deployment with two photos of Ada, and one whose face is not in the collection."""
    collection = collection_of_files()
    for key, people in {"images/ada.jpg": "Ada", "images/team.jpg": "Bob Ada", "images/fog.jpg": "Blurred"}.items():
        put_people(store, collection, key, people)
    aws = aws_with(collection)
    finder = FaceFinder(
        aws.rekognition, aws.dynamodb, collection_id=COLLECTION, labels_table=LABELS_TABLE, images_table=TABLE
    )
    return Access(aws.dynamodb, aws.s3, TABLE, LABELS_TABLE, BUCKET, faces=finder)


def test_photo_has_its_faces_with_boxes(access: Access) -> None:
    team, fog = Library(access, NOBODY, NOBODY).photos(["images/team.jpg", "images/fog.jpg"])["photos"]
    assert [(face["name"], face["face"]) for face in team["faces"]] == [("Face 1", 1), ("Face 2", 2)]
    assert team["faces"][0]["boxes"] == [[0.1, 0.2, 0.3, 0.4, 99.0]]
    assert [(face["face"], face["categories"]) for face in fog["faces"]] == [(None, ("LOW_SHARPNESS",))]


def test_face_finds_other_photos_of_the_person(access: Access) -> None:
    library = Library(access, NOBODY, NOBODY)
    assert [photo["key"] for photo in library.alike("images/team.jpg", 2)["photos"]] == ["images/ada.jpg"]
    assert library.alike("images/team.jpg", 1)["photos"] == []


def test_nothing_to_search_by_is_explained(access: Access) -> None:
    library = Library(access, NOBODY, NOBODY)
    for key, face, reason in (
        ("images/fog.jpg", 1, "LOW_SHARPNESS"),
        ("images/team.jpg", 3, "none with the number 3"),
        ("images/gone.jpg", 1, "no photo with this key"),
    ):
        with pytest.raises(BadRequest, match=reason):
            library.alike(key, face)
    with pytest.raises(BadRequest, match="no face collection"):
        Library(replace(access, faces=None), NOBODY, NOBODY).alike("images/team.jpg", 1)


def test_number_that_no_face_has_is_refused(access: Access) -> None:
    with pytest.raises(BadRequest, match="none with the number 0"):
        Library(access, NOBODY, NOBODY).alike("images/team.jpg", 0)
