"""The Terraform module's sizing of the function for a quota, evaluated by Terraform.

The expressions come from the module's .tf files and `terraform console` evaluates them, so no number is repeated here.
It evaluates only expressions that need no provider. The caller names the variables that refer to resources.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

from tools.terraform import ROOT, TerraformError, environment, executable

REFERENCE = re.compile(r"\b(local|var)\.(\w+)")


@dataclass(frozen=True)
class Sizing:
    """`environment` has the function's variables, except those that name resources. Times are in seconds."""

    maximum_concurrency: int
    batch_size: int
    memory_mb: int
    timeout: int
    visibility_timeout: int
    max_receive_count: int
    environment: dict[str, str]


def sizing(rekognition_tps: float, resources: frozenset[str]) -> Sizing:
    """The sizing for a quota. `resources` are the environment variables that name resources.

    Raises TerraformError if Terraform cannot evaluate it.
    """
    local, blocks = _locals_and_resources()
    wanted = {
        "maximum_concurrency": blocks["aws_lambda_event_source_mapping.photos"]["scaling_config"][0][
            "maximum_concurrency"
        ],
        "batch_size": blocks["aws_lambda_event_source_mapping.photos"]["batch_size"],
        "memory_mb": blocks["aws_lambda_function.this"]["memory_size"],
        "timeout": blocks["aws_lambda_function.this"]["timeout"],
        "visibility_timeout": blocks["aws_sqs_queue.photos"]["visibility_timeout_seconds"],
        "max_receive_count": "${var.max_receive_count}",
        "environment": {name: value for name, value in local["environment"].items() if name not in resources},
    }
    local["rekognition_tps"] = rekognition_tps
    local["has_higher_quotas"] = False  # of other APIs, which the benchmark does not use; the Region needs the provider
    root: dict[str, dict[str, Any]] = {"locals": {"wanted": wanted}, "variable": {}}
    defaults = {name: block["default"] for name, block in _blocks("variables.tf", "variable").items()}
    todo = [wanted]
    while todo:
        for kind, name in REFERENCE.findall(json.dumps(todo.pop())):
            if kind == "var":
                root["variable"][name] = {"default": defaults[name]}
            elif name not in root["locals"]:
                root["locals"][name] = local[name]
                todo.append(local[name])
    return Sizing(**_evaluated(root))


def _evaluated(root: dict[str, dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "main.tf.json").write_text(json.dumps(root))
        done = subprocess.run(
            [executable(), f"-chdir={directory}", "console"],
            input="jsonencode(local.wanted)",
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise TerraformError(f"Terraform cannot evaluate the module's sizing without a provider:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(json.loads(done.stdout))  # JSON, printed as an HCL string
    return answer


def _locals_and_resources() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The module's locals, and its resources by address."""
    files = [_parsed(path.name) for path in sorted(ROOT.glob("*.tf"))]
    local = {
        name: value
        for file in files
        for entry in file.get("locals", [])
        for name, value in entry.items()
        if not name.startswith("__")
    }
    blocks = {
        f"{kind}.{name}": block
        for file in files
        for entry in file.get("resource", [])
        for kind, named in entry.items()
        for name, block in named.items()
    }
    return local, blocks


def _blocks(file: str, kind: str) -> dict[str, dict[str, Any]]:
    return {name: block for entry in _parsed(file)[kind] for name, block in entry.items()}


def _parsed(file: str) -> dict[str, Any]:
    with (ROOT / file).open() as source:
        parsed: dict[str, Any] = _plain(hcl2.load(source))
    return parsed


def _plain(value: Any) -> Any:
    """The parser's values without the quotation marks around strings and names."""
    match value:
        case dict():
            return {_plain(name): _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case str():
            return value.removeprefix('"').removesuffix('"')
        case _:
            return value
