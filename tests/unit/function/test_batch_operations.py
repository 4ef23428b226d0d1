"""The function as S3 Batch Operations invokes it: its answers, the tables and the job's report."""

from __future__ import annotations

import csv
import io
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus

import boto3
import pytest
from botocore.exceptions import ClientError
from image_labels import calls
from image_labels.events import read
from image_labels.reconcile import Outcome, Result
from support.batch_operations import Function, Job, ProtocolError
from support.cold_start import start
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.workers import OVER, Keys, worker

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client

SCHEMAS = ("1.0", "2.0")
KEYS = [f"images/{name}.jpg" for name in ("red flower", "1+1=2", "100%", "100%25", "Käse", "it's (1)", "🐕", "a&b=c;d")]


@dataclass
class Rekognition:
    """Sees a dog. `before` runs before each answer, with the key and the number of calls for it, and may raise."""

    before: Callable[[str, int], None] = lambda _key, _number: None
    calls: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def detect_labels(self, *, Image: Any, **_: Any) -> Any:  # noqa: N803 - boto3's name
        key = Image["S3Object"]["Name"]
        with self._lock:
            self.times.append(time.monotonic())
            self.calls[key] += 1
            number = self.calls[key]
        self.before(key, number)
        return {"Labels": [{"Name": "Dog", "Confidence": 99.0}], "LabelModelVersion": "3.0"}


@dataclass
class Account:
    """The bucket, the tables and the function's execution environments."""

    s3: S3Client
    dynamodb: DynamoDBClient
    rekognition: Rekognition
    clients: Clients
    module: Any

    def environments(self, variables: Mapping[str, str] = MappingProxyType({}), number: int = 4) -> list[Function]:
        return [self._environment({**os.environ, **variables}) for _ in range(number)]

    def _environment(self, variables: Mapping[str, str]) -> Function:
        function = self.module.make_function(variables, clients=self.clients)
        return lambda event: function.handle(event, 60)

    def upload(self, *keys: str) -> None:
        for key in keys:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"a photo")

    def labelled(self) -> set[str]:
        return {item["PK"]["S"] for item in self.dynamodb.scan(TableName=TABLE)["Items"]}

    def found_by_dog(self) -> set[str]:
        rows = self.dynamodb.scan(TableName=LABELS_TABLE)["Items"]
        return {row["PK"]["S"] for row in rows if row["Term"]["S"] == "dog"}


@pytest.fixture
def account(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient, shared_clients: Clients
) -> Account:
    monkeypatch.setattr(calls, "PAUSES", (0.0, 0.0))
    fake = Rekognition()
    clients = shared_clients._replace(rekognition=cast("RekognitionClient", fake))
    return Account(s3, dynamodb, fake, clients, start(monkeypatch, CONCURRENCY="1"))


def throttled(key: str, times: int) -> Callable[[str, int], None]:
    """Rekognition throttles the first calls for a key."""

    def before(called: str, number: int) -> None:
        if called == key and number <= times:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "DetectLabels")

    return before


@pytest.mark.parametrize("schema", SCHEMAS)
def test_photos_with_unusual_keys_are_labelled(account: Account, schema: str) -> None:
    account.upload(*KEYS)
    job = Job(account.environments(), BUCKET, schema)
    rows = job.run(KEYS)
    assert account.labelled() == account.found_by_dog() == set(KEYS)
    assert [(unquote_plus(row.key), row.status, row.message) for row in rows] == [
        (key, "succeeded", "labelled") for key in KEYS
    ]
    assert (job.status, job.report()) == ("Complete", "")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_second_job_pays_for_no_photo_again(account: Account, schema: str) -> None:
    account.upload(*KEYS)
    environments = account.environments()
    Job(environments, BUCKET, schema).run(KEYS)
    rows = Job(environments, BUCKET, schema).run(KEYS)
    assert {row.message for row in rows} == {"unchanged"}
    assert set(account.rekognition.calls.values()) == {1}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_throttled_photo_is_labelled_by_a_redrive(account: Account, schema: str) -> None:
    """Rekognition throttles all three calls of the first invocation."""
    account.upload(*KEYS)
    account.rekognition.before = throttled(KEYS[0], 3)
    job = Job(account.environments(), BUCKET, schema)
    job.run(KEYS)
    assert account.labelled() == set(KEYS)
    assert (job.status, job.report(), job.invocations) == ("Complete", "", len(KEYS) + 1)


def test_report_names_the_photo_that_is_throttled_to_the_end(account: Account) -> None:
    account.upload(*KEYS)
    account.rekognition.before = throttled(KEYS[0], 1000)
    job = Job(account.environments(), BUCKET, redrives=2)
    job.run(KEYS)
    assert account.labelled() == set(KEYS) - {KEYS[0]}
    (row,) = csv.reader(io.StringIO(job.report()))
    assert row == [
        BUCKET,
        "images%2Fred+flower.jpg",
        "",
        "failed",
        "200",
        "TemporaryFailure",
        "DetectLabels: ThrottlingException: slow down",
    ]
    assert job.invocations == len(KEYS) + 2


@pytest.mark.parametrize("schema", SCHEMAS)
def test_photo_deleted_since_the_manifest_has_no_item(account: Account, schema: str) -> None:
    account.upload(*KEYS)
    environments = account.environments()
    Job(environments, BUCKET, schema).run(KEYS[:1])  # its item is of the time before
    for key in KEYS[:2]:
        account.s3.delete_object(Bucket=BUCKET, Key=key)
    rows = Job(environments, BUCKET, schema, version_id="v1").run(KEYS)
    assert [row.message for row in rows] == ["removed", "unchanged", *["labelled"] * (len(KEYS) - 2)]
    assert account.labelled() == account.found_by_dog() == set(KEYS[2:])


@pytest.mark.parametrize("schema", SCHEMAS)
def test_photo_deleted_while_rekognition_reads_it_has_no_item(account: Account, schema: str) -> None:
    def before(key: str, _number: int) -> None:
        if key == KEYS[0]:
            account.s3.delete_object(Bucket=BUCKET, Key=key)
            raise ClientError({"Error": {"Code": "InvalidS3ObjectException", "Message": "gone"}}, "DetectLabels")

    account.upload(*KEYS)
    account.rekognition.before = before
    job = Job(account.environments(), BUCKET, schema)
    job.run(KEYS)
    assert account.labelled() == account.found_by_dog() == set(KEYS[1:])
    assert (job.status, job.report()) == ("Complete", "")


def test_more_tasks_than_the_pace_allows_keep_it(account: Account) -> None:
    """Four environments with ten calls per second each: 100 photos take at least 1.4 seconds, and none is refused.

    An environment may catch up with one second, which is ten of its 25 calls.
    """
    keys = [f"images/{n}.jpg" for n in range(100)]
    account.upload(*keys)
    job = Job(account.environments({"DETECT_LABELS_PER_SECOND": "10"}), BUCKET)
    job.run(keys)
    assert account.labelled() == set(keys)
    assert (job.status, job.report(), job.invocations) == ("Complete", "", len(keys))
    assert max(account.rekognition.times) - min(account.rekognition.times) >= 1.4


def test_photos_over_the_daily_limit_are_in_the_report_and_do_not_wait(account: Account) -> None:
    sqs = boto3.client("sqs")
    waiting = sqs.create_queue(QueueName="waiting")["QueueUrl"]
    account.upload(*KEYS)
    limited = {"DAILY_IMAGE_LIMIT": "3", "WAITING_QUEUE_URL": waiting}
    job = Job(account.environments(limited), BUCKET)
    job.run(KEYS)
    assert len(account.labelled()) == account.rekognition.calls.total() == 3
    failed = {unquote_plus(row.key) for row in job.rows if row.status == "failed"}
    assert failed == set(KEYS) - account.labelled()
    assert job.report().count("the daily limit of 3 images is reached") == len(KEYS) - 3
    assert "Messages" not in sqs.receive_message(QueueUrl=waiting)
    # As the log says: raise the limit and run the job again.
    again = Job(account.environments(limited | {"DAILY_IMAGE_LIMIT": "100"}), BUCKET)
    again.run(KEYS)
    assert (account.labelled(), account.rekognition.calls.total()) == (set(KEYS), len(KEYS))


def test_job_stops_itself_soon_after_the_daily_limit() -> None:
    """It does not invoke the function for the rest of a billion photos."""
    labelled = itertools.count()

    def over_after_100(_key: str) -> Result:
        if next(labelled) >= 100:
            raise OVER
        return Result(Outcome.LABELLED)

    function = worker(Keys(over_after_100))
    job = Job([lambda event: function.handle(read(event), 60)], BUCKET)
    job.run([f"images/{n}.jpg" for n in range(3000)])
    assert job.status == "Failed"
    assert 1000 <= job.invocations < 1100


def test_missing_permission_fails_at_once(account: Account) -> None:
    def before(key: str, _number: int) -> None:
        if key == KEYS[0]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DetectLabels")

    account.upload(*KEYS)
    account.rekognition.before = before
    job = Job(account.environments(), BUCKET)
    job.run(KEYS)
    assert account.labelled() == set(KEYS) - {KEYS[0]}
    assert "PermanentFailure,DetectLabels: AccessDeniedException: no" in job.report()
    assert job.invocations == len(KEYS)


def test_task_of_another_bucket_is_a_permanent_failure(account: Account) -> None:
    job = Job(account.environments(), "another-bucket")
    (row,) = job.run(["images/a.jpg"])
    assert row.code == "PermanentFailure"
    assert "the event is for bucket another-bucket" in row.message
    assert job.invocations == 1


@pytest.mark.parametrize(
    "change",
    [
        {"invocationId": "another"},
        {"invocationSchemaVersion": "1.0"},
        {"treatMissingKeysAs": "Failed"},
        {"results": [{"taskId": "another", "resultCode": "Succeeded", "resultString": ""}], "treatMissingKeysAs": ""},
    ],
)
def test_driver_refuses_answers_that_aws_would_not_understand(account: Account, change: dict[str, Any]) -> None:
    (function,) = account.environments(number=1)
    with pytest.raises(ProtocolError):
        Job([lambda event: {**function(event), **change}], BUCKET).run(["images/a.jpg"])


def test_driver_redrives_a_task_that_the_answer_leaves_out(account: Account) -> None:
    answers: Iterator[dict[str, Any]] = iter([{"results": []}, {}])
    account.upload("images/a.jpg")
    (function,) = account.environments(number=1)
    job = Job([lambda event: {**function(event), "treatMissingKeysAs": "TemporaryFailure", **next(answers)}], BUCKET)
    assert [row.status for row in job.run(["images/a.jpg"])] == ["succeeded"]
    assert job.invocations == 2
