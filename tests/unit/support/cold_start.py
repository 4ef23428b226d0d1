"""The function as Lambda starts it: environment variables, then an import."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    import pytest

VARIABLES = {
    "BUCKET_NAME": BUCKET,
    "IMAGES_TABLE_NAME": TABLE,
    "LABELS_TABLE_NAME": LABELS_TABLE,
    "MIN_CONFIDENCE": "80",
    "MAX_LABELS": "10",
    "CONCURRENCY": "5",
    "DETECT_LABELS_PER_SECOND": "1000",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/photos",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters",
    "MAX_RECEIVE_COUNT": "5",
    "RETRY_DELAY_SECONDS": "20",
    "WAITING_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/waiting",
    "MAX_QUEUE_BACKLOG": "100",
}


class Context:
    """Lambda's context object of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def start(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModuleType:
    """Import the handler as a cold start does."""
    for name, value in (VARIABLES | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "image_labels.handler", raising=False)
    return importlib.import_module("image_labels.handler")
