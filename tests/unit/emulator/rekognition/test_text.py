"""DetectText, as LocalStack calls it."""

from __future__ import annotations

from typing import Any

import pytest
from image_labels_emulator.rekognition.inference import Inference, Text
from support.rekognition_calls import Service
from support.rekognition_model import picture, s3_image


def box(left: float, top: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


def word(text: str, score: float, polygon: tuple[tuple[float, float], ...]) -> Text:
    """A line of one word."""
    return Text(text, score, polygon, (Text(text, score, polygon),))


MONDAY = word("MONDAY", 0.93, box(0.1, 0.1, 0.4, 0.1))
BUT, KEEP = Text("but", 0.97, box(0.1, 0.5, 0.1, 0.1)), Text("keep", 0.95, box(0.25, 0.5, 0.2, 0.1))
BUT_KEEP = Text("but keep", 0.96, box(0.1, 0.5, 0.35, 0.1), (BUT, KEEP))


def detected(*lines: Text, **filters: Any) -> list[dict[str, Any]]:
    service = Service(Inference(read_lines=lambda _pixels: list(lines)))
    request = {"Filters": filters} if filters else {}
    found: list[dict[str, Any]] = service("DetectText", Image={"Bytes": picture()}, **request)["TextDetections"]
    return found


def texts(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["Type"], one["DetectedText"]) for one in found]


ALL = [("LINE", "MONDAY"), ("LINE", "but keep"), ("WORD", "MONDAY"), ("WORD", "but"), ("WORD", "keep")]


def test_lines_and_then_their_words() -> None:
    found = detected(MONDAY, BUT_KEEP)
    assert texts(found) == ALL
    assert [one["Id"] for one in found] == [0, 1, 2, 3, 4]
    assert [one.get("ParentId") for one in found] == [None, None, 0, 1, 1]
    assert [one["Confidence"] for one in found] == pytest.approx([93, 96, 93, 97, 95])


def test_the_box_is_around_the_polygon() -> None:
    slanted = word("MONDAY", 0.9, ((0.1, 0.2), (0.5, 0.1), (0.52, 0.2), (0.12, 0.3)))
    (line, _word) = detected(slanted)
    assert line["Geometry"]["BoundingBox"] == pytest.approx({"Left": 0.1, "Top": 0.1, "Width": 0.42, "Height": 0.2})
    assert line["Geometry"]["Polygon"][0] == {"X": 0.1, "Y": 0.2}
    assert len(line["Geometry"]["Polygon"]) == 4


def test_no_place_of_a_word_is_invented() -> None:
    unknown = Text("but keep", 0.96, BUT_KEEP.polygon)
    assert texts(detected(unknown)) == [("LINE", "but keep")]


def test_no_text() -> None:
    service = Service(Inference(read_lines=lambda _pixels: []))
    service.s3.put("a.jpg", picture())
    assert service("DetectText", Image=s3_image("a.jpg")) == {"TextDetections": [], "TextModelVersion": "3.0"}


def dictated(text: str) -> Service:
    def no_model(_pixels: object) -> list[Text]:
        raise AssertionError("the model is asked")

    service = Service(Inference(read_lines=no_model))
    service.s3.put("a.jpg", picture(), text=text)
    return service


def test_metadata_dictates_the_lines() -> None:
    found = dictated("SPEED LIMIT=99.1@0.1:0.2:0.3:0.4| 55=98 |2+2=4=70")("DetectText", Image=s3_image("a.jpg"))
    assert texts(found["TextDetections"]) == [("LINE", "SPEED LIMIT"), ("LINE", "55"), ("WORD", "55")]
    sign, number, _word = found["TextDetections"]
    assert (sign["Confidence"], number["Confidence"]) == pytest.approx((99.1, 98))
    assert sign["Geometry"]["BoundingBox"] == pytest.approx({"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4})
    assert number["Geometry"]["BoundingBox"] == pytest.approx({"Left": 0, "Top": 1 / 3, "Width": 1, "Height": 1 / 3})
    everything = dictated("2+2=4=70")(
        "DetectText", Image=s3_image("a.jpg"), Filters={"WordFilter": {"MinConfidence": 0}}
    )
    assert everything["TextDetections"][0]["DetectedText"] == "2+2=4"


def test_empty_metadata_means_no_text() -> None:
    assert dictated("")("DetectText", Image=s3_image("a.jpg"))["TextDetections"] == []


@pytest.mark.parametrize("text", ["STOP", "STOP=", "=99", "STOP=101", "STOP=high", "STOP=99@0.5:0.5:0.6:0.1"])
def test_invalid_metadata_is_refused(text: str) -> None:
    code, message = dictated(text).refused("DetectText", Image=s3_image("a.jpg"))
    assert code == "InvalidParameterException"
    assert message.startswith(f"x-amz-meta-text has {text!r}; expected text=confidence")


def test_words_below_80_percent_are_dropped_unless_asked_for() -> None:
    unsure = word("?", 0.79, box(0.5, 0.5, 0.1, 0.1))
    assert texts(detected(MONDAY, unsure)) == [("LINE", "MONDAY"), ("WORD", "MONDAY")]
    assert len(detected(MONDAY, unsure, WordFilter={"MinConfidence": 79})) == 4
    assert len(detected(MONDAY, unsure, WordFilter={"MinConfidence": 0})) == 4
    assert texts(detected(MONDAY, BUT_KEEP, WordFilter={"MinConfidence": 96})) == [
        ("LINE", "but keep"),
        ("WORD", "but"),
    ]


def test_small_words_are_dropped() -> None:
    assert texts(detected(MONDAY, BUT_KEEP, WordFilter={"MinBoundingBoxWidth": 0.15})) == [
        ("LINE", "MONDAY"),
        ("LINE", "but keep"),
        ("WORD", "MONDAY"),
        ("WORD", "keep"),
    ]
    assert detected(MONDAY, BUT_KEEP, WordFilter={"MinBoundingBoxHeight": 0.2}) == []


@pytest.mark.parametrize(
    ("region", "seen"),
    [
        ({"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 1}}, ALL),
        ({"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 0.3}}, [ALL[0], ALL[2]]),
        (
            {"BoundingBox": {"Left": 0.32, "Top": 0, "Width": 0.5, "Height": 1}},
            [("LINE", "but keep"), ("WORD", "keep")],
        ),
        ({"BoundingBox": {"Left": 0.6, "Top": 0.6, "Width": 0.2, "Height": 0.2}}, []),
        ({"Polygon": [{"X": 0, "Y": 0}, {"X": 1, "Y": 0}, {"X": 0, "Y": 0.4}]}, [ALL[0], ALL[2]]),
    ],
)
def test_more_than_half_of_a_word_is_in_a_region_of_interest(region: dict[str, Any], seen: list[Any]) -> None:
    assert texts(detected(MONDAY, BUT_KEEP, RegionsOfInterest=[region])) == seen


def test_one_of_several_regions_suffices() -> None:
    top = {"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 0.3}}
    bottom = {"BoundingBox": {"Left": 0, "Top": 0.4, "Width": 1, "Height": 0.3}}
    assert texts(detected(MONDAY, BUT_KEEP, RegionsOfInterest=[top, bottom])) == ALL


@pytest.mark.parametrize(
    "region",
    [
        {},
        {"BoundingBox": {"Left": 0, "Top": 0, "Width": 1}},
        {"Polygon": [{"X": 0, "Y": 0}, {"X": 1, "Y": 0}]},
        {"Polygon": [{"X": 0, "Y": 0}, {"X": 1}, {"X": 1, "Y": 1}]},
        {"Polygon": [{"X": 0, "Y": 0}] * 11},
        {
            "BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 1},
            "Polygon": [{"X": 0, "Y": 0}, {"X": 1, "Y": 0}, {"X": 1, "Y": 1}],
        },
    ],
)
def test_an_incomplete_region_is_refused(region: dict[str, Any]) -> None:
    service = Service(Inference(read_lines=lambda _pixels: []))
    code, _message = service.refused("DetectText", Image={"Bytes": picture()}, Filters={"RegionsOfInterest": [region]})
    assert code == "InvalidParameterException"


def test_at_most_a_hundred_words() -> None:
    many = [word(f"w{number}", 0.9, box(0.1, 0.1, 0.1, 0.1)) for number in range(120)]
    found = detected(*many)
    assert [one["Type"] for one in found] == ["LINE"] * 100 + ["WORD"] * 100
    assert found[-1]["ParentId"] == 99


def test_limits_of_filters_are_checked() -> None:
    service = Service(Inference(read_lines=lambda _pixels: []))
    code, message = service.refused(
        "DetectText", Image={"Bytes": picture()}, Filters={"WordFilter": {"MinBoundingBoxHeight": 1.5}}
    )
    assert code == "ValidationException"
    assert "Value '1.5' at 'filters.wordFilter.minBoundingBoxHeight' failed" in message


def test_words_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    from image_labels_emulator.vision import text

    words = (text.TextWord("but", 0.97, BUT.polygon), text.TextWord("keep", 0.95, KEEP.polygon))
    lines = [
        text.TextLine(" MONDAY ", 0.93, MONDAY.polygon),
        text.TextLine("but keep", 0.96, BUT_KEEP.polygon, words),
        text.TextLine("no places", 0.96, box(0.1, 0.8, 0.3, 0.1)),
    ]
    monkeypatch.setattr(text, "read_lines", lambda _pixels: lines)
    found = Service(Inference())("DetectText", Image={"Bytes": picture()})["TextDetections"]
    assert [one["DetectedText"] for one in found if one["Type"] == "WORD"] == ["MONDAY", "but", "keep"]
    assert len(found) == 6
