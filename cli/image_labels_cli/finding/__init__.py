"""The parts of `image-labels find`: its results, their order and their formats."""
