"""Tables and lines on a terminal: no word breaks, and a key can be copied from one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_cli import output
from image_labels_cli.layout import Column, fold, key, number, record, widths
from rich.cells import cell_len

KEY = "images/Uncle's garage/a very long directory of photographs/motorcycle #1.png"
REASON = "InvalidImageFormatException: it is not a JPEG or PNG that can be decoded"
COLUMNS = (number("#"), Column("Cause"), key("Photo"), Column("Next step"))
ROW = ("12", REASON, KEY, "save it again with an image editor")


class TestFold:
    def test_words_stay_whole(self) -> None:
        assert fold("one two three", 8) == ["one two", "three"]
        assert fold("one " + "x" * 20 + " two", 8) == ["one", "x" * 20, "two"]

    def test_command_stays_on_one_line(self) -> None:
        command = "image-labels find --token abcdef 'face OR cat'"
        assert fold(f"there may be more: {command}", 40) == ["there may be more:", command]
        assert fold("then run `image-labels redrive --all` again", 20) == [
            "then run",
            "`image-labels redrive --all`",
            "again",
        ]

    def test_example_stays_as_it_is(self) -> None:
        line = "  environment:  export IMAGE_LABELS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/1/photos"
        assert fold(line, 40) == [line]

    @given(st.text("ab 日🎥", min_size=1), st.integers(1, 12))
    def test_every_line_fits_or_is_one_word(self, text: str, width: int) -> None:
        lines = fold(text.strip() or "a", width)
        assert [word for line in lines for word in line.split()] == (text.split() or ["a"])
        assert all(cell_len(line) <= width or " " not in line for line in lines)


class TestWidths:
    def test_column_is_as_wide_as_its_longest_word_at_least(self) -> None:
        found = widths(COLUMNS, [ROW], 160)
        assert found is not None
        assert found[0] == 2
        assert found[2] == len(KEY)
        assert found[1] >= len("InvalidImageFormatException:")
        assert sum(found) <= 160

    def test_no_column_is_wider_than_its_cells(self) -> None:
        assert widths(COLUMNS, [ROW], 1000) == [2, len(REASON), len(KEY), len(ROW[3])]

    def test_terminal_that_is_too_narrow(self) -> None:
        assert widths(COLUMNS, [ROW], 100) is None
        assert widths((key("Photo"),), [], 4) is None


class TestRecord:
    def test_key_and_titles(self) -> None:
        assert list(record((key("Photo"), number("%"), Column("Matched")), (KEY, "97.5", "face"), 60)) == [
            KEY,
            "  %        97.5",
            "  Matched  face",
        ]

    def test_text_folds_below_itself_and_a_key_below_its_title(self) -> None:
        assert list(record(COLUMNS, ROW, 60)) == [
            "# 12",
            "  Cause      InvalidImageFormatException: it is not a JPEG",
            "             or PNG that can be decoded",
            "  Photo",
            KEY,
            "  Next step  save it again with an image editor",
        ]

    def test_empty_cell_has_no_line(self) -> None:
        assert list(record((key("Photo"), number("%")), (KEY, ""), 60)) == [KEY]


@pytest.fixture(params=[30, 60, 80, 120, 200])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The width of the terminal."""
    width: int = request.param
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the streams for a terminal
    return width


def test_table_of_any_width_has_whole_keys_and_words(columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [ROW, ("3", "none", "images/日本語 🎥.jpg", "")]
    output.write_table(COLUMNS, rows, title="Failed, first 2 of 5")
    shown = capsys.readouterr().out
    for row in rows:
        assert row[2] in shown
        assert all(word in shown for cell in row for word in cell.split())
    assert all(cell_len(line) <= columns for line in shown.splitlines() if line.startswith("│"))


def test_numbers_are_right_aligned(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    output.write_table((key("Photo"), number("%")), [("a.jpg", "100.0"), ("b.jpg", "7.5")])
    assert "│ a.jpg │ 100.0 │\n│ b.jpg │   7.5 │\n" in capsys.readouterr().out


def test_notes_and_errors_fold_at_spaces(columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    cost = "the command read the whole table: 1.0 read units in 1 request, less than $0.000001 (on demand, us-east-1)"
    output.note(cost)
    output.print_error(cost)
    lines = capsys.readouterr().err.replace("\x1b[31m", "").replace("\x1b[0m", "").splitlines()
    assert " ".join(lines) == f"{cost} error: {cost}"
    assert all(len(line) <= columns for line in lines)


def test_nothing_folds_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    output.note("a note of more than twenty columns")
    output.write_text("a text of more than twenty columns")
    captured = capsys.readouterr()
    assert captured.err == "a note of more than twenty columns\n"
    assert captured.out == "a text of more than twenty columns\n"
