"""The AWS that both contestants call: S3's HeadObject, DynamoDB's items and Rekognition's DetectLabels, in memory.

LocalStack spends 5 to 8 ms of processor time on a call, and a photo makes six: on two cores it would be LocalStack that
is measured. This server spends a tenth of a millisecond. What it answers is what the function needs and no more; quota,
latency and throttling are those of the emulated Rekognition (image_labels_emulator.rekognition.faults).

A bucket holds every key that is asked for. `python -m bench.light_aws '<JSON of Settings>'` prints its port and serves
until its standard input ends, so that it never outlives the benchmark.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from image_labels_emulator.rekognition.faults import Behaviour, FaultError, Settings

IMAGES_TABLE = "images"  # whose items are counted
LABELS_TABLE = "labels"
TABLE_KEYS = {IMAGES_TABLE: ("PK",), LABELS_TABLE: ("Term", "Rank")}
HEADER_WAITED = "x-bench-waited-ms"  # of DetectLabels' answers: the latency that was played


@dataclass(frozen=True)
class State:
    """What the server has seen. `last_stored` is a reading of time.monotonic, which processes share; 0 for never."""

    stored: frozenset[str]
    rejected: frozenset[str]
    calls: int
    answered: int
    throttled: int
    most_answered_of_one_photo: int
    last_stored: float


class ServiceError(Exception):
    """An error answer of AWS; `more` is what it has besides code and message."""

    def __init__(self, code: str, message: str, more: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.more = more or {}


@dataclass(frozen=True)
class Answer:
    """A response without its length; `length` is that of the object a HEAD is about."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None


class LightAws:
    """The services. All of it runs on one event loop, so nothing needs a lock."""

    def __init__(self, settings: Settings) -> None:
        self._pauses: list[float] = []
        # The loop must not sleep: the pause is noted, and waited for without holding anybody up.
        self._rekognition = Behaviour(settings, sleep=self._pauses.append)
        self._answered: Counter[str] = Counter()
        self._tables: defaultdict[str, dict[tuple[str, ...], dict[str, Any]]] = defaultdict(dict)
        self._last_stored = 0.0
        self._dynamodb: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "DeleteItem": self._delete_item,
            "TransactWriteItems": self._transact_write_items,
            "BatchWriteItem": self._batch_write_item,
        }

    async def answer(self, method: str, path: str, target: str, body: bytes) -> Answer:
        """The answer to a request; `target` is its X-Amz-Target."""
        service, _, operation = target.partition(".")
        try:
            if method == "HEAD":
                return _head_object(unquote(path))
            if path == "/bench/state":
                return _json_answer(self._state())
            if service == "RekognitionService" and operation == "DetectLabels":
                return await self._detect_labels(json.loads(body))
            if service == "DynamoDB_20120810" and operation in self._dynamodb:
                return _json_answer(self._dynamodb[operation](json.loads(body)))
            raise ServiceError("UnknownOperationException", f"bench/light_aws.py has no {method} {path} {target}")
        except ServiceError as error:
            return _json_answer({"__type": error.code, "message": str(error), **error.more}, status=400)

    async def _detect_labels(self, request: dict[str, Any]) -> Answer:
        photo = request["Image"]["S3Object"]
        try:
            self._rekognition.admit(photo["Bucket"], photo["Name"])
        except FaultError as fault:
            raise ServiceError(fault.error, str(fault)) from fault
        seconds = sum(self._pauses)
        self._pauses.clear()
        await asyncio.sleep(seconds)
        self._rekognition.answered()
        self._answered[photo["Name"]] += 1
        return Answer(LABELS, headers=((HEADER_WAITED, f"{1000 * seconds:.3f}"),))

    def _get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._tables[request["TableName"]].get(_key(request))
        return {} if item is None else {"Item": item}

    def _put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        self._write({"Put": request})
        return {}

    def _delete_item(self, request: dict[str, Any]) -> dict[str, Any]:
        self._write({"Delete": request})
        return {}

    def _write(self, action: dict[str, dict[str, Any]]) -> None:
        if not self._holds(action):
            raise ServiceError("ConditionalCheckFailedException", "The conditional request failed")
        self._apply(action)

    def _transact_write_items(self, request: dict[str, Any]) -> dict[str, Any]:
        reasons = ["None" if self._holds(action) else "ConditionalCheckFailed" for action in request["TransactItems"]]
        if any(reason != "None" for reason in reasons):
            raise ServiceError(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons {reasons}",
                {"CancellationReasons": [{"Code": reason} for reason in reasons]},
            )
        for action in request["TransactItems"]:
            self._apply(action)
        return {}

    def _batch_write_item(self, request: dict[str, Any]) -> dict[str, Any]:
        for table, requests in request["RequestItems"].items():
            for one in requests:
                ((kind, content),) = one.items()
                self._apply({kind.removesuffix("Request"): content | {"TableName": table}})
        return {"UnprocessedItems": {}}

    def _holds(self, action: dict[str, dict[str, Any]]) -> bool:
        """Whether the action's condition holds: those that image_labels.tables.store writes under, and none besides."""
        ((_, request),) = action.items()
        item = self._tables[request["TableName"]].get(_key(request), {})
        match request.get("ConditionExpression"):
            case None:
                return True
            case "attribute_not_exists(PK)":
                return "PK" not in item
            case "Revision = :read":
                return bool(item.get("Revision") == request["ExpressionAttributeValues"][":read"])
            case other:
                raise ServiceError("ValidationException", f"bench/light_aws.py does not know the condition {other!r}")

    def _apply(self, action: dict[str, dict[str, Any]]) -> None:
        ((kind, request),) = action.items()
        table = self._tables[request["TableName"]]
        match kind:
            case "Put":
                table[_key(request)] = request["Item"]
                if request["TableName"] == IMAGES_TABLE:
                    self._last_stored = time.monotonic()
            case "Delete":
                table.pop(_key(request), None)
            case "ConditionCheck":
                pass
            case _:
                raise ServiceError("ValidationException", f"bench/light_aws.py does not know the action {kind}")

    def _state(self) -> dict[str, Any]:
        counters = self._rekognition.snapshot()["counters"]
        items = self._tables[IMAGES_TABLE].values()
        return {
            "stored": [item["PK"]["S"] for item in items],
            "rejected": [item["PK"]["S"] for item in items if item.get("Status") == {"S": "REJECTED"}],
            "calls": counters["calls"],
            "answered": counters["answered"],
            "throttled": counters["throttled"],
            "most_answered_of_one_photo": max(self._answered.values(), default=0),
            "last_stored": self._last_stored,
        }


def _key(request: dict[str, Any]) -> tuple[str, ...]:
    """The key of the item that a request is about, whether it gives the key alone or the item."""
    attributes = request.get("Key") or request["Item"]
    return tuple(attributes[name]["S"] for name in TABLE_KEYS[request["TableName"]])


def _head_object(path: str) -> Answer:
    """Any key, of a content that its name decides."""
    etag = hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()
    headers = (
        ("ETag", f'"{etag}"'),
        ("x-amz-version-id", etag[:16]),
        ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("Content-Type", "image/jpeg"),
    )
    return Answer(b"", headers=headers, length=2_000_000)


def _json_answer(content: dict[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), status)


def _labels() -> bytes:
    """An answer of usual size: ten labels, two of them with boxes."""
    names = ("Animal", "Mammal", "Pet", "Cat", "Kitten", "Furniture", "Couch", "Indoors", "Cushion", "Plant")
    box = {"Width": 0.41372, "Height": 0.60417, "Left": 0.21094, "Top": 0.30729}
    labels = [
        {
            "Name": name,
            "Confidence": 99.5 - n,
            "Instances": [{"BoundingBox": box, "Confidence": 98.71}] if name in ("Cat", "Couch") else [],
            "Parents": [{"Name": parent} for parent in names[: n % 4]],
            "Aliases": [],
            "Categories": [{"Name": "Animals and Pets"}],
        }
        for n, name in enumerate(names)
    ]
    return json.dumps({"Labels": labels, "LabelModelVersion": "3.0"}).encode()


LABELS = _labels()


async def _converse(aws: LightAws, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.1 on one connection, kept open, for clients that send a Content-Length."""
    try:
        while True:
            start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
            method, path, _version = start.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            answer = await aws.answer(method, path, headers.get("x-amz-target", ""), body)
            head = [
                f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Bad Request'}",
                f"Content-Length: {len(answer.body) if answer.length is None else answer.length}",
                *(f"{name}: {value}" for name, value in answer.headers),
            ]
            writer.write("\r\n".join([*head, "", ""]).encode() + answer.body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has gone
    finally:
        writer.close()


async def _serve(settings: Settings) -> None:
    aws = LightAws(settings)

    # A thousand invocations may begin at once.
    server = await asyncio.start_server(lambda r, w: _converse(aws, r, w), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


class Running:
    """A server in a process of its own, for as long as the `with` block lasts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Running:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.light_aws", json.dumps(asdict(self._settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the benchmark's to deal with
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def state(self) -> State:
        with self._opener.open(f"{self.url}/bench/state", timeout=30) as answer:
            raw = json.loads(answer.read())
        return State(**raw | {"stored": frozenset(raw["stored"]), "rejected": frozenset(raw["rejected"])})


if __name__ == "__main__":
    asyncio.run(_serve(Settings(**json.loads(sys.argv[1]))))
