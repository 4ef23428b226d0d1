"""After any history, once all messages are settled, the tables are as after a fresh labelling of the bucket.

`make prove` plays 100,000 histories, `make test` 2,000.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from image_labels.calls import Caller
from image_labels.daily_limit import DailyLimit
from image_labels.detectors.face_claims import FaceClaims
from image_labels.detectors.face_index import FaceIndex
from image_labels.queues.waiting import WaitingPhotos
from image_labels.reconcile import Reconciler
from image_labels.tables.counts import Counts
from image_labels.tables.store import Store
from support.histories import History
from support.mutants import mutant
from support.world import World

HISTORIES = int(os.environ.get("HISTORIES", "2000"))
STEPS = st.binary(min_size=10, max_size=150)


# How many actions a transaction takes: with 3, no photo's rows fit into one.
WAYS: dict[str, dict[str, Any]] = {
    "versions": {"versioned": True},
    "no versions": {"versioned": False},
    "many rows": {"versioned": True, "max_actions": 3},
    "many rows, no versions": {"versioned": False, "max_actions": 3},
    "another writer": {"versioned": True, "another_writer": True},
    "another writer, many rows, no versions": {"versioned": False, "another_writer": True, "max_actions": 3},
    "two images a day": {"versioned": True, "limit": 2},
    "one image a day, no versions": {"versioned": False, "limit": 1},
    "changing settings": {"versioned": True, "changing_settings": True},
    "changing settings, many rows, no versions": {"versioned": False, "changing_settings": True, "max_actions": 3},
    "detectors": {"versioned": True, "detecting": True},
    "detectors, many rows, no versions": {"versioned": False, "detecting": True, "max_actions": 3},
    "detectors, three images a day": {"versioned": True, "detecting": True, "limit": 3},
    "faces": {"versioned": True, "indexing": True},
    "faces, many rows, no versions": {"versioned": False, "indexing": True, "max_actions": 3},
    "faces, three images a day": {"versioned": True, "indexing": True, "limit": 3},
}


@pytest.mark.parametrize("way", WAYS)
def test_tables_converge_to_the_bucket(way: str) -> None:
    @settings(
        max_examples=HISTORIES // len(WAYS),
        deadline=None,
        database=None,
        derandomize=HISTORIES == 2000,  # the same histories at each run of `make test`
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def holds(steps: bytes) -> None:
        assert not differences(steps, **WAYS[way])

    holds()


def differences(
    steps: bytes,
    *,
    versioned: bool = True,
    conditional: bool = True,
    limit: int | None = None,
    another_writer: bool = False,
    changing_settings: bool = False,
    detecting: bool = False,
    indexing: bool = False,
    **options: Any,
) -> list[str]:
    """The differences at the end of a history, or the error that ended it: see the errors of `support.world`."""
    world = World(
        versioned=versioned,
        conditional=conditional,
        limit=limit,
        another_writer=another_writer,
        changing_settings=changing_settings,
        detecting=detecting,
        indexing=indexing,
    )
    try:
        History(world, **options).play(steps)
    except AssertionError as error:
        return [str(error)]
    return world.differences()


# -- mutations: each of these mistakes in the source must be found


GET, HEAD = "item = self._items.get(key)\n", "photo = self._photos.head(key)\n"
PUT_RESULT = "result = _result_of(content)"
STORED = "stored = item if item is not None and _is_of(item, known.photo) else None"
FINDING = "finding = _finding_of(detector, item, before)\n"
ROWS_OF_DELETED = (
    "Delete the item that was read, and its rows. Raises as `put` does."
    '"""\n        rows = [self._delete_row(key) for key in _row_keys(item)]'
)
MUTATIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "no Revision condition": lambda: {"conditional": False},
    "no second check after a write": lambda: {
        "make": mutant(Reconciler, (PUT_RESULT, "return _result_of(content)")),
    },
    "HEAD before item": lambda: {
        "make": mutant(Reconciler, (GET, "@"), (HEAD, GET), ("@", HEAD)),
    },
    "item without its object not deleted": lambda: {
        "make": mutant(Reconciler, ("self._items.delete(item)", "return result")),
    },
    "ETag not compared": lambda: {
        "make": mutant(
            Reconciler,
            ("not item.removed and _is_of(item, photo) and new_enough", "not item.removed and new_enough"),
            ("item.uploaded == photo.modified or", "True or"),
        ),
    },
    "time of the upload not compared": lambda: {
        "make": mutant(Reconciler, ("return item.uploaded == photo.modified or", "return True or")),
        "versioned": False,
    },
    "rows of previous labels not deleted": lambda: {
        "make_store": mutant(Store, ("if key not in rows]", "if False]")),
    },
    "rows of a deleted photo not deleted": lambda: {
        "make_store": mutant(Store, (ROWS_OF_DELETED, ROWS_OF_DELETED.replace("_row_keys(item)", "()"))),
    },
    "item complete before all its rows are written": lambda: {
        "make_store": mutant(
            Store,
            ("transact([self._put_item(item, replacing)]", "transact([self._put_item(item | _rows(1), replacing)]"),
        ),
        "max_actions": 3,
    },
    "rows of an incomplete item not finished": lambda: {
        "make": mutant(Reconciler, ("if agree and not act and (item is None or self._is_settled(item)):", "if agree:")),
        "max_actions": 3,
    },
    "parts written although another worker has started": lambda: {
        "make_store": mutant(Store, ("[check, *actions[start : start + size]]", "[*actions[start : start + size]]")),
        "max_actions": 3,
    },
    "items of another writer read as none": lambda: {
        "make_store": mutant(Store, ("None if item is None else", "None if item is None or 'Bucket' not in item else")),
        "another_writer": True,
    },
    "items of another writer replaced without a condition": lambda: {
        "make_store": mutant(
            Store, ("_unchanged(replacing)}", "({} if replacing and replacing.foreign else _unchanged(replacing))}")
        ),
        "another_writer": True,
    },
    "settings not compared": lambda: {
        "make": mutant(Reconciler, (" or item.settings != self._settings_without()", "")),
        "changing_settings": True,
    },
    "answer stored for another object used": lambda: {
        "make": mutant(Reconciler, (STORED, "stored = item")),
        "changing_settings": True,
    },
    "stored answer used although it lacks labels that are wanted": lambda: {
        "make": mutant(
            Reconciler,
            (
                "return from_stored(item.answer, self._wanted)",
                "return self._wanted.choose(item.answer) if hasattr(item.answer, 'labels') else item.answer",
            ),
        ),
        "changing_settings": True,
    },
    "labels that the settings leave out not kept": lambda: {
        "make_store": mutant(
            Store,
            ("item |= items.detections(content,", "item |= items.detections(replace(content, others=()),"),
            replace=replace,
        ),
        "changing_settings": True,
    },
    "labels from before the time of a message kept after a conflict": lambda: {
        "make": mutant(
            Reconciler,
            (
                "written is not None and written == photo",
                "known is not None and known.photo == photo",
            ),
        ),
        "changing_settings": True,
    },
    "labels from before the time of a message kept": lambda: {
        "make": mutant(Reconciler, ("written == photo else labelled_before", "written == photo else ''")),
        "changing_settings": True,
    },
    "answers not stored if a detector fails": lambda: {
        "make": mutant(Reconciler, ("if known.unsaved or not failed:", "if not failed:")),
        "detecting": True,
    },
    "finding missing although the settings name it": lambda: {
        "make": mutant(Reconciler, ("self._settings_without(missing)", "self._settings_without()")),
        "detecting": True,
    },
    "finding stored for another object used": lambda: {
        "make": mutant(
            Reconciler, ("self._ask_detectors(known, stored, before", "self._ask_detectors(known, item, before")
        ),
        "detecting": True,
    },
    "finding in a previous object kept": lambda: {
        "make": mutant(
            Reconciler,
            (
                "known = Known(photo)",
                "before_, known = known, Known(photo); known.findings = before_.findings if before_ else {}",
            ),
        ),
        "detecting": True,
    },
    "finding of a detector that is switched off kept": lambda: {
        "make": mutant(
            Reconciler,
            (
                "found = tuple(known.findings.values())",
                "found = tuple(known.findings.values()) or (stored.findings if stored else ())",
            ),
        ),
        "detecting": True,
    },
    "finding from before the time of a message kept": lambda: {
        "make": mutant(Reconciler, (FINDING, "finding = _finding_of(detector, item, '')\n")),
        "detecting": True,
    },
    "finding of other settings not chosen from": lambda: {
        "make": mutant(Reconciler, ("= detector.choose(finding)", "= finding")),
        "detecting": True,
    },
    "item not marked before its faces are indexed": lambda: {
        "make_claims": mutant(FaceClaims, ("self._items.mark_unclaimed(item, others | own)", "item")),
        "indexing": True,
    },
    "faces of a replaced photo not deleted": lambda: {
        "make_claims": mutant(FaceClaims, ("(_unclaimed(item) | Unclaimed(_claimed(item)))", "_unclaimed(item)")),
        "indexing": True,
    },
    "faces of a deleted photo not deleted": lambda: {
        "make_claims": mutant(
            FaceClaims, ("        self.detector.delete(unclaimed)\n        return item", "        return item")
        ),
        "indexing": True,
    },
    "faces of a call without an answer not looked for": lambda: {
        "make_index": mutant(FaceIndex, ("if unclaimed.calls:", "if False:")),
        "indexing": True,
        "max_actions": 3,
    },
    "rows of faces not deleted": lambda: {
        "make_store": mutant(
            Store, ("old = [self._delete_row(key) for key in _row_keys(replacing) if key not in rows]", "old = []")
        ),
        "indexing": True,
    },
    "vocabulary not written": lambda: {
        "make_store": mutant(Store, ("self._write_batch(", "list(")),
    },
    "months not written": lambda: {
        "make_store": mutant(Store, ("if dated:", "if False:")),
    },
    "photos counted again when their labels are written again": lambda: {
        "make_store": mutant(Store, ("() if old is None else old.counted", "()")),
    },
    "deleted photos counted": lambda: {
        "make_store": mutant(Store, ('[{"Delete": delete}, *rows, *counted]', '[{"Delete": delete}, *rows]')),
    },
    "photos of many rows not counted": lambda: {
        "make_store": mutant(Store, ("*self._count(item.key, revision, item, marked.counted)", "")),
        "max_actions": 3,
    },
    "photos of many rows counted by each worker that completes them": lambda: {
        "make_store": mutant(
            Store, ('Rows.COMPLETE, "SET Revision = :new, #rows = :rows"', 'Rows.COMPLETE, "SET #rows = :rows"')
        ),
        "max_actions": 3,
    },
    "deltas of an earlier revision replaced": lambda: {
        "make_store": mutant(Store, ("delta_rows(key, revision, before, terms)", "delta_rows(key, 0, before, terms)")),
    },
    "deltas added by two runs": lambda: {
        "make_counts": mutant(Counts, ('"ConditionExpression": "attribute_exists(#term)",', "")),
    },
    "deltas not deleted": lambda: {
        "make_counts": mutant(Counts, ("actions += [self._delete(delta.rank) for delta in deltas]", "pass")),
    },
    "deltas deleted that were not added": lambda: {
        "make_counts": mutant(Counts, ("in sorted(_sum(deltas).items())", "in sorted(_sum(deltas[1:]).items())")),
    },
    "changes lost when deltas are merged": lambda: {
        "make_counts": mutant(Counts, ("dict(changes[start : start +", "dict(changes[start + 1 : start +")),
    },
    "images counted without a limit": lambda: {"conditional": False, "limit": 1},
    "images given back although they are billed": lambda: {
        "make_caller": mutant(
            Caller,
            (
                "                return outcome",
                "                self._allowance.give_back(day)\n                return outcome",
            ),
        ),
        "limit": 1,
    },
    "images not given back although they are not billed": lambda: {
        "make_caller": mutant(
            Caller,
            ("self._allowance.give_back(day)\n            raise outcome", "pass\n            raise outcome"),
        ),
        "limit": 2,
    },
    "images counted yesterday and sent today": lambda: {
        "make_caller": mutant(Caller, ("day = self._allowance.renew(day)", "pass")),
        "limit": 1,
    },
    "images of yesterday exchanged and not given back": lambda: {
        "make_limit": mutant(DailyLimit, ("            self.give_back(day)\n            day", "            day")),
        "limit": 1,
    },
    "images sent before they are counted": lambda: {
        "make_caller": mutant(
            Caller,
            ("        day = self._take_turn(abandoned, begin)\n", ""),
            ("        try:\n            return read(answer)", "@"),
            ("@", "        self._allowance.take()\n        try:\n            return read(answer)"),
            ("self._allowance.give_back(day)\n            raise outcome", "pass\n            raise outcome"),
        ),
        "limit": 1,
    },
    "more moved than the backlog allows": lambda: {
        "make_waiting": mutant(
            WaitingPhotos, ("min(self._allowance.left(), self._max_backlog)", "self._allowance.left()")
        ),
        "limit": 2,
    },
    "moved without a limit": lambda: {
        "make_waiting": mutant(WaitingPhotos, ("room -= passed", "pass")),
        "limit": 2,
    },
    "waiting messages deleted although SQS did not send them": lambda: {
        "make_waiting": mutant(
            WaitingPhotos, ("[message for n, message in enumerate(messages) if n not in refused]", "list(messages)")
        ),
        "limit": 1,
    },
    "waiting messages deleted before they are sent": lambda: {
        "make_waiting": mutant(
            WaitingPhotos,
            (
                "        refused = send(",
                "        client.delete_message_batch(QueueUrl='waiting', Entries=messages)\n        refused = send(",
            ),
        ),
        "limit": 1,
    },
}


# The options that are not mistakes.
KEPT = ("versioned", "max_actions", "limit", "another_writer", "changing_settings", "detecting", "indexing")


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mistake_is_found(mutation: str) -> None:
    options = MUTATIONS[mutation]()
    search = settings(max_examples=HISTORIES, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    try:
        steps = find(STEPS, lambda steps: bool(differences(steps, **options)), settings=search)
    except NoSuchExample:
        pytest.fail(f"none of {HISTORIES} histories shows this mistake: {mutation}")
    same = {name: value for name, value in options.items() if name in KEPT}
    assert not differences(steps, **same)  # without the mistake, the same history converges
