"""The command's environment, on a world with a clock of its own."""

from __future__ import annotations

import pytest
from image_labels_cli.feeding import session
from support.feeding_world import DEAD, QUEUE, WAITING, World


@pytest.fixture
def world(deployment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in {
        "FILTER_PREFIX": "images/",
        "FILTER_SUFFIXES": ".jpg",
        "MIN_CONFIDENCE": "80",
        "MAX_LABELS": "10",
        "QUEUE_URL": QUEUE,
        "DEAD_LETTER_QUEUE_URL": DEAD,
        "WAITING_QUEUE_URL": WAITING,
        "REKOGNITION_TPS": "5",
    }.items():
        monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)
    world = World(rate=5)
    monkeypatch.setattr(session, "TIME", world.time)
    return world
