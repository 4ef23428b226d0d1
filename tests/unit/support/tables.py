"""The part of DynamoDB that the function uses, in memory: each call takes effect in one moment, or not at all.

Conditions and updates are the ones of image_labels.tables and daily_limit; any other is an error of the test.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, cast

from botocore.exceptions import ClientError

Attributes = dict[str, Any]
KEYS = {"images": ("PK",), "labels": ("Term", "Rank")}
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: of partition and sort key
MAX_KEY_BYTES = (2048, 1024)


class Tables:
    """A fake of a DynamoDB client with the tables `images` and `labels`. Safe to use from many threads.

    `network` is called around every call, `on_write` after a transaction with the images table. `conditional` false
    ignores conditions, for tests of tests.
    """

    def __init__(
        self,
        network: Callable[[Callable[[], Any]], Any] = lambda call: call(),
        *,
        conditional: bool = True,
        on_write: Callable[[dict[str, Attributes]], None] = lambda _images: None,
    ) -> None:
        self.items: dict[str, dict[tuple[str, ...], Attributes]] = defaultdict(dict)
        self._around = network
        self._lock = threading.Lock()
        self._conditional = conditional
        self._on_write = on_write

    def _network(self, effect: Callable[[], Any]) -> Any:
        def in_one_moment() -> Any:
            with self._lock:
                return effect()

        return self._around(in_one_moment)

    def images(self) -> dict[str, Attributes]:
        """The items of the images table by key."""
        return {key: item for (key,), item in self.items["images"].items()}

    def rows(self) -> dict[tuple[str, str], Attributes]:
        """The rows of photos in the labels table, by term."""
        return {(term, rank): row for (term, rank), row in self.items["labels"].items() if not term.startswith("*")}

    def dated_rows(self) -> dict[tuple[str, str], Attributes]:
        """The rows of photos in the labels table, by month."""
        labels = self.items["labels"]
        return {(term, rank): row for (term, rank), row in labels.items() if term.startswith("*uploaded ")}

    def vocabulary(self) -> set[str]:
        return {rank for term, rank in self.items["labels"] if term == "*"}

    def months(self) -> set[str]:
        return {rank for term, rank in self.items["labels"] if term == "*uploaded"}

    def counts(self) -> dict[str, int]:
        """How many photos each term has: what is counted, and the deltas. Terms without photos are left out."""
        counts: Counter[str] = Counter()
        for (term, rank), row in self.items["labels"].items():
            if term == "*count" and rank != "*":
                counts[rank] += int(row["Photos"]["N"])
            elif term == "*delta":
                counts.update({changed: int(change["N"]) for changed, change in row["Deltas"]["M"].items()})
        return {term: count for term, count in counts.items() if count}

    def deltas(self) -> int:
        """The number of deltas that are not in the counts yet."""
        return sum(term == "*delta" for term, _ in self.items["labels"])

    def usage(self) -> dict[str, int]:
        """The number of images counted on each day."""
        return {day: int(row["Images"]["N"]) for (term, day), row in self.items["labels"].items() if term == "*usage"}

    # -- the client's methods

    def get_item(self, *, TableName: str, Key: Attributes, ConsistentRead: bool, **_: Any) -> Attributes:  # noqa: N803
        assert ConsistentRead
        found = self._network(lambda: _copy(self.items[TableName].get(_key(TableName, Key))))
        return {"Item": found} if found is not None else {}

    def put_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Item: Attributes,  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        **_: Any,
    ) -> Attributes:
        assert ConditionExpression == "attribute_not_exists(#term)"

        def put() -> None:
            place = _key(TableName, Item)
            if self._conditional and place in self.items[TableName]:
                response = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
                raise ClientError(cast("Any", response), "PutItem")
            self.items[TableName][place] = _copy(Item)

        self._network(put)
        return {}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: Attributes,  # noqa: N803
        ExpressionAttributeValues: Attributes,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
        Limit: int,  # noqa: N803
        ExclusiveStartKey: Attributes | None = None,  # noqa: N803
    ) -> Attributes:
        """The rows of one partition."""
        assert (KeyConditionExpression, ExpressionAttributeNames) == ("#term = :term", {"#term": "Term"})
        assert ConsistentRead
        after = ExclusiveStartKey["Rank"]["S"] if ExclusiveStartKey else ""

        def read() -> Attributes:
            partition = ExpressionAttributeValues[":term"]["S"]
            ranks = sorted(rank for term, rank in self.items[TableName] if term == partition and rank > after)
            items = [_copy(self.items[TableName][partition, rank]) for rank in ranks[:Limit]]
            more = {"LastEvaluatedKey": {name: items[-1][name] for name in KEYS[TableName]}} if ranks[Limit:] else {}
            return {"Items": items, **more}

        return dict(self._network(read))

    def batch_write_item(self, *, RequestItems: dict[str, list[Attributes]]) -> Attributes:  # noqa: N803
        def write() -> None:
            for table, requests in RequestItems.items():
                assert len(requests) <= 25
                for request in requests:
                    item = request["PutRequest"]["Item"]
                    self.items[table][_key(table, item)] = item

        self._network(write)
        return {"UnprocessedItems": {}}

    def update_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Attributes,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Attributes,  # noqa: N803
    ) -> Attributes:
        def update() -> None:
            place = _key(TableName, Key)
            images = self.usage().get(place[1])
            match UpdateExpression, ConditionExpression:
                case "ADD Images :one", "attribute_not_exists(Images) OR Images < :limit":
                    holds = images is None or images < int(ExpressionAttributeValues[":limit"]["N"])
                    change = 1
                case "ADD Images :minus_one", "Images > :zero":
                    holds = images is not None and images > 0
                    change = -1
                case _:
                    raise AssertionError(f"not an update of the daily limit: {UpdateExpression}, {ConditionExpression}")
            if self._conditional and not holds:
                response = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
                raise ClientError(cast("Any", response), "UpdateItem")
            self.items[TableName][place] = {**Key, "Images": {"N": str((images or 0) + change)}}

        self._network(update)
        return {}

    def transact_write_items(self, *, TransactItems: list[Attributes]) -> Attributes:  # noqa: N803
        def write() -> None:
            assert len(TransactItems) <= 100
            actions = [(kind, action) for item in TransactItems for kind, action in item.items()]
            touched = [(a["TableName"], _key(a["TableName"], a.get("Key") or a["Item"])) for _, a in actions]
            assert len(set(touched)) == len(touched), "a transaction may not touch an item twice"
            failed = [not self._holds(action, place) for (_, action), place in zip(actions, touched, strict=True)]
            if self._conditional and any(failed):
                raise _cancelled(failed)
            for (kind, action), (table, key) in zip(actions, touched, strict=True):
                self._apply(kind, action, table, key)
            self._on_write(self.images())

        self._network(write)
        return {}

    def _holds(self, action: Attributes, place: tuple[str, tuple[str, ...]]) -> bool:
        table, key = place
        item = self.items[table].get(key)
        match action.get("ConditionExpression"):
            case None:
                return True
            case "attribute_not_exists(PK)":
                return item is None
            case "attribute_exists(#term)":
                return item is not None
            case "Revision = :read":
                return item is not None and item.get("Revision") == action["ExpressionAttributeValues"][":read"]
            case str(condition) if condition.startswith("attribute_exists(PK) AND "):
                return item is not None and all(_clause_holds(each, item, action) for each in condition.split(" AND "))
            case other:
                raise AssertionError(f"not a condition of the store: {other}")

    def _apply(self, kind: str, action: Attributes, table: str, key: tuple[str, ...]) -> None:
        items = self.items[table]
        match kind, action.get("UpdateExpression"):
            case "Put", None:
                items[key] = _copy(action["Item"])
            case "Delete", None:
                items.pop(key, None)
            case "ConditionCheck", None:
                pass
            case "Update", "SET Revision = :new, Emptying = :yes REMOVE #rows":
                item = items.setdefault(key, dict(action["Key"]))
                values = action["ExpressionAttributeValues"]
                item |= {"Revision": values[":new"], "Emptying": values[":yes"]}
                item.pop("Rows", None)
            case "Update", "SET Revision = :new REMOVE #rows, Emptying":
                item = items.setdefault(key, dict(action["Key"]))
                item["Revision"] = action["ExpressionAttributeValues"][":new"]
                item.pop("Rows", None)
                item.pop("Emptying", None)
            case "Update", "SET Revision = :new, #rows = :rows":
                values = action["ExpressionAttributeValues"]
                items.setdefault(key, dict(action["Key"])).update({"Revision": values[":new"], "Rows": values[":rows"]})
            case "Update", "ADD Photos :change":
                _add(items, action, "Photos", ":change")
            case "Update", "ADD Folds :one":
                _add(items, action, "Folds", ":one")
            case "Update", "SET Revision = :new, UnclaimedFaces = :unclaimed":
                values = action["ExpressionAttributeValues"]
                items.setdefault(key, dict(action["Key"])).update(
                    Revision=values[":new"], UnclaimedFaces=values[":unclaimed"]
                )
            case "Update", "SET Revision = :new REMOVE UnclaimedFaces":
                item = items.setdefault(key, dict(action["Key"]))
                item["Revision"] = action["ExpressionAttributeValues"][":new"]
                item.pop("UnclaimedFaces", None)
            case "Update", "SET Unwanted = :unwanted, Revision = :new":
                items.setdefault(key, dict(action["Key"])).update(_decided(action))
            case "Update", (
                "REMOVE Labels, Detections, Emptying, Faces, UnclaimedFaces SET #status = :removed, #rows = :rows, "
                "OtherDetections = list_append(Detections, if_not_exists(OtherDetections, :none)), "
                "Unwanted = :unwanted, Revision = :new"
            ):
                item = items.setdefault(key, dict(action["Key"]))
                item["OtherDetections"] = {
                    "L": [*item["Detections"]["L"], *item.get("OtherDetections", {"L": []})["L"]]
                }
                item |= _decided(action) | {"Status": {"S": "REMOVED"}, "Rows": {"N": "0"}}
                for name in ("Labels", "Detections", "Emptying", "Faces", "UnclaimedFaces"):
                    item.pop(name, None)
            case _:
                raise AssertionError(f"not an action of the store: {kind} {action}")


def _add(items: dict[tuple[str, ...], Attributes], action: Attributes, name: str, change: str) -> None:
    item = items.setdefault(_key("labels", action["Key"]), dict(action["Key"]))
    number = int(item.get(name, {"N": "0"})["N"]) + int(action["ExpressionAttributeValues"][change]["N"])
    item[name] = {"N": str(number)}


def _decided(action: Attributes) -> Attributes:
    values = action["ExpressionAttributeValues"]
    return {"Unwanted": values[":unwanted"], "Revision": values[":new"]}


def revisions() -> Callable[[], int]:
    """A source of unique numbers."""
    numbers: Iterator[int] = count(1)
    return lambda: next(numbers)


def _copy(value: Any) -> Any:
    """A deep copy of attributes, several times faster than copy.deepcopy, which also looks for cycles."""
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value


def _clause_holds(clause: str, item: Attributes, action: Attributes) -> bool:
    """`#name = :value`, or attribute_exists or attribute_not_exists of a name."""
    if match := re.fullmatch(r"attribute_(not_)?exists\((#?\w+)\)", clause):
        return (action["ExpressionAttributeNames"].get(match[2], match[2]) in item) == (match[1] is None)
    name, value = clause.split(" = ")
    return bool(
        item.get(action["ExpressionAttributeNames"][name]) == action.get("ExpressionAttributeValues", {})[value]
    )


def _key(table: str, attributes: Attributes) -> tuple[str, ...]:
    """The key. DynamoDB refuses empty parts and parts that are too long."""
    key = tuple(attributes[name]["S"] for name in KEYS[table])
    assert all(0 < len(part.encode()) <= most for part, most in zip(key, MAX_KEY_BYTES, strict=False)), key
    return key


def _cancelled(failed: list[bool]) -> ClientError:
    reasons = [{"Code": "ConditionalCheckFailed" if each else "None"} for each in failed]
    response = {"Error": {"Code": "TransactionCanceledException", "Message": ""}, "CancellationReasons": reasons}
    return ClientError(cast("Any", response), "TransactWriteItems")
