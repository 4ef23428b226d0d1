"""Downloads photos into a directory."""

from image_labels_cli.downloads.run import Downloads, Outcome

__all__ = ["Downloads", "Outcome"]
