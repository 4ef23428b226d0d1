from __future__ import annotations

from collections import Counter

import pytest
from image_labels_emulator.rekognition import taxonomy

KNOWN = taxonomy.load()

# AmazonRekognitionLabelCategories_v3.0, which the Developer Guide links to.
CATEGORIES = {
    "Actions",
    "Animals and Pets",
    "Apparel and Accessories",
    "Beauty and Personal Care",
    "Buildings and Architecture",
    "Colors and Visual Composition",
    "Damage Detection",
    "Education",
    "Events and Attractions",
    "Everyday Objects",
    "Expressions and Emotions",
    "Food and Beverage",
    "Furniture and Furnishings",
    "Health and Fitness",
    "Hobbies and Interests",
    "Home and Indoors",
    "Home Appliances",
    "Kitchen and Dining",
    "Materials",
    "Medical",
    "Nature and Outdoors",
    "Offices and Workspaces",
    "Patterns and Shapes",
    "Performing Arts",
    "Person Description",
    "Plants and Flowers",
    "Popular Landmarks",
    "Profession",
    "Public Safety",
    "Religion",
    "Sports",
    "Symbols and Flags",
    "Technology and Computing",
    "Text and Documents",
    "Tools and Machinery",
    "Toys and Gaming",
    "Transport and Logistics",
    "Travel and Adventure",
    "Vehicles and Automotive",
    "Weapons and Military",
}


@pytest.mark.parametrize(
    ("name", "parents", "aliases", "category", "boxes"),
    [
        # Parents from published answers of label model 3.0, all else from AWS's lists of its labels.
        ("Dog", ["Animal", "Canine", "Mammal", "Pet"], [], "Animals and Pets", True),
        ("Puppy", ["Animal", "Canine", "Dog", "Mammal", "Pet"], [], "Animals and Pets", False),
        ("Person", [], ["Human"], "Person Description", True),
        ("Woman", ["Adult", "Female", "Person"], [], "Person Description", True),
        ("Portrait", ["Face", "Head", "Person", "Photography"], [], "Hobbies and Interests", False),
        ("Smile", ["Face", "Happy", "Head", "Person"], [], "Expressions and Emotions", False),
        ("Neck", ["Body Part", "Face", "Head", "Person"], [], "Person Description", False),
        ("License Plate", ["Transportation", "Vehicle"], [], "Vehicles and Automotive", True),
        ("Halibut", ["Animal", "Fish", "Sea Life"], ["Flounder"], "Animals and Pets", False),
        ("Tomato", ["Food", "Plant", "Produce", "Vegetable"], [], "Food and Beverage", False),
        ("Driving License", ["Document", "Id Cards", "Text"], ["License"], "Text and Documents", True),
        ("Lawn", ["Grass", "Plant"], [], "Home and Indoors", False),
        ("Face", ["Head", "Person"], [], "Person Description", True),
        ("Head", ["Person"], [], "Person Description", True),
        ("Nature", ["Outdoors"], [], "Nature and Outdoors", False),
        ("Staircase", ["Architecture", "Building", "House", "Housing"], [], "Home and Indoors", True),
    ],
)
def test_published_facts(name: str, parents: list[str], aliases: list[str], category: str, boxes: bool) -> None:
    label = KNOWN.get(name)
    assert list(label.parents) == parents
    assert list(label.aliases) == aliases
    assert label.categories == (category,)
    assert label.has_boxes is boxes
    assert label.published
    assert label.parents_published


def test_every_ancestor_is_a_label_and_none_is_its_own() -> None:
    for label in KNOWN.labels.values():
        assert set(label.parents) <= KNOWN.labels.keys()
        assert label.name not in label.parents
        assert list(label.parents) == sorted(label.parents)
        for parent in label.parents:
            assert set(KNOWN.get(parent).parents) <= set(label.parents), label.name


def test_alias_belongs_to_one_label_and_is_not_a_label() -> None:
    owners = Counter(alias.casefold() for label in KNOWN.labels.values() for alias in label.aliases)
    assert [alias for alias, labels in owners.items() if labels > 1] == []
    assert owners.keys().isdisjoint(name.casefold() for name in KNOWN.labels)


def test_labels_differ_in_more_than_case() -> None:
    assert len({name.casefold() for name in KNOWN.labels}) == len(KNOWN.labels)


def test_every_label_has_a_published_category() -> None:
    assert {category for label in KNOWN.labels.values() for category in label.categories} == CATEGORIES
    assert [label.name for label in KNOWN.labels.values() if not label.categories] == []


def test_labels_are_those_of_the_published_list() -> None:
    assert len(KNOWN.labels) == 3082
    assert all(label.published for label in KNOWN.labels.values())
    assert sum(bool(label.aliases) for label in KNOWN.labels.values()) == 140
    assert sum(label.has_boxes for label in KNOWN.labels.values()) == 287
    assert sum(label.parents_published for label in KNOWN.labels.values()) == 145
    inferred = [label for label in KNOWN.labels.values() if label.parents and not label.parents_published]
    assert len(inferred) == 1146  # as the README says


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("cell phone", "Mobile Phone"),
        ("AUTOMOBILE", "Car"),
        ("dog", "Dog"),
        ("Leopard", "Panther"),
        ("forest", "Woodland"),
    ],
)
def test_names_and_aliases_are_found_without_regard_to_case(term: str, name: str) -> None:
    label = KNOWN.find(term)
    assert label is not None
    assert label.name == name


def test_a_label_outside_the_taxonomy_has_no_facts() -> None:
    assert KNOWN.find("Sarsen") is None
    assert KNOWN.get("Sarsen") == taxonomy.Label("Sarsen")
