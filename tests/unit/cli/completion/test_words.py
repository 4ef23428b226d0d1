"""Words of an unfinished line in bash, and the quotes of what continues it: bash reads the original candidate."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from image_labels.search.printable import is_plain
from image_labels_cli.completion.words import continued, split
from support.shells import words_of

BREAKS = " \t\n\"'><=;|&(:"  # bash's default
KEY = 'images/Uncle\'s garage/$HOME `id` \\ #1 (old); "café" 🎥 ~*?[a]{b}|<>&.png'


@pytest.mark.parametrize(
    ("line", "words", "text"),
    [
        ("image-labels ", ["image-labels"], ""),
        ("image-labels fi", ["image-labels"], "fi"),
        ("cd /x && A=1 image-labels find dog", ["A=1", "image-labels", "find"], "dog"),
        ("image-labels find 'dog AND be", ["image-labels", "find"], "dog AND be"),
        ("image-labels find '\"traf", ["image-labels", "find"], '"traf'),
        ('image-labels find "dog AND \\"traf', ["image-labels", "find"], 'dog AND "traf'),
        ("image-labels show images/a\\ b\\'", ["image-labels", "show"], "images/a b'"),
        ("image-labels find --prefix='my im", ["image-labels", "find"], "--prefix=my im"),
        ("image-labels find '' ", ["image-labels", "find", ""], ""),
        ("# image-labels fi", [], ""),
    ],
)
def test_split(line: str, words: list[str], text: str) -> None:
    before, word = split(line)
    assert (before, word.text) == (words, text)


@pytest.mark.parametrize(
    ("typed", "candidate", "replacement"),
    [
        ("ima", "images/a b.jpg", "images/a\\ b.jpg"),
        ("'dog AND b", "dog AND beach", "dog AND beach"),
        ("'uncle", "uncle's", "uncle'\\''s"),
        ('"dog AND \\"t', 'dog AND "traffic light"', 'dog AND \\"traffic light\\"'),
        # bash replaces only what follows the last colon or equals sign.
        ("s3://b/im", "s3://b/images/a b.jpg", "//b/images/a\\ b.jpg"),
        ("--prefix=im", "--prefix=images/", "images/"),
        ("--prefix='im", "--prefix=images/", "images/"),
        ('"a', "a!b", None),
        ("x>y", "x>yz", None),
    ],
)
def test_continuation(typed: str, candidate: str, replacement: str | None) -> None:
    assert continued(split(f"image-labels x {typed}")[1], candidate, BREAKS) == replacement


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@settings(max_examples=40)  # each runs a process
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(is_plain), st.sampled_from(["", "'", '"']))
@example(KEY, "")
@example(KEY, "'")
@example(KEY, '"')
def test_bash_reads_the_candidate_and_runs_nothing(candidate: str, quote: str) -> None:
    replacement = continued(split(f"image-labels show {quote}")[1], candidate, BREAKS)
    if replacement is None:
        assert quote == '"'
        assert "!" in candidate
    else:
        assert words_of(quote + replacement + quote, "bash") == [candidate]


@pytest.mark.parametrize(
    ("raw", "text"), [("", ""), ("dog", "dog"), ("a\\ b", "a b"), ("'dog AND b", "dog AND b"), ("\"it's", "it's")]
)
def test_word_of_fish(raw: str, text: str) -> None:
    assert split(raw)[1].text == text
