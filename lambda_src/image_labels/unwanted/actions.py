"""What is done with an unwanted photo: tag it, move it to the quarantine, or delete it.

Each action is about exactly the version that was looked at, or, in a bucket without versions, about the object with its
ETag. Each can be repeated: after a crash at any point, the same call ends in the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_labels.aws_errors import Kind, code_of, kind_of, message_of
from image_labels.failures import Failure, NeedsOperator, TryAgain, failure_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
MAX_TAGS = 10
_CHECKSUMS = ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256")
# S3's codes for an object or a version that does not exist. A HEAD has no body, and 405 is for a delete marker.
_MISSING = frozenset({"404", "405", "NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed"})
_CHANGED = frozenset({"412", "PreconditionFailed"})


class Done(Enum):
    """The end of an action."""

    YES = auto()
    CHANGED = auto()
    """Another object is at the key: nothing is left of what was looked at."""
    GONE = auto()
    """The object was gone already. A copy in the quarantine, if that is the action, does not exist."""


@dataclass(frozen=True)
class Target:
    """The object that was looked at. `version_id` is None in a bucket without versions."""

    bucket: str
    key: str
    etag: str
    version_id: str | None

    @property
    def where(self) -> dict[str, Any]:
        """The arguments of S3's API that name it."""
        found = {"Bucket": self.bucket, "Key": self.key}
        return found if self.version_id is None else found | {"VersionId": self.version_id}

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Actions:
    """The actions, on S3. Methods raise NeedsOperator, TryAgain, and botocore's errors.

    `abandoned` says whether the invocation has returned the photo to its sender. Then nothing is changed any more.
    """

    def __init__(self, client: S3Client, tag: tuple[str, str] = ("", "")) -> None:
        self._client = client
        self._tag = tag

    def delete(self, target: Target, abandoned: Callable[[], bool]) -> Done:
        """Delete exactly this version, for good. The version before it becomes the current one.

        In a bucket without versions, S3 deletes the object only if it still has the ETag:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
        """
        head = self._head(target)
        return head if isinstance(head, Done) else self._delete(target, abandoned)

    def quarantine(self, target: Target, to: str, abandoned: Callable[[], bool]) -> Done:
        """Copy exactly this version to the URI `to`, verify the copy, and then delete the version."""
        head, copy = self._head(target), self._copy(to)
        if isinstance(head, Done):
            return Done.YES if head is Done.GONE and copy is not None else head
        if copy is None or not _same(head, copy):
            _check(abandoned)
            bucket, key = _parts(to)
            try:
                self._client.copy_object(
                    Bucket=bucket,
                    Key=key,
                    CopySource=target.where,  # type: ignore[arg-type]
                    CopySourceIfMatch=f'"{target.etag}"',
                )
            except ClientError as error:
                return _outcome_of(error, to)
            copy = self._copy(to)
            if copy is None or not _same(head, copy):
                raise TryAgain(f"the copy {to} differs from {target} in size or checksum: the photo is not deleted")
        return self._delete(target, abandoned)

    def tag(self, target: Target, abandoned: Callable[[], bool]) -> Done:
        """Add the tag to the tags of exactly this version.

        S3 has no condition for it. In a bucket without versions, the object is therefore checked before and after: if
        it was replaced in between, the tag is taken off again.
        """
        head = self._head(target)
        if isinstance(head, Done):
            return head
        tags = self._tags(target.where)
        key, value = self._tag
        if tags is None:
            return Done.GONE
        if tags.get(key) != value:
            if len(tags.keys() - {key}) >= MAX_TAGS:
                raise NeedsOperator(
                    f"PutObjectTagging: {target} has {MAX_TAGS} tags already, and S3 allows no more",
                    f"remove a tag of the object, so that there is room for the tag {key}",
                )
            _check(abandoned)
            self._put_tags(target.where, tags | {key: value})
        if target.version_id is None:
            head = self._head(target)
            if isinstance(head, Done):
                self.untag(target)
                return head
        return Done.YES

    def untag(self, target: Target) -> None:
        """Take the tag off this version, or off the object that is now at the key of one without a version."""
        key, value = self._tag
        tags = self._tags(target.where)
        if tags is not None and tags.get(key) == value:
            self._put_tags(target.where, {each: tags[each] for each in tags if each != key})

    def _head(self, target: Target) -> Mapping[str, Any] | Done:
        """The object, or why there is nothing to do with it."""
        try:
            head = self._client.head_object(**target.where, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in _MISSING:
                return Done.GONE
            raise _failure_of(error, str(target)) from error
        return head if head["ETag"].strip('"') == target.etag else Done.CHANGED

    def _copy(self, to: str) -> Mapping[str, Any] | None:
        bucket, key = _parts(to)
        try:
            return self._client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in _MISSING:
                return None
            raise _failure_of(error, to) from error

    def _delete(self, target: Target, abandoned: Callable[[], bool]) -> Done:
        _check(abandoned)
        if target.version_id is not None:
            self._client.delete_object(**target.where)
            return Done.YES
        shape = self._client.meta.service_model.operation_model("DeleteObject").input_shape
        if shape is None or "IfMatch" not in shape.members:
            raise NeedsOperator(
                f"{target} is not deleted: the function's botocore has no condition for DeleteObject (IfMatch)",
                "enable versioning on the bucket, or give the function a newer runtime (lambda_runtime)",
            )
        try:
            self._client.delete_object(**target.where, IfMatch=f'"{target.etag}"')
        except ClientError as error:
            return _outcome_of(error, str(target))
        return Done.YES

    def _tags(self, where: Mapping[str, Any]) -> dict[str, str] | None:
        """The tags of an object; None if it is gone."""
        try:
            tags = self._client.get_object_tagging(**where)["TagSet"]
        except ClientError as error:
            if code_of(error) in _MISSING:
                return None
            raise
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _put_tags(self, where: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        try:
            self._client.put_object_tagging(
                **where, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
            )
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise


def _check(abandoned: Callable[[], bool]) -> None:
    """Before each change: the steps before it take time."""
    if abandoned():
        raise TryAgain("the invocation ended before the unwanted photo was done")


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _same(photo: Mapping[str, Any], copy: Mapping[str, Any]) -> bool:
    """Whether the copy has the size and the checksums of the photo, as far as they can be compared.

    A copy has the checksum of its source, unless that is one of parts. The ETag of an object that was uploaded in one
    part and not encrypted with KMS is its MD5.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    if photo["ContentLength"] != copy["ContentLength"]:
        return False
    if all(_has_md5(each) for each in (photo, copy)) and photo["ETag"] != copy["ETag"]:
        return False
    whole = all(each.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" for each in (photo, copy))
    both = [name for name in _CHECKSUMS if name in photo and name in copy]
    return all(photo[name] == copy[name] for name in both if whole and "-" not in photo[name] + copy[name])


def _has_md5(head: Mapping[str, Any]) -> bool:
    return head.get("ServerSideEncryption", "AES256") == "AES256" and "-" not in head["ETag"]


def _outcome_of(error: ClientError, where: str) -> Done:
    """Of a call with a condition. Raises what is not an outcome."""
    code = code_of(error)
    if code in _CHANGED:
        return Done.CHANGED
    if code in _MISSING:
        return Done.GONE
    raise _failure_of(error, where) from error


def _failure_of(error: ClientError, where: str) -> Failure:
    cause = f"{error.operation_name} on {where}: {code_of(error)}: {message_of(error)}"
    if code_of(error) == "NoSuchBucket":
        return NeedsOperator(cause, "create the bucket of the quarantine, or change unwanted.quarantine_bucket")
    if code_of(error) in ("501", "NotImplemented"):
        return NeedsOperator(cause, "enable versioning on the bucket: this S3 does not delete under a condition")
    if kind_of(error) is Kind.DENIED:
        return NeedsOperator(
            cause,
            f"allow {error.operation_name} to the function's role: see the policy of the bucket, and the KMS key if "
            "there is one",
        )
    return failure_of(error)
