"""The label policy: which labels a photo gets, and under which names. A change of it needs no call of Rekognition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.failures import NeedsOperator
from image_labels.model import Instance, Label, Labels, Photo
from image_labels.policy import LabelPolicy, PolicyCriteria, read_policy
from image_labels.selection import Criteria, from_stored
from image_labels.tables.items import item_of
from image_labels.tables.store import Store
from image_labels.tables.terms import terms_of
from support.fakes import BUCKET, LABELS_TABLE
from support.policies import NO_RULES, policy, with_policy
from support.tables import Tables

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

BOX, OTHER_BOX = Instance(0.1, 0.2, 0.3, 0.4, 97.0), Instance(0.5, 0.5, 0.1, 0.1, 90.0)
PHONE = Label("Mobile Phone", 99.0, ("Electronics", "Phone"), ("Cell Phone",), ("Technology and Computing",), (BOX,))
WOMAN = Label("Woman", 98.0, ("Adult", "Female", "Person"), (), ("Person Description",))
PERSON = Label("Person", 97.0, (), ("Human",), ("Person Description",))
IPHONE = Label("iPhone", 90.0, ("Electronics",), (), ("Technology and Computing",), (OTHER_BOX,))
BEACH = Label("Beach", 85.0, ("Nature",), (), ("Nature and Outdoors",))
SKY = Label("Sky", 70.0, ("Nature",), (), ("Nature and Outdoors",))
ANSWER = Labels((PHONE, WOMAN, PERSON, IPHONE, BEACH, SKY), "3.0", asked="max_labels=10;min_confidence=55.0")
CRITERIA = Criteria(10, 80.0)


def names(labels: Labels) -> list[str]:
    return [label.name for label in labels.labels]


def found_by(labels: Labels) -> set[str]:
    return {term.text for term in terms_of(labels.labels)}


def test_policy_without_rules_changes_nothing() -> None:
    assert policy().choose(ANSWER, CRITERIA) == CRITERIA.choose(ANSWER)


def test_labels_are_renamed_by_name_or_alias() -> None:
    for rule in ({"Mobile Phone": "Handset"}, {"cell  phone": "Handset"}):
        chosen = policy(rename=rule).choose(ANSWER, CRITERIA)
        assert names(chosen)[0] == "Handset"
        assert "handset" in found_by(chosen)
        assert "mobile phone" not in found_by(chosen)
        assert PHONE in chosen.others  # Rekognition's own label is kept


def test_labels_with_the_same_new_name_are_merged() -> None:
    chosen = policy(rename={"Mobile Phone": "Handset", "iPhone": "handset"}).choose(ANSWER, CRITERIA)
    assert names(chosen) == ["Handset", "Woman", "Person", "Beach"]
    assert chosen.labels[0].instances == (BOX, OTHER_BOX)
    assert chosen.labels[0].confidence == 99.0


def test_parents_are_renamed_as_labels_are() -> None:
    chosen = policy(rename={"electronics": "Gadget"}).choose(ANSWER, CRITERIA)
    assert {"gadget", "mobile phone"} <= found_by(chosen)
    assert "electronics" not in found_by(chosen)


@pytest.mark.parametrize("rules", [{"drop": ["woman", "FEMALE", "Adult"]}, {"drop": ["Female", "Woman", "adult"]}])
def test_dropped_names_find_no_photo_not_even_as_parents(rules: dict[str, Any]) -> None:
    man = Label("Soldier", 96.0, ("Adult", "Female", "Person"))
    chosen = policy(**rules).choose(Labels((*ANSWER.labels, man), "3.0"), CRITERIA)
    assert "Woman" not in names(chosen)
    assert not {"woman", "female", "adult"} & found_by(chosen)
    assert "person" in found_by(chosen)


def test_labels_are_dropped_by_category() -> None:
    chosen = policy(drop_categories=["Person Description"]).choose(ANSWER, CRITERIA)
    assert names(chosen) == ["Mobile Phone", "iPhone", "Beach"]
    assert not {"person", "woman", "person description"} & found_by(chosen)


def test_allow_list_leaves_out_all_others() -> None:
    chosen = policy(only=["Human", "Beach"]).choose(ANSWER, CRITERIA)  # Human is an alias
    assert names(chosen) == ["Person", "Beach"]
    assert "nature" not in found_by(chosen)
    chosen = policy(only=["Beach"], only_categories=["technology and computing"]).choose(ANSWER, CRITERIA)
    assert names(chosen) == ["Mobile Phone", "iPhone", "Beach"]


def test_label_has_its_own_threshold() -> None:
    chosen = policy(min_confidence={"Sky": 60, "Beach": 90}).choose(ANSWER, CRITERIA)
    assert "Sky" in names(chosen)
    assert "Beach" not in names(chosen)


def test_policy_is_applied_to_the_best_labels_of_the_answer() -> None:
    chosen = policy(drop=["Mobile Phone"]).choose(ANSWER, Criteria(3, 80.0))
    assert names(chosen) == ["Woman", "Person"]
    assert [label.name for label in chosen.others] == ["Mobile Phone", "iPhone", "Beach", "Sky"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"rename": 1}', json.dumps(NO_RULES | {"min_confidence": {"a": "b"}})]
)
def test_damaged_policy_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        LabelPolicy.parse(text)


def test_policy_is_read_from_its_row_once(clients: Clients, dynamodb: DynamoDBClient) -> None:
    with pytest.raises(NeedsOperator, match=r"label policy p1 in the table .* is missing") as missing:
        read_policy(clients.dynamodb, LABELS_TABLE, "p1")
    assert missing.value.next_step == "apply the Terraform module again"
    row: Any = {"Term": {"S": "*policy"}, "Rank": {"S": "p1"}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row | {"Policy": {"S": "?"}})
    with pytest.raises(NeedsOperator, match="cannot be read"):
        read_policy(clients.dynamodb, LABELS_TABLE, "p1")
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row | {"Policy": {"S": json.dumps(NO_RULES | {"drop": ["Sky"]})}})
    reads: list[str] = []

    def read() -> LabelPolicy:
        reads.append("p1")
        return read_policy(clients.dynamodb, LABELS_TABLE, "p1")

    wanted = PolicyCriteria(CRITERIA, "p1", read)
    assert wanted.text == "max_labels=10;min_confidence=80.0;policy=p1"
    assert wanted.choose(Labels((SKY, BEACH), "3.0")).labels == (BEACH,)
    assert wanted.floor == 80.0
    assert reads == ["p1"]


def test_another_policy_is_applied_to_the_stored_answer() -> None:
    first = with_policy(CRITERIA, "p", rename={"Mobile Phone": "Handset"}, drop=["Woman"])
    stored = stored_and_read(first.choose(ANSWER), first.text)
    for rules in ({"drop": ["Beach"]}, {"rename": {"iPhone": "Handset"}, "min_confidence": {"sky": 60}}, {}):
        second = with_policy(CRITERIA, "q", **rules)
        derived = from_stored(stored, second)
        assert isinstance(derived, Labels)
        assert derived.labels == second.choose(ANSWER).labels
    assert from_stored(stored, CRITERIA) is not None  # no policy any more
    assert (
        from_stored(stored, with_policy(CRITERIA, "q", min_confidence={"Sky": 50})) is None
    )  # below what was requested


def test_filtered_answer_serves_only_the_policy_that_filtered_it() -> None:
    filtered = Labels((BEACH,), "3.0", asked=f"{CRITERIA.text};filters=p")
    raised = with_policy(Criteria(10, 82.0), "p", only=["Beach"])
    assert from_stored(filtered, raised) is not None
    assert from_stored(filtered, with_policy(CRITERIA, "q")) is None
    assert from_stored(filtered, CRITERIA) is None


def stored_and_read(labels: Labels, settings: str) -> Labels:
    """The answer of an item that was written with these labels."""
    tables: Any = Tables()
    store = Store(tables, "images", "labels")
    store.put(Photo(BUCKET, "a.jpg", "e", None, 1), labels, settings, replacing=None)
    answer = item_of("a.jpg", tables.images()["a.jpg"]).answer
    assert isinstance(answer, Labels)
    return answer


words = st.sampled_from(["A", "B", "C", "D"])
rules_strategy = st.fixed_dictionaries(
    {
        "rename": st.dictionaries(words, words, max_size=2),
        "drop": st.lists(words, max_size=2),
        "only": st.lists(words, max_size=3),
        "min_confidence": st.dictionaries(words, st.sampled_from([60, 70, 95]), max_size=2),
    }
)
answers = st.lists(
    st.builds(
        Label,
        words,
        st.sampled_from([61.0, 72.0, 83.0, 94.0, 99.0]),
        parents=st.lists(words, max_size=2, unique=True).map(tuple),
    ),
    max_size=4,
    unique_by=(lambda label: label.name, lambda label: label.confidence),
).map(lambda found: tuple(sorted(found, key=lambda label: -label.confidence)))


@given(answers, rules_strategy, rules_strategy, st.integers(1, 4))
def test_any_change_of_the_policy_gives_the_labels_of_a_fresh_answer(
    labels: tuple[Label, ...], first: dict[str, Any], second: dict[str, Any], most: int
) -> None:
    answer = Labels(labels, "3.0", asked="max_labels=10;min_confidence=60.0")
    before = with_policy(CRITERIA, "p", **first)
    stored = stored_and_read(before.choose(answer), before.text)
    assert stored.labels == answer.labels
    after = with_policy(Criteria(most, 80.0), "q", **second)
    derived = from_stored(stored, after)
    assert isinstance(derived, Labels)
    assert derived.labels == after.choose(answer).labels
