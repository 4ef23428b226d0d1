"""The rules: which photos are unwanted, and what is to be done with them.

They are a row of the labels table, as the label policy, because the environment variables of a function have only 4 KB.
The row's id is a hash of the rules, and the function is told the id.

The rules are applied to Rekognition's own answer, so a label policy cannot hide a label from them. A rule for a label
also holds for the labels below it: Weapon for Rifle, Violence for Weapons. Names are compared without regard to case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels.failures import NeedsOperator
from image_labels.selection import MAX_LABELS, RULES
from image_labels.tables.rows import UNWANTED
from image_labels.tables.terms import DIGITS, fold
from image_labels.unwanted.decision import Action, Match, Unwanted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.detectors.moderation import ModerationLabel
    from image_labels.model import Label, Labels, Photo
    from image_labels.selection import Wanted

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024
APPLY_AGAIN = "apply the Terraform module again"


@dataclass(frozen=True)
class Rules:
    """The names are folded, and `min_confidence` is in percent. `tag` is a key and a value, only for Action.TAG.

    `quarantine` is the prefix of the copies as a URI, s3://bucket/prefix, only for Action.QUARANTINE.
    """

    labels: frozenset[str]
    categories: frozenset[str]
    moderation_labels: frozenset[str]
    min_confidence: float
    action: Action
    dry_run: bool
    quarantine: str
    tag: tuple[str, str]

    @classmethod
    def parse(cls, text: str) -> Rules:
        """Read the JSON that the Terraform module writes. Raises ValueError."""
        try:
            rules = json.loads(text)
            return cls(
                labels=frozenset(map(fold, rules["labels"])),
                categories=frozenset(map(fold, rules["categories"])),
                moderation_labels=frozenset(map(fold, rules["moderation_labels"])),
                min_confidence=float(rules["min_confidence"]),
                action=Action(rules["action"]),
                dry_run=_boolean(rules["dry_run"]),
                quarantine=f"s3://{rules['quarantine_bucket']}/{rules['quarantine_prefix']}",
                tag=next(iter(rules["tag"].items()), ("", "")),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"they are not as the module writes them: {error!r}") from error

    def matches(self, labels: Iterable[Label], moderation: Iterable[ModerationLabel]) -> tuple[Match, ...]:
        """What makes a photo unwanted, best first; nothing if it is wanted. `labels` are Rekognition's own."""
        found = [
            Match(label.name, label.confidence, "label")
            for label in labels
            if self._is_confident(label.confidence) and self._is_unwanted(label)
        ]
        found += [
            Match(each.name, each.confidence, "moderation")
            for each in moderation
            if self._is_confident(each.confidence) and not self.moderation_labels.isdisjoint(_folded(each))
        ]
        return tuple(sorted(found, key=lambda match: -match.confidence))

    def decision(self, photo: Photo, matches: tuple[Match, ...], at: str) -> Unwanted:
        """What is to be done with an unwanted photo. A dry run is done as soon as it is recorded."""
        to = self._copy_of(photo) if self.action is Action.QUARANTINE and not self.dry_run else ""
        return Unwanted(self.action, matches, at, done=self.dry_run, dry_run=self.dry_run, to=to)

    def _is_confident(self, confidence: float) -> bool:
        # Compared with the precision of the table, so that a stored answer is judged as a fresh one.
        return round(confidence, DIGITS) >= self.min_confidence

    def _is_unwanted(self, label: Label) -> bool:
        names = (label.name, *label.aliases, *label.parents)
        return not self.labels.isdisjoint(map(fold, names)) or not self.categories.isdisjoint(
            map(fold, label.categories)
        )

    def _copy_of(self, photo: Photo) -> str:
        """The URI of the copy. It has the version or the ETag, so that a retry writes the same copy and no other."""
        folder = f"{self.quarantine}{photo.version_id or photo.etag}/"
        room = MAX_KEY_BYTES - len(folder.partition("//")[2].partition("/")[2].encode())
        key = photo.key.encode()
        return folder + (photo.key if len(key) <= room else hashlib.sha256(key).hexdigest())


class RulesCriteria:
    """Other criteria, with the labels that the rules need in Rekognition's answer. Safe to use from several threads.

    `read` gives the rules when they are needed first. It raises Failure and botocore's errors.
    """

    def __init__(self, criteria: Wanted, rules_id: str, read: Callable[[], Rules]) -> None:
        self.max_labels = criteria.max_labels
        self.policy_id = criteria.policy_id
        self._criteria = criteria
        self._id = rules_id
        self._read = read
        self._rules: Rules | None = None

    @property
    def text(self) -> str:
        """The form in which an item has them."""
        return f"{self._criteria.text}{RULES}{self._id}"

    @property
    def floor(self) -> float:
        """The lowest confidence of a label that is wanted, or makes a photo unwanted. Raises what `read` raises."""
        labels = self.rules.labels or self.rules.categories
        return min(self._criteria.floor, self.rules.min_confidence) if labels else self._criteria.floor

    @property
    def answer_labels(self) -> int:
        """All, if labels make a photo unwanted: the best ones alone do not show that it is not."""
        return MAX_LABELS if self.rules.labels or self.rules.categories else self._criteria.answer_labels

    def choose(self, answer: Labels) -> Labels:
        """See Wanted: the rules change no labels."""
        return self._criteria.choose(answer)

    @property
    def rules(self) -> Rules:
        if self._rules is None:
            self._rules = self._read()
        return self._rules


def read_rules(client: DynamoDBClient, labels_table: str, rules_id: str) -> Rules:
    """The rules with this id. Raises NeedsOperator if they are missing or damaged, and botocore's errors."""
    key: Any = {"Term": {"S": UNWANTED}, "Rank": {"S": rules_id}}
    item = client.get_item(TableName=labels_table, Key=key, ConsistentRead=True).get("Item")
    where = f"the rules for unwanted photos {rules_id} in the table {labels_table}"
    if item is None:
        raise NeedsOperator(f"{where} are missing", APPLY_AGAIN)
    try:
        return Rules.parse(item.get("Rules", {}).get("S", ""))
    except ValueError as error:
        raise NeedsOperator(f"{where} cannot be read: {error}", APPLY_AGAIN) from error


def _folded(label: ModerationLabel) -> Iterable[str]:
    return map(fold, (label.name, *label.parents))


def _boolean(value: object) -> bool:
    """Anything else is refused: a dry run that is taken for none would delete photos."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
