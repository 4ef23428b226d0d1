"""Lambda's runtime on this machine: the runtime's packages, and the code of the zip."""

from __future__ import annotations

import os
import zipfile
from importlib.util import find_spec
from pathlib import Path

from tools.package import ZIP

RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
# Without site-packages: only what PYTHONPATH names.
PYTHON_OPTIONS = ("-S", "-s", "-P")

# Region and placeholder credentials in the variables that Lambda sets, and no proxy for local servers.
PLACEHOLDER_CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


def unpack(directory: Path) -> dict[str, str]:
    """Put both into the directory, and return the environment in which to start Python with PYTHON_OPTIONS.

    The runtime's packages are compiled. The zip's code is not and cannot be, as in /var/task.
    """
    runtime, task = directory / "runtime", directory / "task"
    runtime.mkdir(parents=True)
    for package in RUNTIME:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        (runtime / source.name).symlink_to(source)
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(task)
    return PLACEHOLDER_CREDENTIALS | {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{task}{os.pathsep}{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
