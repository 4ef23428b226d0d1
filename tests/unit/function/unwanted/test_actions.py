"""Tag, quarantine and delete: exactly what was looked at, and nothing else, also after a crash at any call."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.failures import Failure, NeedsOperator, TryAgain
from image_labels.unwanted.actions import Actions, Done, Target
from support.fakes import BUCKET
from support.s3 import FakeS3

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_s3 import S3Client

KEY, TO = "images/a +b.jpg", "s3://quarantine-bucket/from/x/images/a +b.jpg"
COPY = "from/x/images/a +b.jpg"
TAG = ("image-labels", "unwanted")
ACTIONS = ("tag", "quarantine", "delete")


class DiedError(BaseException):
    """The function's process ends."""


def act(fake: Any, action: str, target: Target, abandoned: Callable[[], bool] = lambda: False) -> Done:
    actions = Actions(fake, TAG)
    if action == "quarantine":
        return actions.quarantine(target, TO, abandoned)
    return actions.tag(target, abandoned) if action == "tag" else actions.delete(target, abandoned)


def uploaded(fake: FakeS3, etag: str = "e1", tags: dict[str, str] | None = None) -> Target:
    photo = fake.upload(BUCKET, KEY, etag, tags)
    return Target(photo.bucket, photo.key, photo.etag, photo.version_id)


@pytest.fixture(params=[True, False], ids=["versions", "no versions"])
def fake(request: pytest.FixtureRequest) -> FakeS3:
    return FakeS3(versioned={BUCKET} if request.param else set())


def is_done(fake: FakeS3, action: str) -> bool:
    now = fake.current(BUCKET, KEY)
    if action == "tag":
        return now is not None and now.tags == {"own": "tag", TAG[0]: TAG[1]}
    copy = fake.current("quarantine-bucket", COPY)
    copied = copy is not None and (copy.etag, copy.tags) == ("e1", {"own": "tag"})
    return now is None and copied == (action == "quarantine")


@pytest.mark.parametrize("action", ACTIONS)
def test_action_ends_in_the_same_state_after_a_crash_at_any_call(fake: FakeS3, action: str) -> None:
    """Before the call takes effect, or after it."""
    target = uploaded(fake, tags={"own": "tag"})
    assert act(fake, action, target) is Done.YES
    assert is_done(fake, action)
    for crash_at in range(2 * len(fake.calls)):
        again = FakeS3(versioned=fake.versioned)
        target = uploaded(again, tags={"own": "tag"})
        switches = iter(range(1000))

        def call(effect: Callable[[], Any], switches: Any = switches, crash_at: int = crash_at) -> Any:
            if next(switches) == crash_at:
                raise DiedError
            try:
                return effect()
            finally:
                if next(switches) == crash_at:
                    raise DiedError

        again.call = call
        with pytest.raises(DiedError):
            act(again, action, target)
        again.call = lambda effect: effect()
        act(again, action, target)
        assert is_done(again, action), crash_at


@pytest.mark.parametrize("action", ACTIONS)
def test_photo_that_replaces_the_unwanted_one_at_any_moment_is_untouched(fake: FakeS3, action: str) -> None:
    target = uploaded(fake)
    act(fake, action, target)
    for moment in range(len(fake.calls)):
        again = FakeS3(versioned=fake.versioned)
        target = uploaded(again)

        def replaced(_operation: str, again: FakeS3 = again, moment: int = moment) -> None:
            if len(again.calls) == moment + 1:
                again.upload(BUCKET, KEY, "e2", {TAG[0]: "its own"} if again.versioned else {})

        again.on_call = replaced
        act(again, action, target)
        now = again.current(BUCKET, KEY)
        assert now is not None, moment
        assert (now.etag, now.tags.get(TAG[0])) == ("e2", "its own" if again.versioned else None), moment


@pytest.mark.parametrize("action", ACTIONS)
def test_older_version_is_acted_on_although_there_is_a_newer_one(action: str) -> None:
    fake = FakeS3(versioned={BUCKET})
    target = uploaded(fake)
    fake.upload(BUCKET, KEY, "e2")
    assert act(fake, action, target) is Done.YES
    versions = fake.buckets[BUCKET][KEY]
    assert [each.etag for each in versions] == (["e1", "e2"] if action == "tag" else ["e2"])
    assert versions[-1].tags == {}


@pytest.mark.parametrize("action", ACTIONS)
def test_photo_that_is_gone_is_reported_as_gone(fake: FakeS3, action: str) -> None:
    target = uploaded(fake)
    fake.buckets[BUCKET].pop(KEY)
    assert act(fake, action, target) is Done.GONE
    assert fake.current("quarantine-bucket", COPY) is None


def test_photo_is_not_deleted_before_its_copy_is_verified(fake: FakeS3) -> None:
    target = uploaded(fake)
    act(fake, "quarantine", target)
    assert fake.calls == ["HeadObject", "HeadObject", "CopyObject", "HeadObject", "DeleteObject"]


@pytest.mark.parametrize("wrong", ["size", "checksum"])
def test_photo_whose_copy_differs_is_not_deleted(fake: FakeS3, wrong: str) -> None:
    target = uploaded(fake)

    class Damages(FakeS3):
        def head_object(self, **request: Any) -> dict[str, Any]:
            head = super().head_object(**request)
            damaged: dict[str, Any] = {"ContentLength": 999} if wrong == "size" else {"ChecksumCRC32": "other"}
            return head | damaged if request["Bucket"] == "quarantine-bucket" else head

    damages = Damages(versioned=fake.versioned, buckets=fake.buckets)
    with pytest.raises(TryAgain, match="the photo is not deleted"):
        act(damages, "quarantine", target)
    assert fake.current(BUCKET, KEY) is not None


def test_copy_of_an_earlier_attempt_is_not_made_again(fake: FakeS3) -> None:
    target = uploaded(fake)
    fake.refuses["DeleteObject"] = "AccessDenied"
    with pytest.raises(Exception, match="AccessDenied"):
        act(fake, "quarantine", target)
    assert act(fake, "quarantine", target) is Done.YES
    assert fake.calls.count("CopyObject") == 1


def test_own_tags_are_kept_and_a_full_set_needs_an_operator(fake: FakeS3) -> None:
    target = uploaded(fake, tags={f"t{n}": "" for n in range(10)})
    with pytest.raises(NeedsOperator, match="10 tags already") as raised:
        act(fake, "tag", target)
    assert "remove a tag" in raised.value.next_step
    target = uploaded(fake, "e2", {f"t{n}": "" for n in range(9)} | {TAG[0]: "other"})
    assert act(fake, "tag", target) is Done.YES
    now = fake.current(BUCKET, KEY)
    assert now is not None
    assert now.tags == {f"t{n}": "" for n in range(9)} | dict([TAG])


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_changed_after_the_invocation_has_ended(fake: FakeS3, action: str) -> None:
    target = uploaded(fake)
    with pytest.raises(TryAgain, match="invocation ended"):
        act(fake, action, target, lambda: True)
    assert set(fake.calls) <= {"HeadObject", "GetObjectTagging"}


def test_old_botocore_does_not_delete_from_a_bucket_without_versions() -> None:
    """Without the condition, the photo that has replaced the unwanted one would be deleted."""
    fake = FakeS3()
    target = uploaded(fake)

    without_condition = SimpleNamespace(input_shape=SimpleNamespace(members={"Bucket": None, "Key": None}))
    fake.meta.service_model = SimpleNamespace(operation_model=lambda _name: without_condition)
    with pytest.raises(NeedsOperator, match="IfMatch") as raised:
        act(fake, "delete", target)
    assert "lambda_runtime" in raised.value.next_step
    assert fake.current(BUCKET, KEY) is not None


@pytest.mark.parametrize(
    ("operation", "code", "advice"),
    [
        ("CopyObject", "NoSuchBucket", "unwanted.quarantine_bucket"),
        ("CopyObject", "AccessDenied", "policy of the bucket"),
        ("DeleteObject", "NotImplemented", "enable versioning"),
        ("HeadObject", "403", "policy of the bucket"),
    ],
)
def test_refusal_has_a_next_step(operation: str, code: str, advice: str) -> None:
    fake = FakeS3(refuses={operation: code})
    with pytest.raises(Failure, match=code) as raised:
        act(fake, "quarantine", uploaded(fake))
    assert advice in raised.value.next_step


@pytest.mark.parametrize("versioned", [True, False])
def test_actions_work_with_the_real_client(clients: Clients, s3: S3Client, versioned: bool) -> None:
    s3.create_bucket(Bucket="quarantine-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    if versioned:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for action in ACTIONS:
        head = s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"12345", Tagging="own=tag", Metadata={"by": "me"})
        target = Target(BUCKET, KEY, head["ETag"].strip('"'), head.get("VersionId"))
        assert act(clients.s3, action, target) is Done.YES
        if action == "tag":
            tags = s3.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"]
            assert {tag["Key"]: tag["Value"] for tag in tags} == {"own": "tag", "image-labels": "unwanted"}
            s3.delete_object(**target.where)
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET)
    copy = s3.get_object(Bucket="quarantine-bucket", Key=COPY)
    assert (copy["Body"].read(), copy["Metadata"], copy["TagCount"]) == (b"12345", {"by": "me"}, 1)
