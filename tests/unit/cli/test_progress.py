"""The progress bar."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

from image_labels_cli.progress import bar

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_shows_count_rate_and_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "25"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with bar("sending", 1200) as shown:
        shown.advance(10)
        shown.wait(150)
    lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", terminal.getvalue()).replace("\r", "\n").splitlines()
    assert any(re.search(r"waiting photos: 150 .* 10/1,200 \d+/s", line) for line in lines), lines
    assert max(map(len, lines)) <= 80


def test_bar_is_hidden_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("sending", 10) as shown:
        shown.advance(5)
    assert capsys.readouterr().err == ""
