"""`make bench-drain` reads the module's sizing from the .tf files."""

from __future__ import annotations

import pytest

from bench.drain import RESOURCES
from bench.module import sizing


@pytest.mark.parametrize(("quota", "at_a_time", "each"), [(5, 2, "2.5000"), (20, 3, "6.6667"), (50, 8, "6.2500")])
def test_benchmark_has_the_sizing_of_the_module(quota: float, at_a_time: int, each: str) -> None:
    """The same figures as in pace.tftest.hcl."""
    found = sizing(quota, RESOURCES)
    assert (found.maximum_concurrency, found.batch_size, found.visibility_timeout) == (at_a_time, 10, 360)
    assert found.environment["DETECT_LABELS_PER_SECOND"] == each
    assert not found.environment.keys() & RESOURCES
