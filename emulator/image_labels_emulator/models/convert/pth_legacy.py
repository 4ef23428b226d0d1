"""Reader of PyTorch's old .pth format (before PyTorch 1.6), without PyTorch.

A file is a sequence of pickles: a magic number, a version of the protocol, facts on the machine, the state, and the
keys of the storages. Then follow the storages, in the order of the keys: the number of elements (8 bytes), and the
elements, little-endian (PyTorch's torch/serialization.py, `_legacy_save`).

A pickle can name any function to be called. This reader knows what a state of tensors needs, and refuses the rest.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.models.convert.graph import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_SIZE = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements


def load(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a state by name. Raises ConversionError."""
    stream = io.BytesIO(data)
    try:
        if _unpickle(stream) != MAGIC or _unpickle(stream) != PROTOCOL:
            raise ConversionError("not a .pth file of the old format")
        _unpickle(stream)  # byte order and sizes of types: recorded, but PyTorch itself ignores them
        state = _unpickle(stream)
        keys = _unpickle(stream)
        tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor)}
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        storages = {key: _read_storage(stream, dtypes[key]) for key in keys}
    except ConversionError:
        raise
    except Exception as error:  # a broken pickle raises nearly anything
        raise ConversionError(f"broken .pth file: {error!r}") from error
    return {name: _array(name, tensor, storages) for name, tensor in tensors.items()}


def _read_storage(stream: io.BytesIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (elements,) = _SIZE.unpack(stream.read(_SIZE.size))
    content = stream.read(elements * dtype.itemsize) if elements >= 0 else b""
    if len(content) != elements * dtype.itemsize:
        raise ConversionError("the .pth file ends within a tensor")
    return np.frombuffer(content, dtype)


def _array(name: str, tensor: _Tensor, storages: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    storage = storages.get(tensor.storage.key, np.empty(0))
    steps = list(zip(tensor.shape, tensor.strides, strict=True))
    last = tensor.offset + sum((size - 1) * stride for size, stride in steps)
    # NumPy would read whatever is in memory there.
    if tensor.offset < 0 or any(size < 1 or stride < 0 for size, stride in steps) or last >= storage.size:
        raise ConversionError(f"tensor {name} is not within its storage")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()


class _StateUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may name; called for every function and class in it."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise ConversionError(f"the .pth file names {module}.{name}, which is not allowed")

    def persistent_load(self, reference: Any) -> _Storage:
        """A storage: ("storage", type, key, device, number of elements, view of another storage or None)."""
        kind, dtype, key, _device, _elements, view = reference
        if kind != "storage" or view is not None:
            raise ConversionError(f"the .pth file has a reference {reference!r}, which is not supported")
        return _Storage(str(key), dtype)


def _unpickle(stream: io.BytesIO) -> Any:
    return _StateUnpickler(stream).load()


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _Tensor:
    """Called by the pickle in place of torch._utils._rebuild_tensor_v2."""
    return _Tensor(storage, offset, shape, strides)
