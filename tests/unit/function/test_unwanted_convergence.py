"""After any history of a bucket with unwanted photos, bucket and tables are as if nothing had gone wrong: each unwanted
photo is tagged, in quarantine or deleted, its item says so, and no other photo was touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from image_labels.reconcile import Reconciler
from image_labels.tables.items import Item
from image_labels.tables.store import Store
from image_labels.unwanted.actions import Actions
from image_labels.unwanted.guard import Guard
from support.mutants import mutant
from support.unwanted_world import History, World

# A third of the other histories: `make prove` plays 33,000.
HISTORIES = int(os.environ.get("HISTORIES", "2000")) // 3
STEPS = st.binary(min_size=10, max_size=150)
WAYS: dict[str, dict[str, Any]] = {
    f"{action}, {versions}{more}": {"action": action, "versioned": versions == "versions", **options}
    for action in ("tag", "quarantine", "delete")
    for versions, more, options in (
        ("versions", "", {}),
        ("no versions", "", {}),
        ("versions", ", many rows", {"max_actions": 3}),
        ("no versions", ", changing rules", {"changing_rules": True}),
    )
}


@pytest.mark.parametrize("way", WAYS)
def test_bucket_and_tables_converge(way: str) -> None:
    @settings(
        max_examples=HISTORIES // len(WAYS),
        deadline=None,
        database=None,
        derandomize=HISTORIES == 2000 // 3,
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def holds(steps: bytes) -> None:
        assert not differences(steps, **WAYS[way])

    holds()


def differences(
    steps: bytes, *, action: str, versioned: bool, changing_rules: bool = False, **options: Any
) -> list[str]:
    world = World(action, versioned, changing_rules)
    try:
        History(world, **options).play(steps)
    except AssertionError as error:
        return [str(error)]
    return world.differences()


# -- mutations: each of these mistakes in the source must be found

HEAD = 'return head if head["ETag"].strip(\'"\') == target.etag else Done.CHANGED'
CONDITION = "self._client.delete_object(**target.where, IfMatch=f'\"{target.etag}\"')"
VERSION = "            self._client.delete_object(**target.where)\n            return Done.YES"
WITHOUT = "self._client.delete_object(Bucket=target.bucket, Key=target.key)"
PUT = "            self._items.put(known.photo, content, self._settings_without(missing), item, unclaimed)\n"
ROWS = (
    "gone: the item stays without labels, faces and rows. Raises as `put` does."
    '"""\n        rows = [self._delete_row(key) for key in _row_keys(item)]'
)
ACT_EARLY = """            if decision is not None and not decision.done:
                place = known.photo.key, known.photo.bucket, known.photo.etag, known.photo.version_id
                self._guard.act(Item(*place, "", 0, unwanted=decision), abandoned)
"""


def guard(*changes: tuple[str, str]) -> type[Any]:
    """The guard with a mistake in its actions."""
    return mutant(Guard, Actions=mutant(Actions, *changes))


MUTATIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing done after a crash": lambda: {
        "make": mutant(
            Reconciler, ("act = self._is_pending(item)", "act = written is not None and self._is_pending(item)")
        ),
        "action": "delete",
    },
    "done before it is stored": lambda: {
        "make": mutant(
            Reconciler,
            (PUT, ACT_EARLY + PUT),
            ("self._store(known, content, item)", "self._store(known, content, item, abandoned)"),
            ("content: Labels | Rejected, item: Item | None) -> None:", "content, item, abandoned) -> None:"),
            Item=Item,
        ),
        "action": "delete",
    },
    "ETag not compared": lambda: {
        "make_guard": guard((HEAD, "return head"), (CONDITION, WITHOUT)),
        "action": "delete",
        "versioned": False,
    },
    "deletion without a condition": lambda: {
        "make_guard": guard((CONDITION, WITHOUT)),
        "action": "delete",
        "versioned": False,
    },
    "current version deleted": lambda: {
        "make_guard": guard((VERSION, f"            {WITHOUT}\n            return Done.YES")),
        "action": "delete",
    },
    "photo deleted without a copy": lambda: {
        "make_guard": guard(
            ("if copy is None or not _same(head, copy):\n            _check", "if False:\n            _check")
        ),
        "action": "quarantine",
    },
    "rows of a removed photo kept": lambda: {
        "make_store": mutant(
            Store,
            (
                ROWS,
                ROWS.replace("[self._delete_row(key) for key in _row_keys(item)]", "[]"),
            ),
        ),
        "action": "delete",
    },
    "item of a removed photo deleted": lambda: {
        "make": mutant(Reconciler, ("(item is None or item.removed)", "item is None")),
        "action": "delete",
    },
    "tag kept by a photo that has replaced the unwanted one": lambda: {
        "make_guard": guard(("                self.untag(target)\n", "")),
        "action": "tag",
        "versioned": False,
    },
    "tag of an unfinished action kept": lambda: {
        "make": mutant(Reconciler, ("self._guard.withdraw(item, known.photo, decision)", "pass")),
        "action": "tag",
        "changing_rules": True,
    },
    "own tags lost": lambda: {
        "make_guard": guard(("tags | {key: value}", "{key: value}")),
        "action": "tag",
    },
    "what was done forgotten": lambda: {
        "make_guard": mutant(Guard, ("            return done\n", "            return None\n")),
        "action": "tag",
        "changing_rules": True,
    },
}
# The options that are not mistakes.
KEPT = ("action", "versioned", "changing_rules", "max_actions")


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mistake_is_found(mutation: str) -> None:
    options = {"versioned": True} | MUTATIONS[mutation]()
    search = settings(max_examples=2000, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    try:
        steps = find(STEPS, lambda steps: bool(differences(steps, **options)), settings=search)
    except NoSuchExample:
        pytest.fail(f"none of 2000 histories shows this mistake: {mutation}")
    same = {name: value for name, value in options.items() if name in KEPT}
    assert not differences(steps, **same)  # without the mistake, the same history converges
