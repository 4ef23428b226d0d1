"""Events as AWS sends them: one JSON file for each kind and each trap, in `events/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent / "events"


def body(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def load(name: str) -> Any:
    return json.loads(body(name))


def all_events() -> list[Any]:
    return [load(path.stem) for path in sorted(EVENTS.glob("*.json"))]
