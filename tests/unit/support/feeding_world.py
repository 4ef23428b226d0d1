"""AWS while photos are being sent: a bucket, the table, the queues, and a function that works on a clock of its own.

It replaces the clients of S3, DynamoDB and SQS, and the clocks of the command: time passes only while the command
sleeps. Counts of SQS lag, messages are delivered in about their order, and failed ones are retried.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError
from image_labels.model import Label, iso_time
from image_labels.selection import Criteria, covers
from image_labels.tables.rows import rows_of
from image_labels.tables.terms import fold, terms_of
from image_labels_cli.aws import Aws
from image_labels_cli.feeding import session
from image_labels_cli.times import Time
from support.fakes import BUCKET, TABLE, UPLOADED

if TYPE_CHECKING:
    import pytest
    from image_labels_cli.deployment import Deployment

SETTINGS = "max_labels=10;min_confidence=80.0"
EPOCH = 1_795_000_000.0
LONG_AGO = datetime.fromtimestamp(EPOCH, UTC).replace(year=2020)
QUEUE, WAITING, DEAD = ("https://sqs.eu-central-1.amazonaws.com/1/" + name for name in ("photos", "waiting", "dead"))


@dataclass
class Message:
    body: str
    sent: float
    visible_at: float
    tries: int = 0

    @property
    def key(self) -> str:
        return unquote_plus(json.loads(self.body)["Records"][0]["s3"]["object"]["key"])

    @property
    def labelled_before(self) -> str:
        return str(json.loads(self.body)["Records"][0].get("labelledBefore", ""))


@dataclass
class World:
    """`rate` is the number of photos that the function takes per second, and `lag` that of the counts in seconds.

    `failing` are keys that fail at each try, `rejected` keys that Rekognition rejects. `daily` is the daily limit.
    `before` and `after` are called with the name of each request, before it takes effect and before its answer.
    """

    rate: float = 50.0
    lag: float = 3.0
    settings: str = SETTINGS
    model: str = "3.0"
    daily: int | None = None
    failing: Callable[[str], bool] = lambda _key: False
    rejected: Callable[[str], bool] = lambda _key: False
    retry_seconds: float = 5.0
    before: Callable[[str], None] = lambda _name: None
    after: Callable[[str], None] = lambda _name: None
    each_second: Callable[[], None] = lambda: None
    objects: dict[str, tuple[str, int]] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)  # for searches
    sent: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)  # of Rekognition, by key
    done_at: dict[str, float] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.queues: dict[str, deque[Message]] = {QUEUE: deque(), WAITING: deque(), DEAD: deque()}
        self.deepest = 0
        self._counts: deque[tuple[float, dict[str, tuple[int, int]]]] = deque()
        self._budget = 0.0
        self._revision = 0
        self._today = 0
        self._hidden: dict[str, Message] = {}
        self._record()

    # -- what tests set up

    def upload(self, *keys: str, etag: str = "e", size: int = 1000) -> None:
        for key in keys:
            self.objects[key] = (etag, size)

    def label(self, *keys: str, etag: str = "e", **attributes: Any) -> None:
        """Write the items of these photos, as the function does. None removes an attribute."""
        for key in keys:
            self._revision += 1
            item = {
                "PK": {"S": key},
                "Bucket": {"S": BUCKET},
                "ETag": {"S": etag},
                "Settings": {"S": self.settings},
                "Status": {"S": "REJECTED" if self.rejected(key) else "LABELLED"},
                "Revision": {"N": str(self._revision)},
                "Rows": {"N": "1"},
                "LabelledAt": {"S": iso_time(EPOCH + self.now)},
                "LabelModelVersion": {"S": self.model},
                "Uploaded": {"S": UPLOADED},
            } | attributes
            self.items[key] = {name: value for name, value in item.items() if value is not None}

    def event(self, key: str) -> None:
        """The event of an upload."""
        body = json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}}]})
        self.queues[QUEUE].append(Message(body, self.now, self.now))

    @property
    def in_queue(self) -> set[str]:
        return {message.key for message in (*self.queues[QUEUE], *self.queues[WAITING])}

    @property
    def dead(self) -> list[str]:
        return [message.key for message in self.queues[DEAD]]

    def differing(self) -> set[str]:
        """The keys in which bucket and table differ."""
        wrong = {key for key in self.objects if not self._agrees(key)}
        return wrong | (self.items.keys() - self.objects.keys())

    # -- time, and the function in it

    @property
    def time(self) -> Time:
        return Time(lambda: self.now, self.sleep, lambda: EPOCH + self.now)

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until - 1e-9:
            step = min(0.25, until - self.now)
            if int(self.now + step) != int(self.now):
                self.each_second()
            self.now += step
            self.work(self.rate * step)
            self._record()

    def work(self, photos: float) -> None:
        """Let the function take so many messages."""
        queue = self.queues[QUEUE]
        self._budget = min(self._budget + photos, max(photos, 1.0))
        visible = [message for message in queue if message.visible_at <= self.now]
        self.deepest = max(self.deepest, len(visible))
        for message in islice(visible, int(self._budget)):
            self._budget -= 1
            queue.remove(message)
            self._process(message)

    def next_day(self) -> None:
        """Midnight: the function takes back the photos over the limit."""
        self._today = 0
        self.queues[QUEUE].extend(self.queues[WAITING])
        self.queues[WAITING].clear()

    def _process(self, message: Message) -> None:
        key, before = message.key, message.labelled_before
        message.tries += 1
        if self.failing(key):
            if message.tries >= 3:
                self.queues[DEAD].append(Message(message.body, self.now, self.now))
                return
            message.visible_at = self.now + self.retry_seconds
            self.queues[QUEUE].append(message)
        elif key not in self.objects:
            self.items.pop(key, None)
        elif not self._agrees(key, before):
            if self._answers(key, before):
                self.label(key, etag=self.objects[key][0], LabelledAt=self.items[key]["LabelledAt"])
                return
            if self.daily is not None and self._today >= self.daily:
                self.queues[WAITING].append(message)
                return
            self._today += 1
            self.calls[key] += 1
            self.label(key, etag=self.objects[key][0])
            self.done_at[key] = self.now

    def _answers(self, key: str, before: str) -> bool:
        """Whether the item has an answer of Rekognition for this object that has all that the settings want."""
        item, wanted = self.items.get(key, {}), Criteria.parse(self.settings)
        asked = item.get("Asked", item.get("Settings", {})).get("S", "")
        assert wanted is not None
        labels = len(item.get("Labels", {}).get("SS", ()))
        return (
            item.get("ETag") == {"S": self.objects[key][0]}
            and item.get("LabelledAt", {}).get("S", "") >= before
            and (item["Status"] == {"S": "REJECTED"} or ("DetectionsCut" not in item and covers(asked, labels, wanted)))
        )

    def _agrees(self, key: str, before: str = "") -> bool:
        item = self.items.get(key, {})
        if item.get("LabelledAt", {}).get("S", "") < before:
            return False
        expected = {"Bucket": {"S": BUCKET}, "ETag": {"S": self.objects[key][0]}, "Settings": {"S": self.settings}}
        if "Uploaded" not in item and self._answers(key, before):
            return False
        return "Rows" in item and "Revision" in item and all(item.get(n) == value for n, value in expected.items())

    def _record(self) -> None:
        counts = {}
        for url, queue in self.queues.items():
            visible = sum(message.visible_at <= self.now for message in queue)
            counts[url] = (visible, len(queue) - visible)
        self._counts.append((self.now, counts))
        while len(self._counts) > 1 and self._counts[1][0] <= self.now - self.lag:
            self._counts.popleft()

    # -- the clients

    def make_aws(self, deployment: Deployment) -> Aws:
        aws = Aws(deployment)
        vars(aws).update(s3=self, dynamodb=self, sqs=self)
        return aws

    def _request(self, name: str, answer: Callable[[], Any]) -> Any:
        self.requests.append(name)
        self.before(name)
        result = answer()
        self.after(name)
        return result

    def list_objects_v2(self, **request: Any) -> Any:
        def answer() -> Any:
            most, after = request.get("MaxKeys", 100), request.get("ContinuationToken", "")
            keys = sorted(key for key in self.objects if key.startswith(request["Prefix"]) and key > after)
            objects = [(key, *self.objects[key]) for key in keys[:most]]
            found = [
                {"Key": key, "ETag": f'"{etag}"', "Size": size, "LastModified": LONG_AGO} for key, etag, size in objects
            ]
            more = {"IsTruncated": True, "NextContinuationToken": keys[most - 1]} if len(keys) > most else {}
            return {"Contents": found} | more

        return self._request("ListObjectsV2", answer)

    def scan(self, *, ExclusiveStartKey: Any = None, **_: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            start = ExclusiveStartKey or 0
            items = list(self.items.values())
            more = {"LastEvaluatedKey": start + 100} if start + 100 < len(items) else {}
            date = format_datetime(datetime.fromtimestamp(EPOCH + self.now, UTC), usegmt=True)
            answer = {"Items": items[start : start + 100], "ConsumedCapacity": {"CapacityUnits": 1.0}}
            return answer | {"ResponseMetadata": {"HTTPHeaders": {"date": date}}} | more

        return self._request("Scan", answer)

    def query(self, *, ExpressionAttributeValues: Any, **_: Any) -> Any:  # noqa: N803
        """The rows of a term."""

        def answer() -> Any:
            terms = [value["S"] for value in ExpressionAttributeValues.values() if "S" in value]
            rows = [
                row
                for key, labels in self.labels.items()
                for row in rows_of(key, terms_of([Label(name, 99.0) for name in labels])).values()
                if row["Term"]["S"] in terms
            ]
            return {"Items": sorted(rows, key=lambda row: row["Rank"]["S"])}

        return self._request("Query", answer)

    def batch_get_item(self, *, RequestItems: Any, **_: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            if TABLE not in RequestItems:
                [(table, request)] = RequestItems.items()
                vocabulary = {fold(label) for found in self.labels.values() for label in found}
                return {"Responses": {table: [key for key in request["Keys"] if key["Rank"]["S"] in vocabulary]}}
            keys = [key["PK"]["S"] for key in RequestItems[TABLE]["Keys"]]
            assert len(keys) == len(set(keys)) <= 100
            # The date is of AWS's clock.
            date = format_datetime(datetime.fromtimestamp(EPOCH + self.now, UTC), usegmt=True)
            found = [self.items[key] for key in keys if key in self.items]
            return {"Responses": {TABLE: found}, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}

        return self._request("BatchGetItem", answer)

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            visible, hidden = self._counts[0][1][QueueUrl]
            counts = {"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": hidden}
            return {"Attributes": {name: str(value) for name, value in counts.items()}}

        return self._request("GetQueueAttributes", answer)

    def send_message_batch(self, *, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            for entry in Entries:
                message = Message(entry["MessageBody"], self.now, self.now)
                self.queues[QueueUrl].append(message)
                self.sent[message.key] += 1
            return {"Successful": Entries}

        assert len(Entries) <= 10
        return self._request("SendMessageBatch", answer)

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            found = [m for m in self.queues[QueueUrl] if m.visible_at <= self.now][:MaxNumberOfMessages]
            for message in found:
                message.visible_at = self.now + 1800
                self._hidden[str(id(message))] = message
            return {
                "Messages": [
                    {
                        "Body": message.body,
                        "ReceiptHandle": str(id(message)),
                        "Attributes": {"SentTimestamp": str(int(1000 * (EPOCH + message.sent)))},
                        "MessageAttributes": {"Photo": {"StringValue": f"s3://{BUCKET}/{message.key}"}},
                    }
                    for message in found
                ]
            }

        return self._request("ReceiveMessage", answer)

    def change_message_visibility_batch(self, *, Entries: Any, **_: Any) -> Any:  # noqa: N803
        def answer() -> Any:
            for entry in Entries:
                self._hidden[entry["ReceiptHandle"]].visible_at = self.now
            return {}

        return self._request("ChangeMessageVisibilityBatch", answer)


def throttled(operation: str) -> ClientError:
    return ClientError(cast("Any", {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}), operation)


def keys(count: int, prefix: str = "images/") -> Iterator[str]:
    return (f"{prefix}{n:06}.jpg" for n in range(count))


def deploy(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """The command's environment and clock for this world."""
    for name, value in {
        "FILTER_PREFIX": "images/",
        "FILTER_SUFFIXES": ".jpg,.png",
        "MIN_CONFIDENCE": "80",
        "MAX_LABELS": "10",
        "QUEUE_URL": QUEUE,
        "DEAD_LETTER_QUEUE_URL": DEAD,
        "WAITING_QUEUE_URL": WAITING,
        "REKOGNITION_TPS": f"{world.rate:g}",
    }.items():
        monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)
    monkeypatch.setattr(session, "TIME", world.time)
