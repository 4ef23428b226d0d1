"""The CreateJob requests of a backfill.

A manifest generator's filter takes one prefix and one suffix, although both are lists. There is therefore one job for
each of the module's suffixes. No photo is in two jobs, because no suffix is the end of another (variables.tf).
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_KeyNameConstraint.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment

# A higher number runs first among the jobs of the account. A backfill is not urgent.
PRIORITY = 1
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
MAX_DESCRIPTION = 256

# {AccountId, ConfirmationRequired, …} as boto3 takes it.
Request = Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """What the module created for jobs. `prefix` is where jobs write in the bucket; it ends with a slash."""

    partition: str
    account: str
    function_arn: str
    role_arn: str
    bucket: str
    prefix: str

    @classmethod
    def of(cls, deployment: Deployment) -> Batch:
        """From the ARNs of the function and the role. Raises UsageError if one of them is none."""
        # arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch
        function = deployment.batch_function_arn.split(":")
        # arn:aws:iam::111122223333:role/image-labels-batch-20260101
        role = deployment.batch_role_arn.split(":", 5)
        if len(function) != 7 or function[2] != "lambda":
            raise UsageError("--batch-function-arn must be the ARN of the function, without a version")
        if len(role) != 6 or role[2] != "iam":
            raise UsageError("--batch-role-arn must be the ARN of the role of S3 Batch Operations")
        return cls(
            role[1],
            role[4],
            deployment.batch_function_arn,
            deployment.batch_role_arn,
            deployment.bucket,
            f"{function[6]}/",
        )

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def reports(self) -> str:
        """The prefix of the reports, without the slash that S3 adds."""
        return f"{self.prefix}reports"

    def report_of(self, job_id: str) -> str:
        """The address of a job's report, which S3 writes when the job ends."""
        return f"s3://{self.bucket}/{self.reports}/job-{job_id}/"

    def request(self, prefix: str, suffix: str) -> Request:
        """The job for the photos with this prefix and suffix. Another call is for another job: it has another token."""
        constraint = {"MatchAnyPrefix": [prefix]} if prefix else {}
        constraint |= {"MatchAnySuffix": [suffix]} if suffix else {}
        generator: dict[str, Any] = {
            "SourceBucket": self.bucket_arn,
            "EnableManifestOutput": True,
            "ManifestOutputLocation": {
                "Bucket": self.bucket_arn,
                "ManifestPrefix": f"{self.prefix}manifests",
                # S3's own key, for which the role needs no permission. Reports always have it.
                "ManifestEncryption": {"SSES3": {}},
                "ManifestFormat": "S3InventoryReport_CSV_20211130",
            },
        }
        if constraint:
            generator["Filter"] = {"KeyNameConstraint": constraint}
        return {
            "AccountId": self.account,
            "ConfirmationRequired": True,
            "Operation": {
                "LambdaInvoke": {"FunctionArn": self.function_arn, "InvocationSchemaVersion": "2.0"},
            },
            "Report": {
                "Bucket": self.bucket_arn,
                "Prefix": self.reports,
                "Format": "Report_CSV_20180820",
                "Enabled": True,
                "ReportScope": "FailedTasksOnly",
            },
            "ManifestGenerator": {"S3JobManifestGenerator": generator},
            "Description": f"image-labels backfill of {prefix}*{suffix}"[:MAX_DESCRIPTION],
            "Priority": PRIORITY,
            "RoleArn": self.role_arn,
            "ClientRequestToken": str(uuid.uuid4()),
        }
