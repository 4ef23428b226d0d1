"""One execution environment: starts the function, then reads one event per line and writes one answer per line.

    in:   {"event": …, "timeout": seconds}
    out:  {} when it is ready, then {"answer": …, "seconds": …} or {"error": "…", "seconds": …} for each event

It runs with the packages of Lambda's runtime only (bench/lambda_runtime.py), so it imports nothing else. `seconds` is
what Lambda bills: from the event to the answer, with the parsing and writing of their JSON. The function's log goes to
standard error.
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
    """The part of Lambda's context object that the function uses."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._end - time.monotonic())))


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the function's standard output is part of its log
    # Lambda's runtime adds a handler to the root logger, and the function is billed for its time.
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
