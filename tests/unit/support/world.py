"""AWS of the histories: a bucket, Rekognition, the tables and the queues, as the workers and movers see them.

They behave as AWS documents. S3 reads are strongly consistent. The conditions of a DynamoDB transaction are checked and
the transaction takes effect in one moment (tables.py). Rekognition reads the version that it is asked for, or, in a
bucket without versions, the object that exists when it reads. SQS may refuse some messages of a batch.

Each call is two switches: one before it takes effect, and one between its effect and its answer (`network`).
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.exceptions import ClientError
from greenlet import greenlet
from image_labels.detectors.text import Line, Text, TextCriteria
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.selection import Criteria, Wanted
from image_labels.tables.items import findings_of, is_foreign, labels_of, rows_of
from image_labels.tables.terms import terms_of
from support.fakes import BUCKET
from support.tables import Attributes, Tables

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding

T = TypeVar("T")
DAY = 24 * 3600
MAX_BACKLOG = 1  # of the queue of photos, for movers

Content = Labels | Rejected
ASKED = Criteria(10, 80.0)
# The items that another writer creates, and its changes to existing ones; None removes an attribute.
ITEMS_OF_ANOTHER: tuple[Attributes, ...] = (
    {"Labels": {"SS": ["Dog"]}},
    {"Detections": {"L": [{"S": "Dog"}]}, "Revision": {"S": "1"}},
    {"ETag": {"N": "1"}, "Revision": {"N": "1.5"}, "Rows": {"N": "1"}},
    {"Detections": {"NULL": True}, "Emptying": {"BOOL": True}},
)
CHANGES_OF_ANOTHER: tuple[Attributes, ...] = (
    {"Revision": {"S": "1"}},
    {"Revision": {"N": "1.5"}},
    {"Revision": None},
    {"Settings": {"NULL": True}, "Revision": {"L": []}},
    {"Settings": None},
    {"ETag": {"N": "1"}},
    {"Status": {"S": "DONE"}},
    {"Rows": {"S": "many"}},
)


class GoesBackError(AssertionError):
    """An item was replaced by the labels of an older photo."""


class ForeignError(AssertionError):
    """The function does not recognize an item that it wrote."""


class OverLimitError(AssertionError):
    """More images were sent than the limit of a day allows."""


class PaidAgainError(AssertionError):
    """DetectText throttled, and the labels that were paid for before are not stored."""


class FloodError(AssertionError):
    """More messages were moved at once than there was room for."""


def seen_in(etag: str, asked: Criteria) -> Content:
    """Rekognition's answer for a content: every fourth is rejected, and contents have some terms in common."""
    number = int(etag)
    if number % 4 == 3:
        return Rejected(f"content {number}")
    own = Label(f"Content {number % 5}", 90.0 + number % 7, parents=("Thing",))
    found = (own, Label("Common", 95.0), Label("Shaky", 80.0 + number % 3))
    best_first = sorted(found, key=lambda label: -label.confidence)
    good = [label for label in best_first if label.confidence >= asked.min_confidence]
    return Labels(tuple(good[: asked.max_labels]), "3.0")


def text_in(etag: str, min_confidence: float) -> Text:
    """DetectText's answer for a content: every fifth is refused. One line has the name of a label."""
    number = int(etag)
    if number % 5 == 4:
        return Text(asked="", reason=f"content {number}")
    found = (("SIGN", 90.0 + number % 3), ("common", 99.0), (f"plate {number}", 75.0 + number % 20), ("faint", 60.0))
    lines = (Line(text, confidence, 0.0, 0.0, 1.0, 0.5) for text, confidence in found)
    return Text(asked="", lines=tuple(line for line in lines if line.confidence >= min_confidence))


def network(call: Callable[[], T]) -> T:
    """A call that takes effect in one moment, with a switch before it and one between effect and answer."""
    scheduler = greenlet.getcurrent().parent
    assert scheduler is not None
    scheduler.switch()
    try:
        answer = call()
    except Exception:
        scheduler.switch()
        raise
    scheduler.switch()
    return answer


def client_error(code: str, message: str, operation: str) -> ClientError:
    return ClientError(cast("Any", {"Error": {"Code": code, "Message": message}}), operation)


@dataclass
class World:
    """The bucket, Rekognition and the tables. `versioned` says whether the bucket keeps versions.

    `limit` is the daily limit, `now` the time in seconds since the epoch, `throttles` the number of next calls that
    Rekognition refuses, `billed` the number of answered calls by the day of the call (days since the epoch), and
    `faults` the number of times that a worker died or one of its calls failed. `wanted` decides the labels, `switches`
    are the seconds of the tables' clock, and `again` has the time before which no labels of a key may be at the end.
    `text` is the confidence of the lines of text in percent, None without DetectText, and `text_throttles` the number
    of its next calls that are refused.
    """

    versioned: bool
    limit: int | None = None
    now: float = 0.0
    throttles: int = 0
    billed: Counter[int] = field(default_factory=Counter)
    faults: int = 0
    another_writer: bool = False
    changing_settings: bool = False
    detecting: bool = False
    conditional: bool = True  # False: tables that ignore conditions, for test_mistake_is_found
    objects: dict[str, Photo] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    wanted: Wanted = ASKED
    text: float | None = None
    text_throttles: int = 0
    switches: int = 0
    again: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = Tables(self._network, conditional=self.conditional, on_write=self._no_older_one)
        self._labelled: dict[str, int] = {}
        self._throttled: dict[greenlet, str] = {}  # the contents whose text workers did not get

    def _network(self, call: Callable[[], T]) -> T:
        self.switches += 1
        return network(call)

    def clock(self) -> float:
        """Of the tables, in seconds since the epoch: each call takes one."""
        return float(self.switches)

    # -- changes from outside

    def upload(self, key: str) -> None:
        number = next(self.numbers)
        self.objects[key] = Photo(BUCKET, key, str(number), f"v{number}" if self.versioned else None, 1000)

    def remove(self, key: str) -> None:
        self.objects.pop(key, None)

    def write_as_another(self, key: str, which: int) -> None:
        """Another program writes or changes the item of a key."""
        images = self.tables.items["images"]
        if (key,) not in images:
            images[(key,)] = {"PK": {"S": key}, **ITEMS_OF_ANOTHER[which % len(ITEMS_OF_ANOTHER)]}
            return
        changed = images[(key,)] | CHANGES_OF_ANOTHER[which % len(CHANGES_OF_ANOTHER)]
        images[(key,)] = {name: value for name, value in changed.items() if value is not None}

    # -- the methods that the reconciler calls

    def head(self, key: str) -> Photo | None:
        return network(lambda: self.objects.get(key))

    def detect_labels(self, *, Image: Attributes, MaxLabels: int, MinConfidence: float) -> Attributes:  # noqa: N803
        today = int(self.now // DAY)

        def answer() -> Attributes:
            if self.throttles:
                self.throttles -= 1
                raise client_error("ThrottlingException", "", "DetectLabels")
            content = seen_in(self._read(**Image["S3Object"]), Criteria(MaxLabels, MinConfidence))
            self.billed[today] += 1
            if self.limit is not None and self.billed[today] > self.limit:
                raise OverLimitError(f"{self.billed[today]} images on a day that has {self.limit}")
            if isinstance(content, Rejected):
                raise client_error("InvalidImageFormatException", content.reason, "DetectLabels")
            labels = [
                {"Name": each.name, "Confidence": each.confidence, "Parents": [{"Name": name} for name in each.parents]}
                for each in content.labels
            ]
            return {"Labels": labels, "LabelModelVersion": content.model_version}

        return network(answer)

    def detect_text(self, *, Image: Attributes, Filters: Attributes) -> Attributes:  # noqa: N803
        today, worker = int(self.now // DAY), greenlet.getcurrent()

        def answer() -> Attributes:
            etag = self._read(**Image["S3Object"])
            if self.text_throttles:
                self.text_throttles -= 1
                self._throttled[worker] = etag
                raise client_error("ThrottlingException", "", "DetectText")
            found = text_in(etag, Filters["WordFilter"]["MinConfidence"])
            self.billed[today] += 1
            if self.limit is not None and self.billed[today] > self.limit:
                raise OverLimitError(f"{self.billed[today]} images on a day that has {self.limit}")
            if found.reason:
                raise client_error("ImageTooLargeException", found.reason, "DetectText")
            detections = [
                {
                    "Type": "LINE",
                    "DetectedText": line.text,
                    "Confidence": line.confidence,
                    "Geometry": {"BoundingBox": {"Left": 0.0, "Top": 0.0, "Width": 1.0, "Height": 0.5}},
                }
                for line in found.lines
            ]
            return {"TextDetections": detections}

        return network(answer)

    def _read(self, Name: str, Version: str | None = None, **_: str) -> str:  # noqa: N803
        if Version is not None:
            return Version.removeprefix("v")
        if Name not in self.objects:
            raise client_error("InvalidS3ObjectException", "gone", "Detect")
        return self.objects[Name].etag

    def throttled(self, key: str, worker: greenlet) -> None:
        """A worker ends because DetectText throttles. Raises PaidAgainError if the labels are paid for again."""
        item, photo, asked = self.tables.images().get(key), self.objects.get(key), self._throttled.get(worker)
        if photo is not None and photo.etag == asked and (item is None or item["ETag"]["S"] != asked):
            raise PaidAgainError(f"the labels of {key!r} are not stored, and DetectText throttles")

    def _no_older_one(self, images: dict[str, Attributes]) -> None:
        # Not those of another writer, which may have any ETag.
        labelled = {key: int(item["ETag"]["S"]) for key, item in images.items() if not is_foreign(item)}
        if len(labelled) < len(images) and not self.another_writer:
            raise ForeignError(f"a worker wrote an item that it cannot read: {images}")
        for key, number in labelled.items():
            if number < self._labelled.get(key, number):
                raise GoesBackError(f"the item of {key!r} goes back from content {self._labelled[key]} to {number}")
        self._labelled = {key: number for key, number in self._labelled.items() if key in images} | labelled

    def _fresh(self, etag: str) -> Content:
        answer = seen_in(etag, Criteria(self.wanted.max_labels, min(ASKED.min_confidence, self.wanted.floor)))
        return replace(self.wanted.choose(answer), others=()) if isinstance(answer, Labels) else answer

    def _fresh_findings(self, etag: str, fresh: Content) -> tuple[Finding, ...]:
        return (text_in(etag, self.text),) if self.text is not None and isinstance(fresh, Labels) else ()

    @property
    def settings(self) -> str:
        """Of all items at the end."""
        return self.wanted.text + ("" if self.text is None else TextCriteria(self.text).settings)

    # -- the end of a history

    def differences(self) -> list[str]:
        """How the tables differ from a fresh labelling of the bucket; empty if they do not."""
        images, rows = self.tables.images(), self.tables.rows()
        counted, billed = sum(self.tables.usage().values()), self.billed.total()
        # A fault leaves at most one image counted: that of its call.
        wrong = self.limit is not None and not billed <= counted <= billed + self.faults
        found = [f"{billed} images are billed and {counted} are counted, with {self.faults} faults"] if wrong else []
        found += [f"{key!r} has no item" for key in self.objects.keys() - images.keys()]
        found += [f"{key!r} has an item without an object" for key in images.keys() - self.objects.keys()]
        fresh_rows: dict[tuple[str, str], Attributes] = {}
        for key in self.objects.keys() & images.keys():
            item, etag = images[key], self.objects[key].etag
            fresh = self._fresh(etag)
            if item["Settings"]["S"] != self.settings:
                found.append(f"{key!r} has the settings {item['Settings']['S']}")
            if item["LabelledAt"]["S"] < self.again.get(key, ""):
                found.append(f"{key!r} has labels of {item['LabelledAt']['S']}, from before {self.again[key]}")
            if is_foreign(item):
                found.append(f"{key!r} has the item of another writer: {item}")
                continue
            if _comparable(_said(item)) != _comparable(fresh) or item["ETag"]["S"] != etag:
                found.append(f"{key!r} is stale: {_said(item)} instead of {fresh}")
            findings, fresh_findings = findings_of(item), self._fresh_findings(etag, fresh)
            if _comparable_findings(findings) != _comparable_findings(fresh_findings):
                found.append(f"{key!r} has {findings} instead of {fresh_findings}")
            if any(each.at < self.again.get(key, "") for each in findings):
                found.append(f"{key!r} has findings from before {self.again[key]}")
            if isinstance(fresh, Labels):
                fresh_rows |= rows_of(key, terms_of(fresh.labels, fresh_findings))
            if item.get("Rows") != {"N": str(len(rows_of(key, terms_of(labels_of(item), findings))))}:
                found.append(f"{key!r} does not know its rows")
        found += [f"no row {row}" for row in sorted(fresh_rows.keys() - rows.keys())]
        found += [f"a row without its photo {row}" for row in sorted(rows.keys() - fresh_rows.keys())]
        found += [f"row {row} is stale" for row in fresh_rows.keys() & rows.keys() if rows[row] != fresh_rows[row]]
        named = {term for (term, _), row in rows.items() if row["Kind"] != {"S": "text"}}
        found += [f"not in the vocabulary: {term}" for term in named - self.tables.vocabulary()]
        return found


def _said(item: Attributes) -> Content:
    if "Reason" in item:
        return Rejected(item["Reason"]["S"])
    return Labels(labels_of(item), item["LabelModelVersion"]["S"])


def _comparable(content: Content) -> Labels | str:
    if isinstance(content, Labels):
        return content
    said = re.search(r"content \d+", content.reason)
    return said[0] if said else content.reason


def _comparable_findings(findings: tuple[Finding, ...]) -> list[tuple[str, frozenset[Line], bool]]:
    return [(each.detector, frozenset(each.lines), bool(each.reason)) for each in findings if isinstance(each, Text)]


@dataclass
class Queues:
    """SQS for movers: messages are keys of photos. `refuses` is the number of next messages that are not sent."""

    photos: deque[str]
    waiting: deque[str] = field(default_factory=deque)
    hidden: dict[str, str] = field(default_factory=dict)  # by receipt handle
    handles: Iterator[int] = field(default_factory=count)
    refuses: int = 0
    moved: Counter[greenlet] = field(default_factory=Counter)  # by each mover

    def show(self) -> None:
        """The visibility timeout is over."""
        self.waiting.extend(self.hidden.values())
        self.hidden.clear()

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Attributes:  # noqa: N803
        queue = self.waiting if QueueUrl == "waiting" else self.photos
        return network(lambda: {"Attributes": {"ApproximateNumberOfMessages": str(len(queue))}})

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> Attributes:  # noqa: N803
        def receive() -> Attributes:
            messages: list[Attributes] = []
            while self.waiting and len(messages) < MaxNumberOfMessages:
                handle = str(next(self.handles))
                self.hidden[handle] = self.waiting.popleft()
                attributes = {"SentTimestamp": "0"}
                messages.append({"Body": self.hidden[handle], "ReceiptHandle": handle, "Attributes": attributes})
            return {"Messages": messages}

        return network(receive)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Attributes]) -> Attributes:  # noqa: N803
        mover = greenlet.getcurrent()

        def send() -> Attributes:
            refused, sent = Entries[: self.refuses], Entries[self.refuses :]
            self.refuses -= len(refused)
            queue = self.waiting if QueueUrl == "waiting" else self.photos
            queue.extend(entry["MessageBody"] for entry in sent)
            self.moved[mover] += len(sent)
            if self.moved[mover] > MAX_BACKLOG:
                raise FloodError(f"{self.moved[mover]} messages were moved, and {MAX_BACKLOG} at most were to be")
            return {"Successful": sent, "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in refused]}

        return network(send)

    def delete_message_batch(self, *, Entries: list[Attributes], **_: Any) -> Attributes:  # noqa: N803
        def delete() -> Attributes:
            for entry in Entries:
                self.hidden.pop(entry["ReceiptHandle"], None)
            return {}

        return network(delete)
