"""The output of all benchmarks."""

from __future__ import annotations

import json
import platform
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def report(name: str, figures: dict[str, float], details: dict[str, object]) -> None:
    """Write bench/results/<name>.json and print the last line, `name: key=value …`."""
    RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    content = {"name": name, "figures": figures, "details": details, "on": machine}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    print(f"{name}: " + " ".join(f"{key}={value:.3f}" for key, value in figures.items()))
