"""The AWS clients and resource names that the page uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from image_labels.search.faces import FaceFinder
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from image_labels_cli.browse.queues import Queues
    from image_labels_cli.inventory.keys import KeyFilter

_CONSOLES = {"cn": "amazonaws.cn", "us-gov": "amazonaws-us-gov.com"}


@dataclass(frozen=True)
class Access:
    """Clients with the operator's credentials, and one deployment of the module.

    `s3` presigns the URLs of the photos. S3 must answer these URLs without a redirect. This requires the bucket's
    Region, and `Config(signature_version="s3v4", s3={"addressing_style": "virtual"})`. `labels_by` is a line that names
    the emulated Rekognition, or "" on AWS. `queues` is None if the URLs of the queues are unknown. `uploads` has the
    keys that the page may upload to, and is None if it may not upload. `faces` is None without a face collection.
    """

    dynamodb: DynamoDBClient
    s3: S3Client
    images_table: str
    labels_table: str
    bucket: str
    labels_by: str = ""
    queues: Queues | None = None
    uploads: KeyFilter | None = None
    faces: FaceFinder | None = None

    @property
    def console(self) -> str:
        """The address of the Region's S3 console; "" for an endpoint that is not AWS's.

        https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/console-help-region.html
        """
        host = urlsplit(self.s3.meta.endpoint_url).hostname or ""
        if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return ""
        region = self.s3.meta.region_name
        partition = "us-gov" if region.startswith("us-gov-") else region.partition("-")[0]
        domain = _CONSOLES.get(partition, "aws.amazon.com")
        return f"https://{region}.console.{domain}/s3/object/"
