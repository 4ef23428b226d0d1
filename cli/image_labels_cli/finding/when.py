"""Times on the command line: dates, times and ages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from image_labels.model import iso_time
from image_labels.search.dates import Dates
from image_labels.search.printable import visible

from image_labels_cli.invocation import UsageError

_AGE = re.compile(r"([0-9]{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# A date alone. fromisoformat also accepts weeks and times of several forms.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def dates_of(since: str, until: str, now: Callable[[], float]) -> Dates:
    """The dates of --since and --until. `until` includes the whole day of a date. Raises UsageError."""
    dates = Dates(_time(since, "--since", now), _time(until, "--until", now, end=True))
    if dates.since and dates.until and dates.since >= dates.until:
        raise UsageError(f"--since {visible(since)} is not before --until {visible(until)}")
    return dates


def _time(text: str, option: str, now: Callable[[], float], *, end: bool = False) -> str:
    if not text:
        return ""
    try:
        if age := _AGE.fullmatch(text):
            found = datetime.fromtimestamp(now(), UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        elif _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=end)
            found = datetime(day.year, day.month, day.day, tzinfo=UTC)
        else:
            found = datetime.fromisoformat(text)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return iso_time(found.timestamp())
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {visible(text)} is no time: give a date (2026-11-28), a time (2026-11-28T12:00 for UTC, or "
            "2026-11-28T12:00+01:00) or an age (7d; also m, h and w)"
        ) from None
