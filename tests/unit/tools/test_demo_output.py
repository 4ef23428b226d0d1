"""Lines that `make demo` prints."""

from __future__ import annotations

import pytest
from rich.console import Console

from tools import demo_output

PATH = "/home/user/a/long/directory/of/the/demo/localstack/localstack.log"
LINE = f"[red]error:[/red] LocalStack does not answer: see {PATH}. To start over: make down demo"


@pytest.mark.parametrize("width", [20, 60, 80])
def test_terminal_breaks_no_word_and_no_path(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(highlight=False, force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr(demo_output, "console", console)
    demo_output.write(LINE)
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines) == LINE.replace("[red]", "").replace("[/red]", "")
    assert all(len(line) <= width or " " not in line for line in lines)


def test_pipe_has_the_lines_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    demo_output.write(f"\n{LINE}\nb")
    assert capsys.readouterr().out == f"\n{LINE.replace('[red]', '').replace('[/red]', '')}\nb\n"
