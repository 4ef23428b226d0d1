"""The IAM permissions that each command needs: readers' commands find photos, operators' commands maintain the tables.

Tests compare them with the outputs `reader_policy_json`, `uploader_policy_json` and `operator_policy_json`.

`python -m image_labels_cli.permissions` prints them as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum


class Resource(StrEnum):
    """The resources of a deployment that a policy names."""

    IMAGES_TABLE = "images_table"
    LABELS_TABLE = "labels_table"
    QUEUE = "queue"
    DEAD_LETTER_QUEUE = "dead_letter_queue"
    WAITING_QUEUE = "waiting_queue"  # photos over the daily limit
    BUCKET = "bucket"  # the bucket itself, for listings under filter_prefix
    PHOTOS = "photos"  # the objects of the bucket, under filter_prefix
    FACE_COLLECTION = "face_collection"  # with faces.index
    KEY = "kms_key"
    EVERYTHING = "*"  # for an action without resource types
    JOBS = "batch_jobs"  # S3 Batch Operations jobs of the account in the Region
    BATCH_ROLE = "batch_role"  # of these jobs


COMMAND_PERMISSIONS: dict[str, dict[str, tuple[Resource, ...]]] = {
    "show": {"dynamodb:GetItem": (Resource.IMAGES_TABLE,)},
    # BatchGetItem reads the vocabulary, and photos that have more terms than fit into a row.
    "find": {
        "dynamodb:Query": (Resource.LABELS_TABLE,),
        "dynamodb:BatchGetItem": (Resource.LABELS_TABLE, Resource.IMAGES_TABLE),
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),
        "s3:GetObject": (Resource.PHOTOS,),  # for --download
    },
    "labels": {"dynamodb:Query": (Resource.LABELS_TABLE,)},
    "faces": {
        "dynamodb:GetItem": (Resource.IMAGES_TABLE,),
        "dynamodb:BatchGetItem": (Resource.LABELS_TABLE,),  # the photos of the faces
    },
    "status": {
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE, Resource.WAITING_QUEUE),
        "sqs:ReceiveMessage": (Resource.DEAD_LETTER_QUEUE,),
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),
    },
    "browse": {
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE, Resource.WAITING_QUEUE),
        "sqs:ReceiveMessage": (Resource.DEAD_LETTER_QUEUE,),
        "dynamodb:Query": (Resource.LABELS_TABLE,),
        "dynamodb:BatchGetItem": (Resource.LABELS_TABLE, Resource.IMAGES_TABLE),
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),  # for the rejected photos
        # For previews, for the presigned URLs of the photos, and for HeadObject, which finds out why a photo cannot be
        # shown.
        "s3:GetObject": (Resource.PHOTOS,),
    },
}
# The commands of operators, which readers may not run.
OPERATOR_PERMISSIONS: dict[str, dict[str, tuple[Resource, ...]]] = {
    "audit": {
        "s3:ListBucket": (Resource.BUCKET,),
        # BatchGetItem looks again for the items of photos that were deleted during the audit.
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),
        "dynamodb:BatchGetItem": (Resource.IMAGES_TABLE,),
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE, Resource.WAITING_QUEUE),
    },
    "backfill": {
        "s3:ListBucket": (Resource.BUCKET,),
        # Reads the label policy.
        "dynamodb:GetItem": (Resource.LABELS_TABLE,),
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),
        "dynamodb:BatchGetItem": (Resource.IMAGES_TABLE,),
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE, Resource.WAITING_QUEUE),
        "sqs:SendMessage": (Resource.QUEUE,),
        # Finds the photos that failed. Their messages stay.
        "sqs:ReceiveMessage": (Resource.DEAD_LETTER_QUEUE,),
        "sqs:ChangeMessageVisibility": (Resource.DEAD_LETTER_QUEUE,),
    },
    "relabel": {
        "dynamodb:Scan": (Resource.IMAGES_TABLE,),
        "dynamodb:BatchGetItem": (Resource.IMAGES_TABLE, Resource.LABELS_TABLE),
        # Finds the photos that match.
        "dynamodb:Query": (Resource.LABELS_TABLE,),
        # Reads the label policy.
        "dynamodb:GetItem": (Resource.LABELS_TABLE,),
        "s3:ListBucket": (Resource.BUCKET,),
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE, Resource.WAITING_QUEUE),
        "sqs:SendMessage": (Resource.QUEUE,),
        "sqs:ReceiveMessage": (Resource.DEAD_LETTER_QUEUE,),
        "sqs:ChangeMessageVisibility": (Resource.DEAD_LETTER_QUEUE,),
    },
    "redrive": {
        "sqs:GetQueueAttributes": (Resource.QUEUE, Resource.DEAD_LETTER_QUEUE),
        "sqs:ReceiveMessage": (Resource.DEAD_LETTER_QUEUE,),
        "sqs:ChangeMessageVisibility": (Resource.DEAD_LETTER_QUEUE,),
        "sqs:DeleteMessage": (Resource.DEAD_LETTER_QUEUE,),
        "sqs:SendMessage": (Resource.QUEUE,),
    },
}
# In addition, for image-labels browse --upload.
UPLOADER_PERMISSIONS: dict[str, dict[str, tuple[Resource, ...]]] = {
    "browse --upload": {"s3:PutObject": (Resource.PHOTOS,)},
}
# In addition with enable_batch_operations, for image-labels backfill --batch-operations. CreateJob passes the role.
BATCH_PERMISSIONS: dict[str, tuple[Resource, ...]] = {
    "s3:CreateJob": (Resource.EVERYTHING,),
    "iam:PassRole": (Resource.BATCH_ROLE,),
    "s3:DescribeJob": (Resource.JOBS,),
    "s3:UpdateJobStatus": (Resource.JOBS,),
}
# In addition with faces.index, for image-labels faces.
FACE_PERMISSIONS: dict[str, tuple[Resource, ...]] = {
    "rekognition:SearchFaces": (Resource.FACE_COLLECTION,),
    "rekognition:SearchFacesByImage": (Resource.FACE_COLLECTION,),
}
# The same for image-labels browse.
BROWSE_FACE_PERMISSIONS: dict[str, tuple[Resource, ...]] = {
    "rekognition:SearchFaces": (Resource.FACE_COLLECTION,),
    "dynamodb:GetItem": (Resource.IMAGES_TABLE,),
}
# In addition with faces.index, for image-labels audit.
OPERATOR_FACE_PERMISSIONS: dict[str, tuple[Resource, ...]] = {"rekognition:ListFaces": (Resource.FACE_COLLECTION,)}
# The commands that call no AWS API.
WITHOUT_PERMISSIONS = frozenset({"completion", "env"})
# The permission of an operation with another name.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
OPERATIONS = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "SendMessageBatch": "sqs:SendMessage",
}
# With kms_key_arn: DynamoDB, SQS and S3 decrypt on behalf of the user.
KMS_PERMISSIONS: dict[str, tuple[Resource, ...]] = {"kms:Decrypt": (Resource.KEY,)}
# SQS encrypts the messages that an operator sends:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
OPERATOR_KMS_PERMISSIONS: dict[str, tuple[Resource, ...]] = {
    "kms:Decrypt": (Resource.KEY,),
    "kms:GenerateDataKey": (Resource.KEY,),
}


# S3 encrypts a photo that is uploaded in one request with a data key:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
UPLOADER_KMS_PERMISSIONS: dict[str, tuple[Resource, ...]] = {"kms:GenerateDataKey": (Resource.KEY,)}


def least_privilege(
    commands: Mapping[str, Mapping[str, tuple[Resource, ...]]] = COMMAND_PERMISSIONS,
) -> dict[Resource, frozenset[str]]:
    """The actions on each resource that all these commands together need."""
    allowed: dict[Resource, frozenset[str]] = {}
    for actions in commands.values():
        for action, resources in actions.items():
            for resource in resources:
                allowed[resource] = allowed.get(resource, frozenset()) | {action}
    return allowed


def as_json() -> str:
    """The permissions by command, and the policies by resource."""
    return json.dumps(
        {
            "commands": COMMAND_PERMISSIONS,
            "policy": _sorted(least_privilege()),
            "uploader_policy": _sorted(least_privilege(UPLOADER_PERMISSIONS)),
            "operator_commands": OPERATOR_PERMISSIONS,
            "operator_policy": _sorted(least_privilege(OPERATOR_PERMISSIONS)),
            "policy_with_key": {resource: [action] for action, (resource,) in KMS_PERMISSIONS.items()},
            "uploader_policy_with_key": {Resource.KEY: sorted(UPLOADER_KMS_PERMISSIONS)},
            "operator_policy_with_key": {Resource.KEY: sorted(OPERATOR_KMS_PERMISSIONS)},
            "policy_with_faces": _sorted(least_privilege({"faces": FACE_PERMISSIONS})),
            "operator_policy_with_faces": _sorted(least_privilege({"audit": OPERATOR_FACE_PERMISSIONS})),
            "operator_policy_with_batch_operations": _sorted(least_privilege({"backfill": BATCH_PERMISSIONS})),
        },
        indent=2,
    )


def _sorted(policy: Mapping[Resource, frozenset[str]]) -> dict[Resource, list[str]]:
    return {resource: sorted(actions) for resource, actions in sorted(policy.items())}


if __name__ == "__main__":
    print(as_json())
