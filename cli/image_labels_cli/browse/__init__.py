"""`image-labels browse`: the photos and their labels as a page, on the operator's own machine."""

from image_labels_cli.browse.access import Access
from image_labels_cli.browse.server import BrowseError, serve

__all__ = ["Access", "BrowseError", "serve"]
