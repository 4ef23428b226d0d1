"""Labels from metadata or models, and refused metadata."""

from __future__ import annotations

import pytest
from image_labels_emulator.rekognition import image, taxonomy
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.sources import Box, Found, find_labels, from_metadata
from support.rekognition_model import picture

KNOWN = taxonomy.load()
PHOTO = image.load(picture())


def see_nothing(_photo: image.Photo) -> list[Found]:
    return []


def seen(*found: Found) -> list[Found]:
    return find_labels(PHOTO, KNOWN, see=lambda _photo: list(found))


def test_metadata_gives_labels_and_confidences() -> None:
    assert from_metadata("Dog=98.7, Traffic Light=91 ") == [Found("Dog", 98.7), Found("Traffic Light", 91.0)]


def test_metadata_gives_boxes() -> None:
    (found,) = from_metadata("Dog=98.7@0.1:0.2:0.3:0.4@0:0:1:1")
    assert found == Found("Dog", 98.7, (Box(0.1, 0.2, 0.3, 0.4, 98.7), Box(0, 0, 1, 1, 98.7)))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 200, 5000])
def test_metadata_gives_a_number_of_boxes_that_do_not_overlap(count: int) -> None:
    (found,) = from_metadata(f"Person=99*{count}")
    assert len(found.boxes) == count
    assert len({(box.left, box.top) for box in found.boxes}) == count
    assert all(box.left + box.width <= 1 and box.top + box.height <= 1 for box in found.boxes)
    assert all(box.width > 0 and box.height > 0 for box in found.boxes)


@pytest.mark.parametrize("text", ["", " ", ","])
def test_empty_metadata_is_no_labels(text: str) -> None:
    assert find_labels(PHOTO, KNOWN, metadata={"labels": text}, see=lambda _: [Found("Dog", 70)]) == []


@pytest.mark.parametrize(
    "text",
    [
        *("Dog", "Dog=", "=98", "Dog=high", "Dog=100.1", "Dog=-1", "Dog=98*", "Dog=98*5001"),
        *("Dog=98@", "Dog=98@0.1:0.2:0.3", "Dog=98@0.5:0:0.6:1", "Dog=98@0:0:0:1", "Dog=98*2@0:0:1:1"),
    ],
)
def test_error_for_invalid_metadata_quotes_it(text: str) -> None:
    with pytest.raises(RekognitionError, match="x-amz-meta-labels") as caught:
        from_metadata(f"Cat=90,{text}")
    assert caught.value.code == "InvalidParameterException"
    assert repr(text) in caught.value.message


def test_alias_becomes_its_label_and_the_highest_confidence_counts() -> None:
    expected = [Found("Mobile Phone", 95.0), Found("Sarsen", 60.0)]
    assert (
        find_labels(PHOTO, KNOWN, metadata={"labels": "cell phone=91,Mobile Phone=95,Sarsen=60"}, see=see_nothing)
        == expected
    )
    assert seen(Found("cell phone", 91.0), Found("Mobile Phone", 95.0), Found("Sarsen", 60.0)) == expected


def test_metadata_takes_precedence_over_models() -> None:
    metadata = {"labels": "Cat=90"}
    assert find_labels(PHOTO, KNOWN, metadata=metadata, see=lambda _: [Found("Dog", 70)]) == [Found("Cat", 90.0)]
    other = {"owner": "me"}
    assert find_labels(PHOTO, KNOWN, metadata=other, see=lambda _: [Found("Dog", 70.0)]) == [Found("Dog", 70.0)]
