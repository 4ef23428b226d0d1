"""Uploads of the page: who may upload, which keys and files are accepted, and what S3 gets."""

from __future__ import annotations

import json
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from image_labels.model import Label, Labels, Photo
from image_labels_cli.browse import Access
from image_labels_cli.browse.app import create_app
from image_labels_cli.browse.photos import Library
from image_labels_cli.browse.previews import Kept, Previews
from image_labels_cli.browse.problems import BadRequest
from image_labels_cli.browse.server import PageServer
from image_labels_cli.browse.uploads import Uploads
from image_labels_cli.inventory.keys import KeyFilter
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.rekognition_model import picture

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from image_labels.tables.store import Store
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from werkzeug.test import TestResponse

PORT = 8123
TOKEN = "a-token-of-this-run"  # noqa: S105 - of a test
HOME = f"http://127.0.0.1:{PORT}"
PAGE = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
KEYS = KeyFilter("images/", (".jpg", ".png"))
JPEG, PNG = picture(form="JPEG"), picture(form="PNG")


@pytest.fixture
def access(s3: S3Client) -> Access:
    """Without tables, which an upload does not read."""
    return Access(cast("Any", None), s3, TABLE, LABELS_TABLE, BUCKET, uploads=KEYS)


@pytest.fixture
def client(access: Access, tmp_path: Path) -> FlaskClient:
    """A browser with the token."""
    return _client(access, tmp_path)


def _client(access: Access, directory: Path) -> FlaskClient:
    library = Library(access, cast("Any", None), Previews(access.s3, BUCKET, Kept(directory)))
    client = create_app(library, token=TOKEN, port=PORT).test_client()
    assert client.get("/", base_url=HOME, query_string={"token": TOKEN}).status_code == 303
    return client


def upload(
    client: FlaskClient,
    name: str = "cat.jpg",
    body: bytes = JPEG,
    *,
    headers: dict[str, str] = PAGE,
    **query: str,
) -> TestResponse:
    query = {"folder": "images/", "name": name} | query
    answer = client.put("/api/upload", base_url=HOME, query_string=query, data=body, headers=headers)
    answer.get_data()  # until the end of the upload
    return answer


def lines(answer: TestResponse) -> list[Any]:
    return [json.loads(line) for line in answer.text.splitlines()]


def stored(s3: S3Client) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found}


class TestGate:
    @pytest.mark.parametrize(
        "headers",
        [
            PAGE,
            {"Origin": HOME},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        ],
        ids=["usual", "old browser", "without origin", "origin by Referrer-Policy"],
    )
    def test_page_uploads_a_photo(self, client: FlaskClient, s3: S3Client, headers: dict[str, str]) -> None:
        answer = upload(client, headers=headers)
        assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
        assert answer.headers["Content-Security-Policy"]
        assert stored(s3) == {"images/cat.jpg": JPEG}

    def test_upload_is_refused_unless_it_is_switched_on(self, access: Access, s3: S3Client, tmp_path: Path) -> None:
        client = _client(replace(access, uploads=None), tmp_path)
        assert upload(client).status_code == 405
        assert client.get("/api/about", base_url=HOME).get_json()["upload"] is None
        assert stored(s3) == {}

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": HOME, "Sec-Fetch-Site": "cross-site"},
            {"Origin": HOME, "Sec-Fetch-Site": "none"},
            {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": f"http://localhost:{PORT}"},
            {"Origin": "null"},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
            PAGE | {"Host": "evil.example"},
            {"Origin": "http://evil.example", "Host": "evil.example"},
        ],
    )
    def test_upload_of_another_site_is_refused_even_with_the_cookie(
        self, client: FlaskClient, s3: S3Client, headers: dict[str, str]
    ) -> None:
        assert upload(client, headers=headers).status_code == 403
        assert stored(s3) == {}

    def test_upload_requires_the_token(self, client: FlaskClient, s3: S3Client) -> None:
        client.delete_cookie(f"image_labels_{PORT}", domain="127.0.0.1")
        assert upload(client).status_code == 403
        assert stored(s3) == {}

    @pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS"])
    def test_no_other_method_and_path_is_accepted(self, client: FlaskClient, method: str) -> None:
        assert client.open("/api/upload", base_url=HOME, method=method, headers=PAGE).status_code == 405
        assert client.put("/api/find?q=dog", base_url=HOME, headers=PAGE).status_code == 405


def key_of(folder: str, name: str, keys: KeyFilter = KEYS) -> str:
    return Uploads(cast("Any", None), BUCKET, keys).key_of(folder, name)


class TestKeys:
    @pytest.mark.parametrize(
        ("folder", "name", "key"),
        [
            ("images/", "cat.jpg", "images/cat.jpg"),
            ("images/2026", "cat.jpg", "images/2026/cat.jpg"),
            ("images/", "C:\\fakepath\\cat.jpg", "images/C:fakepathcat.jpg"),
            ("images/", "../../etc/cat.jpg", "images/....etccat.jpg"),
            ("images/", " caf\u0065\u0301 & 100%.jpg ", "images/caf\u00e9 & 100%.jpg"),
            ("images/", "photo\u202egpj.exe\x1b\u200b.png", "images/photogpj.exe.png"),
            ("images/", "\U0001f469\u200d\U0001f680.jpg", "images/\U0001f469\u200d\U0001f680.jpg"),
        ],
    )
    def test_name_is_cleaned(self, folder: str, name: str, key: str) -> None:
        assert key_of(folder, name) == key

    @pytest.mark.parametrize(
        ("folder", "name", "words"),
        [
            ("other/", "cat.jpg", "only keys that start with “images/”"),
            ("", "cat.jpg", "only keys that start with “images/”"),
            ("images/", "cat.heic", "only files whose names end with .jpg, .png. Rename"),
            ("images/", "cat.JPG", "only files whose names end with .jpg, .png. Rename"),
            ("images/", "", "no name"),
            ("images/", "\u200b/", "no name"),
            ("images/../secret/", "cat.jpg", "“..”"),
            ("images/", "x" * 1024 + ".jpg", "1,035 bytes"),
        ],
    )
    def test_key_that_the_module_would_not_label_is_refused(self, folder: str, name: str, words: str) -> None:
        with pytest.raises(BadRequest, match=re.escape(words)):
            key_of(folder, name)

    def test_refusal_is_the_answer(self, client: FlaskClient, s3: S3Client) -> None:
        answer = upload(client, "cat.heic")
        assert (answer.status_code, answer.get_json()["kind"]) == (400, "request")
        assert stored(s3) == {}

    def test_module_may_label_every_key(self) -> None:
        assert key_of("", "cat", KeyFilter.of("", "*")) == "cat"


class TestFiles:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "empty"),
            (b"This is a text.", "neither a JPEG nor a PNG"),
            (b"GIF89a" + JPEG, "neither a JPEG nor a PNG"),
            (JPEG + bytes(15 * 1024**2), "15.0 MB, and Rekognition accepts at most 15 MB"),
        ],
    )
    def test_file_that_rekognition_would_reject_is_refused(
        self, client: FlaskClient, s3: S3Client, body: bytes, words: str
    ) -> None:
        answer = upload(client, body=body)
        assert answer.status_code == 400
        assert words in answer.get_json()["title"]
        assert stored(s3) == {}

    @pytest.mark.parametrize(("body", "media_type"), [(JPEG, "image/jpeg"), (PNG, "image/png")])
    def test_media_type_is_that_of_the_content(
        self, client: FlaskClient, s3: S3Client, body: bytes, media_type: str
    ) -> None:
        upload(client, "cat.jpg", body)
        assert s3.head_object(Bucket=BUCKET, Key="images/cat.jpg")["ContentType"] == media_type

    def test_largest_photo_is_uploaded_and_its_progress_is_reported(self, client: FlaskClient, s3: S3Client) -> None:
        body = JPEG + bytes(15 * 1024**2 - len(JPEG))
        key, *reports, last = lines(upload(client, body=body))
        assert key == {"key": "images/cat.jpg"}
        assert all(0 <= report["sent"] <= len(body) for report in reports)
        etag = s3.head_object(Bucket=BUCKET, Key="images/cat.jpg")["ETag"].strip('"')
        assert last == {"etag": etag, "versionId": None}
        assert stored(s3)["images/cat.jpg"] == body


class TestExisting:
    def test_photo_is_not_replaced_without_a_question(self, client: FlaskClient, s3: S3Client) -> None:
        upload(client)
        problem = lines(upload(client, body=PNG))[-1]["problem"]
        assert problem["kind"] == "exists"
        assert stored(s3) == {"images/cat.jpg": JPEG}
        assert "etag" in lines(upload(client, body=PNG, replace=""))[-1]
        assert stored(s3) == {"images/cat.jpg": PNG}

    def test_deleted_photo_of_a_versioned_bucket_does_not_exist(self, client: FlaskClient, s3: S3Client) -> None:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        first = lines(upload(client))[-1]
        s3.delete_object(Bucket=BUCKET, Key="images/cat.jpg")
        second = lines(upload(client))[-1]
        assert first["etag"] == second["etag"]
        assert first["versionId"] != second["versionId"]

    def test_page_knows_which_version_is_labelled(
        self, access: Access, s3: S3Client, dynamodb: DynamoDBClient, store: Store, tmp_path: Path
    ) -> None:
        client = _client(replace(access, dynamodb=dynamodb), tmp_path)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        version = lines(upload(client))[-1]
        photo = Photo(BUCKET, "images/cat.jpg", version["etag"], version["versionId"], len(JPEG))
        store.put(photo, Labels((Label("Cat", 99.0),), "3.0"), "s", None)
        answer = client.get("/api/photos?key=images/cat.jpg", base_url=HOME)
        (card,) = answer.get_json()["photos"]
        assert version == {"etag": card["etag"], "versionId": card["versionId"]}
        assert (card["searchable"], card["labels"][0]["name"]) == (True, "Cat")


@pytest.mark.parametrize(
    ("code", "message", "title", "advice"),
    [
        (
            "AccessDenied",
            'not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::photos/images/cat.jpg" by a policy',
            "s3:PutObject",
            "uploader_policy_json",
        ),
        (
            "AccessDenied",
            "not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x because no policy",
            "kms:GenerateDataKey",
            "uploader_policy_json",
        ),
        ("AccessDenied", "Access Denied", "s3:PutObject", "uploader_policy_json"),
        ("SlowDown", "Please reduce your request rate.", "S3 throttles", "Wait"),
        ("NoSuchBucket", "", "The bucket does not exist", "right names"),
    ],
)
def test_error_of_s3_is_reported_with_the_next_step(
    client: FlaskClient, s3: S3Client, code: str, message: str, title: str, advice: str
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "PutObject")

    s3.meta.events.register("before-call.s3.PutObject", refuse)
    try:
        problem = lines(upload(client))[-1]["problem"]
    finally:
        s3.meta.events.unregister("before-call.s3.PutObject", refuse)  # other tests have the same client
    assert title in problem["title"]
    assert advice in problem["advice"]


class TestServer:
    """The web server receives a request before the application sees it."""

    def test_file_is_received_and_the_progress_streams(self, access: Access, s3: S3Client) -> None:
        with _running(access) as server:
            answer = _put(server, JPEG + bytes(2_000_000))
        key, *_, last = map(json.loads, answer.splitlines())
        assert key == {"key": "images/cat.jpg"}
        assert last["etag"]
        assert len(stored(s3)["images/cat.jpg"]) == len(JPEG) + 2_000_000

    @pytest.mark.parametrize(("uploads", "size"), [(KEYS, 17_000_000), (None, 1)])
    def test_body_that_is_too_large_is_not_received(self, access: Access, uploads: KeyFilter | None, size: int) -> None:
        access = replace(access, uploads=uploads)
        head = f"PUT /api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n"
        with (
            _running(access) as server,
            socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection,
        ):
            connection.sendall(head.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@contextmanager
def _running(access: Access) -> Iterator[PageServer]:
    server = PageServer(access, finder=cast("Any", None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server
    server.close()
    thread.join(timeout=5)
    assert not thread.is_alive()


def _put(server: PageServer, body: bytes) -> str:
    home = f"http://127.0.0.1:{server.port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
    opener.open(server.url).close()
    request = urllib.request.Request(
        f"{home}/api/upload?folder=images/&name=cat.jpg", body, {"Origin": home}, method="PUT"
    )
    with opener.open(request) as answer:
        return str(answer.read().decode())
