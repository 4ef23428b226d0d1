"""`make terraform`: every root module validates, and `terraform test` passes with a mock provider."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.terraform import LOCAL, ROOT, Root, TerraformError, environment


def main() -> int:
    """Run the checks; 0 if all pass. What Terraform says of a failure is printed."""
    roots = [ROOT, *sorted(path.parent for path in ROOT.glob("examples/*/main.tf")), ROOT / "tests" / "e2e" / "root"]
    failed = 0
    for directory in roots:
        name = directory.relative_to(ROOT).as_posix()
        root = _root(directory)
        try:
            root.run("init", "-no-color", "-backend=false")
            root.run("validate", "-no-color")
            print(f"validate {name}: ok", flush=True)
        except TerraformError as error:
            failed += 1
            print(f"validate {name}: {error}", flush=True)
    test = _root(ROOT).start("test", "-no-color", "-test-directory=tests/terraform")
    assert test.stdout is not None
    for line in test.stdout:
        print(line, end="", flush=True)
    return 1 if test.wait() or failed else 0


def _root(directory: Path) -> Root:
    return Root(directory, LOCAL / "terraform" / "checks" / directory.relative_to(ROOT.parent), environment())


if __name__ == "__main__":
    sys.exit(main())
