"""`make screenshots` without the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import screenshots

if TYPE_CHECKING:
    from pathlib import Path


def test_screenshots_need_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "DIRECTORY", tmp_path)
    with pytest.raises(screenshots.ScreenshotsError, match="start it with make demo"):
        screenshots.take(tmp_path / "images")
    assert not (tmp_path / "images").exists()
