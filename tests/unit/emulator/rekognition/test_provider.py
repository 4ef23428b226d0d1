"""The provider as LocalStack calls it, with a fake S3."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, DIRECTORY_VARIABLE, FACES
from image_labels_emulator.rekognition import faults
from image_labels_emulator.rekognition.admin import Admin
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.rekognition.provider import RekognitionProvider
from image_labels_emulator.rekognition.settings import ERRORS, NONSENSE, OPERATIONS
from image_labels_emulator.rekognition.sources import Found
from localstack.http import Request, Response
from PIL import Image
from support import rekognition_calls
from support.rekognition_calls import Body, FakeS3
from support.rekognition_model import check_answer, names, picture, s3_image
from support.vision_models import photograph, require_model

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.image import Photo


@pytest.fixture
def s3() -> FakeS3:
    Body.reads = 0
    return FakeS3()


@pytest.fixture
def behaviour() -> faults.Behaviour:
    return faults.Behaviour(clock=lambda: 0.0, sleep=lambda _seconds: None)


@pytest.fixture
def provider(s3: FakeS3, behaviour: faults.Behaviour) -> RekognitionProvider:
    return RekognitionProvider(behaviour, make_s3_client=lambda _context: s3)


def call(provider: RekognitionProvider, **request: Any) -> Any:
    return rekognition_calls.call(provider, "DetectLabels", request)


def refused(provider: RekognitionProvider, **request: Any) -> RekognitionError:
    with pytest.raises(RekognitionError) as caught:
        call(provider, **request)
    return caught.value


def test_a_photo_in_s3_with_metadata(provider: RekognitionProvider, s3: FakeS3) -> None:
    s3.put("images/a b+ü.jpg", picture(), labels="Cat=95")
    found = check_answer(call(provider, Image=s3_image("images/a b+ü.jpg")))
    assert names(found) == ["Animal", "Cat", "Mammal", "Pet"]


def test_older_version_is_read(provider: RekognitionProvider, s3: FakeS3) -> None:
    s3.put("a.jpg", picture(), labels="Cat=95")
    s3.put("a.jpg", picture(), "v1", labels="Rock=95")
    image = {"S3Object": {"Bucket": "photos", "Name": "a.jpg", "Version": "v1"}}
    assert names(call(provider, Image=image)) == ["Rock"]


def test_models_see_a_photo_without_metadata(s3: FakeS3, behaviour: faults.Behaviour) -> None:
    provider = RekognitionProvider(behaviour, Inference(see=lambda _photo: [Found("rock", 80)]), lambda _context: s3)
    s3.put("images/dog.jpg", picture())
    assert names(check_answer(call(provider, Image=s3_image("images/dog.jpg")))) == ["Rock"]
    assert names(check_answer(call(provider, Image={"Bytes": picture()}))) == ["Rock"]


def test_without_models_a_photo_without_labels_is_an_error_that_says_how_to_install_them(
    provider: RekognitionProvider, s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    s3.put("images/dog.jpg", picture())
    error = refused(provider, Image=s3_image("images/dog.jpg"))
    assert (error.code, error.status_code) == ("InternalServerError", 500)
    assert "python -m image_labels_emulator.models" in error.message


def test_with_models_a_photo_is_looked_at(provider: RekognitionProvider, s3: FakeS3) -> None:
    for name in (CLASSIFIER, DETECTOR, FACES):
        require_model(name)
    data = io.BytesIO()
    Image.fromarray(photograph("chelsea")).save(data, "JPEG")
    s3.put("upload.jpg", data.getvalue())
    answer = check_answer(call(provider, Image=s3_image("upload.jpg"), MinConfidence=80))
    (cat,) = (each for each in answer["Labels"] if each["Name"] == "Cat")
    assert cat["Instances"]


@pytest.mark.parametrize(
    "place",
    [
        {"Bucket": "photos", "Name": "none.jpg"},
        {"Bucket": "nobody", "Name": "a.jpg"},
        {"Bucket": "photos", "Name": "a.jpg", "Version": "none"},
        {"Bucket": "elsewhere", "Name": "a.jpg"},
    ],
    ids=["key", "bucket", "version", "region"],
)
def test_object_that_cannot_be_read_is_refused(
    provider: RekognitionProvider, s3: FakeS3, place: dict[str, str]
) -> None:
    s3.put("a.jpg", picture(), labels="Cat=95")
    s3.regions["elsewhere"] = "us-east-1"
    s3.objects["elsewhere", "a.jpg", None] = (picture(), {})
    error = refused(provider, Image={"S3Object": place})
    assert error.code == "InvalidS3ObjectException"
    assert error.status_code == 400
    assert error.message == (
        "Unable to get object metadata from S3. Check object key, region and/or access permissions."
    )


def test_object_over_15_mb_is_not_downloaded(provider: RekognitionProvider, s3: FakeS3) -> None:
    s3.put("big.jpg", picture(), labels="Cat=95")
    s3.sizes["big.jpg"] = 15 * 1024 * 1024 + 1
    error = refused(provider, Image=s3_image("big.jpg"))
    assert (error.code, error.message) == ("ImageTooLargeException", "Image size is too large")
    assert Body.reads == 0
    s3.sizes["big.jpg"] = 15 * 1024 * 1024
    call(provider, Image=s3_image("big.jpg"))
    assert Body.reads == 1


def test_unreachable_s3_is_an_internal_server_error(provider: RekognitionProvider, s3: FakeS3) -> None:
    s3.unreachable = True
    error = refused(provider, Image=s3_image())
    assert (error.code, error.status_code) == ("InternalServerError", 500)


def test_no_image_in_the_object(provider: RekognitionProvider, s3: FakeS3) -> None:
    s3.put("a.jpg", b"hello")
    assert refused(provider, Image=s3_image("a.jpg")).code == "InvalidImageFormatException"


@pytest.mark.parametrize("error", [RuntimeError("out of tune"), MemoryError(), KeyError("labels")], ids=repr)
def test_failure_of_the_emulator_is_an_internal_server_error(
    s3: FakeS3, behaviour: faults.Behaviour, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def see(_photo: Photo) -> list[Found]:
        raise error

    s3.put("a.jpg", picture())
    provider = RekognitionProvider(behaviour, Inference(see=see), lambda _context: s3)
    answered = refused(provider, Image=s3_image("a.jpg"))
    assert (answered.code, answered.status_code) == ("InternalServerError", 500)
    assert answered.message == "Internal server error"
    assert behaviour.snapshot()["counters"]["failed"] == 1
    (record,) = (one for one in caplog.records if one.levelname == "ERROR")
    assert "photos/a.jpg" in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is error


@pytest.mark.parametrize("request_", [{}, {"Image": None}, {"Image": {"S3Object": None}}, {"Image": 1}])
def test_invalid_request_is_counted_and_refused(
    provider: RekognitionProvider, behaviour: faults.Behaviour, request_: dict[str, Any]
) -> None:
    refused(provider, **request_)
    found = behaviour.snapshot()["counters"]
    assert (found["calls"], found["failed"], found["photos"]) == (1, 1, {})


@pytest.mark.parametrize("error", [error for error in ERRORS if error != NONSENSE])
def test_rule_can_name_any_error(
    provider: RekognitionProvider, s3: FakeS3, behaviour: faults.Behaviour, error: str
) -> None:
    s3.put("a.jpg", picture(), labels="Cat=95")
    behaviour.add_rules({"key_prefix": "a", "error": error, "times": 1})
    found = refused(provider, Image=s3_image("a.jpg"))
    assert found.code == error
    assert found.message != error
    assert found.status_code == (500 if error == "InternalServerError" else 400)
    call(provider, Image=s3_image("a.jpg"))
    counters = behaviour.snapshot()["counters"]
    calls = {"calls": 2, "answered": 1, "throttled": 0, "failed": 1}
    assert counters == calls | {"operations": {"DetectLabels": calls}, "photos": {"photos": {"a.jpg": 2}}}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_rule_can_name_any_operation(
    provider: RekognitionProvider, behaviour: faults.Behaviour, operation: str
) -> None:
    behaviour.add_rules({"key_prefix": "", "error": "AccessDeniedException", "operation": operation, "times": 1})
    with pytest.raises(RekognitionError) as caught:
        rekognition_calls.call(provider, operation, {"Image": s3_image("a.jpg")})
    assert caught.value.message == f"User is not authorized to perform: rekognition:{operation}"
    counters = behaviour.snapshot()["counters"]
    assert counters["operations"] == {operation: {"calls": 1, "answered": 0, "throttled": 0, "failed": 1}}
    assert counters["photos"] == ({"photos": {"a.jpg": 1}} if operation == "DetectLabels" else {})


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"ListCollections"}))
def test_every_operation_checks_its_request(provider: RekognitionProvider, operation: str) -> None:
    with pytest.raises(RekognitionError) as caught:
        rekognition_calls.call(provider, operation, {})
    assert caught.value.code == "ValidationException"
    assert "failed to satisfy constraint: Member must not be null" in caught.value.message


def test_a_rule_applies_to_the_source_image_of_a_comparison(
    provider: RekognitionProvider, behaviour: faults.Behaviour
) -> None:
    behaviour.add_rules({"key_prefix": "source/", "error": "ThrottlingException"})
    images = {"SourceImage": s3_image("source/a.jpg"), "TargetImage": s3_image("target/a.jpg")}
    with pytest.raises(RekognitionError) as caught:
        rekognition_calls.call(provider, "CompareFaces", images)
    assert caught.value.code == "ThrottlingException"


def test_over_the_quota(provider: RekognitionProvider, s3: FakeS3, behaviour: faults.Behaviour) -> None:
    s3.put("a.jpg", picture(), labels="Cat=95")
    behaviour.change({"calls_per_second": 1})
    call(provider, Image=s3_image("a.jpg"))
    error = refused(provider, Image=s3_image("a.jpg"))
    assert (error.code, error.message, error.status_code) == ("ThrottlingException", "Rate exceeded", 400)
    counters = behaviour.snapshot()["counters"]
    assert (counters["throttled"], counters["failed"], counters["answered"]) == (1, 0, 1)


def test_nonsense_is_an_answer_that_is_not_json(provider: RekognitionProvider, behaviour: faults.Behaviour) -> None:
    behaviour.add_rules({"key_prefix": "", "error": "nonsense"})
    answered = call(provider, Image=s3_image())
    assert isinstance(answered, Response)
    assert answered.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(answered.data)


def request_with(body: str = "") -> Request:
    return Request("POST", "/", body=body)


def test_admin_names_the_models_that_labels_come_from(behaviour: faults.Behaviour) -> None:
    titles: list[str] = []
    admin = Admin(behaviour, lambda: titles)
    assert "no models: install them" in json.loads(admin.show(request_with()).data)["label_sources"][1]
    titles += ["A Model", "Another"]  # installed meanwhile
    shown = json.loads(admin.show(request_with()).data)
    assert shown["label_sources"][1] == "models that look at the photo (A Model, Another)"
    assert "A Model, Another" in shown["about"]


def test_admin_shows_and_changes(behaviour: faults.Behaviour) -> None:
    admin = Admin(behaviour, lambda: ["A Model"])
    shown = json.loads(admin.show(request_with()).data)
    assert shown["emulator"] is True
    assert "not Amazon Rekognition" in shown["about"]
    assert len(shown["label_sources"]) == 2
    assert shown["models"] == ["A Model"]
    assert shown["settings"]["calls_per_second"] is None
    changed = json.loads(admin.change(request_with('{"calls_per_second": 5}')).data)
    assert changed["settings"]["calls_per_second"] == 5
    ruled = json.loads(admin.add_rules(request_with('{"key_prefix": "a", "error": "nonsense"}')).data)
    assert ruled["rules"] == [{"key_prefix": "a", "error": "nonsense", "times": None, "operation": None}]
    assert json.loads(admin.clear_rules(request_with()).data)["rules"] == []
    assert json.loads(admin.reset(request_with()).data)["settings"]["calls_per_second"] is None


@pytest.mark.parametrize("body", ["", "{", "[]", '{"calls_per_second": "many"}', '{"latency_ms": NaN}'])
def test_admin_answers_nonsense_with_a_sentence(behaviour: faults.Behaviour, body: str) -> None:
    answered = Admin(behaviour).change(request_with(body))
    assert answered.status_code == 400
    assert len(json.loads(answered.data)["message"].split()) > 3


def test_admin_routes_are_registered_once(behaviour: faults.Behaviour) -> None:
    from localstack.services.edge import ROUTER

    before = len(list(ROUTER.url_map.iter_rules()))
    admin = Admin(behaviour)
    admin.register()
    admin.register()
    assert len(list(ROUTER.url_map.iter_rules())) == before + 5
