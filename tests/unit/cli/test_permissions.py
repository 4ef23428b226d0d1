"""The IAM permissions of each command: complete, without unused ones, and named when they are missing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from image_labels.model import Label, Rejected
from image_labels.search.faces import FaceFinder
from image_labels.search.finder import Finder
from image_labels.tables.rows import MAX_TERMS_IN_ROW
from image_labels_cli import main
from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment
from image_labels_cli.feeding import session
from image_labels_cli.inventory.keys import KeyFilter
from image_labels_cli.permissions import (
    BROWSE_FACE_PERMISSIONS,
    COMMAND_PERMISSIONS,
    FACE_PERMISSIONS,
    KMS_PERMISSIONS,
    OPERATIONS,
    OPERATOR_FACE_PERMISSIONS,
    OPERATOR_KMS_PERMISSIONS,
    OPERATOR_PERMISSIONS,
    UPLOADER_PERMISSIONS,
    WITHOUT_PERMISSIONS,
    Resource,
)
from image_labels_cli.redrive import queues as redrive_queues
from image_labels_cli.times import Time
from support.collection_aws import ASKED, collection_of_files, put_people, serve
from support.command import run
from support.face_collection import COLLECTION
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.messages import event, show_all, sqs_client
from support.policies import NO_RULES
from support.seed import put_photo, send_dead_letter, write_photos

if TYPE_CHECKING:
    from image_labels.tables.store import Store
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.usefixtures("deployment")

# Together, the calls of a command use all its permissions.
USES = {
    "show": [["show", "images/dog.jpg"]],
    "find": [
        ["find", "dog"],
        ["find", "dgo"],
        ["find", "dog AND animal AND NOT cat"],
        ["find", "(crowd OR ani*) AND NOT cat", "--all"],
        ["find", "crowd AND NOT cat"],
        ["find", "NOT cat", "--scan"],
        ["find", "dog", "--download", "photos"],
    ],
    "labels": [["labels"], ["labels", "d"]],
    "faces": [["faces", "--like", "images/ada.jpg"], ["faces", "--like", "ada.jpg"]],
    "status": [["status"]],
}
# The same for the commands of operators.
OPERATOR_USES = {
    "audit": [["audit"], ["audit", "images/2026/"]],
    "backfill": [["backfill", "images/dog", "--label-policy-id", "p", "--yes"]],
    "relabel": [
        ["relabel", "--rejected", "--label-policy-id", "p", "--yes"],
        ["relabel", "dgo", "--label-policy-id", "p", "--yes"],
        ["relabel", "(crowd OR ani*) AND NOT cat", "--label-policy-id", "p", "--yes"],
    ],
    "redrive": [["redrive", "--all"]],
}
# In addition with faces.index.
WITH_FACES = {"faces": FACE_PERMISSIONS, "audit": OPERATOR_FACE_PERMISSIONS, "browse": BROWSE_FACE_PERMISSIONS}
# More terms than a row holds.
CROWD = (Label("Crowd", 99.0), *(Label(f"Thing {n}", 80.0) for n in range(MAX_TERMS_IN_ROW)))


@dataclass
class Guard:
    """IAM for the user of one `Aws`: records the actions of all requests, and refuses `denied`."""

    resources: dict[str, Resource]
    aws: Aws = field(default_factory=lambda: Aws(Deployment(region="eu-central-1")))
    actions: set[tuple[str, Resource]] = field(default_factory=set)
    denied: tuple[str, Resource] | None = None

    def __post_init__(self) -> None:
        self.aws.session.events.register("before-parameter-build", self.check)

    def check(self, params: dict[str, Any], model: Any, **_: object) -> None:
        """Handles botocore's event before each request."""
        service = model.service_model.signing_name
        action = OPERATIONS.get(model.name, f"{service}:{model.name}")
        names = [params[name] for name in ("TableName", "QueueUrl", "Bucket", "CollectionId") if name in params]
        for name in names or params.get("RequestItems", ()):
            resource = self.resources[name]
            if action == "s3:ListBucket":
                resource = Resource.BUCKET
                assert params["Prefix"].startswith("images/")  # a condition of operator_policy_json
            self.actions.add((action, resource))
            if (action, resource) == self.denied:
                message = (
                    f"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: {action.lower()} on "
                    f"resource: arn:aws:{service}:x:y:{name} because no identity-based policy allows the action"
                )
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, model.name)

    def make_aws(self, _deployment: Deployment) -> Aws:
        return self.aws


@pytest.fixture
def guard(
    dynamodb: DynamoDBClient,
    s3: S3Client,
    store: Store,
    queues: dict[str, str],
    waiting_queue: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Guard:
    """A deployment with a labelled photo, a rejected photo, a photo of a crowd, and a dead letter, and no objects."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"PREFIX": "images/", "SUFFIXES": ".jpg"}.items():
        monkeypatch.setenv(f"IMAGE_LABELS_FILTER_{name}", value)
    monkeypatch.setenv("IMAGE_LABELS_MIN_CONFIDENCE", "80")
    monkeypatch.setenv("IMAGE_LABELS_MAX_LABELS", "10")
    put_photo(store, "images/notes.jpg", Rejected("InvalidImageFormatException: no JPEG"))
    write_photos(dynamodb, {"images/crowd.jpg": CROWD})
    collection = collection_of_files()
    for name in ("ada", "ada2"):
        put_people(store, collection, f"images/{name}.jpg", "Ada")
    (tmp_path / "ada.jpg").write_bytes(b"Ada")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGE_LABELS_FACES_SETTINGS", ASKED.text)
    row = {"Term": {"S": "*policy"}, "Rank": {"S": "p"}, "Policy": {"S": json.dumps(NO_RULES)}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row)
    send_dead_letter(queues["dead-letters"], event("x.jpg"), Photo="s3://b/x.jpg", Cause="DetectLabels: 500")
    guard = Guard(
        {
            COLLECTION: Resource.FACE_COLLECTION,
            TABLE: Resource.IMAGES_TABLE,
            LABELS_TABLE: Resource.LABELS_TABLE,
            BUCKET: Resource.PHOTOS,
            queues["photos"]: Resource.QUEUE,
            queues["dead-letters"]: Resource.DEAD_LETTER_QUEUE,
            waiting_queue: Resource.WAITING_QUEUE,
        }
    )
    serve(guard.aws, collection)
    return guard


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes. Before a backfill looks again, another program has emptied the queues except the dead letters."""
    monkeypatch.setattr(redrive_queues, "WAIT_SECONDS", 0)
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += max(30.0, seconds)
        for name in ("photos", "waiting"):
            sqs_client().purge_queue(QueueUrl=sqs_client().get_queue_url(QueueName=name)["QueueUrl"])

    monkeypatch.setattr(session, "TIME", Time(lambda: clock[0], sleep, lambda: clock[0]))


def listed(command: str) -> set[tuple[str, Resource]]:
    actions = (COMMAND_PERMISSIONS | OPERATOR_PERMISSIONS)[command] | WITH_FACES.get(command, {})
    return {(action, resource) for action, resources in actions.items() for resource in resources}


def test_every_command_is_for_readers_or_for_operators_or_needs_no_permissions() -> None:
    names = {command.callback.__name__ for command in main.app.registered_commands if command.callback}
    assert names == COMMAND_PERMISSIONS.keys() | OPERATOR_PERMISSIONS.keys() | WITHOUT_PERMISSIONS
    assert not COMMAND_PERMISSIONS.keys() & OPERATOR_PERMISSIONS.keys()


@pytest.mark.parametrize("command", [*USES, *OPERATOR_USES])
def test_command_uses_exactly_the_listed_permissions(guard: Guard, command: str) -> None:
    for arguments in (USES | OPERATOR_USES)[command]:
        result = run(*arguments, make_aws=guard.make_aws)
        # The photos have no objects: all are ghosts, except under the other prefix. No function removes their items.
        nothing = (["find", "dgo"], ["audit"], *OPERATOR_USES["backfill"], *OPERATOR_USES["relabel"])
        assert result.exit_code == (1 if arguments in nothing else 0), result.output
    assert guard.actions == listed(command)


@pytest.mark.parametrize("command", [*USES, *OPERATOR_USES])
def test_command_names_the_missing_permission(guard: Guard, command: str) -> None:
    for action, resource in sorted(listed(command)):
        guard.denied = (action, resource)
        results = [run(*arguments, make_aws=guard.make_aws) for arguments in (USES | OPERATOR_USES)[command]]
        show_all("dead-letters")
        refused = [result for result in results if result.exit_code == 3]
        assert refused
        assert {result.exit_code for result in results} <= {0, 1, 3}
        for result in refused:
            assert f"missing permission: {action} on arn:aws:" in result.stderr
            assert "no identity-based policy" in result.stderr


def test_page_uses_exactly_the_listed_permissions(
    guard: Guard, s3: S3Client, queues: dict[str, str], waiting_queue: str, tmp_path: Path
) -> None:
    pytest.importorskip("waitress")
    pytest.importorskip("flask")
    from image_labels_cli.browse import Access, Queues
    from image_labels_cli.browse.photos import Library
    from image_labels_cli.browse.previews import Kept, NotPreviewable, Previews

    aws = guard.aws
    finder = Finder(aws.dynamodb, labels_table=LABELS_TABLE, images_table=TABLE)
    previews = Previews(aws.s3, BUCKET, Kept(tmp_path))
    status = Queues(aws.sqs, queues["photos"], queues["dead-letters"], waiting_queue, "image-labels redrive")
    keys = KeyFilter("images/", (".jpg",))
    faces = FaceFinder(
        aws.rekognition, aws.dynamodb, collection_id=COLLECTION, labels_table=LABELS_TABLE, images_table=TABLE
    )
    access = Access(aws.dynamodb, aws.s3, TABLE, LABELS_TABLE, BUCKET, queues=status, uploads=keys, faces=faces)
    library = Library(access, finder, previews)
    assert library.find("crowd AND NOT cat", "", None, 25)["photos"]
    assert library.find("dgo", "", None, 25)["suggestions"]
    assert library.photos(["images/dog.jpg"])["photos"]
    assert library.labels()["labels"]
    assert library.alike("images/ada.jpg", 1)["photos"]
    assert library.completions("do")["terms"]
    assert library.covers(["Crowd"])["covers"]["Crowd"]
    assert library.status()["letters"]
    assert library.rejected(None)["photos"]
    s3.put_object(Bucket=BUCKET, Key="images/dog.jpg", Body=b"This is a text.")
    with pytest.raises(NotPreviewable):
        library.preview("images/dog.jpg", "", lambda: False)
    assert library.why("images/dog.jpg")["why"]
    assert guard.actions == listed("browse")
    assert library.uploads
    for replace in (False, True):
        *_, last = library.uploads.send("images/new.jpg", io.BytesIO(b"\xff\xd8\xff"), replace=replace)
        assert "etag" in last
    uploads = {("s3:PutObject", Resource.PHOTOS)}
    assert guard.actions - listed("browse") == uploads
    assert UPLOADER_PERMISSIONS["browse --upload"] == {action: (resource,) for action, resource in uploads}


def test_permissions_can_be_printed_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "image_labels_cli.permissions"], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["commands"]["show"] == {"dynamodb:GetItem": ["images_table"]}
    assert answer["policy"]["labels_table"] == ["dynamodb:BatchGetItem", "dynamodb:Query"]
    assert "bucket" not in answer["policy"]
    assert answer["operator_policy"]["bucket"] == ["s3:ListBucket"]
    assert "sqs:DeleteMessage" not in str([answer["commands"], answer["policy"]])
    assert answer["operator_commands"]["redrive"]["sqs:SendMessage"] == ["queue"]
    assert answer["operator_policy"]["queue"] == ["sqs:GetQueueAttributes", "sqs:SendMessage"]
    assert answer["operator_policy_with_batch_operations"]["batch_role"] == ["iam:PassRole"]


def test_readers_may_change_nothing() -> None:
    """A reader can receive a dead letter, but neither hide, send nor delete a message."""
    actions = {action for command in COMMAND_PERMISSIONS.values() for action in command} | KMS_PERMISSIONS.keys()
    assert actions == {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "kms:Decrypt",
        "s3:GetObject",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert OPERATOR_KMS_PERMISSIONS.keys() == {"kms:Decrypt", "kms:GenerateDataKey"}
