"""Whatever happens, and in whatever order: at rest the table is what a fresh labelling of the bucket would give.

`make prove` plays 100,000 histories instead of the 2,000 here.
"""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from histories import History, World
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from image_labels import reconcile
from image_labels.reconcile import Reconciler

HISTORIES = int(os.environ.get("HISTORIES", "2000"))
TOLD = st.binary(min_size=10, max_size=150)


@pytest.mark.parametrize("versioned", [True, False], ids=["versions", "no versions"])
def test_table_converges_to_the_bucket(versioned: bool) -> None:
    @settings(
        max_examples=HISTORIES // 2,
        deadline=None,
        database=None,
        derandomize=HISTORIES == 2000,  # the same histories each time in `make test`, others in `make prove`
        suppress_health_check=list(HealthCheck),
    )
    @given(TOLD)
    def holds(told: bytes) -> None:
        assert not differences(told, versioned=versioned)

    holds()


def differences(told: bytes, *, versioned: bool, conditional: bool = True, make: Any = Reconciler) -> list[str]:
    """What is wrong at the end of a history, or that it went back or never came to rest."""
    world = World(versioned=versioned, conditional=conditional)
    try:
        History(world, make).play(told)
    except AssertionError as error:
        return [str(error)]
    return world.differences()


# -- the test of the test: each of these mistakes in the reconciler is found


def mutant(*changes: tuple[str, str]) -> type[Reconciler]:
    """The reconciler with some of its source text changed."""
    source = textwrap.dedent(inspect.getsource(Reconciler))
    for old, new in changes:
        assert source.count(old) == 1, f"the reconciler has changed, this mutation does not fit: {old!r}"
        source = source.replace(old, new)
    namespace = dict(vars(reconcile))
    exec(source, namespace)  # noqa: S102 - our own source
    made = namespace["Reconciler"]
    assert isinstance(made, type)
    return made


GET, HEAD = "item = self._items.get(key)\n", "photo = self._photos.head(key)\n"
PUT_RESULT = "result = _result_of(content)"
MUTATIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "no Revision condition": lambda: {"conditional": False},
    "no second look after a write": lambda: {"make": mutant((PUT_RESULT, "return _result_of(content)"))},
    "HEAD before item": lambda: {"make": mutant((GET, "@"), (HEAD, GET), ("@", HEAD))},
    "an item without its object is left": lambda: {"make": mutant(("self._items.delete(item)", "return result"))},
    "ETag not compared": lambda: {
        "make": mutant(
            ("(item.bucket, item.etag, item.version_id, item.settings)", "item.settings"),
            ("(photo.bucket, photo.etag, photo.version_id, self._settings)", "self._settings"),
        )
    },
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mistake_is_found(mutation: str) -> None:
    options = MUTATIONS[mutation]()
    search = settings(max_examples=HISTORIES, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    try:
        told = find(TOLD, lambda told: bool(differences(told, versioned=True, **options)), settings=search)
    except NoSuchExample:
        pytest.fail(f"{HISTORIES} histories and none shows this mistake: {mutation}")
    assert not differences(told, versioned=True)  # it is the mistake, not the history
