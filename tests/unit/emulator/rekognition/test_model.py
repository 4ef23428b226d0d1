"""The validation of answers, on which the other tests rely, can fail."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from image_labels_emulator.rekognition.sources import Found
from support.rekognition_model import answer, check_answer


def spoil(good: dict[str, Any], how: str) -> dict[str, Any]:
    bad = copy.deepcopy(good)
    label = bad["Labels"][0]
    if how == "missing":
        del label["Categories"]
    elif how == "unknown":
        label["Kategorie"] = []
    elif how == "type":
        label["Confidence"] = "98"
    elif how == "range":
        label["Confidence"] = 100.5
    return bad


@pytest.mark.parametrize("how", ["missing", "unknown", "type", "range"])
def test_check_detects_invalid_answers(how: str) -> None:
    good = answer(Found("Dog", 98.7))
    check_answer(good)
    with pytest.raises(AssertionError):
        check_answer(spoil(good, how))
