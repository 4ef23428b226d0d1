"""`image-labels show`: what the table says of one photo."""

from __future__ import annotations

from typing import Any

from image_labels.search.printable import visible
from image_labels.tables.items import is_foreign, labels_of, whole

from image_labels_cli import output
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError

_SCHEME = "s3://"
# The item's attributes as JSON names them, in this order.
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


def run(invocation: Invocation, address: str, *, as_json: bool) -> None:
    """Print the item of a photo, given by its key or its s3:// address."""
    bucket, key = _parts(address)
    place, aws = invocation.at("images_table")
    # Consistent: whoever asks for one photo has probably just uploaded it.
    answer = aws.dynamodb.get_item(TableName=place.images_table, Key={"PK": {"S": key}}, ConsistentRead=True)
    item = answer.get("Item")
    if item is None:
        raise NothingFoundError(_why_not(key, invocation))
    photo = _photo(key, item)
    if bucket and photo["bucket"] != bucket:
        found = visible(photo["bucket"]) if photo["bucket"] else "that its item does not name"
        raise NothingFoundError(f"the photo of this key is in the bucket {found}, not in {visible(bucket)}")
    if as_json:
        output.write_json(photo)
    elif output.is_terminal():
        _write_for_person(photo)
    else:
        output.write_lines([*_facts(photo), *(["label", *row] for row in _rows(photo))])


def _parts(address: str) -> tuple[str, str]:
    if not address.startswith(_SCHEME):
        if not address:
            raise UsageError("the key is empty: give that of a photo, for instance images/dog.jpg")
        return "", address
    # Not urlsplit: what is a query or a fragment there belongs to the key here.
    bucket, _, key = address.removeprefix(_SCHEME).partition("/")
    if not bucket or not key:
        raise UsageError(f"{visible(address)} is no address of a photo: s3://bucket/key is one")
    return bucket, key


def _photo(key: str, item: Any) -> dict[str, Any]:
    photo: dict[str, Any] = {"key": key}
    photo |= {name: item.get(attribute, {}).get("S") for attribute, name in _STRINGS.items()}
    photo["size"] = whole(item.get("Size", {}))
    # False while its rows in the labels table are not all written yet.
    photo["indexed"] = "Rows" in item
    photo["boxes_cut"] = item.get("DetectionsCut", {}).get("BOOL", False)
    # Another program wrote it, or somebody changed it: there is what can be read.
    photo["foreign"] = is_foreign(item)
    photo["labels"] = [
        {
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
        for label in labels_of(item)
    ]
    return photo


def _facts(photo: dict[str, Any]) -> list[list[str]]:
    known = {name: value for name, value in photo.items() if name != "labels" and value is not None}
    return [[name, str(value).lower() if isinstance(value, bool) else str(value)] for name, value in known.items()]


def _rows(photo: dict[str, Any]) -> list[list[str]]:
    return [
        [
            label["name"],
            output.percent(label["confidence"]),
            *(", ".join(label[name]) for name in ("parents", "aliases", "categories")),
            str(len(label["boxes"])),
        ]
        for label in photo["labels"]
    ]


def _write_for_person(photo: dict[str, Any]) -> None:
    for name, value in _facts(photo):
        output.write_text(f"{name.replace('_', ' '):<20} {visible(value)}")
    if photo["labels"]:
        output.write_table(("Label", "%", "Parents", "Aliases", "Categories", "Boxes"), _rows(photo))
    elif photo["status"] == "LABELLED" and not photo["foreign"]:
        output.write_text("Rekognition saw nothing in it that was certain enough.")
    if photo["labels"] and not photo["indexed"]:
        output.write_text("It is not indexed yet: `image-labels find` may miss it for now.")
    if photo["foreign"]:
        output.write_text(
            "Another program wrote this item, or somebody changed it. The photo's next event labels it again."
        )


def _why_not(key: str, invocation: Invocation) -> str:
    return (
        f"the table has no photo {visible(key)}. It may be\n"
        "  - not uploaded, deleted, or uploaded under a key that is written otherwise;\n"
        "  - outside the prefix (filter_prefix) or without the suffixes (filter_suffixes) that the module watches;\n"
        f"  - still in the queue, over the daily limit, or in the dead-letter queue: {invocation.command('status')}"
    )
