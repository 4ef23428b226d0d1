"""Text of anybody's for a terminal: what moves a cursor, reorders a line or cannot be seen is written as an escape.

Object keys may hold any of it. The escapes are those of Python and printf: \\x1b, \\u202e, \\U000e0001.
"""

from __future__ import annotations

import re
import unicodedata

_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
# Control characters; what Unicode calls default ignorable (invisible: among it marks that reorder text, U+202E and its
# kin, zero-width characters and tags); line and paragraph separator; halves of surrogate pairs.
# https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff]"
)
_JOINERS = "\u200c\u200d"
_VARIANTS = "\ufe0e\ufe0f"  # text or emoji
_VIRAMA = 9  # the combining class of signs that a joiner belongs behind
_KEYCAP = "\u20e3"


def safe(text: str) -> str:
    """The text in one line, without anything hidden: for a sentence, or a command that may hold backslashes."""
    return _HIDDEN.sub(_escape, text)


def visible(text: str) -> str:
    """The text as `safe` has it, with backslashes doubled, so that it can be told what was in it: for a key."""
    return safe(text.replace("\\", "\\\\"))


def is_plain(text: str) -> bool:
    """Whether the text has nothing hidden."""
    return safe(text) == text


def _escape(match: re.Match[str]) -> str:
    character, place = match[0], match.start()
    if character in _JOINERS + _VARIANTS and _belongs(match.string, place):
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _belongs(text: str, place: int) -> bool:
    """Whether a joiner or a variation selector is there for emoji, or for a script that is written with it."""
    before = text[place - 1 : place]
    after = text[place + 1 : place + 2]
    if not before:
        return False
    if text[place] in _VARIANTS:
        return unicodedata.category(before) in ("So", "Sm", "Po") or after == _KEYCAP
    if not after:
        return False
    emoji = unicodedata.category(after) == "So" and (
        before in _VARIANTS or unicodedata.category(before) in ("So", "Sk")  # Sk: colours of skin
    )
    arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return emoji or arabic or unicodedata.combining(before) == _VIRAMA
