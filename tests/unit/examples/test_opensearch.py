"""The example opensearch: its pipeline, and the documents that it makes of items that the function's Store wrote.

Neither OpenSearch nor OpenSearch Ingestion runs here. These tests compare the files with the documented options and
types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from image_labels.model import Instance, Label, Labels, Photo, Rejected
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.ingestion import EXAMPLE, Bulk, bulk_of, fields, mapping, misfits, pipeline, pipeline_text
from support.streams import enable_stream, stream_records

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTO = Photo(BUCKET, "images/Käse 🧀.jpg", "abc", "v1", 4711)
DOG = Label(
    "Dog", 98.765, ("Animal", "Pet"), ("Hound",), ("Animals and Pets",), (Instance(0.1, 0.2, 0.3, 0.4, 97.5),), True
)
LABELS = Labels((DOG, Label("Beach", 81.0)), "3.0", others=(Label("Person", 60.0),))
BOX = {side: {"N": "0.10000"} for side in ("Left", "Top", "Width", "Height")}
LINE = {"M": {"Text": {"S": "SPEED LIMIT"}, "Confidence": {"N": "99.1"}} | BOX}
WEAPON = {"M": {"Name": {"S": "Weapons"}, "Parents": {"L": [{"S": "Violence"}]}, "Confidence": {"N": "97.000"}}}
# Attributes of items whose photo has text, faces, moderation labels and so on.
FOUND: dict[str, Any] = {
    "Uploaded": {"S": "2026-11-28T10:00:00.000+00:00"},
    "Text": {"M": {"Asked": {"S": "min_confidence=80"}, "Lines": {"L": [LINE]}, "OtherLines": {"L": [LINE]}}},
    "Faces": {
        "M": {
            "Faces": {
                "L": [
                    {
                        "M": {
                            "FaceId": {"S": "1234"},
                            "Confidence": {"N": "99.9"},
                            "Attributes": {"M": {"Smile": {"M": {"Value": {"BOOL": True}}}}},
                            "Reasons": {"L": [{"S": "LOW_SHARPNESS"}]},
                        }
                        | BOX
                    }
                ]
            }
        }
    },
    "Moderation": {"M": {"Labels": {"L": [WEAPON]}, "OtherLabels": {"L": []}}},
    "Unwanted": {
        "M": {
            "Action": {"S": "quarantine"},
            "State": {"S": "DONE"},
            "At": {"S": "2026-11-28T10:00:00.000+00:00"},
            "Of": {"S": "v1"},
            "To": {"S": "s3://quarantine/dog.jpg"},
            "Gone": {"BOOL": True},
            "Matches": {"L": [WEAPON]},
        }
    },
}
# Options by plugin: of the source and the sink in the documentation of Data Prepper,
# https://docs.opensearch.org/latest/data-prepper/pipelines/configuration/
AWS = {"region", "sts_role_arn"}
OPTIONS = {
    "source": {"dynamodb"},
    "source.dynamodb": {"tables", "aws", "acknowledgments", "shard_acknowledgment_timeout"},
    "source.dynamodb.tables": {"table_arn", "export", "stream"},
    "source.dynamodb.tables.export": {"s3_bucket", "s3_prefix", "s3_region", "s3_sse_kms_key_id"},
    "source.dynamodb.tables.stream": {"start_position", "view_on_remove"},
    "source.dynamodb.aws": AWS,
    "sink": {"opensearch"},
    "sink.opensearch": {
        *("hosts", "index", "index_type", "template_type", "template_content", "aws", "dlq", "max_retries"),
        *("document_id", "document_version", "document_version_type", "action", "actions"),
    },
    "sink.opensearch.aws": AWS | {"serverless", "serverless_options"},
    "sink.opensearch.dlq": {"s3"},
    "sink.opensearch.dlq.s3": AWS | {"bucket", "key_path_prefix"},
}
QUERIES = sorted((EXAMPLE / "queries").glob("*.json"))


@pytest.fixture
def store(clients: Clients, dynamodb: DynamoDBClient) -> Store:
    enable_stream(dynamodb, "NEW_IMAGE")
    return Store(clients.dynamodb, TABLE, LABELS_TABLE)


def bulk(dynamodb: DynamoDBClient) -> list[Bulk]:
    return [bulk_of(record) for record in stream_records(dynamodb)]


def test_labelled_photo_becomes_a_document(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, "min_confidence=80", None)
    (operation,) = bulk(dynamodb)
    assert (operation.action, operation.id) == ("index", PHOTO.key)
    document = operation.document
    assert document["key"] == PHOTO.key
    assert document["status"] == "LABELLED"
    assert document["labels"] == ["Beach", "Dog"]
    assert [(each["Name"], each["Confidence"]) for each in document["detections"]] == [("Dog", 98.765), ("Beach", 81)]
    assert list(misfits(document, mapping()["properties"])) == []


def test_labels_that_the_settings_leave_out_are_not_in_the_document(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, "min_confidence=80", None)
    assert "Person" not in json.dumps(bulk(dynamodb)[0].document)


def test_rejected_photo_becomes_a_document_with_the_reason(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, Rejected("InvalidImageFormatException: not an image"), "min_confidence=80", None)
    document = bulk(dynamodb)[0].document
    assert (document["status"], document["reason"]) == ("REJECTED", "InvalidImageFormatException: not an image")
    assert list(misfits(document, mapping()["properties"])) == []


def test_text_faces_moderation_labels_and_decisions_are_in_the_document(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, "min_confidence=80", None)
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": PHOTO.key}})["Item"]
    dynamodb.put_item(TableName=TABLE, Item=item | FOUND)
    document = bulk(dynamodb)[-1].document
    assert [line["Text"] for line in document["text"]] == ["SPEED LIMIT"]
    assert [face["FaceId"] for face in document["faces"]] == ["1234"]
    assert [label["Name"] for label in document["moderation"]] == ["Weapons"]
    assert document["unwanted"]["Action"] == "quarantine"
    assert list(misfits(document, mapping()["properties"])) == []


def test_document_is_replaced_and_deleted_with_its_item(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, "min_confidence=80", None)
    store.put(replace(PHOTO, etag="def"), LABELS, "min_confidence=80", store.get(PHOTO.key))
    item = store.get(PHOTO.key)
    assert item is not None
    store.delete(item)
    assert [(operation.action, operation.id) for operation in bulk(dynamodb)] == [
        *(("index", PHOTO.key), ("index", PHOTO.key), ("delete", PHOTO.key))
    ]
    sink = pipeline()["photos"]["sink"][0]["opensearch"]
    assert sink["action"] == '${getMetadata("opensearch_action")}'
    assert sink["document_id"] == '${getMetadata("primary_key")}'
    assert (sink["document_version"], sink["document_version_type"]) == (
        '${getMetadata("document_version")}',
        "external",
    )


def test_pipeline_has_documented_options_only() -> None:
    configuration = pipeline()
    assert configuration.pop("version") == "2"
    assert configuration.keys() == {"photos"}
    assert configuration["photos"].keys() == {"source", "processor", "sink"}

    def check(value: Any, path: str) -> None:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                assert each.keys() <= OPTIONS[path], path
                for name, inner in each.items():
                    check(inner, f"{path}.{name}")

    for part in ("source", "sink"):
        check(configuration["photos"][part], part)


def test_aws_takes_a_configuration_of_this_length() -> None:
    model = botocore.session.get_session().get_service_model("osis")
    body = model.shape_for("PipelineConfigurationBody").metadata
    assert body["min"] <= len(pipeline_text()) <= body["max"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_query_uses_fields_of_the_index_as_their_types_allow(query: Any) -> None:
    known = {name: (kind, nested) for name, kind, nested in fields(mapping()["properties"])}
    used = list(_used(json.loads(query.read_text())))
    assert used
    for clause, name, path in used:
        kind, nested = known[name]
        assert kind in _TYPES[clause], f"{clause} of {name}, which is {kind}"
        assert nested == path, f"{name} is in the nested object {nested!r}"


# The types of fields that a query or an aggregation is for.
_TEXT = {"text", "search_as_you_type"}
_EXACT = {"keyword", "date", "long", "float", "boolean"}
_TYPES = {
    "term": _EXACT,
    "terms": _EXACT,
    "range": _EXACT,
    "date_histogram": {"date"},
    "match": _TEXT,
    "multi_match": _TEXT,
    "sort": _EXACT,
    "_source": {*_EXACT, *_TEXT, "nested", "object"},
}


def _used(node: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Clause, field and nested path of each use of a field."""
    if isinstance(node, list):
        for each in node:
            yield from _used(each, path)
    elif isinstance(node, dict):
        inside = node["nested"]["path"] if "nested" in node else path
        for name, value in node.items():
            if name == "multi_match":
                yield from ((name, field, path) for field in value["fields"])
            elif name == "sort":
                yield from ((name, field, path) for each in value for field in each)
            elif name == "_source":
                yield from ((name, field, path) for field in value)
            elif name in _TYPES and "field" in value:
                yield (name, value["field"], path)
            elif name in _TYPES:
                yield from ((name, field, path) for field in value)
            else:
                yield from _used(value, inside)
