"""`image-labels browse`."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
from support.command import run
from support.fakes import BUCKET, TABLE

pytestmark = pytest.mark.usefixtures("deployment")

# A process that a shell starts in the background ignores SIGINT.
SCRIPT = """
import signal
from image_labels_cli.main import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.fixture(autouse=True)
def _web_server() -> None:
    pytest.importorskip("waitress")
    pytest.importorskip("flask")


def test_browse_serves_the_deployment_until_ctrl_c() -> None:
    command = [sys.executable, "-c", SCRIPT, "browse", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            url = next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
            browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
            browser.open(url).close()
            about = urljoin(url, "/api/about")
            with browser.open(about) as answer:
                console = "https://eu-central-1.console.aws.amazon.com/s3/object/"
                assert json.load(answer) == {
                    "bucket": BUCKET,
                    "table": TABLE,
                    "console": console,
                    "labelsBy": "",
                    "upload": None,
                    "faces": False,
                }
            with ThreadPoolExecutor(50) as pool:  # more requests than the server has threads
                statuses = pool.map(lambda _: browser.open(about).status, range(50))
                assert set(statuses) == {200}
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_browse_on_a_port_in_use_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run("browse", "--port", str(port), "--no-open")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"cannot listen on port {port}" in result.stderr
