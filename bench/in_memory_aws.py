"""An in-memory AWS for `make bench-drain`: S3's HeadObject, DynamoDB's items and Rekognition's DetectLabels.

LocalStack takes 5 to 8 ms of processor time per call, and a photo needs six calls, so on two cores the benchmark would
measure LocalStack. This server takes 0.1 ms. It implements only what the function needs. Quota, latency and throttling
are those of the emulated Rekognition (image_labels_emulator.rekognition.faults). Every key exists in every bucket.

`python -m bench.in_memory_aws '<JSON of Settings>'` prints its port and serves until its standard input ends, so that
it never outlives the benchmark.
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

from image_labels_emulator.rekognition.faults import Behaviour, FaultError
from image_labels_emulator.rekognition.settings import Settings

IMAGES_TABLE = "images"  # the table whose items are counted
LABELS_TABLE = "labels"
TABLE_KEYS = {IMAGES_TABLE: ("PK",), LABELS_TABLE: ("Term", "Rank")}
LATENCY_HEADER = "x-bench-waited-ms"  # response header of DetectLabels: the emulated latency


@dataclass(frozen=True)
class State:
    """The server's counters. `last_stored` is a reading of time.monotonic, which processes share; 0 means never."""

    stored: frozenset[str]
    rejected: frozenset[str]
    calls: int
    answered: int
    throttled: int
    most_answered_of_one_photo: int
    last_stored: float


class ServiceError(Exception):
    """An error response of AWS; `more` has the members besides code and message."""

    def __init__(self, code: str, message: str, more: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.more = more or {}


@dataclass(frozen=True)
class Answer:
    """A response. `length` is the Content-Length of a HEAD response, which has no body."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None


class InMemoryAws:
    """The services. They run on one event loop, so nothing needs a lock."""

    def __init__(self, settings: Settings) -> None:
        self._pauses: list[float] = []
        # The event loop must not block: the pause is recorded here and awaited later.
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
        """Answer a request; `target` is its header X-Amz-Target."""
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
            message = f"bench/in_memory_aws.py does not implement {method} {path} {target}"
            raise ServiceError("UnknownOperationException", message)
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
        return Answer(LABELS_ANSWER, headers=((LATENCY_HEADER, f"{1000 * seconds:.3f}"),))

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
        if not self._condition_holds(action):
            raise ServiceError("ConditionalCheckFailedException", "The conditional request failed")
        self._apply(action)

    def _transact_write_items(self, request: dict[str, Any]) -> dict[str, Any]:
        actions = request["TransactItems"]
        reasons = ["None" if self._condition_holds(action) else "ConditionalCheckFailed" for action in actions]
        if any(reason != "None" for reason in reasons):
            raise ServiceError(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons {reasons}",
                {"CancellationReasons": [{"Code": reason} for reason in reasons]},
            )
        for action in actions:
            self._apply(action)
        return {}

    def _batch_write_item(self, request: dict[str, Any]) -> dict[str, Any]:
        for table, requests in request["RequestItems"].items():
            for one in requests:
                ((kind, content),) = one.items()
                self._apply({kind.removesuffix("Request"): content | {"TableName": table}})
        return {"UnprocessedItems": {}}

    def _condition_holds(self, action: dict[str, dict[str, Any]]) -> bool:
        """Whether the action's condition holds. Only the conditions of image_labels.tables.store are implemented."""
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
                message = f"bench/in_memory_aws.py does not implement the condition {other!r}"
                raise ServiceError("ValidationException", message)

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
                message = f"bench/in_memory_aws.py does not implement the action {kind}"
                raise ServiceError("ValidationException", message)

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
    """The key of the item in a request that has either a key or an item."""
    attributes = request.get("Key") or request["Item"]
    return tuple(attributes[name]["S"] for name in TABLE_KEYS[request["TableName"]])


def _head_object(path: str) -> Answer:
    """An object for any key, with an ETag and a version that depend on the key."""
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
    """An answer of typical size: ten labels, two with boxes."""
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


LABELS_ANSWER = _labels()


async def _serve_connection(aws: InMemoryAws, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.1 on one keep-alive connection, for clients that send a Content-Length."""
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
        pass  # the client closed the connection
    finally:
        writer.close()


async def _serve(settings: Settings) -> None:
    aws = InMemoryAws(settings)

    # A thousand invocations may connect at once.
    server = await asyncio.start_server(lambda r, w: _serve_connection(aws, r, w), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


class Server:
    """A server in a separate process, while the `with` block lasts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.in_memory_aws", json.dumps(asdict(self._settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # only the benchmark handles Ctrl-C
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
