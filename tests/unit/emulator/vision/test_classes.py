"""The table from the models' classes to Rekognition's labels."""

from __future__ import annotations

from collections import Counter

import pytest
from image_labels_emulator.rekognition import taxonomy
from image_labels_emulator.vision import classes

TABLE = classes.load()
KNOWN = taxonomy.load()
EVERY = (*TABLE.classifier, *TABLE.detector.values())


def test_every_class_of_both_models_has_one_entry() -> None:
    assert len(TABLE.classifier) == 1000
    assert len(TABLE.detector) == 80
    assert all(name == entry.name for name, entry in TABLE.detector.items())
    assert len({entry.wordnet for entry in TABLE.classifier}) == 1000


def test_classes_are_in_the_order_of_the_models_output() -> None:
    """ImageNet-1k orders its classes by WordNet id. The first, some of the middle and the last are well known."""
    ids = [entry.wordnet for entry in TABLE.classifier]
    assert ids == sorted(ids, key=str)
    assert (ids[0], ids[281], ids[967], ids[999]) == ("n01440764", "n02123045", "n07920052", "n15075141")


def test_every_label_is_a_label_of_rekognition() -> None:
    assert [entry for entry in EVERY if entry.label is not None and entry.label not in KNOWN.labels] == []


def test_a_class_without_label_has_a_reason_and_only_such_a_class() -> None:
    assert [entry for entry in EVERY if (entry.label is None) is not bool(entry.reason)] == []


def test_few_classes_of_the_classifier_and_none_of_the_detector_are_silent() -> None:
    assert sum(entry.label is None for entry in TABLE.classifier) < 50
    assert all(entry.label for entry in TABLE.detector.values())


def test_siblings_fall_back_on_a_common_label() -> None:
    """Probability that is spread over kinds of one thing can be added up, as long as they share a label or ancestor."""
    shares = Counter[str]()
    for entry in TABLE.classifier:
        if entry.label is not None:
            shares.update({entry.label, *KNOWN.get(entry.label).parents})
    assert shares["Animal"] == 396  # the first 398 classes, without the fossil and the nematode
    assert shares["Dog"] == 118
    assert shares["Vehicle"] >= 60
    assert shares["Food"] >= 35


@pytest.mark.parametrize(
    ("name", "label", "ancestors"),
    [
        ("tabby cat", "Cat", ["Animal", "Mammal", "Pet"]),
        ("Egyptian Mau", "Cat", ["Animal", "Mammal", "Pet"]),
        ("Beagle", "Beagle", ["Animal", "Canine", "Dog", "Hound", "Mammal", "Pet"]),
        ("Boxer", "Dog", ["Animal", "Canine", "Mammal", "Pet"]),  # Rekognition's Boxer is an athlete
        ("Newfoundland dog", "Dog", ["Animal", "Canine", "Mammal", "Pet"]),  # its Newfoundland is a place
        ("leopard", "Panther", ["Animal", "Mammal", "Wildlife"]),  # Leopard is an alias of Panther
        ("great grey owl", "Owl", ["Animal", "Bird"]),
        ("crane bird", "Crane Bird", ["Animal", "Bird"]),
        ("kite (bird of prey)", "Kite Bird", ["Animal", "Bird"]),
        ("electric ray", "Fish", ["Animal", "Sea Life"]),  # Rekognition's Torpedo is a weapon
        ("monarch butterfly", "Monarch", ["Animal", "Butterfly", "Insect", "Invertebrate"]),
        ("American alligator", "Crocodile", ["Animal", "Reptile"]),  # Alligator is an alias of Crocodile
        ("African bush elephant", "Elephant", ["Animal", "Mammal", "Wildlife"]),
        ("trilobite", "Fossil", []),
        ("nematode", None, []),
        ("espresso", "Espresso", ["Beverage", "Coffee", "Cup"]),
        ("coffee mug", "Cup", []),
        ("red wine", "Red Wine", ["Alcohol", "Beverage", "Wine"]),
        ("pizza", "Pizza", ["Food"]),
        ("cheeseburger", "Burger", ["Food"]),
        ("strawberry", "Strawberry", ["Berry", "Food", "Fruit", "Plant", "Produce"]),
        ("minibus", "Minibus", ["Bus", "Transportation", "Vehicle"]),
        ("sports car", "Sports Car", ["Car", "Transportation", "Vehicle"]),
        ("airliner", "Airliner", ["Aircraft", "Airplane", "Transportation", "Vehicle"]),
        ("mountain bike", "Mountain Bike", ["Bicycle", "Transportation", "Vehicle"]),
        ("steam locomotive", "Locomotive", ["Train", "Transportation", "Vehicle"]),
        ("tripod", "Tripod", []),
        ("laptop computer", "Laptop", ["Computer", "Electronics", "Pc"]),
        ("notebook computer", "Laptop", ["Computer", "Electronics", "Pc"]),  # Rekognition's Notebook is of paper
        ("grand piano", "Grand Piano", ["Musical Instrument", "Piano"]),
        ("ocarina", "Musical Instrument", []),  # WordNet's other name for it, sweet potato, is a vegetable here
        ("rocking chair", "Rocking Chair", ["Chair", "Furniture"]),
        ("church", "Church", ["Architecture", "Building"]),
        ("lighthouse", "Lighthouse", ["Architecture", "Building", "Tower"]),
        ("suspension bridge", "Suspension Bridge", ["Bridge"]),
        ("monastery", "Building", ["Architecture"]),  # other old buildings are taken for it
        ("palace", "Building", ["Architecture"]),  # and so are whole old towns
        ("modem", "Electronics", []),  # so are circuit boards
        ("moped", "Motorcycle", ["Transportation", "Vehicle"]),  # ImageNet has no class for motorcycles
        ("volcano", "Volcano", ["Mountain", "Nature", "Outdoors"]),
        ("daisy", "Daisy", ["Flower", "Plant"]),
        ("agaric", "Agaric", ["Fungus"]),
        ("horse chestnut seed", "Plant", []),  # not eaten, so it is no Nut, which is Food
        ("sunglasses", "Sunglasses", ["Accessories"]),
        ("jeans", "Jeans", ["Clothing", "Pants"]),
        ("oboe", "Oboe", ["Musical Instrument"]),
        ("neck brace", None, []),
        ("abacus", None, []),
    ],
)
def test_a_class_of_the_classifier_stands_for(name: str, label: str | None, ancestors: list[str]) -> None:
    entries = [entry for entry in TABLE.classifier if entry.name == name]
    assert {entry.label for entry in entries} == {label}
    assert label is None or list(KNOWN.get(label).parents) == ancestors


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("person", "Person"),
        ("cell phone", "Mobile Phone"),
        ("stop sign", "Stopsign"),
        ("tv", "TV"),
        ("keyboard", "Computer Keyboard"),
        ("hair drier", "Blow Dryer"),
        ("sports ball", "Ball"),
    ],
)
def test_a_class_of_the_detector_stands_for(name: str, label: str) -> None:
    assert TABLE.detector[name].label == label


@pytest.mark.parametrize(
    "name", ["envelope", "matchstick", "spotlight", "website", "menu", "neck brace", "missile", "dining table"]
)
def test_classes_that_other_pictures_are_taken_for_are_weak(name: str) -> None:
    assert all(entry.weak for entry in TABLE.classifier if entry.name == name)
    assert any(entry.name == name for entry in TABLE.classifier)


def test_classes_of_animals_and_of_the_detector_are_not_weak() -> None:
    assert not any(entry.weak for entry in EVERY if entry.label and "Animal" in KNOWN.get(entry.label).parents)
    assert not any(entry.weak for entry in TABLE.detector.values())


ALSO = [
    (names, name, label, share)
    for names, table in (
        ({entry.name: entry.label for entry in TABLE.classifier}, TABLE.also_of_classifier),
        ({entry.name: entry.label for entry in TABLE.detector.values()}, TABLE.also_of_detector),
    )
    for name, labels in table.items()
    for label, share in labels.items()
]


def test_what_pictures_also_show_names_classes_and_labels_that_exist() -> None:
    assert [(name, label) for names, name, label, _ in ALSO if name not in names or label not in KNOWN.labels] == []


def test_what_pictures_also_show_is_not_what_the_class_stands_for_anyway() -> None:
    own = {name: (label, *KNOWN.get(label).parents) for names, *_ in ALSO for name, label in names.items() if label}
    assert [(name, label) for _, name, label, _ in ALSO if label in own.get(name, ())] == []


def test_what_pictures_also_show_is_on_most_of_them_and_not_certain() -> None:
    assert [(name, label, share) for _, name, label, share in ALSO if not 0.7 <= share <= 0.9] == []


@pytest.mark.parametrize(
    ("name", "label"),
    [("lighthouse", "Sky"), ("ski", "Snow"), ("tram", "Road"), ("bee", "Flower"), ("menu", "Text"), ("suit", "Person")],
)
def test_pictures_of_a_class_also_show(name: str, label: str) -> None:
    assert label in TABLE.also_of_classifier[name]
