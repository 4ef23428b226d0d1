"""`make terraform`: validates every root module, and runs `terraform test` with a mock provider.

`python -m tools.terraform_checks [validate] [test]` runs one of them or both. It needs no Python packages: CI runs it
for each version of Terraform without the Python environment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tools.terraform import LOCAL, ROOT, Root, TerraformError, environment, executable, version
from tools.terraform_provider import Providers

# Environment variable with a version of the AWS provider, or a version constraint. Without it, Terraform selects the
# newest version that satisfies the module's constraint.
AWS_PROVIDER = "AWS_PROVIDER"
# Terraform merges override files last; their values replace those of other files.
OVERRIDE = "aws_provider_override.tf"
LOCK = ".terraform.lock.hcl"
TESTS = "tests/terraform"
EXAMPLE_TESTS = "tests/terraform/examples"


def main(arguments: list[str]) -> int:
    """Run the named checks, or all. Returns 0 if they pass."""
    checks = {"validate": _validate_all, "test": _test}
    chosen = arguments or list(checks)
    if not set(chosen) <= checks.keys():
        print(f"error: unknown check; the checks are {' and '.join(checks)}", file=sys.stderr)
        return 2
    wanted = os.environ.get(AWS_PROVIDER)
    # The default action of SIGTERM would leave the providers running.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    # Only the module: the examples have a constraint for the emulator.
    with aws_provider(ROOT, wanted) if wanted else nullcontext(), Providers() as providers:
        failed = [checks[name](providers) for name in chosen]
    return 1 if any(failed) else 0


def _validate_all(providers: Providers) -> bool:
    """Whether any root module fails. With AWS_PROVIDER, only the module is validated."""
    if os.environ.get(AWS_PROVIDER):
        return _validate(ROOT, providers)
    roots = sorted(path.parent for where in ("examples", "tests/e2e") for path in ROOT.glob(f"{where}/*/main.tf"))
    failed = [_validate(root, providers) for root in (ROOT, *roots)]
    return any(failed)


@contextmanager
def aws_provider(module: Path, version: str) -> Iterator[None]:
    """Temporarily require a version of the AWS provider in a module's directory."""
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


def _validate(directory: Path, providers: Providers) -> bool:
    """Whether it fails."""
    name = directory.relative_to(ROOT).as_posix()
    try:
        _initialized(directory, providers).run("validate", "-no-color")
    except TerraformError as error:
        print(f"validate {name}: {error}", flush=True)
        return True
    print(f"validate {name}: ok", flush=True)
    return False


def _test(providers: Providers) -> bool:
    """Whether it fails."""
    if Path(executable()).stem == "tofu":
        print("test: skipped, because OpenTofu's mock_provider cannot read its data from a file", flush=True)
        return False
    try:
        root = _initialized(ROOT, providers)
    except TerraformError as error:
        print(f"test: {error}", flush=True)
        return True
    # The examples have a constraint for the emulator.
    directories = [TESTS] if os.environ.get(AWS_PROVIDER) else [TESTS, EXAMPLE_TESTS]
    failed = False
    for directory in directories:
        test = root.start("test", "-no-color", f"-test-directory={directory}")
        assert test.stdout is not None
        for line in test.stdout:
            print(line, end="", flush=True)
        failed |= test.wait() != 0
    return failed


def _initialized(directory: Path, providers: Providers) -> Root:
    # A separate directory per version, because several versions may run at the same time.
    tool = f"{Path(executable()).stem}-{'.'.join(map(str, version(executable())))}"
    kept = LOCAL / "terraform" / "checks" / tool / directory.relative_to(ROOT.parent)
    root = Root(directory, kept, environment())
    upgrade = ["-upgrade"] if os.environ.get(AWS_PROVIDER) else []
    # Test files that use the examples as modules.
    tests = [f"-test-directory={EXAMPLE_TESTS}"] if directory == ROOT and not upgrade else []
    root.run("init", "-no-color", "-backend=false", *tests, *upgrade)
    return root.with_variables(providers.variables(directory, root.data_directory))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
