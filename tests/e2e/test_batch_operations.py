"""The module with enable_batch_operations and faces.index: its second function, the face collection, its policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from command import Command
from image_labels_cli.permissions import (
    BATCH_PERMISSIONS,
    OPERATOR_FACE_PERMISSIONS,
    OPERATOR_PERMISSIONS,
    Resource,
    least_privilege,
)
from pictures import jpeg
from stack import Stack, stack_of, wait_for
from support.batch_operations import Job

if TYPE_CHECKING:
    from applied_examples import Examples
    from image_labels_emulator.server import Server

PHOTOS = [f"images/{name}.jpg" for name in ("red flower", "Käse & 🐕", "1+1=2", "100%", "a", "b")]


@pytest.fixture(scope="module")
def jobs(localstack: Server, examples: Examples) -> Stack:
    """The deployment. Its queue is not processed, so only jobs label its photos."""
    stack = stack_of(localstack, examples["batch_operations"].module)
    client = boto3.client("lambda")
    name = stack.outputs["lambda_function_name"]
    (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    wait_for(
        "the queue is not processed",
        lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled",
    )
    return stack


def run_job(jobs: Stack, schema: str, keys: list[str]) -> tuple[Job, list[str]]:
    """A job for these photos, which is done, and the messages of its rows."""
    client = boto3.client("lambda")

    def invoke(event: Any) -> Any:
        answer = client.invoke(FunctionName=jobs.outputs["batch_function_arn"], Payload=json.dumps(event))
        assert not answer.get("FunctionError")
        return json.loads(answer["Payload"].read())

    job = Job([invoke] * 2, jobs.bucket, schema)
    return job, [row.message for row in job.run(keys)]


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_job_labels_the_photos(jobs: Stack, schema: str) -> None:
    photos = [key.replace("images/", f"images/{schema}/") for key in PHOTOS]
    versions = {key: jobs.upload(key, jpeg(), "Dog=99", faces="") for key in photos}
    job, messages = run_job(jobs, schema, [*photos, "images/gone.jpg"])
    assert messages == [*["labelled"] * len(photos), "unchanged"]
    assert (job.status, job.report()) == ("Complete", "")
    for key, version in versions.items():
        jobs.labelled(key, version)
        wait_for(f"line of {key} in the log group of the first function", lambda: jobs.log(key, "photo labelled"))  # noqa: B023


def test_person_is_found_by_face_until_the_photos_are_deleted(localstack: Server, jobs: Stack) -> None:
    people = {"images/people/ada.jpg": "Ada=99.9", "images/people/team.jpg": "Bob=99|Ada=98"}
    for key, faces in people.items():
        jobs.upload(key, jpeg(), "Person=99", faces=faces)
    assert run_job(jobs, "2.0", [*people])[1] == ["labelled"] * 2
    assert run_job(jobs, "2.0", [*people])[1] == ["unchanged"] * 2
    command = Command(localstack, json.loads(jobs.outputs["cli_environment"]))
    found = command.json("faces", "--like", "images/people/ada.jpg")
    assert [photo["key"] for photo in found["photos"]] == ["images/people/team.jpg"]
    faces_of_team = command.json("show", "images/people/team.jpg")["faces"]
    assert len({face["face_id"] for face in faces_of_team}) == 2
    audited = command.audit()["faces"]
    assert (audited["faces"], audited["without_photo"], audited["lost"]) == (3, [], [])
    for key in people:
        jobs.s3.delete_object(Bucket=jobs.bucket, Key=key)
    assert run_job(jobs, "2.0", [*people])[1] == ["removed"] * 2
    collection = jobs.outputs["face_collection_id"]
    assert jobs.rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 0


def test_function_has_reserved_concurrency(jobs: Stack) -> None:
    answer = boto3.client("lambda").get_function_concurrency(FunctionName=jobs.outputs["batch_function_arn"])
    assert answer["ReservedConcurrentExecutions"] == 100


def test_operator_policy_grants_exactly_the_permissions_of_its_commands_and_of_jobs(jobs: Stack) -> None:
    account = jobs.outputs["batch_operations_role_arn"].split(":")[4]
    places = {
        jobs.outputs["images_table_arn"]: Resource.IMAGES_TABLE,
        jobs.outputs["labels_table_arn"]: Resource.LABELS_TABLE,
        jobs.outputs["queue_arn"]: Resource.QUEUE,
        jobs.outputs["dead_letter_queue_arn"]: Resource.DEAD_LETTER_QUEUE,
        jobs.outputs["waiting_queue_arn"]: Resource.WAITING_QUEUE,
        jobs.outputs["bucket_arn"]: Resource.BUCKET,
        jobs.outputs["batch_operations_role_arn"]: Resource.BATCH_ROLE,
        f"arn:aws:s3:us-east-1:{account}:job/*": Resource.JOBS,
        jobs.outputs["face_collection_arn"]: Resource.FACE_COLLECTION,
        "*": Resource.EVERYTHING,
    }
    allowed: dict[Resource, set[str]] = {}
    for statement in json.loads(jobs.outputs["operator_policy_json"])["Statement"]:
        assert statement["Effect"] == "Allow"
        for arn in _listed(statement["Resource"]):
            allowed.setdefault(places[arn], set()).update(_listed(statement["Action"]))
    assert allowed == least_privilege(
        OPERATOR_PERMISSIONS | {"backfill with jobs": BATCH_PERMISSIONS, "audit with faces": OPERATOR_FACE_PERMISSIONS}
    )


def _listed(one_or_many: str | list[str]) -> list[str]:
    return [one_or_many] if isinstance(one_or_many, str) else one_or_many
