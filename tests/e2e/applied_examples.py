"""Applies the examples, and a root module of the tests, to LocalStack in parallel, while the other tests run."""

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

# The environment variable that names the examples to apply. Without it, all examples are applied.
EXAMPLES = "EXAMPLES"
# tests/e2e/root has the consumer of stream-consumer, and LocalStack has no OpenSearch Ingestion. tests/terraform plans
# both with a mock provider.
NOT_APPLIED = ("stream-consumer", "opensearch")
ROOTS = {
    path.parent.name: path.parent
    for path in sorted(ROOT.glob("examples/*/main.tf"))
    if path.parent.name not in NOT_APPLIED
}
ROOTS["batch_operations"] = ROOT / "tests" / "e2e" / "batch_operations"
ALL = tuple(ROOTS)
NAMES = tuple(os.environ[EXAMPLES].split()) if os.environ.get(EXAMPLES) else ALL
# Each example runs its own processes of Terraform and the provider; more would overload a machine with few processors.
AT_A_TIME = 2
SECONDS = 400


@dataclass(frozen=True)
class Applied:
    """An applied example: its outputs, and the output and exit code of a second plan (0: no changes)."""

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
    """Starts to apply the examples in background threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="example")
        self._stop = threading.Event()
        self._applied: dict[str, Future[Applied]] = {name: self._pool.submit(self._apply, name) for name in NAMES}
        self._left: dict[str, Future[str]] = {}

    def __getitem__(self, name: str) -> Applied:
        """Wait until the example is applied. Raises TerraformError if Terraform failed."""
        return self._applied[name].result(SECONDS)

    def change(self, name: str, *variables: str) -> None:
        """Apply the example again with variables in the form `name=value`."""
        arguments = [part for variable in variables for part in ("-var", variable)]
        self[name].root.run("apply", "-no-color", "-auto-approve", *arguments)

    def start_to_destroy(self, *names: str) -> None:
        """Destroy examples in the background."""
        for name in names:
            if name not in self._left:
                self._left[name] = self._pool.submit(self._destroy, name)

    def destroy(self) -> dict[str, str]:
        """Destroy all examples. Returns the addresses of the resources that remain in each state."""
        self.start_to_destroy(*NAMES)
        return {name: each.result(SECONDS) for name, each in self._left.items()}

    def close(self) -> None:
        """Cancel what has not started, and wait for the rest."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def _apply(self, name: str) -> Applied:
        root = Root(ROOTS[name], DIRECTORY / "examples" / name, self._server.environment())
        root.run("init", "-no-color")
        root.run("apply", "-no-color", "-auto-approve")
        plan = root.run("plan", "-no-color", "-detailed-exitcode", allowed=(0, 2))
        outputs = {key: each["value"] for key, each in json.loads(root.run("output", "-json").stdout).items()}
        return Applied(root, outputs, plan.stdout, plan.returncode)

    def _destroy(self, name: str) -> str:
        root = self[name].root
        root.run("destroy", "-no-color", "-auto-approve")
        return root.run("state", "list", f"-state={root.state}").stdout
