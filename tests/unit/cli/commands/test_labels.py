"""`image-labels labels`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from image_labels.model import Label, Labels, Photo
from image_labels.tables.counts import Counts
from support.command import run, run_on_terminal
from support.fakes import BUCKET, LABELS_TABLE, UPLOADED

if TYPE_CHECKING:
    from image_labels.tables.store import Store
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")


def test_labels_lists_terms_and_their_kinds(store: Store) -> None:
    result = run("labels")
    assert result.stdout == (
        "Animal\tparent\t1\nAnimals and Pets\tcategory\t1\nDog\tlabel\t1\nHound\talias\t1\nPet\tparent\t1\n"
    )
    assert result.stderr == ""
    assert json.loads(run("labels", "Do", "--json").stdout) == [
        {"term": "dog", "name": "Dog", "kind": "label", "photos": 1}
    ]


def test_labels_of_the_most_photos_come_first(store: Store, dynamodb: DynamoDBClient) -> None:
    put(store, "cat.jpg", "Cat")
    put(store, "cats.jpg", "Cat", "Animal")
    Counts(dynamodb, LABELS_TABLE).fold(float("inf"))
    put(store, "another.jpg", "Animal")
    item = store.get("images/dog.jpg")
    assert item is not None
    store.delete(item)
    assert run("labels", "--top", "2").stdout == "Animal\tparent\t2\nCat\tlabel\t2\n"
    assert run("labels", "--top", "9", "--kind", "category", "--kind", "alias").exit_code == 1  # the dog is gone
    assert run("labels", "--kind", "alias").stdout == "Hound\talias\t0\n"
    table = run_on_terminal("labels", "c", "--top", "1")
    assert "│ Cat   │ label │      2 │" in table.stdout
    assert table.stderr == ""


def test_labels_says_that_photos_of_an_earlier_version_are_not_counted(store: Store, dynamodb: DynamoDBClient) -> None:
    put(store, "old.jpg", "Dinosaur", modified="")
    Counts(dynamodb, LABELS_TABLE, now=lambda: 1_795_000_000).fold(float("inf"))
    result = run("labels", "dino")
    assert result.stdout == "Dinosaur\tlabel\t0\n"
    assert "labelled before 2026-11-18T11:06:40Z may not be counted" in result.stderr
    assert "image-labels relabel --offline" in result.stderr


def put(store: Store, key: str, *names: str, modified: str = UPLOADED) -> None:
    labels = Labels(tuple(Label(name, 99.0) for name in names), "3.0")
    store.put(Photo(BUCKET, key, "e", None, 1, modified), labels, "s", store.get(key))


def test_labels_without_a_result_names_the_prefix(store: Store) -> None:
    result = run("labels", "zebra")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'no label starts with "zebra"' in result.stderr
