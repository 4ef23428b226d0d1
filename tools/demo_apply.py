"""`terraform apply` of the demo, with a progress bar, until it ends or is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

from tools.demo_output import progress, step, write
from tools.terraform import Root, TerraformError

# For Terraform to stop after an interrupt. It first finishes or cancels the resources that it creates.
STOP_SECONDS = 60


def apply(root: Root, *, first: bool) -> dict[str, Any]:
    """Apply the root module, and return its output `image_labels`. `first`: it has no state yet.

    Raises TerraformError if Terraform fails. Ctrl-C stops Terraform, which saves its state, and raises
    KeyboardInterrupt.
    """
    if first:
        write(
            "  terraform apply takes about a minute, as on AWS: the provider waits 55 s\n"
            "  for the bucket's lifecycle rules, and meanwhile 25 s for each of two queues."
        )
    # A session of its own: the terminal sends Ctrl-C to this process only. At a second one, Terraform would not wait.
    process = root.start("apply", "-auto-approve", "-json", start_new_session=True)
    try:
        _follow(process)
    except KeyboardInterrupt:
        _stop(process)
        raise
    answer: dict[str, Any] = json.loads(root.run("output", "-json").stdout)
    values: dict[str, Any] = answer["image_labels"]["value"]
    return values


def _follow(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    errors = []
    with progress() as bar:
        task = bar.add_task("terraform apply", total=None)
        for line in process.stdout:
            event = _event(line)
            match event.get("type"):
                case "change_summary" if event["changes"]["operation"] == "plan":
                    planned = sum(event["changes"][what] for what in ("add", "change", "remove"))
                    bar.update(task, total=planned)
                case "apply_complete" if event["hook"]["action"] != "read":
                    bar.advance(task)
                case "diagnostic" if event["diagnostic"]["severity"] == "error":
                    errors.append(f"{event['diagnostic']['summary']}: {event['diagnostic'].get('detail', '')}".strip())
        if process.wait() != 0:
            raise TerraformError("terraform apply failed:\n" + "\n".join(errors))
        if not bar.tasks[0].total:
            bar.update(task, total=1, completed=1, description="terraform apply: nothing to change")


def _stop(process: subprocess.Popen[str]) -> None:
    """Let Terraform save its state. A second Ctrl-C, or STOP_SECONDS, kills it."""
    with step("Stopping terraform, which saves its state"):
        try:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            process.kill()
            process.communicate()


def _event(line: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return event
