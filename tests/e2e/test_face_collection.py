"""A face collection of the emulated Rekognition that Terraform created."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack import Stack


def collection_of(stack: Stack) -> str:
    return f"{stack.outputs['lambda_function_name']}-people"


def test_terraform_creates_a_collection_with_tags(stack: Stack) -> None:
    found = stack.rekognition.describe_collection(CollectionId=collection_of(stack))
    assert found["FaceModelVersion"] == "7.0"
    tags = stack.rekognition.list_tags_for_resource(ResourceArn=found["CollectionARN"])["Tags"]
    assert tags == {"Test": "e2e"}
