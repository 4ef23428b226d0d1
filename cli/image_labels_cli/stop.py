"""Ctrl-C during a move."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """Whether Ctrl-C was pressed. The request at work is completed, because its answer has receipt handles."""

    requested = False

    @contextmanager
    def on_ctrl_c(self) -> Iterator[None]:
        """Until the end of the block, the first Ctrl-C only sets `requested`. The second raises KeyboardInterrupt."""

        def request(_signal: int, _frame: object) -> None:
            self.requested = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, request)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
