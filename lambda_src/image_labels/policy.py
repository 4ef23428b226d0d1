"""The label policy: which of Rekognition's labels a photo gets, and under which names.

It is a row of the labels table, because the environment variables of a function have only 4 KB. The row's id is a hash
of the policy, and the function is told the id. Each policy has its own row, so a function never reads another one.

Names are compared without regard to case. A rule for a label also holds where the label is a parent of another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from image_labels.failures import NeedsOperator
from image_labels.selection import POLICY, Criteria, in_order
from image_labels.tables.rows import POLICIES
from image_labels.tables.terms import DIGITS, fold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition.type_defs import GeneralLabelsSettingsTypeDef

    from image_labels.model import Label, Labels
    from image_labels.rekognition import RequestFilters

APPLY_AGAIN = "apply the Terraform module again"


@dataclass(frozen=True)
class LabelPolicy:
    """The rules. All names are folded, except the new names of `rename`; confidences are in percent.

    `only` and `only_categories` are an allow-list, which is empty if all labels are allowed.
    """

    rename: Mapping[str, str]
    drop: frozenset[str]
    drop_categories: frozenset[str]
    only: frozenset[str]
    only_categories: frozenset[str]
    min_confidence: Mapping[str, float]
    # Of the request to Rekognition, in the form of its API, with names as Rekognition writes them. Empty for none.
    filters: GeneralLabelsSettingsTypeDef

    @classmethod
    def parse(cls, text: str) -> LabelPolicy:
        """Read the JSON that the Terraform module writes. Raises ValueError."""
        try:
            rules = json.loads(text)
            return cls(
                rename={fold(name): str(new) for name, new in rules["rename"].items()},
                drop=_folded(rules["drop"]),
                drop_categories=_folded(rules["drop_categories"]),
                only=_folded(rules["only"]),
                only_categories=_folded(rules["only_categories"]),
                min_confidence={fold(name): float(percent) for name, percent in rules["min_confidence"].items()},
                filters=cast("GeneralLabelsSettingsTypeDef", rules["filters"] or {}),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"it is not as the module writes it: {error!r}") from error

    def floor(self, min_confidence: float) -> float:
        """The lowest confidence of a label that is wanted, if `min_confidence` holds for labels without their own."""
        return min((min_confidence, *self.min_confidence.values()))

    def choose(self, answer: Labels, criteria: Criteria) -> Labels:
        """The answer with the labels that a photo gets, of the best `max_labels` that Rekognition found.

        Those that are left out are its `others`, and so are Rekognition's own labels in place of those that are
        renamed, merged or lose a parent. Labels that get the same name are merged: the best one gets all boxes.
        """
        refused = self.drop | {fold(label.name) for label in answer.labels if self._is_refused(label)}
        allowed = {fold(label.name) for label in answer.labels if self._is_allowed(label)}
        chosen: dict[str, Label] = {}
        sources: dict[str, list[Label]] = {}
        found = in_order(answer.labels)
        others = list(found[criteria.max_labels :])
        for label in found[: criteria.max_labels]:
            if not self._is_wanted(label, refused, criteria):
                others.append(label)
                continue
            new = self._changed(label, refused, allowed)
            folded = fold(new.name)
            best = chosen.get(folded)
            chosen[folded] = new if best is None else _merged(best, new)
            sources.setdefault(folded, []).append(label)
        labels: list[Label] = []
        for folded, new in chosen.items():
            if [new] == sources[folded]:
                labels.append(new)
            else:
                labels.append(replace(new, changed=True))
                others += sources[folded]
        return replace(answer, labels=tuple(labels), others=in_order(others))

    def _is_wanted(self, label: Label, refused: Iterable[str], criteria: Criteria) -> bool:
        if fold(label.name) in refused or not self._is_allowed(label):
            return False
        least = [self.min_confidence[name] for name in _names(label) if name in self.min_confidence]
        return round(label.confidence, DIGITS) >= (min(least) if least else criteria.min_confidence)

    def _is_refused(self, label: Label) -> bool:
        return not self.drop.isdisjoint(_names(label)) or not self.drop_categories.isdisjoint(_folded(label.categories))

    def _is_allowed(self, label: Label) -> bool:
        if not self.only and not self.only_categories:
            return True
        return not self.only.isdisjoint(_names(label)) or not self.only_categories.isdisjoint(_folded(label.categories))

    def _changed(self, label: Label, refused: Iterable[str], allowed: Iterable[str]) -> Label:
        """The label with its own names, and without names that photos are not to be found by."""

        def kept(name: str) -> bool:
            by_list = not (self.only or self.only_categories) or fold(name) in self.only or fold(name) in allowed
            return fold(name) not in refused and by_list

        return replace(
            label,
            name=next((self.rename[name] for name in _names(label) if name in self.rename), label.name),
            parents=tuple(
                dict.fromkeys(self.rename.get(fold(parent), parent) for parent in label.parents if kept(parent))
            ),
            categories=tuple(category for category in label.categories if fold(category) not in self.drop_categories),
        )


class PolicyCriteria:
    """Criteria with a label policy, which is read when it is needed first. Safe to use from several threads."""

    def __init__(self, criteria: Criteria, policy_id: str, read: Callable[[], LabelPolicy]) -> None:
        self.max_labels = self.answer_labels = criteria.max_labels
        self.policy_id = policy_id
        self._criteria = criteria
        self._read = read
        self._policy: LabelPolicy | None = None

    @property
    def text(self) -> str:
        """The form in which an item has them."""
        return f"{self._criteria.text}{POLICY}{self.policy_id}"

    @property
    def floor(self) -> float:
        """See LabelPolicy. Raises what `read` raises."""
        return self.policy.floor(self._criteria.min_confidence)

    def choose(self, answer: Labels) -> Labels:
        """See LabelPolicy. Raises what `read` raises."""
        return self.policy.choose(answer, self._criteria)

    def request_filters(self) -> RequestFilters:
        """See Labeller. Raises what `read` raises."""
        return self.policy_id, self.policy.filters

    @property
    def policy(self) -> LabelPolicy:
        if self._policy is None:
            self._policy = self._read()
        return self._policy


def read_policy(client: DynamoDBClient, labels_table: str, policy_id: str) -> LabelPolicy:
    """The policy with this id. Raises NeedsOperator if it is missing or damaged, and botocore's errors."""
    key: Any = {"Term": {"S": POLICIES}, "Rank": {"S": policy_id}}
    item = client.get_item(TableName=labels_table, Key=key, ConsistentRead=True).get("Item")
    where = f"the label policy {policy_id} in the table {labels_table}"
    if item is None:
        raise NeedsOperator(f"{where} is missing", APPLY_AGAIN)
    try:
        return LabelPolicy.parse(item.get("Policy", {}).get("S", ""))
    except ValueError as error:
        raise NeedsOperator(f"{where} cannot be read: {error}", APPLY_AGAIN) from error


def _names(label: Label) -> list[str]:
    """The names by which a rule may name a label: its own first."""
    return [fold(name) for name in (label.name, *label.aliases)]


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(name) for name in names)


def _merged(best: Label, other: Label) -> Label:
    def union(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(first + second))

    return replace(
        best,
        parents=union(best.parents, other.parents),
        aliases=union(best.aliases, other.aliases),
        categories=union(best.categories, other.categories),
        instances=union(best.instances, other.instances),
    )
