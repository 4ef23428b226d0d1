"""Items and rows that another program, or a person in the console, may write, in DynamoDB's typed JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from image_labels.detectors.faces import hash_of
from image_labels.model import Instance, Label, Photo
from image_labels.tables.items import photo_attributes
from image_labels.tables.rows import rows_of
from image_labels.tables.terms import terms_of
from support.fakes import UPLOADED

BUCKET = "photos-bucket"
KEY = "images/dog.jpg"
# The item that the original lab writes.
LAB: dict[str, Any] = {"PK": {"S": KEY}, "Labels": {"SS": ["Dog"]}}
DOG = Label("Dog", 98.765, ("Animal",), ("Hound",), ("Animals and Pets",), (Instance(0.1, 0.2, 0.3, 0.4, 97.5),))

# DynamoDB gives up to 38 digits, and an exponent for what is large or small.
numbers = st.sampled_from(
    ["0", "-1", "1.5", "98.765", "100", "100.001", "1E+20", "9.9E+125", "-1E-130", "0." + "3" * 38, "1" * 38]
)
texts = st.one_of(
    st.sampled_from(["", "dog", "Dog", "*", "*usage", "LABELLED", "REJECTED", "label", "ß" * 2000, "\x1b[31m\u202e"]),
    st.text(max_size=5),
)
values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        texts.map(lambda text: {"S": text}),
        numbers.map(lambda number: {"N": number}),
        st.binary(max_size=3).map(lambda content: {"B": content}),
        st.booleans().map(lambda content: {"BOOL": content}),
        st.just({"NULL": True}),
        st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda content: {"SS": content}),
        st.lists(numbers, min_size=1, max_size=3, unique=True).map(lambda content: {"NS": content}),
        st.lists(st.binary(max_size=3), min_size=1, max_size=3, unique=True).map(lambda content: {"BS": content}),
    ),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(lambda content: {"L": content}),
        st.dictionaries(
            st.sampled_from(["Name", "Confidence", "Parents", "Instances", "Left", "dog", "a"]), parts, max_size=4
        ).map(lambda content: {"M": content}),
    ),
    max_leaves=8,
)


def item_of_ours() -> dict[str, Any]:
    """An item as the module writes it."""
    detection: dict[str, Any] = {
        "Name": {"S": DOG.name},
        "Confidence": {"N": str(DOG.confidence)},
        "Parents": {"L": [{"S": "Animal"}]},
        "Aliases": {"L": [{"S": "Hound"}]},
        "Categories": {"L": [{"S": "Animals and Pets"}]},
        "Instances": {"L": [{"M": {name: {"N": "0.2"} for name in ("Left", "Top", "Width", "Height", "Confidence")}}]},
    }
    return {
        **photo_attributes(Photo(BUCKET, KEY, "e", "v1", 1000, UPLOADED)),
        "Settings": {"S": "s"},
        "Status": {"S": "LABELLED"},
        "LabelledAt": {"S": "2026-11-18T11:06:40.250+00:00"},
        "LabelModelVersion": {"S": "3.0"},
        "Labels": {"SS": ["Dog"]},
        "Detections": {"L": [{"M": detection}]},
        "Rows": {"N": "5"},
        "Revision": {"N": "1795000000250000000"},
    }


def item_with_text() -> dict[str, Any]:
    """The same item with the answer of DetectText."""
    line = {"Text": {"S": "SPEED LIMIT"}, "Confidence": {"N": "99.1"}}
    box = {name: {"N": "0.2"} for name in ("Left", "Top", "Width", "Height")}
    text = {"Asked": {"S": "min_confidence=80.0"}, "At": {"S": "2026-11-18T11:06:40.250+00:00"}}
    return item_of_ours() | {
        "Settings": {"S": "s;text=min_confidence=80.0"},
        "Text": {"M": text | {"Lines": {"L": [{"M": line | box}]}}},
    }


def item_with_faces() -> dict[str, Any]:
    """The same item with the answer of IndexFaces, and with faces that are to be deleted."""
    face_id = "11111111-2222-4333-8444-555555555555"
    face: dict[str, Any] = {name: {"N": "0.2"} for name in ("Left", "Top", "Width", "Height", "Confidence")}
    face |= {"FaceId": {"S": face_id}, "Attributes": {"M": {"Smile": {"M": {"Value": {"BOOL": True}}}}}}
    asked = "attributes=SMILE+max=20+collection=image-labels-faces+quality=AUTO"
    faces = {"Asked": {"S": asked}, "At": {"S": "2026-11-18T11:06:40.250+00:00"}}
    return item_of_ours() | {
        "Settings": {"S": f"s;faces={asked}"},
        "Faces": {"M": faces | {"Call": {"S": f"{hash_of(KEY)}.c"}, "Faces": {"L": [{"M": face}]}}},
        "UnclaimedFaces": {
            "M": {"FaceIds": {"L": [{"S": face_id}]}, "Calls": {"L": [{"S": "c"}]}, "Until": {"N": "1"}}
        },
    }


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any]:
    """An item or row of this module with some values changed, removed or added at any depth, except its keys."""
    item = _changed(draw, {"M": {name: value for name, value in whole.items() if name not in keep}})["M"]
    return {name: value for name, value in item.items() if name not in keep} | {name: whole[name] for name in keep}


def _changed(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "M":
        changed = dict(content)
        for name in draw(st.lists(st.sampled_from(sorted(content)), max_size=2, unique=True)) if content else ():
            what = draw(st.sampled_from(["remove", "replace", "within"]))
            del changed[name]
            if what != "remove":
                changed[name] = draw(values) if what == "replace" else _changed(draw, content[name])
        return {"M": changed}
    if kind == "L" and content:
        return {"L": [_changed(draw, each) for each in content]}
    return draw(values)


# Any attributes of an item. DynamoDB ensures only that its keys are strings.
_ATTRIBUTES = (
    *("Labels", "Detections", "DetectionsCut", "Status", "Reason", "Bucket", "ETag", "VersionId", "Size", "Settings"),
    *("LabelModelVersion", "LabelledAt", "Rows", "Emptying", "Revision", "Uploaded"),
    *("Text", "Faces", "UnclaimedFaces", "Moderation", "Unwanted"),
)
anything = st.dictionaries(st.sampled_from(_ATTRIBUTES), values, max_size=8)
items = st.one_of(
    anything.map(lambda item: item | {"PK": {"S": KEY}}),
    damaged(item_of_ours(), ("PK",)),
    damaged(item_with_text(), ("PK",)),
    damaged(item_with_faces(), ("PK",)),
    st.just(LAB),
    st.just(LAB | {"Detections": {"L": [{"S": "Dog"}]}}),
)


def rows_of_ours() -> list[dict[str, Any]]:
    """The rows of that item."""
    return list(rows_of(KEY, terms_of((DOG,)), UPLOADED).values())


def _keyed(term: str, rank: str, item: dict[str, Any]) -> dict[str, Any]:
    return item | {"Term": {"S": term}, "Rank": {"S": rank}}


ranks = st.sampled_from(["001235#images/dog.jpg", "001235#", "~", "!", "zzz", "000000#" + "x" * 1000, "dog", "ü"])
rows = st.one_of(
    st.builds(
        lambda rank, item: _keyed("dog", rank, item),
        ranks,
        st.dictionaries(st.sampled_from(["PK", "Name", "Kind", "Confidence", "Terms", "TermsCut"]), values, max_size=6),
    ),
    damaged(next(row for row in rows_of_ours() if row["Term"] == {"S": "dog"}), ("Term", "Rank")),
)
vocabulary_rows = st.one_of(
    st.builds(
        lambda rank, item: _keyed("*", rank, item),
        st.sampled_from(["dog", "dogma", "do" + "g" * 1000, "~", "!"]),
        st.dictionaries(st.sampled_from(["Name", "Kind"]), values, max_size=2),
    ),
    st.just(_keyed("*", "dog", {"Name": {"S": "Dog"}, "Kind": {"S": "label"}})),
)
