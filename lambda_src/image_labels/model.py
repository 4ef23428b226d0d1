"""Types that pass between the modules: photos, their labels and rejections. Times are ISO 8601 (UTC)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding
    from image_labels.unwanted.decision import Unwanted


@dataclass(frozen=True)
class Photo:
    """An object as HeadObject sees it. `etag` is as S3 gives it, without its quotation marks; `size` is in bytes.
    `modified` is the time of its upload, in whole seconds; "" if it is not known.

    `version_id` is None in a bucket without versioning, and for objects from before versioning was enabled,
    whose version S3 calls "null".
    """

    bucket: str
    key: str
    etag: str
    version_id: str | None
    size: int
    modified: str = ""


class Instance(NamedTuple):
    """One object in a photo: its box as ratios (0 to 1) of the photo's width and height, confidence in percent."""

    left: float
    top: float
    width: float
    height: float
    confidence: float


@dataclass(frozen=True)
class Label:
    """A label, its confidence in percent, and its place in Rekognition's taxonomy (`parents` are all ancestors).

    `changed` says that the label policy made it of other labels of the answer.
    """

    name: str
    confidence: float
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    instances: tuple[Instance, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class Labels:
    """The labels of one photo, best first, and the version of the model that found them.

    `others` are the labels of Rekognition's answer that the settings leave out. `asked` has the criteria of the request
    (see image_labels.selection), "" for those of the settings. `at` is the time of the answer, "" for now.
    `findings` are those of detectors, and `unwanted` is what was decided about the photo if it is unwanted.
    """

    labels: tuple[Label, ...]
    model_version: str
    others: tuple[Label, ...] = ()
    asked: str = ""
    at: str = ""
    findings: tuple[Finding, ...] = ()
    unwanted: Unwanted | None = None


class Rejected(NamedTuple):
    """Rekognition will never label this object. `reason` starts with its error code and explains it to a person.

    `at` is the time of the answer, "" for now.
    """

    reason: str
    at: str = ""


def iso_time(seconds: float) -> str:
    """A time in seconds since the epoch. All times of this form have the same length, so they sort as texts."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def is_iso_time(text: str) -> bool:
    """Whether the text has the form of `iso_time`, so that it can be compared with such times."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", text, re.ASCII):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # a month 13, for instance
        return False
    return True
