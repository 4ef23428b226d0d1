"""Words as a shell reads them: splits an unfinished command line, and quotes candidates to continue it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEPARATORS = ";|&(){}\n`"
# In a word without quotes; all others get a backslash. Characters beyond ASCII need none.
_SPECIAL = re.compile(r"[^\w@%+=:,./^-]", re.ASCII)
_SPECIAL_IN_DOUBLE_QUOTES = re.compile(r'["$`\\]')


@dataclass(frozen=True)
class Word:
    """The unfinished word at the cursor: its text, and as typed. `quote` is the quote that is still open.

    `before` is the text before that quote.
    """

    text: str = ""
    raw: str = ""
    quote: str = ""
    before: str = ""


def split(line: str) -> tuple[list[str], Word]:
    """The words of the last command of a line in bash, and the word at its end."""
    words: list[str] = []
    text: str | None = None
    raw = quote = before = ""
    characters = iter(line)
    for character in characters:
        start_of_word = text is None
        if not quote and character in _SEPARATORS:
            words, text, raw = [], None, ""
            continue
        if not quote and character in " \t":
            if text is not None:
                words.append(text)
            text, raw = None, ""
            continue
        raw += character
        text = text or ""
        if character == "\\" and quote != "'":
            following = next(characters, "")
            raw += following
            kept = "\\" if quote and following not in '"$`\\\n' else ""
            text += kept + following
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote, before = character, text
        elif not quote and character == "#" and start_of_word:
            return [], Word()  # a comment
        else:
            text += character
    return words, Word(text or "", raw, quote, before if quote else "")


def continued(word: Word, candidate: str, breaks: str) -> str | None:
    """What bash is to put in place of the word's last part: the rest of the candidate, quoted as the word is.

    bash replaces the text after the open quote, or else after the last of `breaks`. None if the candidate cannot
    continue the word in this way.
    """
    if word.quote:
        if not candidate.startswith(word.before):
            return None
        rest = candidate[len(word.before) :]
        if word.quote == "'":
            return rest.replace("'", "'\\''")
        # History expansion takes place in double quotes, where a backslash remains.
        return None if "!" in rest else _SPECIAL_IN_DOUBLE_QUOTES.sub(r"\\\g<0>", rest)
    quoted = "".join(c if ord(c) > 127 else _SPECIAL.sub(r"\\\g<0>", c) for c in candidate)
    kept = re.match(rf"(?:.*(?<!\\)[{re.escape(breaks)}])?", word.raw, re.DOTALL) if breaks else None
    head = kept[0] if kept else ""
    return quoted[len(head) :] if quoted.startswith(head) else None
