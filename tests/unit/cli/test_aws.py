"""Messages for AWS's errors, and for failed connections to AWS."""

from __future__ import annotations

import re
import socket

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from image_labels_cli.aws import Aws, Call
from image_labels_cli.deployment import Deployment
from moto import mock_aws
from support.command import run

QUERY = Call("dynamodb", "Query", "x-labels")


def answer(code: str, message: str = "a message", operation: str = "Query") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def explain(error: BotoCoreError | ClientError, call: Call | None = QUERY, region: str = "eu-west-1") -> str:
    aws = Aws(Deployment(region=region))
    aws.last_call = call
    return aws.explain(error)


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        (
            "User: x is not authorized to perform: dynamodb:Query on resource: arn:aws:dynamodb:eu:1:table/x because …",
            "dynamodb:Query on arn:aws:dynamodb:eu:1:table/x",
        ),
        # SQS writes actions in lower case.
        (
            "User: x is not authorized to perform: sqs:getqueueattributes on resource: arn:aws:sqs:eu:1:x because …",
            "sqs:GetQueueAttributes on arn:aws:sqs:eu:1:x",
        ),
        (
            'User: x is not authorized to perform: kms:Decrypt on the resource: "arn:aws:kms:k" because …',
            "kms:Decrypt on arn:aws:kms:k",
        ),
        (
            "User: x is not authorized to perform: dynamodb:Query with an explicit deny",
            "dynamodb:Query on x-labels",
        ),
        ("Access Denied", "dynamodb:Query on x-labels"),
    ],
)
def test_denial_gives_the_reason_and_the_missing_permission(message: str, missing: str) -> None:
    explanation = explain(answer("AccessDeniedException", message))
    assert explanation.startswith("access denied: dynamodb:Query on x-labels: AccessDeniedException: " + message)
    assert explanation.splitlines()[-1] == f"missing permission: {missing}"


def test_denial_of_an_operation_with_a_permission_of_another_name() -> None:
    """S3 does not always say which permission is missing."""
    call = Call("s3", "ListObjectsV2", "photos")
    explanation = explain(answer("AccessDenied", "Access Denied", "ListObjectsV2"), call)
    assert explanation.endswith("missing permission: s3:ListBucket on photos")


def test_denial_of_an_unknown_call() -> None:
    assert explain(answer("AccessDenied", "", "GetItem"), None).endswith("missing permission: dynamodb:GetItem")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (answer("ExpiredTokenException"), "have expired"),
        (answer("UnrecognizedClientException"), "does not accept these credentials"),
        (answer("ResourceNotFoundException"), "the resource does not exist: dynamodb:Query on x-labels"),
        (answer("ThrottlingException"), "try again"),
        (answer("ValidationException"), "AWS error: dynamodb:Query on x-labels: ValidationException: a message"),
        (exceptions.NoCredentialsError(), "no AWS credentials"),
        (exceptions.NoRegionError(), "no Region is set"),
        (exceptions.ProfileNotFound(profile="x"), "AWS_PROFILE"),
        (exceptions.UnauthorizedSSOTokenError(), "login has expired"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "check the network"),
        (exceptions.ConnectTimeoutError(endpoint_url="https://x"), "check the network"),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), "check the network"),
        (exceptions.SSLError(endpoint_url="https://x", error=OSError("x")), "check the network"),
        (exceptions.PaginationError(message="x"), "PaginationError: "),
    ],
)
def test_other_errors_have_a_message(error: BotoCoreError | ClientError, words: str) -> None:
    assert words in explain(error)


def test_unknown_region_is_distinguished_from_a_network_error() -> None:
    error = exceptions.EndpointConnectionError(endpoint_url="https://x")
    assert "the Region eu-nowhere-1 does not exist" in explain(error, region="eu-nowhere-1")
    assert "does not exist" not in explain(error, region="cn-north-1")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4604/", "http://localhost:4604/queue?a=b", "http://[::1]:4604"])
@pytest.mark.parametrize("kind", [exceptions.EndpointConnectionError, exceptions.ConnectionClosedError])
def test_emulator_that_does_not_run_is_no_network_error(endpoint: str, kind: type[BotoCoreError]) -> None:
    first, next_step = explain(kind(endpoint_url=endpoint)).splitlines()
    assert re.match(r"the emulated AWS at http://\S+:4604 does not answer \(", first)
    assert next_step == "the demo is not running: start it with `make demo`; to use AWS itself, unset AWS_ENDPOINT_URL"


def test_command_after_the_demo_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    result = run("show", "x.jpg", "--images-table", "x", make_aws=Aws)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"error: the emulated AWS at {url} does not answer" in result.stderr
    assert "network" not in result.stderr


@mock_aws
def test_missing_table_is_named_with_exit_code_3() -> None:
    result = run("show", "x.jpg", "--images-table", "no-such")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "dynamodb:GetItem on no-such: ResourceNotFoundException" in result.stderr


def test_missing_credentials_are_reported_with_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    result = run("show", "x.jpg", "--images-table", "x", make_aws=Aws)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no AWS credentials" in result.stderr


def test_presigned_urls_have_the_host_of_the_bucket_except_on_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    def url() -> str:
        s3 = Aws(Deployment(region="eu-west-1")).s3
        return s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a.jpg"})

    assert url().startswith("https://photos.s3.eu-west-1.amazonaws.com/a.jpg?")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    assert url().startswith("http://localhost:4566/photos/a.jpg?")
