"""DetectModerationLabels: as coarse as the model is.

The labels come from the first of these sources that applies:

1. The S3 object's metadata `moderation-labels` (header `x-amz-meta-moderation-labels`), with which a test dictates the
   answer: `Graphic Violence=97,Alcohol=80`. The number is the confidence in percent. As in the service's answers, the
   ancestors of a label are labels of the answer, with at least its confidence. An empty value means no labels. A name
   that is not in the taxonomy, and any other value, is refused with InvalidParameterException.
2. The model of explicit images. It gives one score and no reason for it, so the answer has at most the label Explicit,
   and nothing about violence, drugs and so on.

The taxonomy is that of moderation model 7.0 (Developer Guide, "Using the image and video moderation APIs"). There is no
model of content types, so `ContentTypes` is empty. Flow definitions for human review and adapters are not emulated: a
request that names one fails with ResourceNotFoundException.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_labels_emulator.rekognition.calls import Call

METADATA_KEY = "moderation-labels"
MODEL_VERSION = "7.0"
DEFAULT_MIN_CONFIDENCE = 50.0
EXPLICIT = "Explicit"
_ENTRY = re.compile(r"(?P<name>[^=]+)=(?P<confidence>\d+(?:\.\d+)?)")

# Labels of the second level, with those of the third, by label of the first.
_TAXONOMY: dict[str, dict[str, tuple[str, ...]]] = {
    EXPLICIT: {
        "Explicit Nudity": (
            "Exposed Male Genitalia",
            "Exposed Female Genitalia",
            "Exposed Buttocks or Anus",
            "Exposed Female Nipple",
        ),
        "Explicit Sexual Activity": (),
        "Sex Toys": (),
    },
    "Non-Explicit Nudity of Intimate parts and Kissing": {
        "Non-Explicit Nudity": (
            "Bare Back",
            "Exposed Male Nipple",
            "Partially Exposed Buttocks",
            "Partially Exposed Female Breast",
            "Implied Nudity",
        ),
        "Obstructed Intimate Parts": ("Obstructed Female Nipple", "Obstructed Male Genitalia"),
        "Kissing on the Lips": (),
    },
    "Swimwear or Underwear": {"Female Swimwear or Underwear": (), "Male Swimwear or Underwear": ()},
    "Violence": {
        "Weapons": (),
        "Graphic Violence": (
            "Weapon Violence",
            "Physical Violence",
            "Self-Harm",
            "Blood & Gore",
            "Explosions and Blasts",
        ),
    },
    "Visually Disturbing": {"Death and Emaciation": ("Emaciated Bodies", "Corpses"), "Crashes": ("Air Crash",)},
    "Drugs & Tobacco": {"Products": ("Pills",), "Drugs & Tobacco Paraphernalia & Use": ("Smoking",)},
    "Alcohol": {"Alcohol Use": ("Drinking",), "Alcoholic Beverages": ()},
    "Rude Gestures": {"Middle Finger": ()},
    "Gambling": {},
    "Hate Symbols": {"Nazi Party": (), "White Supremacy": (), "Extremist": ()},
}


def _ancestors() -> dict[str, tuple[str, ...]]:
    """The ancestors of each label, the nearest first."""
    found: dict[str, tuple[str, ...]] = {}
    for first, below in _TAXONOMY.items():
        found[first] = ()
        for second, lowest in below.items():
            found[second] = (first,)
            found |= dict.fromkeys(lowest, (second, first))
    return found


ANCESTORS = _ancestors()


def detect_moderation_labels(call: Call) -> dict[str, Any]:
    """The DetectModerationLabelsResponse: by confidence, then from the top of the taxonomy down."""
    _check_references(call.request)
    photo, file = call.image()
    if METADATA_KEY in file.metadata:
        found = _from_metadata(file.metadata[METADATA_KEY])
    else:
        found = {EXPLICIT: call.inference.score_explicit(photo.pixels) * 100}
    least = call.request.get("MinConfidence")
    least = DEFAULT_MIN_CONFIDENCE if least is None else least
    kept = [(name, confidence) for name, confidence in found.items() if confidence >= least]
    kept.sort(key=lambda pair: (-pair[1], len(ANCESTORS[pair[0]]), pair[0]))
    return {
        "ModerationLabels": [_label(*pair) for pair in kept],
        "ModerationModelVersion": MODEL_VERSION,
        "ContentTypes": [],
    }


def _check_references(request: Mapping[str, Any]) -> None:
    review = request.get("HumanLoopConfig")
    if review:
        raise RekognitionError(
            "ResourceNotFoundException", f"The flow definition {review['FlowDefinitionArn']} does not exist"
        )
    if request.get("ProjectVersion"):
        raise RekognitionError("ResourceNotFoundException", f"The adapter {request['ProjectVersion']} does not exist")


def _from_metadata(text: str) -> dict[str, float]:
    """Confidences by label, with ancestors."""
    found: dict[str, float] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.fullmatch(entry)
        name = match["name"].strip() if match else ""
        confidence = float(match["confidence"]) if match else 0.0
        if name not in ANCESTORS or confidence > 100:
            raise RekognitionError(
                "InvalidParameterException",
                f"x-amz-meta-{METADATA_KEY} has {entry!r}; expected Name=confidence (0 to 100), with a label of "
                f"moderation model {MODEL_VERSION}, for example Graphic Violence=97",
            )
        for label in (name, *ANCESTORS[name]):
            found[label] = max(found.get(label, 0.0), confidence)
    return found


def _label(name: str, confidence: float) -> dict[str, Any]:
    ancestors = ANCESTORS[name]
    return {
        "Confidence": confidence,
        "Name": name,
        "ParentName": ancestors[0] if ancestors else "",
        "TaxonomyLevel": len(ancestors) + 1,
    }
