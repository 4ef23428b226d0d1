"""How many photos have each term.

A row that every photo of a term writes to would be in conflict all the time. Instead, each transaction that changes the
rows of a photo also writes a delta (image_labels.tables.store), and the schedule adds the deltas to the counts. The sum
of both is exact at any time.

Of many deltas, few fit into one transaction, because most terms are in few photos. Merging them first costs less than
adding each: a thousand photos then change the count of a term once.

In a table that is older than the counts, photos that were labelled before are not counted until their items are written
again. The state of the counts says so:

    Folds      N    how many times deltas were added or merged. A reader that finds it unchanged has counted none twice
    Since      S    the time from which on photos are counted; absent if all are
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from image_labels import logs
from image_labels.aws_errors import code_of
from image_labels.failures import TryAgain, failure_of
from image_labels.model import iso_time
from image_labels.tables.items import whole
from image_labels.tables.rows import COUNTS, DELTAS, MAX_DELTA_TERMS, STATE, VOCABULARY, delta_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

# Actions of a transaction: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_ACTIONS = 100
# Deltas per request, which are merged.
PAGE = 2000
# Deltas are merged as long as fewer than this share is left.
WORTH_MERGING = 0.7
# Terms of an old table that are looked at.
SAMPLE = 100
_NAMES = {"#term": "Term"}


@dataclass(frozen=True)
class Delta:
    """A row of DELTAS: its rank and the changes by term."""

    rank: str
    changes: Mapping[str, int]


def delta_of(row: Mapping[str, Any]) -> Delta:
    """A row as a delta. Changes that another program wrote and that are no whole numbers are left out."""
    changes = {term: whole(value) for term, value in row.get("Deltas", {}).get("M", {}).items()}
    return Delta(row["Rank"]["S"], {term: change for term, change in changes.items() if change is not None and term})


class Counts:
    """Adds deltas to the counts. Two at once do no harm: each delta is added by the transaction that deletes it.

    `now` gives seconds since the epoch, and `clock` seconds that never go backwards.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        labels_table: str,
        *,
        max_actions: int = MAX_ACTIONS,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = labels_table
        self._max_actions = max_actions
        self._now = now
        self._clock = clock
        # So that a delta, and the state, can be added in one transaction.
        self._terms_per_delta = min(MAX_DELTA_TERMS, max_actions - 2)
        self._has_state = False

    def fold(self, until: float) -> Mapping[str, int]:
        """Add as many deltas as there are, none after `until` (of `clock`).

        Returns by how many rows they became fewer. If DynamoDB throttles, or another run is at work, the next run adds
        the others. Raises a Failure if a retry does not help.
        """
        added = 0
        try:
            self._begin()
            for page in self._pages():
                left = self._merged(page, until)
                while left and self._clock() < until:
                    some, left = self._fitting(left)
                    self._add(some)
                added += len(page) - len(left)
                if left:
                    break
        except (ClientError, BotoCoreError) as error:
            if not _is_conflict(error):
                self._fail(error)
        return {"counted": added}

    def _begin(self) -> None:
        """Create the state. Only the first run ever does it, before any delta is added."""
        if self._has_state:
            return
        if not self._client.get_item(TableName=self._table, Key=_state_key(), ConsistentRead=True).get("Item"):
            since = {} if self._are_all_counted() else {"Since": {"S": iso_time(self._now())}}
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_state_key() | {"Folds": {"N": "0"}} | since,
                    ConditionExpression="attribute_not_exists(#term)",
                    ExpressionAttributeNames=_NAMES,
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":  # another run has created it
                    raise
        self._has_state = True

    def _are_all_counted(self) -> bool:
        """Whether the terms of the vocabulary that have photos have deltas, too. In an older table, some do not."""
        terms = [row["Rank"]["S"] for row in self._query(VOCABULARY, Limit=SAMPLE)["Items"]]
        return not any(
            self._query(term, Limit=1)["Items"] and not any(term in delta.changes for delta in next(self._pages()))
            for term in terms
        )

    def _pages(self) -> Iterator[list[Delta]]:
        more: dict[str, Any] = {}
        while True:
            answer = self._query(DELTAS, Limit=PAGE, **more)
            yield [delta_of(row) for row in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _query(self, term: str, **more: Any) -> dict[str, Any]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#term = :term",
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={":term": {"S": term}},
            ConsistentRead=True,
            **more,
        )
        return dict(answer)

    def _merged(self, deltas: list[Delta], until: float) -> list[Delta]:
        """Fewer deltas with the same sum, or the same ones if one transaction can add them all."""
        while self._fitting(deltas)[1]:
            fewer: list[Delta] = []
            left = deltas
            while left and self._clock() < until:
                some, rows, left = self._mergeable(left)
                fewer += self._merge(some) if rows < len(some) else some
            fewer += left
            if len(fewer) > len(deltas) * WORTH_MERGING:
                return fewer
            deltas = fewer
        return deltas

    def _mergeable(self, deltas: list[Delta]) -> tuple[list[Delta], int, list[Delta]]:
        """The first deltas, as many as one transaction can replace, by how many, and the others."""
        terms: set[str] = set()
        rows = 0
        for number, delta in enumerate(deltas):
            terms |= delta.changes.keys()
            before, rows = rows, -(-len(terms) // self._terms_per_delta)
            if number and number + 1 + rows + 1 > self._max_actions:
                return deltas[:number], before, deltas[number:]
        return deltas, rows, []

    def _merge(self, deltas: list[Delta]) -> list[Delta]:
        """Replace deltas by ones with the same sum. Each of these has other terms than the others."""
        changes = sorted((term, change) for term, change in _sum(deltas).items() if change)
        rows = []
        for start in range(0, len(changes), self._terms_per_delta):
            some = dict(changes[start : start + self._terms_per_delta])
            rows.append(delta_row(" ".join([str(start), *(delta.rank for delta in deltas)]), some))
        puts = [{"Put": {"TableName": self._table, "Item": row}} for row in rows]
        self._transact([*puts, *(self._delete(delta.rank) for delta in deltas)])
        return [delta_of(row) for row in rows]

    def _fitting(self, deltas: list[Delta]) -> tuple[list[Delta], list[Delta]]:
        """Those that fit into one transaction, at least one, and the others."""
        some: list[Delta] = []
        left: list[Delta] = []
        terms: set[str] = set()
        room = self._max_actions - 1  # one action changes the state
        for delta in deltas:
            together = terms | delta.changes.keys()
            if not some or len(some) + 1 + len(together) <= room:
                some.append(delta)
                terms = together
            else:
                left.append(delta)
        return some, left

    def _add(self, deltas: list[Delta]) -> None:
        actions = [self._update(term, change) for term, change in sorted(_sum(deltas).items()) if change]
        actions += [self._delete(delta.rank) for delta in deltas]
        self._transact(actions)

    def _transact(self, actions: list[Any]) -> None:
        update: Any = {
            "TableName": self._table,
            "Key": _state_key(),
            "UpdateExpression": "ADD Folds :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        self._client.transact_write_items(TransactItems=[*actions, {"Update": update}])

    def _update(self, term: str, change: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"Term": {"S": COUNTS}, "Rank": {"S": term}},
                "UpdateExpression": "ADD Photos :change",
                "ExpressionAttributeValues": {":change": {"N": str(change)}},
            }
        }

    def _delete(self, rank: str) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._table,
                "Key": {"Term": {"S": DELTAS}, "Rank": {"S": rank}},
                "ConditionExpression": "attribute_exists(#term)",
                "ExpressionAttributeNames": _NAMES,
            }
        }

    def _fail(self, error: ClientError | BotoCoreError) -> None:
        failure = failure_of(error)
        serious = not isinstance(failure, TryAgain)
        fields = {
            "cause": failure.cause,
            "consequence": "the counts of labels are behind",
            "next_step": failure.next_step if serious else "nothing: it is tried again within minutes",
        }
        logs.write(logger, logging.ERROR if serious else logging.WARNING, "photos not counted", fields)
        if serious:
            raise failure from error


def _sum(deltas: Iterable[Delta]) -> Counter[str]:
    changes: Counter[str] = Counter()
    for delta in deltas:
        changes.update(delta.changes)
    return changes


def _state_key() -> dict[str, Any]:
    return {"Term": {"S": COUNTS}, "Rank": {"S": STATE}}


def _is_conflict(error: ClientError | BotoCoreError) -> bool:
    """Whether another run has added one of the deltas, or is adding it."""
    if not isinstance(error, ClientError) or code_of(error) != "TransactionCanceledException":
        return False
    response: Mapping[str, Any] = error.response
    reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})
