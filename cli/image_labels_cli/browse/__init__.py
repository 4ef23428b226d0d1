"""The web page of `image-labels browse`, served on the operator's machine."""

from image_labels_cli.browse.access import Access
from image_labels_cli.browse.queues import Queues
from image_labels_cli.browse.server import BrowseError, serve

__all__ = ["Access", "BrowseError", "Queues", "serve"]
