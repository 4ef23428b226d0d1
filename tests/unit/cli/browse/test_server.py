"""The server of the page: access control, responses, and messages for AWS's errors."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from hypothesis import HealthCheck, given, settings
from image_labels.search.expression import parse
from image_labels.search.finder import (
    Counts,
    Found,
    Page,
    RecentPhoto,
    Resolved,
    Skipped,
    TermCount,
    TokenError,
    VocabularyTerm,
)
from image_labels.tables.terms import Kind
from image_labels_cli.browse import Access, BrowseError
from image_labels_cli.browse.app import create_app
from image_labels_cli.browse.photos import Library
from image_labels_cli.browse.previews import Kept, Previews
from image_labels_cli.browse.problems import problem_of
from image_labels_cli.browse.server import PageServer
from PIL import Image
from support.fakes import BUCKET, UPLOADED
from support.foreign import items
from support.listening import assert_loopback_only
from support.rekognition_model import picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from mypy_boto3_s3 import S3Client
    from werkzeug.test import TestResponse

PORT = 8123
TOKEN = "a-token-of-this-run"  # noqa: S105 - of a test
HOME = f"http://127.0.0.1:{PORT}"
MARKUP = "images/<img src=x onerror=alert(1)>\"'&.jpg"


class FakeTerms(list[VocabularyTerm]):
    skipped = frozenset({Skipped("labels", ("*", "zebra"))})


class FakeFinder:
    """Finds the same photos for every expression that can be parsed."""

    def __init__(self) -> None:
        self.photos: tuple[Found, ...] = (Found(MARKUP, 98.765, {"dog": 98.765}),)
        self.fails: Exception | None = None
        self.arguments: tuple[Any, ...] = ()

    def find(self, expression: str, *, key_prefix: str = "", limit: int = 25, token: str | None = None) -> Page:
        if self.fails:
            raise self.fails
        parse(expression).refuse_not_alone()
        self.arguments = (expression, key_prefix, limit, token)
        return Page(self.photos, None, 0.5, 1, frozenset({Skipped("labels", ("dog", "zzz"))}))

    def resolve(self, expression: str) -> Resolved:
        return Resolved(expression, (), 0.25, 1)

    def vocabulary(self, prefix: str = "") -> FakeTerms:
        terms = (VocabularyTerm("canine", "Canine", Kind.ALIAS), VocabularyTerm("dog", "Dog", Kind.LABEL))
        return FakeTerms(term for term in terms if term.text.startswith(prefix))

    def counts(self, prefix: str = "") -> Counts:
        terms = tuple(TermCount(term, 1234) for term in self.vocabulary(prefix))
        skipped = FakeTerms.skipped
        return Counts(terms, exact=False, since=UPLOADED, changes=7, read_units=1, requests=1, skipped=skipped)

    def recent(self, limit: int) -> tuple[RecentPhoto, ...]:
        return (RecentPhoto(MARKUP, UPLOADED),)[:limit]

    def suggestions(self, expression: str) -> dict[str, list[str]]:
        return {expression: ["dog"]}


_BOX = {name: {"N": "0.25"} for name in ("Left", "Top", "Width", "Height")} | {"Confidence": {"N": "97.5"}}
_DOG = {
    "Name": {"S": "Dog"},
    "Confidence": {"N": "98.765"},
    "Aliases": {"L": [{"S": "Canine"}]},
    "Instances": {"L": [{"M": _BOX}]},
}
ITEM = {"PK": {"S": MARKUP}, "ETag": {"S": "abc"}, "Size": {"N": "1234"}, "Detections": {"L": [{"M": _DOG}]}}
REJECTED = {"PK": {"S": "notes.jpg"}, "Reason": {"S": "InvalidImageFormatException: it is a text"}}


class FakeTable:
    """A DynamoDB client for an images table with two items."""

    def __init__(self) -> None:
        self.calls = 0

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """The first call leaves all keys unprocessed, as it can happen in DynamoDB."""
        self.calls += 1
        if self.calls == 1:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        wanted = [key["PK"]["S"] for key in RequestItems["images"]["Keys"]]
        return {"Responses": {"images": [ITEM] if MARKUP in wanted else []}, "UnprocessedKeys": {}}

    def scan(self, **request: Any) -> dict[str, Any]:
        """A first page without a rejected photo, and a second with one."""
        if "ExclusiveStartKey" not in request:
            return {"Items": [], "ScannedCount": 7, "LastEvaluatedKey": {"PK": {"S": "m"}}}
        return {"Items": [REJECTED], "ScannedCount": 2}


@pytest.fixture
def finder() -> FakeFinder:
    return FakeFinder()


@pytest.fixture
def access() -> Access:
    s3 = boto3.client(
        "s3",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    return Access(cast("Any", FakeTable()), s3, "images", "labels", "photos")


@pytest.fixture
def stranger(access: Access, finder: FakeFinder, tmp_path: Path) -> FlaskClient:
    """A browser without the token."""
    previews = Previews(access.s3, access.bucket, Kept(tmp_path))
    return create_app(Library(access, finder, previews), token=TOKEN, port=PORT).test_client()


@pytest.fixture
def client(stranger: FlaskClient) -> FlaskClient:
    """A browser with the token."""
    assert stranger.get("/", base_url=HOME, query_string={"token": TOKEN}).status_code == 303
    return stranger


PATHS = ["/", "/static/app.js", "/api/about", "/api/find?q=dog", "/api/photos?key=a", "/api/labels", "/api/rejected"]


class TestGate:
    @pytest.mark.parametrize(
        "path", [*PATHS, "/nothing", "/?token=", "/?token=wrong", "/?token=%ff", "/api/about?token=x"]
    )
    def test_requests_without_the_token_are_refused(self, stranger: FlaskClient, path: str) -> None:
        answer = stranger.get(path, base_url=HOME)
        assert answer.status_code == 403
        assert "image-labels browse" in answer.text

    def test_token_moves_into_a_cookie(self, stranger: FlaskClient) -> None:
        answer = stranger.get("/", base_url=HOME, query_string={"token": TOKEN, "q": "a & b"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/?q=a+%26+b")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"image_labels_{PORT}={TOKEN};")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))

    @pytest.mark.parametrize("path", PATHS)
    def test_requests_with_the_cookie_are_accepted(self, client: FlaskClient, path: str) -> None:
        assert client.get(path, base_url=HOME).status_code == 200
        # The cookie belongs to 127.0.0.1.
        assert client.get(path, base_url=f"http://localhost:{PORT}").status_code == 403

    def test_cookie_of_another_run_is_refused(self, client: FlaskClient) -> None:
        client.set_cookie(f"image_labels_{PORT}", "another", domain="127.0.0.1")
        assert client.get("/", base_url=HOME).status_code == 403

    def test_token_is_compared_in_constant_time(self, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[tuple[bytes, bytes]] = []

        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return False

        monkeypatch.setattr("hmac.compare_digest", compare_digest)
        stranger.get("/?token=guess", base_url=HOME)
        assert compared == [(b"guess", TOKEN.encode())]

    @pytest.mark.parametrize(
        "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"[::1]:{PORT}", ""]
    )
    @pytest.mark.parametrize("path", ["/", f"/?token={TOKEN}", "/api/about"])
    def test_another_host_is_refused(self, client: FlaskClient, host: str, path: str) -> None:
        answer = client.get(path, base_url=HOME, headers={"Host": host})
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers

    def test_forwarded_host_is_ignored(self, client: FlaskClient) -> None:
        headers = {"Host": "evil.example", "X-Forwarded-Host": f"127.0.0.1:{PORT}"}
        assert client.get("/api/about", base_url=HOME, headers=headers).status_code == 403

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    @pytest.mark.parametrize("path", ["/", f"/?token={TOKEN}", "/api/find?q=dog", "/static/app.js"])
    def test_only_get_and_head_are_allowed(self, client: FlaskClient, method: str, path: str) -> None:
        assert client.open(path, base_url=HOME, method=method).status_code == 405

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_requests_from_other_sites_are_refused_even_with_the_cookie(self, client: FlaskClient, site: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert client.get("/api/about", base_url=HOME, headers=headers).status_code == 403

    def test_link_on_another_site_opens_the_page(self, client: FlaskClient) -> None:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert client.get(f"/?token={TOKEN}", base_url=HOME, headers=headers).status_code == 303

    @pytest.mark.parametrize("path", [*PATHS, "/nothing", "/api/find?q=(", "/?token=wrong"])
    def test_every_response_has_the_security_headers(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path, base_url=HOME).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["img-src"] == "'self' https://photos.s3.eu-west-1.amazonaws.com"
        assert policy["require-trusted-types-for"] == "'script'"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] in ("no-store", "no-cache")
        assert "Access-Control-Allow-Origin" not in headers

    @pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"])
    def test_no_other_file_is_served(self, client: FlaskClient, path: str) -> None:
        assert client.get(path, base_url=HOME).status_code in (404, 308)


class TestAnswers:
    def test_find_returns_photos(self, client: FlaskClient, finder: FakeFinder) -> None:
        answer = client.get("/api/find?q=dog>90&prefix=images/&limit=7&token=t", base_url=HOME)
        assert _json(answer) == {
            "photos": [{"key": MARKUP, "confidence": 98.765, "terms": [0]}],
            "terms": ["dog"],
            "next": None,
            "readUnits": 0.5,
            "searched": "dog>90",
            "notes": [],
            "skipped": 1,
        }
        assert finder.arguments == ("dog>90", "images/", 7, "t")
        assert answer.mimetype == "application/json"  # so that no browser parses the key as HTML

    def test_nothing_found_has_suggestions(self, client: FlaskClient, finder: FakeFinder) -> None:
        finder.photos = ()
        answer = _json(client.get("/api/find?q=dgo", base_url=HOME))
        assert answer["suggestions"] == {"dgo": ["dog"]}
        assert answer["nothing"] == {"none": ["dgo"], "instead": [], "elsewhere": False, "complete": True}
        assert answer["readUnits"] == 1.25  # of the search and of the question whether any photo has the label

    def test_photos_have_urls_labels_and_boxes(self, client: FlaskClient) -> None:
        answer = client.get("/api/photos", base_url=HOME, query_string={"key": [MARKUP, "gone.jpg"]})
        known, gone = _json(answer)["photos"]
        assert known["key"] == MARKUP
        assert known["url"].startswith("https://photos.s3.eu-west-1.amazonaws.com/images/%3Cimg%20src%3Dx")
        assert "X-Amz-Signature=" in known["url"]
        assert known["preview"] == f"/api/preview?{urlencode({'key': MARKUP, 'etag': 'abc'})}"
        assert known["size"] == 1234
        assert known["foreign"]  # it lacks a Revision
        [dog] = known["labels"]
        assert (dog["name"], dog["aliases"], dog["parents"]) == ("Dog", ["Canine"], [])
        assert dog["boxes"] == [[0.25, 0.25, 0.25, 0.25, 97.5]]
        assert (gone["key"], gone["labels"]) == ("gone.jpg", [])

    @pytest.mark.parametrize("query", ["", "key=", "&".join(["key=a"] * 101)])
    def test_number_of_keys_is_limited(self, client: FlaskClient, query: str) -> None:
        assert client.get(f"/api/photos?{query}", base_url=HOME).status_code == 400

    def test_terms_of_a_page_are_written_once(self, client: FlaskClient, finder: FakeFinder) -> None:
        finder.photos = (Found("a", 99, {"dog": 99, "pet": 98}), Found("b", 97, {"pet": 97, "cat": 96}))
        answer = _json(client.get("/api/find?q=pet", base_url=HOME))
        assert answer["terms"] == ["dog", "pet", "cat"]
        assert [photo["terms"] for photo in answer["photos"]] == [[0, 1], [1, 2]]

    def test_covers_are_the_best_photos_of_labels(self, client: FlaskClient, finder: FakeFinder) -> None:
        answer = client.get("/api/covers", base_url=HOME, query_string={"label": ["Dog", "Traffic Light"]})
        covers = _json(answer)["covers"]
        assert finder.arguments == ('"Traffic Light"', "", 1, None)
        assert [cover["key"] for cover in covers.values()] == [MARKUP, MARKUP]
        finder.photos = ()
        assert _json(client.get("/api/covers?label=Dog", base_url=HOME))["covers"] == {"Dog": covers["Dog"]}  # kept
        assert _json(client.get("/api/covers?label=Cat", base_url=HOME)) == {"covers": {"Cat": None}}

    @pytest.mark.parametrize("query", ["", "label=", "&".join(["label=a"] * 25)])
    def test_number_of_covers_is_limited(self, client: FlaskClient, query: str) -> None:
        assert client.get(f"/api/covers?{query}", base_url=HOME).status_code == 400

    def test_download_leads_to_the_bucket(self, client: FlaskClient) -> None:
        answer = client.get("/api/download", base_url=HOME, query_string={"key": 'images/a b/caf\u00e9 "1".jpg'})
        assert answer.status_code == 303
        address = urlsplit(answer.headers["Location"])
        assert address.netloc == "photos.s3.eu-west-1.amazonaws.com"
        disposition = parse_qs(address.query)["response-content-disposition"]
        assert disposition == ["attachment; filename*=UTF-8''caf%C3%A9%20%221%22.jpg"]
        assert client.get("/api/download", base_url=HOME).status_code == 400

    def test_page_knows_the_console(self, client: FlaskClient) -> None:
        about = _json(client.get("/api/about", base_url=HOME))
        assert about["console"] == "https://eu-west-1.console.aws.amazon.com/s3/object/"

    def test_status_without_queues_says_so(self, client: FlaskClient) -> None:
        assert _json(client.get("/api/status", base_url=HOME)) == {"queue": None}

    def test_labels_and_completions(self, client: FlaskClient) -> None:
        assert _json(client.get("/api/labels", base_url=HOME)) == {
            "labels": ["Dog"],
            "photos": [1234],
            "exact": False,
            "since": UPLOADED,
            "skipped": 1,
        }
        recent = [{"key": MARKUP, "uploaded": UPLOADED}]
        assert _json(client.get("/api/recent", base_url=HOME)) == {"photos": recent}
        terms = [{"name": "Canine", "kind": "alias"}]
        assert _json(client.get("/api/labels?prefix=CAN", base_url=HOME)) == {"terms": terms}

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(items)
    def test_items_of_another_program_become_valid_json(self, item: dict[str, Any]) -> None:
        table = cast("Any", FakeTable())
        table.batch_get_item = lambda **_: {"Responses": {"images": [item]}}
        table.scan = lambda **_: {"Items": [item], "ScannedCount": 1}
        s3 = cast("Any", SimpleNamespace(generate_presigned_url=lambda *_, **__: "https://s3.example/"))
        library = Library(Access(table, s3, "images", "labels", "photos"), FakeFinder(), cast("Any", None))
        assert json.dumps(library.photos([item["PK"]["S"]]), allow_nan=False)
        assert json.dumps(library.rejected(None), allow_nan=False)

    def test_rejected_scans_until_it_finds_a_photo(self, client: FlaskClient) -> None:
        answer = _json(client.get("/api/rejected", base_url=HOME))
        assert [(photo["key"], photo["reason"][:5]) for photo in answer["photos"]] == [("notes.jpg", "Inval")]
        assert (answer["looked"], answer["next"]) == (9, None)

    def test_rejected_refuses_a_garbled_token(self, client: FlaskClient) -> None:
        assert client.get("/api/rejected?token=%F0", base_url=HOME).status_code == 400


@pytest.mark.usefixtures("aws")
class TestPreview:
    @pytest.fixture
    def access(self, s3: S3Client) -> Access:
        return Access(cast("Any", FakeTable()), s3, "images", "labels", BUCKET)

    def ask(self, client: FlaskClient, key: str, etag: str = "") -> TestResponse:
        return client.get("/api/preview", base_url=HOME, query_string={"key": key, "etag": etag})

    def test_browser_keeps_a_preview_until_the_photo_changes(self, client: FlaskClient, s3: S3Client) -> None:
        etag = s3.put_object(Bucket=BUCKET, Key=MARKUP, Body=picture())["ETag"].strip('"')
        answer = self.ask(client, MARKUP, etag)
        assert (answer.status_code, answer.mimetype) == (200, "image/webp")
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.headers["Content-Security-Policy"]
        # The table may know an earlier object than the one in the bucket.
        assert self.ask(client, MARKUP, "0" * 32).headers["Cache-Control"] == "no-store"
        assert self.ask(client, MARKUP).headers["Cache-Control"] == "no-store"

    def test_preview_requires_the_token(self, stranger: FlaskClient, s3: S3Client) -> None:
        s3.put_object(Bucket=BUCKET, Key=MARKUP, Body=picture())
        answer = self.ask(stranger, MARKUP)
        assert (answer.status_code, answer.mimetype) == (403, "text/plain")

    @pytest.mark.parametrize(("key", "status"), [("", 400), ("gone.jpg", 204), ("notes.jpg", 204)])
    def test_there_may_be_no_preview(self, client: FlaskClient, s3: S3Client, key: str, status: int) -> None:
        s3.put_object(Bucket=BUCKET, Key="notes.jpg", Body=b"This is a text.")
        answer = self.ask(client, key)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")

    def test_reason_is_there_for_the_page(self, client: FlaskClient, s3: S3Client) -> None:
        s3.put_object(Bucket=BUCKET, Key="notes.jpg", Body=b"This is a text.")
        reasons = [_json(client.get(f"/api/why?key={key}", base_url=HOME)) for key in ("notes.jpg", "gone.jpg")]
        assert [(why["short"], why["there"]) for why in reasons] == [
            ("No preview", True),
            ("No longer in the bucket", False),
        ]


@pytest.mark.usefixtures("aws")
class TestOrientation:
    @pytest.fixture
    def access(self, s3: S3Client) -> Access:
        return Access(cast("Any", FakeTable()), s3, "images", "labels", BUCKET)

    def ask(self, client: FlaskClient, key: str) -> TestResponse:
        return client.get("/api/orientation", base_url=HOME, query_string={"key": key})

    @pytest.mark.parametrize(("form", "expected"), [("PNG", 6), ("JPEG", 1)])
    def test_only_a_png_has_an_orientation(self, client: FlaskClient, s3: S3Client, form: str, expected: int) -> None:
        """The key's suffix does not matter."""
        exif = Image.Exif()
        exif[0x0112] = 6
        s3.put_object(Bucket=BUCKET, Key=MARKUP, Body=picture(form=form, exif=exif))
        assert _json(self.ask(client, MARKUP)) == {"orientation": expected}

    def test_orientation_of_an_unreadable_photo_is_1(self, client: FlaskClient) -> None:
        assert _json(self.ask(client, "gone.png")) == {"orientation": 1}

    def test_orientation_requires_a_key(self, client: FlaskClient) -> None:
        assert self.ask(client, "").status_code == 400


class TestProblems:
    @pytest.mark.parametrize(("expression", "position"), [("cat OR", 6), ("(cat", 0), ("NOT cat", 0)])
    def test_mistake_has_a_position(self, client: FlaskClient, expression: str, position: int) -> None:
        answer = client.get("/api/find", base_url=HOME, query_string={"q": expression})
        assert (answer.status_code, _json(answer)["position"]) == (400, position)
        assert _json(answer)["title"].endswith(".")

    @pytest.mark.parametrize(
        ("expression", "suggestions"),
        [
            ("“cat” && -dog", ["cat AND NOT dog"]),
            ("cat, dog", ["cat AND dog", "cat OR dog"]),
            ("(cat", ["(cat)"]),
            ("dog AND", ["dog"]),
            ("NOT cat", []),
        ],
    )
    def test_mistake_has_suggestions(self, client: FlaskClient, expression: str, suggestions: list[str]) -> None:
        answer = client.get("/api/find", base_url=HOME, query_string={"q": expression})
        assert _json(answer)["suggestions"] == suggestions

    def test_missing_permission_is_named(self) -> None:
        message = (
            "User: arn:aws:iam::1:user/a is not authorized to perform: dynamodb:BatchGetItem on resource: "
            "arn:aws:dynamodb:eu-west-1:1:table/images because no identity-based policy allows it"
        )
        problem = problem_of(_error("AccessDeniedException", message, "BatchGetItem"))
        assert "dynamodb:BatchGetItem" in problem.title
        assert "arn:aws:dynamodb:eu-west-1:1:table/images" in problem.advice

    def test_missing_permission_comes_from_the_operation_if_the_message_has_none(self) -> None:
        assert "s3:GetObject" in problem_of(_error("403", "Forbidden", "HeadObject")).title

    @pytest.mark.parametrize(
        ("error", "kind", "words"),
        [
            (TokenError("garbled"), "token", "Search again"),
            (NoCredentialsError(), "credentials", "log in again"),
            (EndpointConnectionError(endpoint_url="https://aws.example"), "network", "Check this machine's network"),
            (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/"), "network", "Start it with “make demo”"),
        ],
    )
    def test_other_problems_have_advice(
        self, client: FlaskClient, finder: FakeFinder, error: Exception, kind: str, words: str
    ) -> None:
        finder.fails = error
        answer = _json(client.get("/api/find?q=dog", base_url=HOME))
        assert answer["kind"] == kind
        assert words in answer["advice"]

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("ExpiredTokenException", "credentials"),
            ("ResourceNotFoundException", "missing"),
            ("ThrottlingException", "throttled"),
            ("InternalServerError", "aws"),
        ],
    )
    def test_errors_of_aws_are_classified(self, code: str, kind: str) -> None:
        assert problem_of(_error(code, "", "Query")).kind == kind

    def test_internal_error_is_logged_and_not_shown(
        self, client: FlaskClient, finder: FakeFinder, caplog: pytest.LogCaptureFixture
    ) -> None:
        finder.fails = RuntimeError("secret")
        answer = client.get("/api/find?q=dog", base_url=HOME)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "secret" in caplog.text


class TestServer:
    @pytest.fixture
    def server(self, access: Access, finder: FakeFinder) -> Iterator[PageServer]:
        with _running(access, finder) as server:
            yield server

    def test_listens_on_loopback_only(self, server: PageServer) -> None:
        assert server.port in assert_loopback_only()

    def test_page_opens_only_with_the_printed_address(self, server: PageServer) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
        with opener.open(server.url) as answer:
            assert b"<!doctype html>" in answer.read()
            assert "Server" not in answer.headers
        stranger = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with pytest.raises(urllib.error.HTTPError, match="403"):
            stranger.open(f"http://127.0.0.1:{server.port}/")

    def test_each_run_has_a_new_token(self, server: PageServer, access: Access, finder: FakeFinder) -> None:
        assert len(server.token) >= 32
        with _running(access, finder) as other:
            assert server.token != other.token

    def test_port_in_use_is_an_error(self, server: PageServer, access: Access) -> None:
        with pytest.raises(BrowseError, match=f"port {server.port} "):
            PageServer(access, port=server.port)


@contextmanager
def _running(access: Access, finder: FakeFinder) -> Iterator[PageServer]:
    server = PageServer(access, finder=finder)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server
    server.close()
    thread.join(timeout=5)
    assert not thread.is_alive()


def _json(answer: TestResponse) -> Any:
    return json.loads(answer.text)


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
