"""One execution environment: starts the function, then reads an event a line and writes an answer a line.

    in:   {"event": …, "timeout": seconds}
    out:  {} once it is ready, then {"answer": …, "seconds": …} or {"error": "…", "seconds": …} for each event

Runs on Lambda's packages alone (bench/lambda_runtime.py), so it imports nothing else. `seconds` is what Lambda bills:
from the event to the answer, reading and writing their JSON included. What the function logs goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any


class Context:
    """The part of Lambda's context that the function uses."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._end - time.monotonic())))


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the function prints is a log
    # Lambda's runtime has a handler at the root, too: the function pays for its lines.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    module = importlib.import_module("image_labels.handler")
    handler: Callable[[object, object], Any] = module.handler
    print("{}", file=answers)
    for line in sys.stdin:
        began = time.perf_counter()
        request = json.loads(line)
        said: dict[str, object]
        try:
            said = {"answer": handler(request["event"], Context(request["timeout"]))}
        except Exception as error:
            logging.exception("the function raised")
            said = {"error": f"{type(error).__name__}: {error}"}
        text = json.dumps(said)
        print(f'{{"seconds": {time.perf_counter() - began:.6f}, {text[1:]}', file=answers)


if __name__ == "__main__":
    main()
