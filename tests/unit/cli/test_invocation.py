"""Commands that the output suggests: a shell parses them as they were meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from image_labels.model import Label, Labels
from image_labels.search.printable import is_plain
from image_labels_cli.invocation import shell_word
from support.command import run
from support.seed import put_photo
from support.shells import SHELLS, words_of

if TYPE_CHECKING:
    from image_labels.tables.store import Store

# Arguments that an operating system passes: no NUL, and a lone surrogate only for a byte that is not UTF-8.
arguments = st.text(
    st.one_of(
        st.sampled_from("a'\"\\$`!%-\n\t\x1b\x7f\x9b\u202e\u200d🐕\udcff#~*"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    )
)


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(words=st.lists(arguments, min_size=1, max_size=8))
@example(words=["", "-n", "\n", "a\n\n", "'", "\\0101", "%s", "!!", "\x1b!a", "\x1b'\\\n\n", "$(id)\x1b$(id)`id`"])
def test_shell_parses_the_original_words(shell: str, words: list[str]) -> None:
    command = " ".join(map(shell_word, words))
    assert all(is_plain(line) for line in command.split("\n"))
    assert words_of(command, shell) == words


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("prefix", ["photos/", "images/a\x1b[2J\n", "images/it's \u202e\\ 100% !$HOME\t", "-x\u2028"])
def test_printed_command_returns_the_next_page(store: Store, prefix: str) -> None:
    keys = [f"{prefix}{n}.jpg" for n in range(3)]
    for n, key in enumerate(keys):
        put_photo(store, key, Labels((Label("Dog", 97.0 - n),), "3.0"))
    for expression in ("dog", '"dog\x1b" OR dog', "'dog' AND NOT \"it's\u202e!\"", 'dog\nOR\t"\\"', "(dog)\n\n"):
        first = run("find", f"--prefix={prefix}", "--limit", "2", "--json", expression)
        assert [photo["key"] for photo in json.loads(first.stdout)["photos"]] == keys[:2]
        command = first.stderr.split("there may be more: image-labels ", 1)[1]
        [words] = {tuple(words_of(command, shell)) for shell in SHELLS}
        second = run(*words, "--json")
        assert [photo["key"] for photo in json.loads(second.stdout)["photos"]] == keys[2:]
