from __future__ import annotations

import pytest
from image_labels_emulator.rekognition import taxonomy

KNOWN = taxonomy.load()


@pytest.mark.parametrize(
    ("name", "parents", "aliases", "category", "boxes"),
    [
        # From published answers of label model 3.0.
        ("Dog", ["Animal", "Canine", "Mammal", "Pet"], [], "Animals and Pets", True),
        ("Puppy", ["Animal", "Canine", "Dog", "Mammal", "Pet"], [], "Animals and Pets", False),
        ("Person", [], ["Human"], "Person Description", True),
        ("Woman", ["Adult", "Female", "Person"], [], "Person Description", True),
        ("Portrait", ["Face", "Head", "Person", "Photography"], [], "Hobbies and Interests", False),
        ("Smile", ["Face", "Happy", "Head", "Person"], [], "Expressions and Emotions", False),
        ("Neck", ["Body Part", "Face", "Head", "Person"], [], "Person Description", False),
        ("License Plate", ["Transportation", "Vehicle"], [], "Vehicles and Automotive", False),
        ("Halibut", ["Animal", "Fish", "Sea Life"], ["Flounder"], "Animals and Pets", False),
        ("Tomato", ["Food", "Plant", "Produce", "Vegetable"], [], "Food and Beverage", False),
        ("Driving License", ["Document", "Id Cards", "Text"], ["License"], "Text and Documents", True),
        ("Lawn", ["Grass", "Plant"], [], "Home and Indoors", False),
    ],
)
def test_published_facts(name: str, parents: list[str], aliases: list[str], category: str, boxes: bool) -> None:
    label = KNOWN.get(name)
    assert list(label.parents) == parents
    assert list(label.aliases) == aliases
    assert label.categories == (category,)
    assert label.has_boxes is boxes
    assert label.published


def test_every_ancestor_is_a_label_and_no_alias_is() -> None:
    aliases = {alias for label in KNOWN.labels.values() for alias in label.aliases}
    assert aliases.isdisjoint(KNOWN.labels)
    for label in KNOWN.labels.values():
        assert set(label.parents) <= KNOWN.labels.keys()
        assert label.name not in label.parents
        assert list(label.parents) == sorted(label.parents)
        for parent in label.parents:
            assert set(KNOWN.get(parent).parents) <= set(label.parents), label.name


def test_there_are_enough_labels_to_work_with() -> None:
    assert len(KNOWN.labels) >= 300
    assert sum(label.published for label in KNOWN.labels.values()) >= 100


@pytest.mark.parametrize(("term", "name"), [("cell phone", "Mobile Phone"), ("AUTOMOBILE", "Car"), ("dog", "Dog")])
def test_names_and_aliases_are_found_without_regard_to_case(term: str, name: str) -> None:
    label = KNOWN.find(term)
    assert label is not None
    assert label.name == name


def test_a_label_outside_the_taxonomy_has_no_facts() -> None:
    assert KNOWN.find("Sarsen") is None
    assert KNOWN.get("Sarsen") == taxonomy.Label("Sarsen")
