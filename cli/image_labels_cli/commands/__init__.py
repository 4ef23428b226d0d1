"""The commands of `image-labels`, one in each module."""
