"""Weights of a TensorFlow.js model: a manifest in JSON, and one or more binary files.

The manifest is a list of groups. The files of a group, one after the other, hold its weights, one after the other,
little-endian. Quantized integers stand for `value * scale + min` (tfjs-core, io/types.ts: WeightsManifestEntry).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.models.convert.graph import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
}


def read(manifest: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The weights by name, float32 or int32; `files` by the names in the manifest. Raises ConversionError."""
    weights: dict[str, NDArray[Any]] = {}
    try:
        for group in manifest:
            content = b"".join(files[path] for path in group["paths"])
            position = 0
            for entry in group["weights"]:
                stored = _DTYPES[(entry.get("quantization") or entry)["dtype"]]
                count = math.prod(entry["shape"])
                values = np.frombuffer(content, stored, count, position).reshape(entry["shape"])
                position += count * stored.itemsize
                weights[entry["name"]] = _dequantized(values, entry)
            if position != len(content):
                raise ConversionError(f"the manifest describes {position} bytes of {len(content)}")
    except (KeyError, ValueError) as error:
        raise ConversionError(f"the weights are not as their manifest says: {error!r}") from error
    return weights


def _dequantized(values: NDArray[Any], entry: Mapping[str, Any]) -> NDArray[Any]:
    quantization = entry.get("quantization")
    if quantization:
        values = values.astype(np.float32) * np.float32(quantization["scale"]) + np.float32(quantization["min"])
    return values.astype(_DTYPES[entry["dtype"]], copy=False)
