"""`image-labels labels`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.command import run, run_on_terminal

if TYPE_CHECKING:
    from image_labels.tables.store import Store

pytestmark = pytest.mark.usefixtures("deployment")


def test_labels_lists_terms_and_their_kinds(store: Store) -> None:
    assert run("labels").stdout == (
        "Animal\tparent\nAnimals and Pets\tcategory\nDog\tlabel\nHound\talias\nPet\tparent\n"
    )
    assert json.loads(run("labels", "Do", "--json").stdout) == [{"term": "dog", "name": "Dog", "kind": "label"}]


def test_labels_on_a_terminal_is_a_table(store: Store) -> None:
    assert "│ Dog" in run_on_terminal("labels").stdout


def test_labels_without_a_result_names_the_prefix(store: Store) -> None:
    result = run("labels", "zebra")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'no label starts with "zebra"' in result.stderr
