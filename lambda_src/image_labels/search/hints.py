"""Detects the notations of other search engines and languages (`“traffic light”`, `dog && !cat`, `-dog`, `dog, cat`,
`dog:95`), and translates them to that of image_labels.search.expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# ruff: noqa: RUF001, RUF003 - this module is about characters that look like others
_QUOTES = "“”„‟«»‹›‘’‚‛"
_CLOSING = "“”„‟«»‹›"  # without ’, which is more likely an apostrophe at the end of a word
_SIGNS = "-+!~–−"  # word processors turn hyphens into dashes
_FIELD = re.compile(r"\b(?:labels?|names?|tags?|terms?|objects?)[:=]\s*(?=[^\s\d.=])", re.IGNORECASE)
_PERCENT = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)%?"

_TYPOGRAPHIC = '{} is a typographic quote; put a term of several words between straight quotes, "'
_BACKSLASH = "a quote needs no {} before it"
_BUT = "{} is not an operator; to exclude a label, put NOT before it"
_COLON = "{} is not a comparison; after a term use >=, >, <= or < and a percentage, as in dog>=95"
# Patterns of words in other notations, and the message for each.
_OTHERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), message)
    for pattern, message in (
        (f"([{_QUOTES}]).*", _TYPOGRAPHIC),
        (f".*([{_CLOSING}])", _TYPOGRAPHIC),
        (r"(\\).*", _BACKSLASH),
        (r".*(\\)", _BACKSLASH),
        (".*?(&+).*", "{} is not an operator; to require both labels, use AND"),
        (r".*?(\|+).*", "{} is not an operator; to accept either label, use OR"),
        (r"(\+).*", "{} is not an operator; to require all labels, join them with AND"),
        (f"([{_SIGNS}]).*", _BUT),
        (".*(!)", "{} is neither an operator nor a comparison; NOT excludes a label, and >=, >, <= and < compare"),
        (".*?([,;]).*", "{} does not separate terms; AND requires both, OR accepts either"),
        (".*?([≥≤]).*", "{} is not a comparison; use >= or <="),
        (f"[^:]+(:)(?:{_PERCENT})?", _COLON),
        ("(?:labels?|names?|tags?|terms?|objects?)(:).*", "{} is not needed; write the label alone, as in dog"),
    )
)


def other_notation(word: str) -> str | None:
    """The message for a word in another notation; None for a valid word. Do not pass the content of quotes."""
    for pattern, message in _OTHERS:
        if match := pattern.fullmatch(word):
            return message.format(match[1])
    return None


def corrections(text: str) -> Iterator[str]:
    """Possible translations of the text, the most likely first, without `text` itself. They may have other mistakes."""
    found = dict.fromkeys([_as_one_phrase(text), _written(text, "AND"), _written(text, "OR")])
    return (each for each in found if each and each != text.strip())


# The order matters: quoted texts come first, because their content does not change.
_PARTS = re.compile(
    rf"""
    \s+
    | \\?"(?P<double>[^"]*?)\\?"
    | \\?'(?P<single>[^']*?)\\?'
    | [{_QUOTES}](?P<typographic>[^{_CLOSING}]+?)(?:[{_QUOTES}](?=[\s()<>=,;&|:≥≤]|$)|$)
    | (?P<parenthesis>[()])
    | (?P<both>&+)
    | (?P<either>\|+)
    | (?P<comma>[,;])
    | (?P<comparison>(?:>=|=>|<=|=<|!=|<>|==|=|>|<|:|≥|≤)[<>=]*)\s*(?P<percent>{_PERCENT})(?=[\s(),;&|]|$)
    | (?P<sign>[{_SIGNS}])
    | (?P<word>[^\s()"'<>=&|,;:!≥≤{_QUOTES}]+(?:’[^\s()"'<>=&|,;:!≥≤{_QUOTES}]+)*)
    | (?P<unknown>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = {"=": ">=", "==": ">=", ":": ">=", "=>": ">=", "=<": "<=", ":>": ">", ":<": "<", "≥": ">=", "≤": "<="}


@dataclass
class _Part:
    kind: str  # "operand", "operator", "comma", "not", "(" or ")"
    text: str
    required: bool = False


def _written(text: str, operator: str) -> str | None:
    """The translated text, with `operator` for a comma and for a missing operator; None if the meaning is unclear."""
    parts: list[_Part] = []
    required = False  # whether a + precedes
    for match in _PARTS.finditer(_FIELD.sub("", text)):
        kind = match.lastgroup
        content = match[kind] if kind else ""
        before = parts[-1].kind if parts else ""
        match kind:
            case None:
                continue
            case "both" | "either":
                parts.append(_Part("operator", "AND" if kind == "both" else "OR"))
            case "comma":
                parts.append(_Part("comma", operator))
            case "sign" if content == "+":
                required = True
            case "sign" if before != "not":
                parts.append(_Part("not", "NOT"))
            case "sign":
                continue  # NOT -dog
            case "percent":
                comparison = _COMPARISONS.get(match["comparison"], match["comparison"])
                if before != "operand":
                    return None
                term = parts[-1].text
                if comparison in ("!=", "<>"):
                    parts[-1].text = f"({term}<{content} OR {term}>{content})"
                elif comparison in (">=", ">", "<=", "<"):
                    parts[-1].text = f"{term}{comparison}{content}"
                else:
                    return None
            case "parenthesis":
                parts.append(_Part(content, content))
            case "word" if content.upper() in ("AND", "OR"):
                parts.append(_Part("operator", content.upper()))
            case "word" if content.upper() == "NOT":
                parts.append(_Part("not", "NOT"))
            case "word":
                parts.append(_Part("operand", content, required))
                required = False
            case "double" | "single" | "typographic" if content.strip():
                text = quoted(content.strip() if kind == "typographic" else content)
                parts.append(_Part("operand", text, required))
                required = False
            case _:
                return None
    return _joined(parts, operator)


def _joined(parts: list[_Part], operator: str) -> str:
    """The parts as an expression, with `operator` between two operands that have none."""
    words: list[str] = []
    before = "operator"
    for number, part in enumerate(parts):
        after = parts[number + 1].kind if number + 1 < len(parts) else ")"
        if part.kind == "comma" and (before in ("operator", "(", "not") or after in ("operator", "comma", ")")):
            continue
        if part.kind in ("operand", "not", "(") and before in ("operand", ")"):
            words.append("AND" if part.kind == "not" or part.required else operator)
        words.append(part.text)
        before = "operator" if part.kind == "comma" else part.kind
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _as_one_phrase(text: str) -> str | None:
    """The words in quotes, because they may be the name of one label; None if they cannot be one."""
    words = text.split()
    plain = len(words) > 1 and all(re.fullmatch(r"[\w-]+\*?", word) and not word.startswith("-") for word in words)
    known = {"AND", "OR", "NOT"} & {word.upper() for word in words}
    return f'"{" ".join(words)}"' if plain and not known else None


def quoted(name: str) -> str:
    """The label as a term of an expression, in quotes if it needs them."""
    plain = re.fullmatch(r"[^\s()\"'<>=]+", name) and name.upper() not in ("AND", "OR", "NOT")
    if plain and other_notation(name) is None:
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'
