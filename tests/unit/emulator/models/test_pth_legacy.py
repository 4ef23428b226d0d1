"""The reader of PyTorch's old format, with files that the test writes."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from image_labels_emulator.models.convert import pth_legacy
from image_labels_emulator.models.convert.graph import ConversionError
from support.legacy_pth import dumped, storage_of, tensor_of, written

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_tensors_are_read() -> None:
    state: dict[str, NDArray[Any]] = {
        "weight": WEIGHTS,
        "steps": np.array(7, np.int64),
        "bias": np.array([0.5, -0.5], np.float32),
    }
    read = pth_legacy.load(written(state))
    assert list(read) == ["weight", "steps", "bias"]
    for name, tensor in state.items():
        assert read[name].dtype == tensor.dtype
        np.testing.assert_array_equal(read[name], tensor)


def test_transposed_tensor_is_read() -> None:
    transposed = WEIGHTS.transpose(2, 0, 1)
    assert not transposed.flags.c_contiguous
    np.testing.assert_array_equal(pth_legacy.load(written({"weight": transposed}))["weight"], transposed)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (2, 13), (13, 1)),
        (1, (2, 12), (12, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (24,)),
        (3, (2,), (-4,)),
        (0, (0,), (1,)),
    ],
)
def test_tensor_outside_of_its_storage_is_refused(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    storage = storage_of(WEIGHTS)
    file = dumped(OrderedDict(weight=tensor_of(storage, offset, shape, strides)), [storage])
    with pytest.raises(ConversionError, match="weight is not within its storage"):
        pth_legacy.load(file)


class Touch:
    """Creates a file when it is unpickled by a reader that allows everything."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._file),)


def test_function_that_a_pickle_names_is_not_called(tmp_path: Path) -> None:
    file = dumped(OrderedDict(weight=Touch(tmp_path / "made")), [])
    with pytest.raises(ConversionError, match="mkdir, which is not allowed"):
        pth_legacy.load(file)
    assert not (tmp_path / "made").exists()
    pickle.loads(pickle.dumps(Touch(tmp_path / "made")))  # noqa: S301 - shows that the test can fail
    assert (tmp_path / "made").exists()


def test_file_that_ends_early_is_refused() -> None:
    with pytest.raises(ConversionError, match="ends within a tensor"):
        pth_legacy.load(written({"weight": WEIGHTS})[:-1])


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"not a pickle", written({}, magic=1), written({}, protocol=1002)]
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ConversionError):
        pth_legacy.load(data)
