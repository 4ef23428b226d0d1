"""A writer of PyTorch's old .pth format, without PyTorch (torch/serialization.py, `_legacy_save`)."""

from __future__ import annotations

import io
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class _Storage:
    """Pickled as a reference to data that follows the pickles."""

    def __init__(self, key: str, content: NDArray[Any]) -> None:
        self.key = key
        self.content = content


class _Tensor:
    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return _torch("_utils", "_rebuild_tensor_v2"), self._arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, _Storage):
            return None
        kind = _torch("", "FloatStorage" if value.content.dtype == np.float32 else "LongStorage")
        return ("storage", kind, value.key, "cpu", value.content.size, None)


def _torch(module: str, name: str) -> Any:
    """An object that is pickled as torch's of this name."""
    return getattr(sys.modules["torch" + (f".{module}" if module else "")], name)


def _fake_torch() -> dict[str, ModuleType]:
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for module, name in [(torch, "FloatStorage"), (torch, "LongStorage"), (utils, "_rebuild_tensor_v2")]:
        setattr(module, name, type(name, (), {"__module__": module.__name__}))
    return {"torch": torch, "torch._utils": utils}


def written(state: Mapping[str, NDArray[Any]], *, magic: int = MAGIC, protocol: int = PROTOCOL) -> bytes:
    """A file with these tensors, float32 or int64, with the strides that they have in NumPy."""
    storages = {name: _Storage(str(number), _elements(tensor)) for number, (name, tensor) in enumerate(state.items())}
    tensors = OrderedDict(
        (name, tensor_of(storages[name], 0, tensor.shape, tuple(each // tensor.itemsize for each in tensor.strides)))
        for name, tensor in state.items()
    )
    return dumped(tensors, list(storages.values()), magic=magic, protocol=protocol)


def tensor_of(storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A tensor that may be outside of its storage."""
    return _Tensor(storage, offset, shape, strides, False, OrderedDict())


def storage_of(content: NDArray[Any]) -> Any:
    """The only storage of a file."""
    return _Storage("0", content)


def dumped(state: Any, storages: list[Any], *, magic: int = MAGIC, protocol: int = PROTOCOL) -> bytes:
    """A file with this state."""
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update(_fake_torch())
    try:
        stream = io.BytesIO()
        for part in (magic, protocol, {"little_endian": True}, state, [each.key for each in storages]):
            _Pickler(stream, protocol=2).dump(part)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    for storage in storages:
        stream.write(struct.pack("<q", storage.content.size) + storage.content.tobytes())
    return stream.getvalue()


def _elements(tensor: NDArray[Any]) -> NDArray[Any]:
    """The elements in the order in which they are in memory."""
    return tensor.ravel(order="K")
