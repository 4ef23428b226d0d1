"""Conversions of published models to ONNX, with NumPy and the package `onnx` only.

Each conversion takes the files of a model as bytes by their names, and returns the ONNX model. Inputs and outputs have
names of ours, which `image_labels_emulator.vision` uses. A file that is not as expected raises ConversionError.
"""
