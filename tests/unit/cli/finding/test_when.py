"""Times on the command line."""

from __future__ import annotations

import pytest
from image_labels.model import is_iso_time
from image_labels_cli.finding.when import dates_of
from image_labels_cli.invocation import UsageError

NOW = 1_795_867_200.0  # 2026-11-28T12:00:00Z


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-11-28", "2026-11-28T00:00", "2026-11-29T00:00"),  # the whole day
        ("2026-11-28T10:30", "2026-11-28T10:30", "2026-11-28T10:30"),
        ("2026-11-28T10:30:00Z", "2026-11-28T10:30", "2026-11-28T10:30"),
        ("2026-11-28T10:30+01:00", "2026-11-28T09:30", "2026-11-28T09:30"),
        ("7d", "2026-11-21T12:00", "2026-11-21T12:00"),
        ("24h", "2026-11-27T12:00", "2026-11-27T12:00"),
        ("90m", "2026-11-28T10:30", "2026-11-28T10:30"),
        ("2w", "2026-11-14T12:00", "2026-11-14T12:00"),
    ],
)
def test_time_is_utc(text: str, since: str, until: str) -> None:
    assert dates_of(text, "", lambda: NOW).since == f"{since}:00.000+00:00"
    found = dates_of("", text, lambda: NOW).until
    assert found == f"{until}:00.000+00:00"
    assert is_iso_time(found)


@pytest.mark.parametrize(
    "text",
    ["yesterday", "7", "7y", "2026-13-01", "2026-02-30", "28.11.2026", "999999w", "-7d", "\u0667d", "9999-12-31", " "],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--until .* is no time: give a date"):
        dates_of("", text, lambda: NOW)


def test_since_must_be_before_until() -> None:
    assert dates_of("2026-11-28", "2026-11-28", lambda: NOW)
    with pytest.raises(UsageError, match="--since 1d is not before --until 2d"):
        dates_of("1d", "2d", lambda: NOW)
