"""AWS in process: moto, with credentials and a Region for tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
import moto.sqs.models
import pytest
import typer.testing
from botocore.loaders import JSONFileLoader, Loader
from hypothesis import HealthCheck, settings
from image_labels.clients import Clients, make_clients
from image_labels_emulator import dynamodb as emulated_dynamodb
from moto import mock_aws
from moto.core.utils import camelcase_to_underscores
from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# No deadlines: on a new machine hypothesis first builds its Unicode tables, and other jobs share the processors.
settings.register_profile("image-labels", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("image-labels")


def set_fake_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def slow_steps_are_done_once() -> Iterator[None]:
    """Steps that take longer than most tests, and whose results are only read.

    Each session of boto3 would find and parse the models of the services, and each run of the command would build it
    from the signatures of its functions. moto converts the names of a queue's attributes at each call.
    """
    load = cache(JSONFileLoader().load_file)
    found: dict[tuple[str, ...], dict[Any, Any]] = {}

    def load_file(_loader: JSONFileLoader, path: str) -> Any:
        return load(path)

    def found_by(loader: Loader) -> dict[Any, Any]:
        return found.setdefault(tuple(dict.fromkeys(loader.search_paths)), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load_file)
        patch.setattr(Loader, "_cache", property(found_by, lambda _loader, _new: None), raising=False)
        patch.setattr(moto.sqs.models, "camelcase_to_underscores", cache(camelcase_to_underscores))
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def fake_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_fake_credentials(monkeypatch)


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@cache
def made_client(service: Literal["s3", "dynamodb"]) -> Any:
    """One client for all tests, because making it takes longer than most of them. A test must leave it as it was."""
    return boto3.client(service)


@pytest.fixture
def s3(aws: None) -> S3Client:
    client: S3Client = made_client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client


@pytest.fixture
def dynamodb(aws: None) -> DynamoDBClient:
    emulated_dynamodb.install()  # moto alone does not support writes from several threads, as the function makes
    client: DynamoDBClient = made_client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.create_table(
        TableName=LABELS_TABLE,
        KeySchema=[{"AttributeName": "Term", "KeyType": "HASH"}, {"AttributeName": "Rank", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "Term", "AttributeType": "S"},
            {"AttributeName": "Rank", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture(scope="session")
def shared_clients() -> Clients:
    """The function's clients. Making them takes longer than most tests, and moto also answers earlier clients."""
    with pytest.MonkeyPatch.context() as patch:
        set_fake_credentials(patch)
        return make_clients(concurrency=5)


@pytest.fixture
def clients(aws: None, shared_clients: Clients) -> Clients:
    """The function's clients, on moto. A test must leave them as they were."""
    return shared_clients
