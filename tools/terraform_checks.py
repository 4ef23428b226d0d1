"""`make terraform`: every root module validates, and `terraform test` passes with a mock provider.

`python -m tools.terraform_checks [validate] [test]` runs one of the two, or both. It needs no package: CI runs it for
each version of Terraform without the Python environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tools.terraform import LOCAL, ROOT, Root, TerraformError, environment, executable, version

# The variable that names a version of the AWS provider, or a constraint, to check the module with. Without it Terraform
# takes the newest that suits.
AWS_PROVIDER = "AWS_PROVIDER"
# Terraform reads a file of such a name last, and what it says replaces what the others say.
OVERRIDE = "aws_provider_override.tf"
LOCK = ".terraform.lock.hcl"


def main(arguments: list[str]) -> int:
    """Run the checks that are named, or all; 0 if they pass. What Terraform says of a failure is printed."""
    checks = {"validate": _validate_all, "test": _test}
    chosen = arguments or list(checks)
    if not set(chosen) <= checks.keys():
        print(f"error: the checks are {' and '.join(checks)}", file=sys.stderr)
        return 2
    wanted = os.environ.get(AWS_PROVIDER)
    # The examples have a constraint of their own, for the emulator's sake.
    with aws_provider(ROOT, wanted) if wanted else nullcontext():
        failed = [checks[name]() for name in chosen]
    return 1 if any(failed) else 0


def _validate_all() -> bool:
    """Whether any root module fails; with a version of the provider, the module itself alone."""
    if os.environ.get(AWS_PROVIDER):
        return _validate(ROOT)
    examples = sorted(path.parent for path in ROOT.glob("examples/*/main.tf"))
    failed = [_validate(root) for root in (ROOT, *examples, ROOT / "tests" / "e2e" / "root")]
    return any(failed)


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


def _validate(directory: Path) -> bool:
    """Whether it fails."""
    name = directory.relative_to(ROOT).as_posix()
    try:
        _initialized(directory).run("validate", "-no-color")
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
    try:
        root = _initialized(ROOT)
    except TerraformError as error:
        print(f"test: {error}", flush=True)
        return True
    test = root.start("test", "-no-color", "-test-directory=tests/terraform")
    assert test.stdout is not None
    for line in test.stdout:
        print(line, end="", flush=True)
    return test.wait() != 0


def _initialized(directory: Path) -> Root:
    # Several versions may run at the same time, and what one keeps is not the other's.
    tool = f"{Path(executable()).stem}-{'.'.join(map(str, version(executable())))}"
    kept = LOCAL / "terraform" / "checks" / tool / directory.relative_to(ROOT.parent)
    root = Root(directory, kept, environment())
    upgrade = ["-upgrade"] if os.environ.get(AWS_PROVIDER) else []
    root.run("init", "-no-color", "-backend=false", *upgrade)
    return root


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
