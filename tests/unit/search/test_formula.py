"""The disjunctive normal form of random expressions."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.expression import ExpressionError
from image_labels.search.formula import And, Atom, Node, Not, Or
from support.searches import parse_or_error

NAMES = ("a", "ab", "abc", "b")
atoms = st.builds(
    Atom,
    st.sampled_from(NAMES),
    st.booleans(),
    st.sampled_from([0, 0, 40_000, 60_000]),
    st.sampled_from([100_000, 100_000, 70_000, 50_000]),
    suffix=st.booleans(),
)
trees: st.SearchStrategy[Node] = st.recursive(
    atoms,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(And, st.tuples(parts, parts)),
        st.builds(Or, st.tuples(parts, parts)),
    ),
    max_leaves=6,
)
photos = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([30_000, 40_000, 55_000, 65_000, 100_000]))


def text_of(node: Node) -> str:
    match node:
        case Atom():
            name = node.name
            # A term with two bounds is written as two terms. For a pattern, different terms may meet the two bounds.
            low = f"{name}>={node.low / 1000}" if node.low else ""
            high = f"{name}<={node.high / 1000}" if node.high < 100_000 else ""
            return f"({low} AND {high})" if low and high else low or high or name
        case Not():
            return f"NOT {text_of(node.part)}" if isinstance(node.part, Atom) else f"NOT ({text_of(node.part)})"
        case And():
            return " AND ".join(f"({text_of(part)})" for part in node.parts)
        case Or():
            return " OR ".join(f"({text_of(part)})" for part in node.parts)


def matches(node: Node, photo: dict[str, int]) -> bool:
    """Whether the photo matches the tree, without its normal form."""
    match node:
        case Atom():
            has = {
                confidence
                for term, confidence in photo.items()
                if re.fullmatch(".*" * node.suffix + node.text + ".*" * node.prefix, term)
            }
            if node.pattern:
                return (
                    any(node.low <= confidence for confidence in has)
                    and any(confidence <= node.high for confidence in has)
                    and bool(has)
                )
            return any(node.low <= confidence <= node.high for confidence in has)
        case Not():
            return not matches(node.part, photo)
        case And():
            return all(matches(part, photo) for part in node.parts)
        case Or():
            return any(matches(part, photo) for part in node.parts)


@given(trees, photos)
def test_conjunctions_match_the_same_photos_as_the_tree(tree: Node, photo: dict[str, int]) -> None:
    text = text_of(tree)
    outcome = parse_or_error(text)
    if isinstance(outcome, ExpressionError):
        assert re.search("alternatives|nested", outcome.message), text
    else:
        assert outcome.matches(photo) == matches(tree, photo), text
