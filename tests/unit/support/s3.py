"""A fake of S3: versions, delete markers, tags, copies and conditions, as S3 documents them.

Each call is checked against botocore's model of the API, and takes effect in one moment (`call`, for switches of other
programs before and after it). An object's content is its ETag, so a copy has the ETag of its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import ParamValidator
from image_labels.model import Photo

T = TypeVar("T")
MODEL = Session().get_service_model("s3")


@dataclass
class Version:
    """A version of an object, or a delete marker, or the object of a bucket without versions (`id` None)."""

    etag: str
    id: str | None
    size: int = 1000
    tags: dict[str, str] = field(default_factory=dict)
    marker: bool = False


def _at_once(call: Callable[[], T]) -> T:
    return call()


@dataclass
class FakeS3:
    """Buckets by name; those in `versioned` keep versions. `refuses` has the error of the next call of an operation."""

    versioned: set[str] = field(default_factory=set)
    call: Callable[[Callable[[], Any]], Any] = _at_once
    buckets: dict[str, dict[str, list[Version]]] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str], None] = lambda _operation: None
    ids: Iterator[int] = field(default_factory=count)
    meta: Any = field(default_factory=lambda: SimpleNamespace(service_model=MODEL))

    # -- changes from outside

    def upload(self, bucket: str, key: str, etag: str, tags: dict[str, str] | None = None, version: str = "") -> Photo:
        versions = self.buckets.setdefault(bucket, {}).setdefault(key, [])
        keeps = bucket in self.versioned
        if not keeps:
            versions.clear()
        versions.append(Version(etag, (version or f"v{next(self.ids)}") if keeps else None, tags=dict(tags or {})))
        photo = self.photo(bucket, key)
        assert photo is not None
        return photo

    def remove(self, bucket: str, key: str) -> None:
        if bucket in self.versioned and self.current(bucket, key):
            self.buckets[bucket][key].append(Version("", f"marker{next(self.ids)}", marker=True))
        elif bucket not in self.versioned:
            self.buckets.setdefault(bucket, {}).pop(key, None)

    # -- what is there

    def current(self, bucket: str, key: str) -> Version | None:
        versions = self.buckets.get(bucket, {}).get(key, [])
        return versions[-1] if versions and not versions[-1].marker else None

    def photo(self, bucket: str, key: str) -> Photo | None:
        found = self.current(bucket, key)
        return None if found is None else Photo(bucket, key, found.etag, found.id, found.size)

    def keys(self, bucket: str) -> list[str]:
        return [key for key in self.buckets.get(bucket, {}) if self.current(bucket, key)]

    # -- S3's API

    def head_object(self, **request: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            found = self._version(request, "HeadObject", missing="404")
            return {
                "ETag": f'"{found.etag}"',
                "ContentLength": found.size,
                "ServerSideEncryption": "AES256",
                "ChecksumCRC32": f"crc{found.etag}",
                "ChecksumType": "FULL_OBJECT",
            } | ({} if found.id is None else {"VersionId": found.id})

        return self._answer("HeadObject", request, answer)

    def get_object_tagging(self, **request: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            tags = self._version(request, "GetObjectTagging").tags
            return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}

        return self._answer("GetObjectTagging", request, answer)

    def put_object_tagging(self, **request: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            tags = {tag["Key"]: tag["Value"] for tag in request["Tagging"]["TagSet"]}
            if len(tags) > 10:
                raise _error("BadRequest", "PutObjectTagging")
            self._version(request, "PutObjectTagging").tags = tags
            return {}

        return self._answer("PutObjectTagging", request, answer)

    def copy_object(self, **request: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            source = self._version(request["CopySource"], "CopyObject")
            if source.etag != request.get("CopySourceIfMatch", source.etag).strip('"'):
                raise _error("PreconditionFailed", "CopyObject")
            self.upload(request["Bucket"], request["Key"], source.etag, source.tags)
            return {}

        return self._answer("CopyObject", request, answer)

    def delete_object(self, **request: Any) -> dict[str, Any]:
        bucket, key = request["Bucket"], request["Key"]

        def answer() -> dict[str, Any]:
            if "VersionId" in request:
                versions = self.buckets.get(bucket, {}).get(key, [])
                versions[:] = [each for each in versions if each.id != request["VersionId"]]
                return {}
            found = self.current(bucket, key)
            if "IfMatch" in request:
                if found is None:
                    raise _error("NoSuchKey", "DeleteObject")
                if found.etag != request["IfMatch"].strip('"'):
                    raise _error("PreconditionFailed", "DeleteObject")
            self.remove(bucket, key)
            return {}

        return self._answer("DeleteObject", request, answer)

    def _answer(self, operation: str, request: dict[str, Any], answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        shape = MODEL.operation_model(operation).input_shape
        assert shape is not None
        # CopySource is a text in the API; botocore makes it of a map.
        report = ParamValidator().validate({k: v for k, v in request.items() if k != "CopySource"}, shape)
        problems = [each for each in report.generate_report().splitlines() if "CopySource" not in each]
        assert not problems, problems

        def once() -> dict[str, Any]:
            self.calls.append(operation)
            self.on_call(operation)
            if code := self.refuses.pop(operation, None):
                raise _error(code, operation)
            return answer()

        return cast("dict[str, Any]", self.call(once))

    def _version(self, where: dict[str, Any], operation: str, missing: str = "NoSuchKey") -> Version:
        bucket, key, version_id = where["Bucket"], where["Key"], where.get("VersionId")
        if version_id is None:
            found = self.current(bucket, key)
        else:
            versions = self.buckets.get(bucket, {}).get(key, [])
            found = next((each for each in versions if each.id == version_id and not each.marker), None)
            missing = missing if missing == "404" else "NoSuchVersion"
        if found is None:
            raise _error(missing, operation)
        return found


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "S3's words"}}, operation)
