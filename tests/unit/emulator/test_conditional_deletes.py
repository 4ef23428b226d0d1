"""The emulator's DeleteObject with If-Match, as S3 documents it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from image_labels_emulator import conditional_deletes
from localstack.aws.api.s3 import NoSuchKey, PreconditionFailed
from localstack.services.s3.models import S3DeleteMarker
from localstack.services.s3.provider import S3Provider


class Provider:
    """LocalStack's S3 with one bucket, whose DeleteObject refuses conditions."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def _get_cross_account_bucket(self, _context: Any, _bucket: str) -> tuple[None, Any]:
        return None, SimpleNamespace(objects=self.objects)

    @conditional_deletes.with_condition
    def delete_object(self, _context: Any, bucket: str, key: str, if_match: str | None = None, **_: Any) -> None:
        assert (bucket, if_match) == ("photos", None), "not implemented"
        self.objects.pop(key, None)


def delete(objects: dict[str, Any], condition: str | None, **request: Any) -> list[str]:
    Provider(objects).delete_object(None, bucket="photos", key="a.jpg", if_match=condition, **request)
    return list(objects)


@pytest.mark.parametrize("condition", ['"e1"', "e1", "*", None])
def test_object_with_the_etag_is_deleted(condition: str | None) -> None:
    assert delete({"a.jpg": SimpleNamespace(etag="e1")}, condition) == []


def test_object_with_another_etag_is_kept() -> None:
    objects = {"a.jpg": SimpleNamespace(etag="e2")}
    with pytest.raises(PreconditionFailed):
        delete(objects, '"e1"')
    assert "a.jpg" in objects


@pytest.mark.parametrize("objects", [{}, {"a.jpg": S3DeleteMarker(key="a.jpg", version_id="m")}])
def test_missing_object_is_not_found(objects: dict[str, Any]) -> None:
    with pytest.raises(NoSuchKey):
        delete(objects, '"e1"')


def test_condition_on_a_version_stays_refused() -> None:
    with pytest.raises(AssertionError, match="not implemented"):
        delete({"a.jpg": SimpleNamespace(etag="e1")}, '"e1"', version_id="v1")


def test_localstack_is_patched_once() -> None:
    conditional_deletes.install()
    patched = S3Provider.delete_object
    conditional_deletes.install()
    assert S3Provider.delete_object is patched
