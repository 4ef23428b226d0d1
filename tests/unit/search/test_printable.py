"""Escapes of characters that would control, reorder or hide text on a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.printable import is_plain, safe, visible

# Visible format characters: signs before Arabic and other numbers, and those of hieroglyphs.
VISIBLE = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("images/dog.jpg", "images/dog.jpg"),
        ("Käse 🧀 犬 שלום.jpg", "Käse 🧀 犬 שלום.jpg"),
        ("a\tb\nc\rd\x1b[31m\x00\x7f\x9b", r"a\tb\nc\rd\x1b[31m\x00\x7f\u009b"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", r"\u2066a\u2069\u200e\u200f\u061c"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("do\u200bg\ufeff\xad\u2060\u3164", r"do\u200bg\ufeff\xad\u2060\u3164".replace(r"\xad", r"\u00ad")),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        # Emoji, Persian and Hindi need these characters. Elsewhere they are escaped.
        ("👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("क्\u200dष", "क्\u200dष"),
        ("do\u200dg\ufe0f.jpg\u200d", r"do\u200dg\ufe0f.jpg\u200d"),
        ("\u200d", r"\u200d"),
    ],
)
def test_hidden_characters_are_escaped(text: str, shown: str) -> None:
    assert (safe(text), visible(text)) == (shown, shown)
    assert is_plain(text) == (text == shown)


def test_every_character_that_controls_reorders_or_hides_text_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not VISIBLE.match(character)
        if hidden or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI"):
            assert visible(f"a{character}b").isascii(), hex(code)


ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\tnr]))")


def unescaped(shown: str) -> str:
    def character(match: re.Match[str]) -> str:
        named = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
        return named[match[4]] if match[4] else chr(int(match[1] or match[2] or match[3], 16))

    return ESCAPE.sub(character, shown)


@given(st.text(st.one_of(st.sampled_from("\\nx1b\t\u202e\u200d👩❤\ufe0f"), st.characters())))
def test_escapes_are_unambiguous(text: str) -> None:
    assert unescaped(visible(text)) == text
    assert "\n" not in visible(text)
    assert is_plain(visible(text))
