"""The searches that the demo shows match what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from image_labels.search.expression import parse
from image_labels.tables.terms import fold, thousandths

from tools.demo_searches import expressions


def item(key: str, *labels: tuple[str, float], parents: tuple[str, ...] = ()) -> dict[str, Any]:
    """An item of the images table, as boto3 deserializes it."""
    detections = [
        {"Name": name, "Confidence": confidence, "Parents": list(parents), "Aliases": [], "Categories": []}
        for name, confidence in labels
    ]
    return {"PK": key, "Status": "LABELLED", "Detections": detections}


CAT = item("c", ("Cat", 99.6), parents=("Animal",))["Detections"][0]
REJECTED = {"PK": "images/notes.jpg", "Status": "REJECTED", "Reason": "no photo"}
SETS: dict[str, list[dict[str, Any]]] = {
    "the included ones": [
        item("a", ("Person", 99.1), ("Astronaut", 91.0)),
        item("b", ("Person", 98.0), ("Tripod", 97.5)),
        item("c", ("Animal", 99.6)) | {"Detections": [*item("c", ("Animal", 99.6))["Detections"], CAT]},
        item("d", ("Coffee Cup", 96.2)),
        REJECTED,
    ],
    "one photo": [item("a", ("Cat", 81.0), ("Pet", 80.5))],
    "one label": [item("a", ("Cat", 81.0)), item("b", ("Cat", 80.0))],
    "names that are operators or have other characters": [
        item("a", ("Not", 90.0), ("Rock & Roll", 95.0)),
        item("b", ("Not", 99.0)),
        item("c", ("T-Shirt", 80.0)),
    ],
    "a parent that is not a label": [
        item("a", ("Cat", 90.0), ("Animal", 90.0)),
        item("b", ("Dog", 95.0), ("Pet", 95.0), parents=("Animal",)),
    ],
    "100 percent": [item("a", ("Cat", 100.0)), item("b", ("Dog", 100.0))],
}


@pytest.mark.parametrize("name", SETS)
def test_each_expression_matches_a_photo(name: str) -> None:
    """Also as the search matches: by parents, aliases and categories, in thousandths of a percent."""
    terms = []
    for each in SETS[name]:
        found: dict[str, int] = {}
        for label in each.get("Detections", ()):
            for term in (label["Name"], *label["Parents"]):
                found[fold(term)] = max(found.get(fold(term), 0), thousandths(label["Confidence"]))
        terms.append(found)
    chosen = expressions(SETS[name])
    assert 1 <= len(chosen) <= 2
    for expression in chosen:
        assert any(parse(expression).matches(photo) for photo in terms), expression


def test_first_excludes_and_second_has_a_minimum_confidence() -> None:
    assert expressions(SETS["the included ones"]) == ["Person AND NOT Astronaut", "Cat OR Person>=99"]


def test_nothing_seen_is_nothing_to_search() -> None:
    assert expressions([REJECTED, item("a")]) == []
