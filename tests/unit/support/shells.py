"""POSIX shells, and the words that they parse from a command line."""

from __future__ import annotations

import os
import shutil
import subprocess

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "ksh") if shutil.which(shell)]


def words_of(command: str, shell: str = "sh") -> list[str]:
    """The words of a command line. `printf` is a builtin of all these shells, so this starts one process."""
    done = subprocess.run([shell, "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True)
    assert done.stderr == b""
    return [os.fsdecode(word) for word in done.stdout.removesuffix(b"\0").split(b"\0")]
