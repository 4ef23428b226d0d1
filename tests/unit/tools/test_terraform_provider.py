"""tools/terraform_provider.py: one process per version of a provider, however many root modules use it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tools.terraform import TerraformError
from tools.terraform_provider import REATTACH, Providers

NAME = "registry.opentofu.org/hashicorp/aws"
# Prints what the AWS provider prints with -debug, and then waits.
PROVIDER = """#!/bin/sh
[ "$1" = -debug ] || exit 1
echo "Provider started. To attach Terraform CLI, set the TF_REATTACH_PROVIDERS environment variable with the following:"
echo
echo "	TF_REATTACH_PROVIDERS='{\\"registry.terraform.io/hashicorp/aws\\":{\\"Pid\\":$$,\\"Test\\":true}}'"
exec sleep 60
"""


def initialized(directory: Path, version: str, program: str = PROVIDER) -> tuple[Path, Path]:
    """A root module and its TF_DATA_DIR, as `terraform init` leaves them. An upgrade has left an older version."""
    root, data = directory / "root", directory / "data"
    root.mkdir(parents=True)
    (root / ".terraform.lock.hcl").write_text(
        f'# Maintained by "terraform init".\n\nprovider "{NAME}" {{\n  version     = "{version}"\n  hashes = []\n}}\n'
    )
    for each, text in (("1.0.0", "#!/bin/sh\nexit 1\n"), (version, program)):
        cached = directory.parent / "plugins" / each
        cached.mkdir(parents=True, exist_ok=True)
        (cached / f"terraform-provider-aws_v{each}_x5").write_text(text)
        (cached / f"terraform-provider-aws_v{each}_x5").chmod(0o755)
        (data / "providers" / NAME / each).mkdir(parents=True)
        (data / "providers" / NAME / each / "linux_amd64").symlink_to(cached)
    return root, data


def entry(variables: dict[str, str]) -> dict[str, Any]:
    by_name: dict[str, dict[str, Any]] = json.loads(variables[REATTACH])
    assert list(by_name) == [NAME]
    return by_name[NAME]


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_root_modules_with_the_same_version_share_a_process(tmp_path: Path) -> None:
    with Providers() as providers:
        first = entry(providers.variables(*initialized(tmp_path / "first", "5.100.0")))
        again = entry(providers.variables(*initialized(tmp_path / "again", "5.100.0")))
        newer = entry(providers.variables(*initialized(tmp_path / "newer", "6.0.0")))
        assert first == again != newer
        assert is_running(first["Pid"])
        assert is_running(newer["Pid"])


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_processes_end_with_the_checks(tmp_path: Path, error: BaseException | None) -> None:
    started = []
    try:
        with Providers() as providers:
            started.append(entry(providers.variables(*initialized(tmp_path / "root", "5.100.0")))["Pid"])
            if error:
                raise error
    except KeyboardInterrupt:
        pass
    assert started
    assert not any(map(is_running, started))


def test_root_module_without_a_provider_needs_none(tmp_path: Path) -> None:
    with Providers() as providers:
        assert providers.variables(tmp_path, tmp_path / "data") == {}


def test_provider_that_init_did_not_install_is_left_to_terraform(tmp_path: Path) -> None:
    root, _ = initialized(tmp_path / "root", "5.100.0")
    with Providers() as providers:
        assert providers.variables(root, tmp_path / "empty") == {}


def test_provider_that_does_not_start_is_an_error_with_its_output(tmp_path: Path) -> None:
    root, data = initialized(tmp_path / "root", "5.100.0", "#!/bin/sh\necho 'no space left on device' >&2\nexit 1\n")
    with Providers() as providers, pytest.raises(TerraformError, match="no space left on device"):
        providers.variables(root, data)
