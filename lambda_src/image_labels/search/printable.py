"""Makes untrusted text safe for a terminal: characters that move the cursor, reorder a line or are invisible become
escapes.

Object keys may contain all of them. The escapes are those of Python and printf: \\x1b, \\u202e, \\U000e0001.
"""

from __future__ import annotations

import re
import unicodedata

_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
# Control characters; Unicode's default ignorable characters, which are invisible (such as the bidirectional controls,
# zero-width characters and tags); line and paragraph separator; halves of surrogate pairs.
# https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff]"
)
_JOINERS = "\u200c\u200d"
_VARIANTS = "\ufe0e\ufe0f"  # variation selectors: text or emoji
_VIRAMA = 9  # the combining class of signs after which a joiner is legitimate
_KEYCAP = "\u20e3"


def safe(text: str) -> str:
    """The text in one line, with hidden characters escaped. For sentences and commands, which may have backslashes."""
    return _HIDDEN.sub(_escape, text)


def visible(text: str) -> str:
    """The text as `safe` returns it, with backslashes doubled, which makes it unambiguous. For keys."""
    return safe(text.replace("\\", "\\\\"))


def without_hidden(text: str) -> str:
    """The text without its hidden characters, except those that belong to an emoji or a script."""
    return _HIDDEN.sub(lambda match: match[0] if _escape(match) == match[0] else "", text)


def is_plain(text: str) -> bool:
    """Whether the text has no hidden characters."""
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
    """Whether a joiner or variation selector is legitimate: in an emoji, or in a script that requires it."""
    before = text[place - 1 : place]
    after = text[place + 1 : place + 2]
    if not before:
        return False
    if text[place] in _VARIANTS:
        return unicodedata.category(before) in ("So", "Sm", "Po") or after == _KEYCAP
    if not after:
        return False
    emoji = unicodedata.category(after) == "So" and (
        before in _VARIANTS or unicodedata.category(before) in ("So", "Sk")  # Sk: skin tones
    )
    arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return emoji or arabic or unicodedata.combining(before) == _VIRAMA
