"""The examples, applied side by side to the LocalStack of the tests, while the tests of the module itself run."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack import DIRECTORY

from tools.terraform import ROOT, Root

if TYPE_CHECKING:
    from image_labels_emulator.server import Server

# The variable that names the examples to apply; without it, all of them are.
EXAMPLES = "EXAMPLES"
ALL = tuple(sorted(path.parent.name for path in ROOT.glob("examples/*/main.tf")))
NAMES = tuple(os.environ[EXAMPLES].split()) if os.environ.get(EXAMPLES) else ALL
# Each is another Terraform and another provider, and the machine has not many processors.
AT_A_TIME = 2
SECONDS = 400


@dataclass(frozen=True)
class Applied:
    """An example as it stands: what its outputs say, and what a second plan said and ended with (0: no changes)."""

    root: Root
    outputs: dict[str, Any]
    second_plan: str
    second_plan_ended_with: int

    @property
    def module(self) -> dict[str, Any]:
        """The outputs of the module itself."""
        module: dict[str, Any] = self.outputs["image_labels"]
        return module


class Examples:
    """Applies the examples from now on, in threads of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="example")
        self._stop = threading.Event()
        self._applied: dict[str, Future[Applied]] = {name: self._pool.submit(self._apply, name) for name in NAMES}

    def __getitem__(self, name: str) -> Applied:
        """The example, when it is applied. Raises TerraformError if that failed."""
        return self._applied[name].result(SECONDS)

    def change(self, name: str, *variables: str) -> None:
        """Apply it again with variables, as `name=value`."""
        arguments = [part for variable in variables for part in ("-var", variable)]
        self[name].root.run("apply", "-no-color", "-auto-approve", *arguments)

    def destroy(self) -> dict[str, str]:
        """Destroy all of them; what is left in each one's state, which is nothing if it went cleanly."""
        done = {name: self._pool.submit(self._destroy, self[name].root) for name in NAMES}
        return {name: each.result(SECONDS) for name, each in done.items()}

    def close(self) -> None:
        """Begin nothing more, and wait for what has begun."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def _apply(self, name: str) -> Applied:
        root = Root(ROOT / "examples" / name, DIRECTORY / "examples" / name, self._server.environment())
        root.run("init", "-no-color")
        root.run("apply", "-no-color", "-auto-approve")
        plan = root.run("plan", "-no-color", "-detailed-exitcode", allowed=(0, 2))
        outputs = {key: each["value"] for key, each in json.loads(root.run("output", "-json").stdout).items()}
        return Applied(root, outputs, plan.stdout, plan.returncode)

    def _destroy(self, root: Root) -> str:
        root.run("destroy", "-no-color", "-auto-approve")
        return root.run("show", "-no-color", str(root.state)).stdout.strip()
