"""`image-labels backfill --batch-operations`: the photos of the module's filter as jobs of S3 Batch Operations."""

from image_labels_cli.batch_operations.command import run

__all__ = ["run"]
