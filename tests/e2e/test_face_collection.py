"""A face collection of the emulated Rekognition that Terraform created, used with boto3."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from image_labels_emulator.vision.models import installed
from PIL import Image, ImageOps
from skimage import data

if TYPE_CHECKING:
    from stack import Stack

MODELS = {"faces", "embeddings"}


def collection_of(stack: Stack) -> str:
    return f"{stack.outputs['lambda_function_name']}-people"


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_terraform_creates_a_collection_with_tags(stack: Stack) -> None:
    found = stack.rekognition.describe_collection(CollectionId=collection_of(stack))
    assert found["FaceModelVersion"] == "7.0"
    tags = stack.rekognition.list_tags_for_resource(ResourceArn=found["CollectionARN"])["Tags"]
    assert tags == {"Test": "e2e"}


@pytest.mark.skipif(not installed().keys() >= MODELS, reason="the models of faces are not installed")
def test_a_person_is_found_in_another_photograph(stack: Stack) -> None:
    collection = collection_of(stack)
    astronaut = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
    stack.s3.put_object(Bucket=stack.bucket, Key="people/astronaut.png", Body=png(astronaut))
    indexed = stack.rekognition.index_faces(
        CollectionId=collection,
        Image={"S3Object": {"Bucket": stack.bucket, "Name": "people/astronaut.png"}},
        ExternalImageId="astronaut",
    )
    (record,) = indexed["FaceRecords"]
    mirrored = png(ImageOps.mirror(astronaut))
    found = stack.rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": mirrored})
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [record["Face"]["FaceId"]]
    assert found["FaceMatches"][0]["Face"]["ExternalImageId"] == "astronaut"
    someone_else = png(Image.fromarray(data.camera()))  # type: ignore[no-untyped-call]
    found = stack.rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": someone_else})
    assert found["FaceMatches"] == []
