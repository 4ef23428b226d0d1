"""Small previews of the photos for the grid, made on the operator's machine and kept there."""

from image_labels_cli.browse.previews.kept import Kept, default_directory
from image_labels_cli.browse.previews.picture import NotPreviewable
from image_labels_cli.browse.previews.service import Abandoned, Preview, Previews

__all__ = ["Abandoned", "Kept", "NotPreviewable", "Preview", "Previews", "default_directory"]
