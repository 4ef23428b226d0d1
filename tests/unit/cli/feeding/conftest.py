"""The command's environment, on a world with a clock of its own."""

from __future__ import annotations

import pytest
from support.feeding_world import World, deploy


@pytest.fixture
def world(deployment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(rate=5)
    deploy(monkeypatch, world)
    return world
