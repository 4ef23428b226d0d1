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
    Uploaded           S     its LastModified; absent in items of earlier versions of this module. ISO 8601, UTC
    LabelModelVersion  S     Rekognition's
    Settings           S     the fingerprint of the settings it was labelled under
    LabelledAt         S     when Rekognition answered; ISO 8601, UTC
    Text               M     the answer of DetectText (image_labels.tables.findings), if it is called; else absent
    Faces              M     the answer of DetectFaces or IndexFaces (image_labels.tables.findings); else absent
    Moderation         M     that of DetectModerationLabels, likewise
    UnclaimedFaces     M     FaceIds, Calls (L of S), Until (N): what the face collection has for no photo; else absent
    Unwanted           M     what was decided about an unwanted photo (image_labels.tables.unwanted); else absent
    Rows               N     how many rows it has in the other table; absent while some may be missing
    Emptying           BOOL  true while they are being deleted, in parts; else absent
    Revision           N     the optimistic lock

labels: one row per term and photo, and reserved partitions
    Term               S     partition key: the term, folded
    Rank               S     sort key: best confidence first, then the object key
    PK                 S     the object key
    Name Kind Confidence   S S N   as Rekognition writes it; label, alias, parent, category, text or moderation; percent
    Uploaded           S     as in the item
    Terms              M     all terms of the photo -> confidence
    TermsCut           BOOL  true when there are too many for that: the photo's item has them; else absent

    The reserved partitions, by Term (image_labels.tables.rows). No label begins with "*", and a search for such a term
    is refused (image_labels.search.expression), so these partitions are never read as photos of a term.
    "*"                      the vocabulary, a row per term ever seen. Rank: the term. Name, Kind
    "*uploaded <YYYY-MM>"    a row per photo of the month. Rank: newest first, then the object key. PK, Uploaded, Terms
    "*uploaded"              a row per month that has such rows. Rank: the month
    "*delta"                 changes that are not in the counts yet. Rank: unique. Deltas (M): term -> 1 or -1
    "*count"                 a row per term. Rank: the term. Photos (N): how many photos have it, without the deltas;
                             and a row that says how far the counts are (image_labels.tables.counts). Rank: "*"
    "*face <FaceId>"         a row per face in the face collection. Rank: "face". PK: of its photo
    "*usage"                 a row per day with a daily limit (image_labels.daily_limit). Rank: the day, an ISO date
                             (UTC). Images (N): how many images Rekognition was called for
    "*policy"                a row per label policy in use (image_labels.policy), written by Terraform. Rank: its id.
                             Policy (S): its rules as JSON
    "*unwanted"              the rules for unwanted photos (image_labels.unwanted.rules), likewise. Rules (S): as JSON
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_labels.aws_errors import code_of, message_of
from image_labels.backoff import waits
from image_labels.failures import TryAgain
from image_labels.model import Labels, Rejected, iso_time
from image_labels.tables import items
from image_labels.tables.item_size import item_size
from image_labels.tables.items import ITEM_SCALARS, Item, Rows, item_of
from image_labels.tables.rows import (
    Value,
    delta_rows,
    month_of,
    month_partition,
    month_row,
    reserved_rows,
    row_keys,
    rows_of,
    vocabulary_row,
)
from image_labels.tables.terms import listed, terms_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.model import Photo
    from image_labels.tables.rows import RowKey
    from image_labels.tables.terms import Term
    from image_labels.unwanted.decision import Unwanted

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

    The transaction that completes a photo's rows, or after which they are no longer complete, also changes the counts
    of its terms, by a row that is added to them later (image_labels.tables.counts). The counts themselves would be rows
    that all photos write to. Each of these transactions changes the Revision, so a photo is counted once.

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
        self._known: set[str] = set()  # terms and months that are in their reserved partitions

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

    def put(
        self,
        photo: Photo,
        content: Labels | Rejected,
        settings: str,
        replacing: Item | None,
        unclaimed: Unclaimed | None = None,
    ) -> None:
        """Store the labels or the rejection in place of the item that was read, or as a new item.

        Raises Conflict if the item is no longer as it was read, and TryAgain if DynamoDB throttles.
        """
        item = items.photo_attributes(photo)
        revision = self._new_revision()
        now = iso_time(self._now())
        item |= {
            "Settings": {"S": settings},
            "LabelledAt": {"S": content.at or now},
            "Revision": {"N": str(revision)},
        }
        if unclaimed:
            item["UnclaimedFaces"] = items.unclaimed_attribute(unclaimed)
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
        stored = items.findings_of(item)
        terms = terms_of(content.labels, stored) if isinstance(content, Labels) else ()
        dated = photo.modified if isinstance(content, Labels) else ""  # a rejected photo has no rows
        self._learn(terms, dated)
        rows = rows_of(photo.key, terms, dated) | reserved_rows(photo.key, stored)
        old = [self._delete_row(key) for key in _row_keys(replacing) if key not in rows]
        new = [self._put_row(row) for row in rows.values()]
        counted = self._count(photo.key, revision, replacing, listed(terms) if dated else ())
        if 1 + len(old) + len(new) + len(counted) <= self._max_actions:
            self._transact([self._put_item(item | _rows(len(rows)), replacing), *old, *new, *counted])
            return
        if replacing is not None:
            replacing = self._empty(replacing)
            self._in_parts(old, replacing)
        self._transact([self._put_item(item, replacing)])
        self._fill(item_of(photo.key, item), rows)

    def delete(self, item: Item) -> None:
        """Delete the item that was read, and its rows. Raises as `put` does."""
        rows = [self._delete_row(key) for key in _row_keys(item)]
        counted = self._count(item.key, self._new_revision(), item, ())
        if 1 + len(rows) + len(counted) > self._max_actions:
            item = self._empty(item)
            self._in_parts(rows, item)
            rows = counted = []
        delete = {"TableName": self._images, "Key": {"PK": {"S": item.key}}} | _unchanged(item)
        self._transact([{"Delete": delete}, *rows, *counted])

    def mark_unclaimed(self, item: Item, unclaimed: Unclaimed) -> Item:
        """Store what is unclaimed in the face collection with the item that was read, and return the item as it is now.

        Raises as `put` does.
        """
        if unclaimed:
            values = {":unclaimed": items.unclaimed_attribute(unclaimed)}
            marked = self._mark(item, item.rows, "SET Revision = :new, UnclaimedFaces = :unclaimed", values)
        else:
            marked = self._mark(item, item.rows, "SET Revision = :new REMOVE UnclaimedFaces", {})
        return marked._replace(unclaimed=unclaimed or None)

    def record(self, item: Item, decision: Unwanted) -> None:
        """Store what was done with the unwanted photo of an item that was read. Raises as `put` does."""
        self._transact([self._update_unwanted(item, decision, self._new_revision(), "SET", {})])

    def remove(self, item: Item, decision: Unwanted) -> None:
        """Store that an unwanted photo is gone: the item stays without labels, faces and rows. Raises as `put` does."""
        rows = [self._delete_row(key) for key in _row_keys(item)]
        revision = self._new_revision()
        counted = self._count(item.key, revision, item, ())
        if 1 + len(rows) + len(counted) > self._max_actions:
            item = self._empty(item)
            self._in_parts(rows, item)
            rows = counted = []
        # All labels stay, where no search finds them.
        others = "OtherDetections = list_append(Detections, if_not_exists(OtherDetections, :none))"
        gone = "REMOVE Labels, Detections, Emptying, Faces, UnclaimedFaces"
        expression = f"{gone} SET #status = :removed, #rows = :rows, {others},"
        values: dict[str, Value] = {":removed": {"S": "REMOVED"}, ":rows": {"N": "0"}, ":none": {"L": []}}
        self._transact([self._update_unwanted(item, decision, revision, expression, values), *rows, *counted])

    def index(self, item: Item) -> None:
        """Write the rows of an item that was read and whose rows are incomplete. Raises as `put` does."""
        self._learn(item.terms, item.dated)
        if item.rows is Rows.EMPTYING:
            item = self._mark(item, Rows.FILLING, "SET Revision = :new REMOVE #rows, Emptying", {})
        rows = rows_of(item.key, item.terms, item.dated) | reserved_rows(item.key, item.findings)
        self._fill(item, rows)

    # -- writes that do not fit into one transaction

    def _empty(self, item: Item) -> Item:
        """Mark the item as one whose rows are being deleted."""
        if item.rows is Rows.EMPTYING:
            return item
        expression = "SET Revision = :new, Emptying = :yes REMOVE #rows"
        return self._mark(item, Rows.EMPTYING, expression, {":yes": {"BOOL": True}})

    def _update_unwanted(
        self, item: Item, decision: Unwanted, revision: int, expression: str, values: dict[str, Value]
    ) -> dict[str, Any]:
        condition = _unchanged(item)
        update = {
            "TableName": self._images,
            "Key": {"PK": {"S": item.key}},
            "UpdateExpression": f"{expression} Unwanted = :unwanted, Revision = :new",
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeValues": condition["ExpressionAttributeValues"]
            | {":new": {"N": str(revision)}}
            | {":unwanted": _decided(decision, item.version_id or item.etag)}
            | values,
        }
        names = {"#status": "Status", "#rows": "Rows"} if values else {}
        return {"Update": update | ({"ExpressionAttributeNames": names} if names else {})}

    def _mark(self, item: Item, rows: Rows, expression: str, values: dict[str, Value]) -> Item:
        """Change the state of the item's rows, and count the photo accordingly."""
        revision = self._new_revision()
        marked = item._replace(revision=revision, rows=rows, foreign=None)
        condition = _unchanged(item)
        names = {"#rows": "Rows"} if "#rows" in expression else {}
        names |= condition.get("ExpressionAttributeNames", {})
        update = {
            "TableName": self._images,
            "Key": {"PK": {"S": item.key}},
            "UpdateExpression": expression,
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeValues": values
            | {":new": {"N": str(revision)}}
            | condition.get("ExpressionAttributeValues", {}),
        }
        if names:  # DynamoDB refuses an empty map, and names that are not used
            update["ExpressionAttributeNames"] = names
        self._transact([{"Update": update}, *self._count(item.key, revision, item, marked.counted)])
        return marked

    def _fill(self, item: Item, rows: Mapping[RowKey, dict[str, Value]]) -> None:
        """Write the rows of an item that is being filled, then mark them as complete."""
        self._in_parts([self._put_row(row) for row in rows.values()], item)
        self._mark(item, Rows.COMPLETE, "SET Revision = :new, #rows = :rows", {":rows": _rows(len(rows))["Rows"]})

    def _in_parts(self, actions: list[dict[str, Any]], item: Item) -> None:
        check = {"ConditionCheck": {"TableName": self._images, "Key": {"PK": {"S": item.key}}} | _unchanged(item)}
        size = self._max_actions - 1
        for start in range(0, len(actions), size):
            self._transact([check, *actions[start : start + size]])

    # -- single actions

    def _put_item(self, item: dict[str, Value], replacing: Item | None) -> dict[str, Any]:
        return {"Put": {"TableName": self._images, "Item": item} | _unchanged(replacing)}

    def _count(self, key: str, revision: int, old: Item | None, terms: Iterable[str]) -> list[dict[str, Any]]:
        """The actions that count the photo under these terms, and no longer under those of the item that was read."""
        before = () if old is None else old.counted
        return [self._put_row(row) for row in delta_rows(key, revision, before, terms)]

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

    def _learn(self, terms: Iterable[Term], dated: str) -> None:
        """Put terms and the month, if this environment has not seen them yet, into their reserved partitions, before
        there are rows of them.
        """
        names = listed(terms)
        found = {term.text: vocabulary_row(term) for term in terms if term.text in names}
        if dated:
            month = month_of(dated)
            found[month_partition(month)] = month_row(month)
        new = {text: row for text, row in found.items() if text not in self._known}
        rows = list(new.values())
        for start in range(0, len(rows), MAX_BATCH):
            self._write_batch(rows[start : start + MAX_BATCH])
        self._known.update(new)

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


def _row_keys(item: Item | None) -> list[RowKey]:
    if item is None:
        return []
    reserved = list(reserved_rows(item.key, item.findings))[: items.MAX_FOREIGN_TERMS]
    return row_keys(item.key, item.terms, item.dated) + reserved


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
