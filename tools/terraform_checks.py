"""`make terraform`: every root module validates, and `terraform test` passes with a mock provider.

It needs no package: CI runs it for each version of Terraform without the Python environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.terraform import LOCAL, ROOT, Root, TerraformError, environment, executable

# The variable that names a version of the AWS provider, or a constraint, to check the module with. Without it Terraform
# takes the newest that suits.
AWS_PROVIDER = "AWS_PROVIDER"
# Terraform reads a file of such a name last, and what it says replaces what the others say.
OVERRIDE = "aws_provider_override.tf"
LOCK = ".terraform.lock.hcl"


def main() -> int:
    """Run the checks; 0 if all pass. What Terraform says of a failure is printed."""
    if version := os.environ.get(AWS_PROVIDER):
        # The examples have a constraint of their own, for the emulator's sake.
        with aws_provider(ROOT, version):
            failed = [_validate(ROOT, "-upgrade"), _test()]
    else:
        examples = sorted(path.parent for path in ROOT.glob("examples/*/main.tf"))
        failed = [*map(_validate, [ROOT, *examples, ROOT / "tests" / "e2e" / "root"]), _test()]
    return 1 if any(failed) else 0


@contextmanager
def aws_provider(module: Path, version: str) -> Iterator[None]:
    """Have a module want a version of the AWS provider, for a while; afterwards its directory is as it was."""
    override, lock = module / OVERRIDE, module / LOCK
    locked = lock.read_bytes() if lock.exists() else None
    override.write_text(
        "terraform {\n  required_providers {\n    aws = {\n"
        f'      source  = "hashicorp/aws"\n      version = "{version}"\n'
        "    }\n  }\n}\n"
    )
    try:
        yield
    finally:
        override.unlink()
        lock.unlink(missing_ok=True)
        if locked is not None:
            lock.write_bytes(locked)


def _validate(directory: Path, *init: str) -> bool:
    """Whether it fails."""
    name = directory.relative_to(ROOT).as_posix()
    root = _root(directory)
    try:
        root.run("init", "-no-color", "-backend=false", *init)
        root.run("validate", "-no-color")
    except TerraformError as error:
        print(f"validate {name}: {error}", flush=True)
        return True
    print(f"validate {name}: ok", flush=True)
    return False


def _test() -> bool:
    """Whether it fails."""
    if Path(executable()).stem == "tofu":
        print("test: left out, for OpenTofu's mock_provider does not take its data from a file", flush=True)
        return False
    test = _root(ROOT).start("test", "-no-color", "-test-directory=tests/terraform")
    assert test.stdout is not None
    for line in test.stdout:
        print(line, end="", flush=True)
    return test.wait() != 0


def _root(directory: Path) -> Root:
    return Root(directory, LOCAL / "terraform" / "checks" / directory.relative_to(ROOT.parent), environment())


if __name__ == "__main__":
    sys.exit(main())
