"""Inference: what models see in the pixels of a photo.

Pixels are rows x columns x RGB, 0-255, upright. Positions and sizes are ratios of the width and the height. Every
function can be called from several threads. It loads its model at the first call, and raises ModelMissing if the model
is not installed. Nothing here knows LocalStack.
"""
