"""The guesses about people that label_policy leaves out are labels of Rekognition, and the docs name them."""

from __future__ import annotations

import json
from pathlib import Path

import hcl2

ROOT = Path(__file__).parents[3]
TAXONOMY = json.loads((ROOT / "emulator/image_labels_emulator/rekognition/taxonomy.json").read_text())


def preset(name: str) -> list[str]:
    with (ROOT / "label_policy.tf").open() as file:
        (found,) = [block[name] for block in hcl2.load(file)["locals"] if name in block]
    return [str(value).strip('"') for value in found]


def test_preset_has_labels_of_rekognition() -> None:
    labels = preset("guesses_about_people")
    assert len(labels) == 19  # as in the validation of filter_request
    assert set(labels) <= TAXONOMY.keys()
    assert set(preset("guessed_categories")) <= {
        category for label in TAXONOMY.values() for category in label.get("categories", ())
    }


def test_preset_has_every_label_of_the_taxonomy_for_gender_and_age() -> None:
    guesses = set(preset("guesses_about_people"))
    below = {name for name, label in TAXONOMY.items() if guesses & set(label.get("parents") or ())}
    assert below <= guesses


def test_docs_name_the_labels_of_the_preset() -> None:
    docs = (ROOT / "docs/configuration.md").read_text()
    listed = docs[docs.index("**`drop_guesses_about_people`**") :].split("and a few more")[0]
    words = " ".join(listed.split())
    assert {label for label in preset("guesses_about_people") if label not in words} == {
        "Baby Crawling",
        "Baby Laughing",
    }
