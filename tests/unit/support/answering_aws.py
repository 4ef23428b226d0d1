"""AWS without faults: every photo exists and shows a dog.

It replaces the network only: requests are built, validated and signed by the real clients.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from support.fakes import TABLE

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_REFUSED_BY_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> list[bytes]:
        return [self._data]


@dataclass
class Aws:
    """Answers requests; `heads` are the keys of HeadObject, `items` the items of the images table."""

    heads: set[str] = field(default_factory=set)
    items: dict[str, Any] = field(default_factory=dict)
    sent: list[Any] = field(default_factory=list)  # SendMessage's requests
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        self.heads.clear()
        self.items.clear()
        self.sent.clear()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request in place of the network, as a handler of botocore's event before-send does."""
        with self._lock:
            status, headers, body = self._answer(request)
        return AWSResponse(request.url, status, headers, _Body(body))  # type: ignore[arg-type]

    def _answer(self, request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        if request.method == "HEAD":
            self.heads.add(unquote(urlsplit(request.url).path)[1:])
            modified = "Sat, 28 Nov 2026 08:00:00 GMT"
            return 200, {"ETag": '"abc"', "Content-Length": "4711", "Last-Modified": modified}, b""
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        answer: Callable[[Any], Any] = getattr(self, f"_{operation}")
        content = json.dumps(answer(json.loads(cast("bytes", request.body)))).encode()
        return 200, {"Content-Type": "application/json"}, content

    def _GetItem(self, asked: Any) -> Any:  # noqa: N802 - the API's names
        if asked["TableName"] != TABLE:  # the state of the counts
            return {"Item": asked["Key"] | {"Folds": {"N": "0"}}}
        item = self.items.get(asked["Key"]["PK"]["S"])
        return {"Item": item} if item else {}

    def _Query(self, _asked: Any) -> Any:  # noqa: N802 - changes of the counts
        return {"Items": [], "Count": 0, "ScannedCount": 0}

    def _TransactWriteItems(self, asked: Any) -> Any:  # noqa: N802
        for action in asked["TransactItems"]:
            if (put := action.get("Put")) and put["TableName"] == TABLE:
                self.items[put["Item"]["PK"]["S"]] = put["Item"]
        return {}

    def _BatchWriteItem(self, _asked: Any) -> Any:  # noqa: N802
        return {"UnprocessedItems": {}}

    def _DetectLabels(self, _asked: Any) -> Any:  # noqa: N802
        return {"Labels": [{"Name": "Dog", "Confidence": 99.0}], "LabelModelVersion": "3.0"}

    def _SendMessage(self, asked: Any) -> Any:  # noqa: N802
        texts = [asked["MessageBody"]]
        texts += [value["StringValue"] for value in asked.get("MessageAttributes", {}).values()]
        assert all(text and not _REFUSED_BY_SQS.search(text) for text in texts), "InvalidMessageContents"
        self.sent.append(asked)
        return {"MessageId": "m", "MD5OfMessageBody": ""}

    def _ChangeMessageVisibilityBatch(self, asked: Any) -> Any:  # noqa: N802
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def _GetQueueAttributes(self, _asked: Any) -> Any:  # noqa: N802
        return {"Attributes": {"ApproximateNumberOfMessages": "0"}}
