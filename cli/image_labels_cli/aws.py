"""AWS as the commands use it: one session, its clients, and its errors in words."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from image_labels.aws_errors import Kind, code_of, kind_of, message_of

from image_labels_cli.permissions import COMMANDS, WITH_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.place import Place

# A person waits: seconds rather than botocore's minutes.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})

_ENDPOINTS = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"}

# AWS: User: … is not authorized to perform: dynamodb:Query on resource: arn:… because no identity-based policy …
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
    """What AWS was asked: the service and operation by boto3's names, and the table, queue or object it was about."""

    service: str
    operation: str
    about: str


class Aws:
    """Clients of one session, in the Region of the place, else in the one that AWS's own settings name."""

    def __init__(self, place: Place) -> None:
        self.last_call: Call | None = None
        self._region = place.region or None

    @cached_property
    def session(self) -> boto3.Session:
        """The session behind the clients."""
        session = boto3.Session(region_name=self._region)
        session.events.register("provide-client-params.*.*", self._note)
        return session

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """For the tables."""
        return self.session.client("dynamodb", config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """For the queues."""
        return self.session.client("sqs", config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        """For the addresses of photos, which a browser gets: S3 must not send it on to another host."""
        # An emulator is on localhost, where there may be no name <bucket>.localhost to find.
        style: Literal["path", "virtual"] = "path" if _ENDPOINTS & os.environ.keys() else "virtual"
        config = Config(signature_version="s3v4", s3={"addressing_style": style})
        return self.session.client("s3", config=_CONFIG.merge(config))

    def explain(self, error: BotoCoreError | ClientError) -> str:
        """What AWS, or the way to it, objects to: one line, and one on what to do."""
        if isinstance(error, ClientError):
            return _explain_answer(error, self.last_call)
        return self._explain_no_answer(error)

    def _note(self, params: dict[str, Any], model: Any, **_: object) -> None:
        about = params.get("TableName") or params.get("QueueUrl") or params.get("Bucket") or ""
        if "RequestItems" in params:
            about = ", ".join(params["RequestItems"])
        self.last_call = Call(model.service_model.service_name, model.name, about)

    def _explain_no_answer(self, error: BotoCoreError) -> str:
        said = f"{type(error).__name__}: {error}"
        match error:
            case exceptions.NoRegionError():
                return f"no Region is set ({said})\nname it: image-labels --region eu-west-1 …, or export AWS_REGION"
            case exceptions.ProfileNotFound():
                return f"AWS_PROFILE names a profile that is not there ({said})"
            case _ if isinstance(error, _NO_CREDENTIALS):
                return (
                    f"there are no AWS credentials ({said})\nrun `aws configure` or `aws sso login`, or set AWS_PROFILE"
                )
            case _ if isinstance(error, _EXPIRED_LOGIN):
                return f"your AWS login has expired ({said})\nrun `aws sso login` again"
            case _ if isinstance(error, (*_NO_NETWORK, exceptions.InvalidRegionError)):
                region = str(self.session.region_name)
                if not _is_region(region):
                    return f"there is no Region {region} ({said})\nname another: image-labels --region eu-west-1 …"
                return f"AWS does not answer: is there a network, or a proxy in the way? ({said})"
            case _:
                return said


def _explain_answer(error: ClientError, last: Call | None) -> str:
    code, message = code_of(error), message_of(error)
    service = f"{last.service}:" if last and last.operation == error.operation_name else ""
    about = f" on {last.about}" if service and last and last.about else ""
    said = f"{service}{error.operation_name}{about}: {code}: {message}"
    match kind_of(error):
        case Kind.DENIED:
            missing = _missing(message, error.operation_name, about)
            return f"AWS does not allow it: {said}\nmissing permission: {missing}"
        case Kind.EXPIRED:
            return f"your AWS credentials have expired: {said}\nsign in again, for instance with `aws sso login`"
        case Kind.UNKNOWN_CREDENTIALS:
            return f"AWS does not know these credentials: {said}\ncheck AWS_PROFILE and AWS_ACCESS_KEY_ID"
        case Kind.MISSING:
            return f"it does not exist: {said}\ncheck its name, and whether account and Region are the right ones"
        case Kind.THROTTLED:
            return f"AWS throttles the request: {said}\ntry again in a while"
        case _:
            return f"AWS refuses: {said}"


def _missing(message: str, operation: str, about: str) -> str:
    """ "dynamodb:Query on arn:…", from AWS's message if it has that, else from what was asked."""
    known = {action.lower(): action for actions in (*COMMANDS.values(), WITH_KEY) for action in actions}
    by_operation = {action.partition(":")[2]: action for action in known.values()}
    found = _ACTION.search(message)
    # SQS writes actions in small letters.
    action = known.get(found[1].lower(), found[1]) if found else by_operation.get(operation, operation)
    resource = _RESOURCE.search(message)
    return f"{action} on {resource[1]}" if resource else f"{action}{about}"


def _is_region(name: str) -> bool:
    session = boto3.Session(region_name="us-east-1")
    partitions = session.get_available_partitions()
    return any(name in session.get_available_regions("dynamodb", partition) for partition in partitions)
