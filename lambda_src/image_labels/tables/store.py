"""Reads and writes of the two tables, which always change together. Their attributes are in image_labels.tables.items.

images: one item per photo
    PK                 S     the object key
    Labels             SS    label names; absent when there are none
    Detections         L/M   Name, Confidence (N, percent), Parents, Aliases, Categories, Instances (boxes as ratios)
    OtherDetections    L/M   the labels of Rekognition's answer that the settings leave out; absent when there are none
    Asked              S     the criteria of the request to Rekognition, if they are not those in Settings; else absent
    Answered           N     how many labels Rekognition's answer has, if there are OtherDetections; else absent
    DetectionsCut      BOOL  true when boxes were left out to fit the item into DynamoDB's 400 KB; else absent
    Status             S     LABELLED, REJECTED, or REMOVED (image_labels.tables.unwanted)
    Reason             S     why it was rejected
    Bucket ETag VersionId Size   S S S N   what was labelled
    LabelModelVersion  S     Rekognition's
    Settings           S     the fingerprint of the settings it was labelled under
    LabelledAt         S     when Rekognition answered; ISO 8601, UTC
    Text               M     the answer of DetectText (image_labels.tables.findings), if it is called; else absent
    Moderation         M     that of DetectModerationLabels, likewise
    Unwanted           M     what was decided about an unwanted photo (image_labels.tables.unwanted); else absent
    Rows               N     how many rows it has in the other table; absent while some may be missing
    Emptying           BOOL  true while they are being deleted, in parts; else absent
    Revision           N     the optimistic lock

labels: one row per term and photo, and the vocabulary
    Term               S     partition key: the term, folded; "*" for the vocabulary, a row per term ever seen but text
    Rank               S     sort key: best confidence first, then the object key; in the vocabulary, the term
    PK                 S     the object key
    Name Kind Confidence   S S N   as Rekognition writes it; label, alias, parent, category, text or moderation; percent
    Terms              M     all terms of the photo -> confidence
    TermsCut           BOOL  true when there are too many for that: the photo's item has them; else absent

    Term "*usage": one row per day with a daily limit (image_labels.daily_limit); Rank is the day, an ISO date (UTC),
    and Images (N) how many images Rekognition was called for

    Term "*policy": one row per label policy in use (image_labels.policy); Rank is its id, and Policy (S) its rules as
    JSON. Terraform writes it.

    Term "*unwanted": the rules for unwanted photos (image_labels.unwanted.rules), likewise; Rules (S) has them as JSON

No label begins with "*", and a search for such a term is refused (image_labels.search.expression), so these four
partitions are never read as photos of a term.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_labels.aws_errors import code_of, message_of
from image_labels.backoff import waits
from image_labels.failures import TryAgain
from image_labels.model import Labels, Rejected, iso_time
from image_labels.tables import items
from image_labels.tables.item_size import item_size
from image_labels.tables.items import ITEM_SCALARS, Item, RowKey, Rows, Value, item_of, rows_of
from image_labels.tables.terms import Kind, Term, terms_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.model import Photo
    from image_labels.unwanted.decision import Unwanted

VOCABULARY = "*"
USAGE = "*usage"
POLICIES = "*policy"
UNWANTED = "*unwanted"

# An item has at most 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). The
# published size of numbers is approximate, hence the margin.
MAX_ITEM_BYTES = 360_000
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html. A row has at most 6 KB, so
# its limit of 4 MB is never reached.
MAX_ACTIONS = 100
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
MAX_BATCH = 25
# Reasons of a cancelled transaction.
_CONFLICT = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_THROTTLED = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


class Conflict(Exception):  # noqa: N818 - expected, and answered by reading again
    """The item has changed since it was read."""


class Store:
    """Reads and writes photos. Each write is conditional on the item being as it was read.

    A photo's item and its rows change in one transaction. If they are too many for one, the item is marked as being
    emptied or filled until the last part is written, and each part is conditional on that mark. After a crash the next
    worker writes the rest. Two workers at the same photo do no harm: both write the same parts.

    `now` gives seconds since the epoch, and `new_revision` a different number each time.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        images_table: str,
        labels_table: str,
        *,
        now: Callable[[], float] = time.time,
        new_revision: Callable[[], int] = time.time_ns,
        max_actions: int = MAX_ACTIONS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._images = images_table
        self._labels = labels_table
        self._now = now
        # Not a count from 1: an item that is deleted and created again must differ from the one that was read before.
        self._new_revision = new_revision
        self._max_actions = max_actions
        self._sleep = sleep
        self._vocabulary: set[str] = set()

    def get(self, key: str) -> Item | None:
        """The item of this key, read consistently, or None."""
        answer = self._client.get_item(
            TableName=self._images,
            Key={"PK": {"S": key}},
            ConsistentRead=True,
            ProjectionExpression=items.ITEM_PROJECTION,
            ExpressionAttributeNames=items.ITEM_PROJECTION_NAMES,
        )
        item = answer.get("Item")
        return None if item is None else item_of(key, item)

    def put(self, photo: Photo, content: Labels | Rejected, settings: str, replacing: Item | None) -> None:
        """Store the labels or the rejection in place of the item that was read, or as a new item.

        Raises Conflict if the item is no longer as it was read, and TryAgain if DynamoDB throttles.
        """
        item = items.photo_attributes(photo)
        now = iso_time(self._now())
        item |= {
            "Settings": {"S": settings},
            "LabelledAt": {"S": content.at or now},
            "Revision": {"N": str(self._new_revision())},
        }
        if isinstance(content, Rejected):
            item |= {"Status": {"S": "REJECTED"}, "Reason": {"S": content.reason}}
        else:
            item |= {"Status": {"S": "LABELLED"}, "LabelModelVersion": {"S": content.model_version}}
            if names := sorted({label.name for label in content.labels}):
                item["Labels"] = {"SS": names}
            if content.asked not in ("", settings):
                item["Asked"] = {"S": content.asked}
            if content.others:
                unchanged = sum(not label.changed for label in content.labels)
                item["Answered"] = {"N": str(unchanged + len(content.others))}
            if content.findings:
                from image_labels.tables.findings import attributes_of  # not at the start: the import lengthens it

                item |= attributes_of(content.findings, now)
            if content.unwanted is not None:
                item["Unwanted"] = _decided(content.unwanted, photo.version_id or photo.etag)
            item |= items.detections(content, room=MAX_ITEM_BYTES - item_size(item))
        # Of the findings as they are stored, because a part may have been cut.
        terms = terms_of(content.labels, items.findings_of(item)) if isinstance(content, Labels) else ()
        self._learn(terms)
        rows = rows_of(photo.key, terms)
        old = [self._delete_row(key) for key in _row_keys(replacing) if key not in rows]
        new = [self._put_row(row) for row in rows.values()]
        if 1 + len(old) + len(new) <= self._max_actions:
            self._transact([self._put_item(item | _rows(len(rows)), replacing), *old, *new])
            return
        if replacing is not None:
            replacing = self._empty(replacing)
            self._in_parts(old, replacing)
        self._transact([self._put_item(item, replacing)])
        self._fill(item_of(photo.key, item), rows)

    def delete(self, item: Item) -> None:
        """Delete the item that was read, and its rows. Raises as `put` does."""
        rows = [self._delete_row(key) for key in _row_keys(item)]
        if 1 + len(rows) > self._max_actions:
            item = self._empty(item)
            self._in_parts(rows, item)
            rows = []
        delete = {"TableName": self._images, "Key": {"PK": {"S": item.key}}} | _unchanged(item)
        self._transact([{"Delete": delete}, *rows])

    def record(self, item: Item, decision: Unwanted) -> None:
        """Store what was done with the unwanted photo of an item that was read. Raises as `put` does."""
        self._transact([self._update_unwanted(item, decision, "SET", {})])

    def remove(self, item: Item, decision: Unwanted) -> None:
        """Store that an unwanted photo is gone: the item stays without labels and rows. Raises as `put` does."""
        rows = [self._delete_row(key) for key in _row_keys(item)]
        if 1 + len(rows) > self._max_actions:
            item = self._empty(item)
            self._in_parts(rows, item)
            rows = []
        # All labels stay, where no search finds them.
        others = "OtherDetections = list_append(Detections, if_not_exists(OtherDetections, :none))"
        expression = f"REMOVE Labels, Detections, Emptying SET #status = :removed, #rows = :rows, {others},"
        values: dict[str, Value] = {":removed": {"S": "REMOVED"}, ":rows": {"N": "0"}, ":none": {"L": []}}
        self._transact([self._update_unwanted(item, decision, expression, values), *rows])

    def index(self, item: Item) -> None:
        """Write the rows of an item that was read and whose rows are incomplete. Raises as `put` does."""
        self._learn(item.terms)
        if item.rows is Rows.EMPTYING:
            item = self._mark(item, Rows.FILLING, "SET Revision = :new REMOVE #rows, Emptying", {})
        self._fill(item, rows_of(item.key, item.terms))

    # -- writes that do not fit into one transaction

    def _empty(self, item: Item) -> Item:
        """Mark the item as one whose rows are being deleted."""
        if item.rows is Rows.EMPTYING:
            return item
        expression = "SET Revision = :new, Emptying = :yes REMOVE #rows"
        return self._mark(item, Rows.EMPTYING, expression, {":yes": {"BOOL": True}})

    def _update_unwanted(
        self, item: Item, decision: Unwanted, expression: str, values: dict[str, Value]
    ) -> dict[str, Any]:
        condition = _unchanged(item)
        update = {
            "TableName": self._images,
            "Key": {"PK": {"S": item.key}},
            "UpdateExpression": f"{expression} Unwanted = :unwanted, Revision = :new",
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeValues": condition["ExpressionAttributeValues"]
            | {":new": {"N": str(self._new_revision())}}
            | {":unwanted": _decided(decision, item.version_id or item.etag)}
            | values,
        }
        names = {"#status": "Status", "#rows": "Rows"} if values else {}
        return {"Update": update | ({"ExpressionAttributeNames": names} if names else {})}

    def _mark(self, item: Item, rows: Rows, expression: str, values: dict[str, Value]) -> Item:
        revision = self._new_revision()
        condition = _unchanged(item)
        update = {
            "TableName": self._images,
            "Key": {"PK": {"S": item.key}},
            "UpdateExpression": expression,
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeNames": {"#rows": "Rows"} | condition.get("ExpressionAttributeNames", {}),
            "ExpressionAttributeValues": values
            | {":new": {"N": str(revision)}}
            | condition.get("ExpressionAttributeValues", {}),
        }
        self._transact([{"Update": update}])
        return replace(item, revision=revision, rows=rows, foreign=None)

    def _fill(self, item: Item, rows: Mapping[RowKey, dict[str, Value]]) -> None:
        """Write the rows of an item that is being filled, then mark them as complete."""
        self._in_parts([self._put_row(row) for row in rows.values()], item)
        complete = {
            "TableName": self._images,
            "Key": {"PK": {"S": item.key}},
            "UpdateExpression": "SET #rows = :rows",
            "ExpressionAttributeNames": {"#rows": "Rows"},
        }
        condition = _unchanged(item)
        values = condition.get("ExpressionAttributeValues", {}) | {":rows": _rows(len(rows))["Rows"]}
        self._transact([{"Update": complete | condition | {"ExpressionAttributeValues": values}}])

    def _in_parts(self, actions: list[dict[str, Any]], item: Item) -> None:
        check = {"ConditionCheck": {"TableName": self._images, "Key": {"PK": {"S": item.key}}} | _unchanged(item)}
        size = self._max_actions - 1
        for start in range(0, len(actions), size):
            self._transact([check, *actions[start : start + size]])

    # -- single actions

    def _put_item(self, item: dict[str, Value], replacing: Item | None) -> dict[str, Any]:
        return {"Put": {"TableName": self._images, "Item": item} | _unchanged(replacing)}

    def _put_row(self, row: dict[str, Value]) -> dict[str, Any]:
        return {"Put": {"TableName": self._labels, "Item": row}}

    def _delete_row(self, key: RowKey) -> dict[str, Any]:
        term, rank = key
        return {"Delete": {"TableName": self._labels, "Key": {"Term": {"S": term}, "Rank": {"S": rank}}}}

    def _transact(self, actions: list[Any]) -> None:
        for pause in (*waits(), None):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                response: Mapping[str, Any] = error.response
                reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
                if code_of(error) == "TransactionInProgressException" or reasons & _CONFLICT:
                    raise Conflict from error
                if not reasons & _THROTTLED:
                    raise
                if pause is None:
                    raise TryAgain(f"TransactWriteItems: {message_of(error)}", throttled=True) from error
                self._sleep(pause)
            else:
                return

    def _learn(self, terms: Iterable[Term]) -> None:
        """Put terms that this environment has not seen yet into the vocabulary, before there are rows of them.

        Lines of text are not put there. Most are in one photo only, and the vocabulary is one partition that searches
        read as a whole, and from which nothing is deleted.
        """
        new = [term for term in terms if term.kind is not Kind.TEXT and term.text not in self._vocabulary]
        for start in range(0, len(new), MAX_BATCH):
            self._write_batch([_vocabulary_row(term) for term in new[start : start + MAX_BATCH]])
        self._vocabulary.update(term.text for term in new)

    def _write_batch(self, rows: list[dict[str, Value]]) -> None:
        requests: Any = {self._labels: [{"PutRequest": {"Item": row}} for row in rows]}
        for pause in (*waits(), None):
            requests = self._client.batch_write_item(RequestItems=requests).get("UnprocessedItems")
            if not requests:
                return
            if pause is not None:
                self._sleep(pause)
        raise TryAgain("BatchWriteItem: the vocabulary takes no more rows at the moment", throttled=True)


def _decided(decision: Unwanted, of: str) -> Value:
    from image_labels.tables.unwanted import attribute_of  # not at the start: the import lengthens it

    return attribute_of(decision, of)


def _vocabulary_row(term: Term) -> dict[str, Value]:
    return {
        "Term": {"S": VOCABULARY},
        "Rank": {"S": term.text},
        "Name": {"S": term.name},
        "Kind": {"S": term.kind.value},
    }


def _row_keys(item: Item | None) -> list[RowKey]:
    return [] if item is None else [items.row_key(item.key, term) for term in item.terms]


def _rows(number: int) -> dict[str, Value]:
    return {"Rows": {"N": str(number)}}


def _unchanged(read: Item | None) -> dict[str, Any]:
    """The condition that an item is still as it was read.

    Each write of this module changes the Revision. Another program may keep it, or write one that is no number: such an
    item is compared attribute by attribute.
    """
    if read is None:
        return {"ConditionExpression": "attribute_not_exists(PK)"}
    if read.foreign is None:
        return {
            "ConditionExpression": "Revision = :read",
            "ExpressionAttributeValues": {":read": {"N": str(read.revision)}},
        }
    names = {f"#was{n}": name for n, name in enumerate(ITEM_SCALARS)}
    values = {f":was{n}": read.foreign[name] for n, name in enumerate(ITEM_SCALARS) if name in read.foreign}
    clauses = [
        f"{name} = :{name[1:]}" if f":{name[1:]}" in values else f"attribute_not_exists({name})" for name in names
    ]
    return {
        "ConditionExpression": " AND ".join(["attribute_exists(PK)", *clauses]),
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": values} if values else {}),  # DynamoDB refuses an empty map
    }
