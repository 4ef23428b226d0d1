"""AWS for `make bench-backfill`: any number of photos, made up while they are read, and a function with its own clock.

It replaces the clients of S3, DynamoDB and SQS. Its memory is a bit per photo, and the messages in the queue.
"""

from __future__ import annotations

import json
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from image_labels_cli.times import Time

BUCKET, TABLE, QUEUE, DEAD = "photos", "images", "https://queue/photos", "https://queue/dead-letters"
SETTINGS = "max_labels=10;min_confidence=80.0"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# As the services answer: objects per list request, and items of about 2 KB per megabyte of a Scan.
OBJECTS_PER_PAGE, ITEMS_PER_PAGE = 1000, 500
# One photo in so many is labelled already.
LABELLED = 4
# By so many seconds SQS's counts are late. SQS documents no more than that it may be a minute.
LAG_SECONDS = 5.0
STEP = 0.25
# Prime: a Scan returns keys in another order than a listing.
STRIDE = 7919


class BackfillWorld:
    """`photos` in the bucket, and a function that takes `quota` messages per second.

    `first_sent` and `last_sent` are readings of the clock. `taken` is the number of messages that the function had
    taken at the last one, and `read_seconds` the real time from the first request to the first message.
    """

    def __init__(self, photos: int, quota: float) -> None:
        self.first_sent: float | None = None
        self.last_sent = 0.0
        self.taken = 0
        self.sent = 0
        self.deepest = 0
        self.read_seconds = 0.0
        self.list_requests = 0
        self._photos = photos
        self._quota = quota
        self._now = 0.0
        self._budget = 0.0
        self._taken_now = 0
        self._queue: deque[int] = deque()
        self._depths: deque[tuple[float, int]] = deque([(0.0, 0)])
        self._done = bytearray(-(-photos // 8))
        self._began = time.perf_counter()
        self._epoch = time.time()

    @property
    def to_send(self) -> int:
        return self._photos - -(-self._photos // LABELLED)

    @property
    def feed_share(self) -> float:
        """The messages that the function took while there was something to send, of those that it had time for."""
        assert self.first_sent is not None
        return self.taken / (self._quota * max(STEP, self.last_sent - self.first_sent))

    # -- time, and the function in it

    @property
    def time(self) -> Time:
        return Time(lambda: self._now, self._sleep, lambda: self._epoch + self._now)

    def _sleep(self, seconds: float) -> None:
        until = self._now + seconds
        while self._now < until - 1e-9:
            step = min(STEP, until - self._now)
            self._now += step
            # A function that has nothing to do cannot catch up later.
            self._budget = min(self._budget, 1.0) + self._quota * step
            while self._budget >= 1 and self._queue:
                self._budget -= 1
                number = self._queue.popleft()
                self._done[number // 8] |= 1 << number % 8
                self._taken_now += 1
            self._depths.append((self._now, len(self._queue)))

    # -- the clients

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803 - boto3's names
        while len(self._depths) > 1 and self._depths[1][0] <= self._now - LAG_SECONDS:
            self._depths.popleft()
        waiting = self._depths[0][1] if QueueUrl == QUEUE else 0
        counts = {"ApproximateNumberOfMessages": waiting, "ApproximateNumberOfMessagesNotVisible": 0}
        return {"Attributes": {name: str(count) for name, count in counts.items()}}

    def send_message_batch(self, *, Entries: Any, **_: Any) -> Any:  # noqa: N803
        if self.first_sent is None:
            self.first_sent = self._now
            self.read_seconds = time.perf_counter() - self._began
        for entry in Entries:
            (record,) = json.loads(entry["MessageBody"])["Records"]
            self._queue.append(_number(unquote_plus(record["s3"]["object"]["key"])))
        self.sent += len(Entries)
        self.last_sent, self.taken = self._now, self._taken_now
        self.deepest = max(self.deepest, len(self._queue))
        self._depths.append((self._now, len(self._queue)))
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def batch_get_item(self, *, RequestItems: Any, **_: Any) -> Any:  # noqa: N803
        numbers = [_number(key["PK"]["S"]) for key in RequestItems[TABLE]["Keys"]]
        items = [_item(n, "2") for n in numbers if self._done[n // 8] >> n % 8 & 1]
        return {"Responses": {TABLE: items}, "ConsumedCapacity": [{"CapacityUnits": 0.5 * len(numbers)}]}

    def scan(self, *, ExclusiveStartKey: int = 0, **_: Any) -> Any:  # noqa: N803
        labelled = -(-self._photos // LABELLED)
        end = min(labelled, ExclusiveStartKey + ITEMS_PER_PAGE)
        items = [_item(n * STRIDE % labelled * LABELLED, "1") for n in range(ExclusiveStartKey, end)]
        more = {"LastEvaluatedKey": end} if end < labelled else {}
        return {"Items": items, "ConsumedCapacity": {"CapacityUnits": 128.0}} | more

    def list_objects_v2(self, *, ContinuationToken: str = "0", **_: Any) -> Any:  # noqa: N803
        self.list_requests += 1
        start = int(ContinuationToken)
        end = min(self._photos, start + OBJECTS_PER_PAGE)
        objects = [
            {"Key": _key(n), "ETag": f'"{n:032x}"', "Size": 2_000_000, "LastModified": LONG_AGO}
            for n in range(start, end)
        ]
        return {"Contents": objects, "IsTruncated": end < self._photos, "NextContinuationToken": str(end)}


def _key(number: int) -> str:
    return f"images/2026/{number:010}.jpg"


def _number(key: str) -> int:
    return int(key[-14:-4])


def _item(number: int, revision: str) -> dict[str, Any]:
    """An item as a projected read returns it."""
    return {
        "PK": {"S": _key(number)},
        "Bucket": {"S": BUCKET},
        "ETag": {"S": f"{number:032x}"},
        "Settings": {"S": SETTINGS},
        "Status": {"S": "LABELLED"},
        "LabelModelVersion": {"S": "3.0"},
        "Revision": {"N": revision},
        "Rows": {"N": "25"},
    }
