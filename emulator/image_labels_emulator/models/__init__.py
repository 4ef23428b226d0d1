"""Set-up of the vision models: fetch packages that contain them, convert the models to ONNX, and install the result.

`python -m image_labels_emulator.models` does it all. The emulator itself never fetches anything.
"""
