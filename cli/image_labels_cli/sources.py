"""Which deployment a command works on, by precedence: flags, environment variables, a named deployment, Terraform.

1. The flags for single values, such as --images-table.
2. --deployment NAME or --terraform-dir DIR on the command line. The environment variables then have no effect, because
   the user asks for this deployment, and they may be those of another.
3. The environment variables for single values.
4. The named deployment in the environment variable IMAGE_LABELS_DEPLOYMENT.
5. `terraform output` in the current directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from image_labels_cli.deployment import Deployment, Source, TerraformOutputs
from image_labels_cli.invocation import UsageError
from image_labels_cli.named import NamedDeployment

SOURCE_FLAGS = {"deployment": "--deployment", "terraform_dir": "--terraform-dir"}


def chosen(given: Mapping[str, str], typed: Mapping[str, str], name: str) -> tuple[Deployment, Source | None]:
    """The values that the user gave, and the source of the others; None for `terraform output` where the command runs.

    `given` has the fields of Deployment from flags or environment, `typed` what is on the command line, and `name` the
    named deployment from either. Raises UsageError if both sources are on the command line.
    """
    if SOURCE_FLAGS.keys() <= typed.keys():
        raise UsageError("--deployment and --terraform-dir each name a deployment: remove one of them")
    flags = Deployment(**{field: value for field, value in typed.items() if field not in SOURCE_FLAGS})
    if directory := typed.get("terraform_dir"):
        return flags, TerraformOutputs(Path(directory))
    if "deployment" in typed:
        return flags, NamedDeployment(name)
    return Deployment(**given), NamedDeployment(name) if name else None
