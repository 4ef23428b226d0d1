"""`image-labels show`: the item of one photo."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from image_labels.detectors.faces import DEFAULT_MEMBERS, Face, Faces
from image_labels.detectors.text import Line, Text
from image_labels.search.printable import visible
from image_labels.tables.items import findings_of, is_foreign, labels_of, whole

from image_labels_cli import output, unwanted
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError
from image_labels_cli.layout import number
from image_labels_cli.options import JSON_OPTION

if TYPE_CHECKING:
    from image_labels.model import Label

_SCHEME = "s3://"
# The item's string attributes and their names in JSON, in this order.
_STRINGS = {
    "Bucket": "bucket",
    "Status": "status",
    "Reason": "reason",
    "VersionId": "version_id",
    "ETag": "etag",
    "LabelModelVersion": "label_model_version",
    "Settings": "settings",
    "LabelledAt": "labelled_at",
}


def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the photo, or its URI s3://bucket/key.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show labels, text and faces of one photo, or why it has none.

    \b
      image-labels show images/dog.jpg
      image-labels show s3://my-photos/images/dog.jpg --json

    In a pipe, the first cell names the line: key, status, and so on. A
    line of a label has the cells name, confidence, parents, aliases,
    categories, and number of boxes. other_label has labels that the
    settings leave out. Lines of text have the text and its confidence.
    A face has its number, confidence, ID, and guesses about it.
    """
    bucket, key = address_of(key)
    deployment, aws = ctx.obj.connect("images_table")
    # A consistent read, because the photo may have just been uploaded.
    answer = aws.dynamodb.get_item(TableName=deployment.images_table, Key={"PK": {"S": key}}, ConsistentRead=True)
    item = answer.get("Item")
    if item is None:
        raise NothingFoundError(_not_found(key, ctx.obj))
    photo = _photo(key, item)
    if bucket and photo["bucket"] != bucket:
        actual = f"in the bucket {visible(photo['bucket'])}" if photo["bucket"] else "in an unknown bucket"
        raise NothingFoundError(f"the photo with this key is {actual}, not in {visible(bucket)}")
    if as_json:
        output.write_json(photo)
    elif output.is_terminal():
        _write_table(photo, unwanted.sentence(item))
        output.note_labels_by(aws.labels_by)
    else:
        output.write_lines(
            [
                *_facts(photo),
                *([name, *row] for name in _LABELS for row in _rows(photo[f"{name}s"])),
                *([name, *row] for name in _LINES for row in _text_rows(photo[name] or [])),
                *(["face", *row] for row in _face_rows(photo["faces"] or [])),
                *(["moderation", *row] for row in _moderation_rows(photo)),
                *([["unwanted", unwanted.sentence(item)]] if photo["unwanted"] else []),
            ]
        )


# Members of the JSON: lists of labels (in the plural), and of lines of text.
_LABELS = ("label", "other_label")
_LINES = ("text", "other_text")


def address_of(address: str) -> tuple[str, str]:
    """The bucket, or "", and the key. Raises UsageError."""
    if not address.startswith(_SCHEME):
        if not address:
            raise UsageError("the key is empty: give the key of a photo, for example images/dog.jpg")
        return "", address
    # Not urlsplit, because a key may contain ? and #.
    bucket, _, key = address.removeprefix(_SCHEME).partition("/")
    if not bucket or not key:
        raise UsageError(f"{visible(address)} is not the URI of a photo: write s3://bucket/key")
    return bucket, key


def _photo(key: str, item: Any) -> dict[str, Any]:
    photo: dict[str, Any] = {"key": key}
    photo |= {name: item.get(attribute, {}).get("S") for attribute, name in _STRINGS.items()}
    photo["size"] = whole(item.get("Size", {}))
    # False until all its rows are in the labels table.
    photo["indexed"] = "Rows" in item
    photo["boxes_cut"] = item.get("DetectionsCut", {}).get("BOOL", False)
    # True if another program wrote or changed the item. Then only its readable attributes are here.
    photo["foreign"] = is_foreign(item)
    photo["labels"] = [_label(label) for label in labels_of(item)]
    # The labels of Rekognition's answer that the settings leave out or change.
    photo["other_labels"] = [_label(label) for label in labels_of(item, "OtherDetections")]
    # None if DetectText was not called. text_reason says why it does not take the photo.
    text = next((each for each in findings_of(item) if isinstance(each, Text)), None)
    photo["text"] = None if text is None else [_line(line) for line in text.lines]
    photo["other_text"] = None if text is None else [_line(line) for line in text.others]
    photo["text_reason"] = (text.reason or None) if text else None
    photo["text_cut"] = text is not None and text.cut
    # The same for faces, largest first. Their places in this list are their numbers for `image-labels faces`.
    faces = next((each for each in findings_of(item) if isinstance(each, Faces)), None)
    photo["faces"] = None if faces is None else [_face(face) for face in faces.faces]
    photo["faces_reason"] = (faces.reason or None) if faces else None
    photo["faces_cut"] = faces is not None and faces.cut
    photo |= unwanted.moderation(item) | {"unwanted": unwanted.as_json(item)}
    return photo


def _label(label: Label) -> dict[str, Any]:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "parents": list(label.parents),
        "aliases": list(label.aliases),
        "categories": list(label.categories),
        "boxes": [
            {"left": b.left, "top": b.top, "width": b.width, "height": b.height, "confidence": b.confidence}
            for b in label.instances
        ],
    }


def _line(line: Line) -> dict[str, Any]:
    box = {"left": line.left, "top": line.top, "width": line.width, "height": line.height}
    return {"text": line.text, "confidence": line.confidence, "box": box}


def _face(face: Face) -> dict[str, Any]:
    return {
        "confidence": face.confidence,
        "face_id": face.face_id or None,
        "reasons": list(face.reasons),
        "attributes": dict(face.attributes),
        "box": {"left": face.left, "top": face.top, "width": face.width, "height": face.height},
    }


def _facts(photo: dict[str, Any]) -> list[list[str]]:
    known = {name: value for name, value in photo.items() if not isinstance(value, (list, dict)) and value is not None}
    return [[name, str(value).lower() if isinstance(value, bool) else str(value)] for name, value in known.items()]


def _rows(labels: list[dict[str, Any]], percent: Callable[[float], str] = output.percent) -> list[list[str]]:
    return [
        [
            label["name"],
            percent(label["confidence"]),
            *(", ".join(label[name]) for name in ("parents", "aliases", "categories")),
            str(len(label["boxes"])),
        ]
        for label in labels
    ]


def _text_rows(lines: list[dict[str, Any]], percent: Callable[[float], str] = output.percent) -> list[list[str]]:
    return [[line["text"], percent(line["confidence"])] for line in lines]


def _face_rows(faces: list[dict[str, Any]], percent: Callable[[float], str] = output.percent) -> list[list[str]]:
    """Number, confidence, whether it is in the collection or why not, and what Rekognition guesses about it."""
    return [
        [
            str(number),
            percent(face["confidence"]),
            face["face_id"] or ", ".join(face["reasons"]),
            "; ".join(_guess(name, value) for name, value in face["attributes"].items() if name not in DEFAULT_MEMBERS),
        ]
        for number, face in enumerate(faces, 1)
    ]


def _guess(name: str, value: Any) -> str:
    """A member of Rekognition's FaceDetail in one cell, such as "Smile: yes 97.5" or "AgeRange: 20-30"."""
    match value:
        case {"Low": low, "High": high}:
            return f"{name}: {low:g}-{high:g}"
        case {"Value": found, "Confidence": confidence}:
            text = {True: "yes", False: "no"}.get(found, found) if isinstance(found, bool) else found
            return f"{name}: {text} {confidence:g}"
        case [{"Type": _, "Confidence": _}, *_]:
            best = max(value, key=lambda each: float(each["Confidence"]))
            return f"{name}: {best['Type']} {best['Confidence']:g}"
        case _:
            return f"{name}: {json.dumps(value, ensure_ascii=False)}"


_COLUMNS = (number("%"), "Parents", "Aliases", "Categories", number("Boxes"))


def _moderation_rows(photo: dict[str, Any], percent: Callable[[float], str] = output.percent) -> list[list[str]]:
    labels = photo["moderation"] or []
    return [[label["name"], percent(label["confidence"]), ", ".join(label["parents"])] for label in labels]


def _write_table(photo: dict[str, Any], unwanted_because: str) -> None:
    for name, value in _facts(photo):
        if not isinstance(photo[name], bool):  # below, as sentences
            output.write_fact(name.replace("_", " "), value)
    if photo["labels"]:
        output.write_table(("Label", *_COLUMNS), _rows(photo["labels"], output.one_decimal))
    elif photo["status"] == "LABELLED" and not photo["foreign"]:
        output.write_text("Rekognition found no label with enough confidence.")
    if photo["other_labels"]:
        output.write_table(
            ("Label left out by the settings", *_COLUMNS), _rows(photo["other_labels"], output.one_decimal)
        )
    for title, name in (("Text", "text"), ("Text left out by the settings", "other_text")):
        if photo[name]:
            output.write_table((title, number("%")), _text_rows(photo[name], output.one_decimal))
    if photo["faces"]:
        columns = (number("Face"), number("%"), "In the collection", "Guesses")
        output.write_table(columns, _face_rows(photo["faces"], output.one_decimal))
    if photo["labels"] and not photo["indexed"]:
        output.write_text("The photo is not indexed yet: `image-labels find` may not find it.")
    if photo["boxes_cut"]:
        output.write_text("Some boxes are missing: the item has room for no more.")
    if rows := _moderation_rows(photo, output.one_decimal):
        output.write_table(("Moderation label", number("%"), "Parents"), rows)
    if unwanted_because:
        output.write_text(unwanted_because)
    if photo["text_cut"]:
        output.write_text("Some lines of text are missing: the item has room for no more.")
    if photo["faces_cut"]:
        output.write_text("Some guesses about faces are missing: the item has room for no more.")
    if photo["foreign"]:
        output.write_text("Another program wrote or changed this item. The next event of the photo labels it again.")


def _not_found(key: str, invocation: Invocation) -> str:
    return (
        f"the table has no photo {visible(key)}. Possible reasons:\n"
        "  - it was not uploaded, or it was deleted, or its key is different;\n"
        "  - it does not match the module's filter_prefix and filter_suffixes;\n"
        f"  - it is in the queue, over the daily limit, or in the dead-letter queue: {invocation.command('status')}"
    )
