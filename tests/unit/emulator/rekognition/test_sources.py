from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels_emulator.rekognition import image, taxonomy
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.sources import Found, find_labels, from_file_name, from_metadata
from support.rekognition_model import picture

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.image import Photo

KNOWN = taxonomy.load()
PHOTO = image.load(picture())


def from_name(key: str) -> list[str]:
    return [found.name for found in from_file_name(key, PHOTO.digest, KNOWN)]


def test_metadata_as_people_write_it() -> None:
    assert from_metadata("Dog=98.7, Traffic Light=91 ,Person=99*3") == [
        Found("Dog", 98.7),
        Found("Traffic Light", 91.0),
        Found("Person", 99.0, 3),
    ]


@pytest.mark.parametrize("text", ["", " ", ","])
def test_empty_metadata_is_no_labels(text: str) -> None:
    assert find_labels(PHOTO, KNOWN, metadata={"labels": text}, key="dog.jpg") == []


@pytest.mark.parametrize("text", ["Dog", "Dog=", "=98", "Dog=high", "Dog=100.1", "Dog=-1", "Dog=98*", "Dog=98*5001"])
def test_bad_metadata_is_an_error_that_quotes_it(text: str) -> None:
    with pytest.raises(RekognitionError, match="x-amz-meta-labels") as caught:
        from_metadata(f"Cat=90,{text}")
    assert caught.value.code == "InvalidParameterException"
    assert repr(text) in caught.value.message


def test_an_alias_in_metadata_becomes_its_label_and_the_surest_counts() -> None:
    found = find_labels(PHOTO, KNOWN, metadata={"labels": "cell phone=91,Mobile Phone=95,Sarsen=60"})
    assert found == [Found("Mobile Phone", 95.0), Found("Sarsen", 60.0)]


def test_metadata_wins_over_the_classifier_and_that_over_the_name() -> None:
    def classifier(_photo: Photo) -> list[Found]:
        return [Found("automobile", 70.0)]

    metadata = {"labels": "Cat=90"}
    everything = find_labels(PHOTO, KNOWN, metadata=metadata, key="dog.jpg", classifier=classifier)
    assert everything == [Found("Cat", 90.0)]
    without_metadata = find_labels(PHOTO, KNOWN, metadata={"owner": "me"}, key="dog.jpg", classifier=classifier)
    assert without_metadata == [Found("Car", 70.0)]
    assert [found.name for found in find_labels(PHOTO, KNOWN, key="dog.jpg")] == ["Dog"]
    assert find_labels(PHOTO, KNOWN) == []


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("images/traffic-light_01.jpg", ["Traffic Light"]),
        ("images/dogs/cat.jpg", ["Cat"]),
        ("cell phone on table.JPG", ["Mobile Phone", "Table"]),
        ("two-dogs.jpeg", ["Two", "Dog"]),
        ("cities_and_beaches.png", ["City", "Beach"]),
        ("hot-air-balloon.png", ["Hot Air Balloon"]),
        ("T-Shirt.png", ["T-Shirt"]),
        ("glasses.png", ["Glasses"]),
        ("dog-dog.png", ["Dog"]),
        ("stonehenge.png", ["Stonehenge"]),
        ("Fußgänger-rot.jpg", ["Fußgänger", "Rot"]),
        ("IMG_0001.jpg", []),
        ("0001.jpg", []),
        ("a-of.jpg", []),
        ("images/", []),
        (".jpg", []),
    ],
)
def test_words_of_the_file_name(key: str, names: list[str]) -> None:
    assert from_name(key) == names


def test_confidences_depend_on_word_and_image_and_pass_the_modules_minimum() -> None:
    first = from_file_name("a/dog-cat.jpg", PHOTO.digest, KNOWN)
    assert first == from_file_name("b/cat-dog.jpg", PHOTO.digest, KNOWN)[::-1]
    assert first[0].confidence != first[1].confidence
    assert first != from_file_name("a/dog-cat.jpg", "another", KNOWN)
    many = [from_file_name("dog.jpg", str(number), KNOWN)[0].confidence for number in range(500)]
    assert min(many) >= 80.5
    assert max(many) <= 99.9
    assert max(many) - min(many) > 15
