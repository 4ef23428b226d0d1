"""A photo that a search has found, as the machine formats have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Match:
    """`confidence` and those of the terms are in percent. `matched` has the terms that the expression asks for.

    `uploaded` has the form of image_labels.model.iso_time, or is "" if it is unknown. `bucket` is "" if it is unknown.
    """

    key: str
    confidence: float
    matched: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)
    uploaded: str = ""
    bucket: str = ""

    @property
    def s3_uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def as_json(self) -> dict[str, Any]:
        """The members of JSON, which are also the columns of the other machine formats."""
        return {
            "key": self.key,
            "bucket": self.bucket,
            "s3_uri": self.s3_uri,
            "confidence": self.confidence,
            "uploaded": self.uploaded or None,
            "matched": dict(self.matched),
            "terms": dict(self.terms),
        }
