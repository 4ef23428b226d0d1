"""Singular and plural forms of English labels: dogs and dog, cherries and cherry, women and woman.

The forms are candidates. Some of them are no words, such as "ga" for gas, so the caller looks them up in the vocabulary
and uses only those that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Forms that no rule gives. The last word of a compound is enough: policewomen, grandchildren, "wisdom teeth".
_IRREGULAR = {
    "person": "people",
    "child": "children",
    "ox": "oxen",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "louse": "lice",
    "die": "dice",
    "penny": "pence",
    "passerby": "passersby",
}
# Endings of a plural, and those of the singular in its place, the most likely first.
_SINGULAR: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"men$", ("man",)),
    (r"ies$", ("y", "ie")),
    (r"ves$", ("ve", "f", "fe")),  # caves, leaves, knives
    (r"(?<=z)zes$", ("", "ze")),  # quizzes
    (r"ices$", ("ex", "ix")),  # vertices, matrices
    (r"(?<=[scxzoh])es$", ("", "e")),  # buses, houses; faces; boxes, axes; tomatoes, shoes; dishes
    (r"(?<=[sx])es$", ("is",)),  # oases
    (r"eaux$", ("eau",)),
    (r"ae$", ("a",)),
    (r"i$", ("us", "o")),  # cacti, paparazzi
    (r"a$", ("um", "on")),  # aquaria, phenomena
    (r"(?<![siu])s$", ("",)),
    (r"(?<=[iu])s$", ("",)),  # skis, emus; bus and iris have another plural, and few of these forms are words
)
_PLURAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"man$", ("men",)),
    (r"(?<=[^aeiou])y$", ("ies",)),
    (r"(?<=i)fe$", ("ves",)),
    (r"f$", ("ves",)),
    (r"us$", ("uses", "i")),
    (r"(?<=[sx])is$", ("es",)),
    (r"(?:ex|ix)$", ("ices",)),
    (r"um$", ("a",)),
    (r"eau$", ("eaux",)),
    (r"(?<=z)$", ("zes",)),
    (r"(?:(?<=[sxzo])|(?<=[cs]h))$", ("es",)),
    (r"(?<!s)$", ("s",)),
)


def other_numbers(text: str) -> tuple[str, ...]:
    """The singular forms of a folded text, the most likely first, and then its plural forms, without the text itself.

    The last word changes, as in "coffee cups", and before "of" the word before it, as in "chests of drawers".
    """
    forms = [*_of_noun(text, _singular), *_of_noun(text, _plural)]
    return tuple(form for form in dict.fromkeys(forms) if form != text)


def plurals(text: str) -> tuple[str, ...]:
    """The plural forms of a folded text, the most likely first."""
    return tuple(dict.fromkeys(_of_noun(text, _plural)))


def _of_noun(text: str, forms: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """The text with the forms of its noun."""
    noun, of, complement = text.partition(" of ")
    for phrase, rest in [(noun, of + complement), (text, "")] if of else [(text, "")]:
        head, space, word = phrase.rpartition(" ")
        yield from (f"{head}{space}{form}{rest}" for form in forms(word) if form)


def _singular(word: str) -> Iterator[str]:
    yield from (word.removesuffix(many) + one for one, many in _IRREGULAR.items() if word.endswith(many))
    yield from _changed(word, _SINGULAR)


def _plural(word: str) -> Iterator[str]:
    yield from (word.removesuffix(one) + many for one, many in _IRREGULAR.items() if word.endswith(one))
    yield from _changed(word, _PLURAL)


def _changed(word: str, rules: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[str]:
    for ending, others in rules:
        if match := re.search(ending, word):
            yield from (word[: match.start()] + other for other in others)
