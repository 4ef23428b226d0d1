"""How this repository runs Terraform: several jobs at a time, each with the same configuration."""

from __future__ import annotations

import threading
from pathlib import Path

from tools.terraform import environment


def test_configuration_is_whole_whenever_it_is_read() -> None:
    """make test runs jobs side by side; one that read an empty file asked the registry for the provider."""
    path = Path(environment()["TF_CLI_CONFIG_FILE"])
    whole = path.read_text()
    assert whole
    stop = threading.Event()

    def writes_all_the_time() -> None:
        while not stop.is_set():
            environment()

    thread = threading.Thread(target=writes_all_the_time)
    thread.start()
    try:
        seen = {path.read_text() for _ in range(2000)}
    finally:
        stop.set()
        thread.join()
    assert seen == {whole}
