"""Singular and plural forms, for English nouns and for all labels of Rekognition."""

from __future__ import annotations

import pytest
from image_labels.search.plurals import other_numbers, plurals
from image_labels.tables.terms import fold
from image_labels_emulator.rekognition import taxonomy

PAIRS = [
    ("dog", "dogs"),
    ("cherry", "cherries"),
    ("monkey", "monkeys"),
    ("cookie", "cookies"),
    ("knife", "knives"),
    ("leaf", "leaves"),
    ("wolf", "wolves"),
    ("roof", "roofs"),
    ("giraffe", "giraffes"),
    ("glove", "gloves"),
    ("woman", "women"),
    ("policeman", "policemen"),
    ("person", "people"),
    ("child", "children"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("box", "boxes"),
    ("axe", "axes"),
    ("axis", "axes"),
    ("bus", "buses"),
    ("dress", "dresses"),
    ("church", "churches"),
    ("dish", "dishes"),
    ("horse", "horses"),
    ("house", "houses"),
    ("face", "faces"),
    ("quiz", "quizzes"),
    ("oasis", "oases"),
    ("iris", "irises"),
    ("tomato", "tomatoes"),
    ("piano", "pianos"),
    ("shoe", "shoes"),
    ("cactus", "cacti"),
    ("octopus", "octopuses"),
    ("matrix", "matrices"),
    ("aquarium", "aquaria"),
    ("plateau", "plateaux"),
    ("ski", "skis"),
    ("emu", "emus"),
    ("coffee cup", "coffee cups"),
    ("chest of drawers", "chests of drawers"),
]


@pytest.mark.parametrize(("one", "many"), PAIRS)
def test_noun_has_its_plural_and_its_singular(one: str, many: str) -> None:
    assert many in other_numbers(one)
    assert one in other_numbers(many)


def test_text_is_not_a_form_of_itself() -> None:
    for text in ("", "s", "es", "fish", "of", "dogs of war", *(word for pair in PAIRS for word in pair)):
        assert text not in other_numbers(text)
        assert all(other_numbers(text))


def test_plural_of_each_label_of_rekognition_finds_that_label() -> None:
    """Unless the plural is a label itself, such as Glasses beside Glass, which is then what is searched for."""
    labels = taxonomy.load().labels.values()
    terms = {fold(name) for label in labels for name in (label.name, *label.aliases, *label.categories)}
    assert len(terms) > 3_000
    for term in terms:
        for plural in set(plurals(term)) - terms:
            found = [other for other in other_numbers(plural) if other in terms]
            assert found[:1] == [term], plural


def test_singular_of_each_label_in_the_plural_finds_that_label() -> None:
    terms = {fold(name) for name in taxonomy.load().labels}
    singulars = {term.removesuffix("s") for term in terms if term.endswith("s") and not term.endswith(("ss", "us"))}
    assert {"jean", "grape", "chopstick"} <= singulars - terms
    for singular in singulars - terms:
        assert f"{singular}s" in [other for other in other_numbers(singular) if other in terms]
