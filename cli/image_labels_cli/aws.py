"""The AWS session and clients of the commands, and messages for AWS's errors."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from image_labels.aws_errors import Kind, code_of, kind_of, message_of

from image_labels_cli import emulated
from image_labels_cli.permissions import (
    BATCH_PERMISSIONS,
    COMMAND_PERMISSIONS,
    FACE_PERMISSIONS,
    KMS_PERMISSIONS,
    OPERATIONS,
    OPERATOR_FACE_PERMISSIONS,
    OPERATOR_KMS_PERMISSIONS,
    OPERATOR_PERMISSIONS,
    UPLOADER_PERMISSIONS,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.batch_operations.jobs import S3Control
    from image_labels_cli.deployment import Deployment

# Shorter than botocore's defaults of minutes, because the command is interactive.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})

_ENDPOINTS = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"}

# AWS's message: User: … is not authorized to perform: dynamodb:Query on resource: arn:… because …
_ACTION = re.compile(r"not authorized to perform: \[?([a-z0-9-]+:\w+)", re.IGNORECASE)
_RESOURCE = re.compile(r"on (?:the )?resource:? \[?\"?(arn:[^\s\"\]]+)", re.IGNORECASE)

_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.NoAuthTokenError,
)
_EXPIRED_LOGIN = (exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.InfiniteLoopConfigError)
_NO_NETWORK = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
)


@dataclass(frozen=True)
class Call:
    """A request: service and operation as boto3 names them, and the table, queue or bucket."""

    service: str
    operation: str
    resource: str


class Aws:
    """Clients of one session, in the deployment's Region, else in the Region of the AWS configuration."""

    config = _CONFIG

    def __init__(self, deployment: Deployment) -> None:
        self.last_call: Call | None = None
        self._region = deployment.region or None

    @cached_property
    def session(self) -> boto3.Session:
        session = boto3.Session(region_name=self._region)
        session.events.register("provide-client-params.*.*", self._record)
        return session

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", config=self.config)

    @cached_property
    def rekognition(self) -> RekognitionClient:
        """For the face collection."""
        return self.session.client("rekognition", config=self.config)

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", config=self.config)

    @cached_property
    def s3(self) -> S3Client:
        """A client whose presigned URLs name the Region's endpoint, so that S3 does not redirect the browser."""
        # An emulator runs on localhost, and <bucket>.localhost may not resolve.
        style: Literal["path", "virtual"] = "path" if _ENDPOINTS & os.environ.keys() else "virtual"
        config = Config(signature_version="s3v4", s3={"addressing_style": style})
        return self.session.client("s3", config=self.config.merge(config))

    @cached_property
    def s3control(self) -> S3Control:
        """For S3 Batch Operations."""
        return cast("S3Control", self.session.client("s3control", config=_CONFIG))

    @property
    def labels_by(self) -> str:
        """A line that names the emulated Rekognition behind a configured endpoint of this machine, or ""."""
        return emulated.labels_by(self.dynamodb.meta.endpoint_url)

    def explain(self, error: BotoCoreError | ClientError) -> str:
        """The error in one line, and usually the next step in a second line."""
        if isinstance(error, ClientError):
            return _explain_answer(error, self.last_call)
        return self._explain_no_answer(error)

    def _record(self, params: dict[str, Any], model: Any, **_: object) -> None:
        resource = (
            params.get("TableName")
            or params.get("QueueUrl")
            or params.get("Bucket")
            or params.get("CollectionId")
            or ""
        )
        if "RequestItems" in params:
            resource = ", ".join(params["RequestItems"])
        self.last_call = Call(model.service_model.service_name, model.name, resource)

    def _explain_no_answer(self, error: BotoCoreError) -> str:
        cause = f"{type(error).__name__}: {error}"
        match error:
            case exceptions.NoRegionError():
                return f"no Region is set ({cause})\nset it: image-labels --region eu-west-1 …, or export AWS_REGION"
            case exceptions.ProfileNotFound():
                return f"the profile in AWS_PROFILE does not exist ({cause})"
            case _ if isinstance(error, _NO_CREDENTIALS):
                return f"no AWS credentials ({cause})\nrun `aws configure` or `aws sso login`, or set AWS_PROFILE"
            case _ if isinstance(error, _EXPIRED_LOGIN):
                return f"your AWS login has expired ({cause})\nrun `aws sso login` again"
            case _ if isinstance(error, _NO_NETWORK) and (endpoint := emulated.no_answer(error)):
                return (
                    f"the emulated AWS at {endpoint} does not answer ({cause})\n"
                    "the demo is not running: start it with `make demo`; to use AWS itself, unset AWS_ENDPOINT_URL"
                )
            case _ if isinstance(error, (*_NO_NETWORK, exceptions.InvalidRegionError)):
                region = str(self.session.region_name)
                if not _is_region(region):
                    return (
                        f"the Region {region} does not exist ({cause})\nset another: image-labels --region eu-west-1 …"
                    )
                return f"AWS does not answer ({cause})\ncheck the network and the proxy"
            case _:
                return cause


def _explain_answer(error: ClientError, last: Call | None) -> str:
    code, message = code_of(error), message_of(error)
    service = f"{last.service}:" if last and last.operation == error.operation_name else ""
    resource = f" on {last.resource}" if service and last and last.resource else ""
    cause = f"{service}{error.operation_name}{resource}: {code}: {message}"
    match kind_of(error):
        case Kind.DENIED:
            missing = _missing_permission(message, error.operation_name, resource)
            return f"access denied: {cause}\nmissing permission: {missing}"
        case Kind.EXPIRED:
            return f"your AWS credentials have expired: {cause}\nsign in again, for example with `aws sso login`"
        case Kind.UNKNOWN_CREDENTIALS:
            return f"AWS does not accept these credentials: {cause}\ncheck AWS_PROFILE and AWS_ACCESS_KEY_ID"
        case Kind.MISSING:
            return f"the resource does not exist: {cause}\ncheck its name, the account and the Region"
        case Kind.THROTTLED:
            return f"AWS throttles the request: {cause}\ntry again later"
        case _:
            return f"AWS error: {cause}"


def _missing_permission(message: str, operation: str, on_resource: str) -> str:
    """For example "dynamodb:Query on arn:…": from AWS's message if possible, else from the request."""
    listed = (
        *COMMAND_PERMISSIONS.values(),
        *OPERATOR_PERMISSIONS.values(),
        *UPLOADER_PERMISSIONS.values(),
        KMS_PERMISSIONS,
        OPERATOR_KMS_PERMISSIONS,
        BATCH_PERMISSIONS,
        FACE_PERMISSIONS,
        OPERATOR_FACE_PERMISSIONS,
    )
    known = {action.lower(): action for actions in listed for action in actions}
    by_operation = {action.partition(":")[2]: action for action in known.values()} | OPERATIONS
    found = _ACTION.search(message)
    # SQS writes actions in lower case.
    action = known.get(found[1].lower(), found[1]) if found else by_operation.get(operation, operation)
    resource = _RESOURCE.search(message)
    return f"{action} on {resource[1]}" if resource else f"{action}{on_resource}"


def _is_region(name: str) -> bool:
    session = boto3.Session(region_name="us-east-1")
    partitions = session.get_available_partitions()
    return any(name in session.get_available_regions("dynamodb", partition) for partition in partitions)
