"""`make terraform`: every root module validates, and `terraform test` passes with a mock provider."""

from __future__ import annotations

import subprocess
import sys

from tools.terraform import LOCAL, ROOT, Root, TerraformError, environment, executable


def main() -> int:
    """Run the checks; 0 if all pass. What Terraform says of a failure is printed."""
    roots = [ROOT, *sorted(path.parent for path in ROOT.glob("examples/*/main.tf")), ROOT / "tests" / "e2e" / "root"]
    failed = 0
    for directory in roots:
        name = directory.relative_to(ROOT).as_posix()
        root = Root(directory, LOCAL / "terraform" / "checks" / name.replace("/", "-"), environment())
        try:
            root.run("init", "-no-color", "-backend=false")
            root.run("validate", "-no-color")
            print(f"validate {name}: ok", flush=True)
        except TerraformError as error:
            failed += 1
            print(f"validate {name}: {error}", flush=True)
    data = LOCAL / "terraform" / "checks" / "." / "data"
    test = subprocess.run(
        [executable(), f"-chdir={ROOT}", "test", "-no-color", "-test-directory=tests/terraform"],
        env=environment() | {"TF_DATA_DIR": str(data)},
        check=False,
    )
    return 1 if failed or test.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
