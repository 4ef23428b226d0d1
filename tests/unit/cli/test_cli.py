"""The command on moto: its output, exit codes, and requests to AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from image_labels.events import read
from image_labels.model import Instance, Label, Labels, Photo, Rejected
from image_labels.search.expression import NeedsScan, parse
from image_labels.search.finder import Found, Page, Skipped, TokenError, VocabularyTerm
from image_labels.tables.items import MAX_TERMS_IN_ROW
from image_labels.tables.store import Store
from image_labels.tables.terms import Kind, fold
from image_labels_cli import main, output
from image_labels_cli.commands import find, labels
from image_labels_cli.deployment import Deployment
from image_labels_cli.invocation import Invocation
from image_labels_cli.permissions import COMMAND_PERMISSIONS, Resource
from support import event_files
from support.command import run
from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient


pytestmark = pytest.mark.usefixtures("deployment")

LONG = "images/" + "/".join(["very-long-directory-name"] * 36) + "/photo.jpg"
STRANGE = "images/tab\there, line\nthere, \x1b[31mred [bold]ü 🐕.jpg"
DOG = Label(
    "Dog",
    98.765,
    parents=("Animal", "Pet"),
    aliases=("Hound",),
    categories=("Animals and Pets",),
    instances=(Instance(0.1, 0.2, 0.3, 0.4, 97.5), Instance(0.5, 0.5, 0.1, 0.1, 90.0)),
)
# More terms than fit into a row.
CROWDED = "images/crowded.jpg"
CROWD = (Label("Crowd", 99.0), *(Label(f"Thing {n}", 80.0) for n in range(MAX_TERMS_IN_ROW)))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")


@pytest.fixture
def store(clients: Clients, dynamodb: DynamoDBClient) -> Store:
    store = Store(clients.dynamodb, TABLE, LABELS_TABLE, now=lambda: 1_795_000_000)
    store.put(Photo(BUCKET, "images/dog.jpg", "e", "v1", 4711), Labels((DOG,), "3.0"), "s", None)
    return store


def put(store: Store, key: str, content: Labels | Rejected) -> None:
    store.put(Photo(BUCKET, key, "e", "v1", 1), content, "s", None)


@pytest.fixture
def waiting(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The queue of photos over the daily limit: three messages, one of them in flight."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="waiting")["QueueUrl"]
    monkeypatch.setenv("IMAGE_LABELS_WAITING_QUEUE_URL", url)
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=url)
    return url


def dead_letter(url: str, **why: str) -> None:
    attributes: Any = {name: {"DataType": "String", "StringValue": value} for name, value in why.items()}
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=attributes)


################################################################################
# show
################################################################################


def test_show_in_a_pipe_says_in_the_first_cell_what_a_line_is(store: Store) -> None:
    result = run("show", "images/dog.jpg")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert ["status", "LABELLED"] in lines
    assert ["labelled_at", "2026-11-18T11:06:40.000+00:00"] in lines
    assert lines[-1] == ["label", "Dog", "98.765", "Animal, Pet", "Hound", "Animals and Pets", "2"]


def test_show_json_has_everything(store: Store) -> None:
    photo = json.loads(run("show", "images/dog.jpg", "--json").stdout)
    (label,) = photo.pop("labels")
    assert photo.pop("labelled_at").startswith("20")
    assert photo == {
        "key": "images/dog.jpg",
        "bucket": BUCKET,
        "status": "LABELLED",
        "reason": None,
        "version_id": "v1",
        "etag": "e",
        "size": 4711,
        "label_model_version": "3.0",
        "settings": "s",
        "indexed": True,
        "boxes_cut": False,
        "foreign": False,
    }
    assert label["boxes"][0] == {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4, "confidence": 97.5}
    assert (label["name"], label["confidence"], label["parents"]) == ("Dog", 98.765, ["Animal", "Pet"])


def test_show_takes_an_s3_address(store: Store) -> None:
    assert run("show", f"s3://{BUCKET}/images/dog.jpg").stdout == run("show", "images/dog.jpg").stdout
    elsewhere = run("show", "s3://another/images/dog.jpg")
    assert (elsewhere.exit_code, elsewhere.stdout) == (1, "")
    assert BUCKET in elsewhere.stderr
    assert run("show", "s3://no-key").exit_code == 2


def test_show_rejected_photo_with_the_reason(store: Store) -> None:
    put(store, "images/notes.jpg", Rejected("InvalidImageFormatException: it is not a JPEG or PNG"))
    result = run("show", "images/notes.jpg")
    assert result.exit_code == 0
    assert "reason\tInvalidImageFormatException: it is not a JPEG or PNG\n" in result.stdout


def test_show_of_an_unknown_key_lists_possible_reasons(store: Store) -> None:
    result = run("--images-table", TABLE, "show", "images/cat.jpg", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    for words in (
        "it was not uploaded",
        "filter_prefix",
        "dead-letter queue",
        f"image-labels --images-table {TABLE} status",
    ):
        assert words in result.stderr


def test_show_on_a_terminal_is_a_table(store: Store, terminal: None) -> None:
    shown = run("show", "images/dog.jpg").stdout
    assert "┃ Label" in shown
    assert "status               LABELLED" in shown


################################################################################
# find and labels, with a fake Finder
################################################################################


class FakeVocabulary(list[VocabularyTerm]):
    skipped: frozenset[Skipped] = frozenset()


@dataclass
class FakeFinder:
    """Finds dogs, at most five per page. No other term exists."""

    photos: list[Found]
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, client: object, *, labels_table: str, images_table: str) -> FakeFinder:
        assert client
        assert (labels_table, images_table) == (LABELS_TABLE, TABLE)
        return self

    def find(self, expression: str, *, key_prefix: str = "", limit: int = 25, token: str | None = None) -> Page:
        parse(expression).refuse_not_alone()
        self.calls.append((expression, limit))
        if token and not token.isdecimal():
            raise TokenError("this token is of another expression")
        start, step = int(token or 0), min(limit, 5)
        found = [photo for photo in self.photos if "dog" in expression and photo.key.startswith(key_prefix)]
        more = str(start + step) if len(found) > start + step else None
        return Page(tuple(found[start : start + step]), more, read_units=0.5, requests=1)

    def scan(self, expression: str, *, key_prefix: str = "") -> Page:
        self.calls.append((f"scan {expression}", key_prefix))
        return Page(tuple(self.photos), None, read_units=20_000, requests=3)

    def vocabulary(self, prefix: str = "") -> FakeVocabulary:
        known = (VocabularyTerm("animal", "Animal", Kind.PARENT), VocabularyTerm("dog", "Dog", Kind.LABEL))
        return FakeVocabulary(term for term in known if term.text.startswith(fold(prefix)))

    def suggestions(self, expression: str) -> dict[str, list[str]]:
        near = {"dgo": ["dog"], "d": ["dog", "animal"], "xyzzy": []}
        return {term: near[term] for term in expression.split() if term in near}


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> FakeFinder:
    terms = {"dog": 98.765, "pet": 98.765, "beach": 81.0}
    finder = FakeFinder([Found(key, 98.765, terms) for key in (LONG, STRANGE, *(f"images/{n}.jpg" for n in range(6)))])
    monkeypatch.setattr(find, "Finder", finder)
    monkeypatch.setattr(labels, "Finder", finder)
    return finder


def test_find_in_a_pipe_prints_a_line_for_each_photo_and_cuts_no_key(finder: FakeFinder) -> None:
    result = run("find", "dog AND (pet OR cat) AND NOT tree", "--prefix", "images/")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == [LONG, "98.765", "dog=98.765, pet=98.765"]
    assert lines[1][0] == "images/tab\\there, line\\nthere, \\x1b[31mred [bold]ü 🐕.jpg"
    assert len(lines) == 5


def test_find_says_on_stderr_how_to_go_on(finder: FakeFinder) -> None:
    first = run("find", "dog AND NOT cat", "--limit", "5", "--region=eu-west-1")
    assert "image-labels --region eu-west-1 find --limit 5 --token 5 'dog AND NOT cat'" in first.stderr
    second = run("find", "--limit", "5", "--token", "5", "dog AND NOT cat")
    assert len(second.stdout.splitlines()) == 3
    assert second.stderr == ""


def test_find_all_reads_page_by_page(finder: FakeFinder) -> None:
    found = json.loads(run("find", "dog", "--all", "--json").stdout)
    assert [photo["key"] for photo in found["photos"]] == [photo.key for photo in finder.photos]
    assert (found["next_token"], found["read_units"], found["requests"]) == (None, 1.0, 2)


def test_find_json_keeps_every_key_as_it_is(finder: FakeFinder) -> None:
    found = json.loads(run("find", "dog>=95", "--json").stdout)
    assert found["photos"][1] == {
        "key": STRANGE,
        "confidence": 98.765,
        "matched": {"dog": 98.765},
        "terms": {"dog": 98.765, "pet": 98.765, "beach": 81.0},
    }
    assert (found["next_token"], found["suggestions"]) == ("5", {})


def test_find_on_a_terminal_is_a_table_that_folds_long_keys(finder: FakeFinder, terminal: None) -> None:
    shown = run("find", "dog", "--limit", "1").stdout
    assert "┃ Photo" in shown
    assert "…" not in shown
    assert "".join(line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│")) == LONG


def test_find_scan_says_what_it_cost(finder: FakeFinder) -> None:
    result = run("find", "NOT person", "--scan", "--prefix", "images/")
    assert (result.exit_code, finder.calls) == (0, [("scan NOT person", "images/")])
    assert "20,000.0 read units in 3 requests, about $0.002500" in result.stderr


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("dgo", 'no photo has the label "dgo"; did you mean dog?'),
        ("d", 'no photo has the label "d"; did you mean dog or animal?'),
        ("xyzzy", 'no photo has the label "xyzzy": `image-labels labels`'),
        ("cat", "no photo matches"),
    ],
)
def test_find_nothing(finder: FakeFinder, expression: str, words: str) -> None:
    result = run("find", expression)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    as_json = run("find", expression, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["photos"] == []


def test_find_points_at_the_mistake(finder: FakeFinder) -> None:
    result = run("find", "dog AND")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-2:] == ["dog AND", "       ^"]
    not_alone = run("find", "NOT dog")
    assert not_alone.exit_code == 2
    assert "--scan" in not_alone.stderr
    with pytest.raises(NeedsScan):
        finder.find("NOT dog")


@pytest.mark.parametrize(
    "arguments",
    [
        ["dog", "--token", "of another"],
        ["dog", "--token", "5", "--all"],
        ["dog", "--limit", "5", "--scan"],
        ["dog", "--limit", "0"],
        ["dog", "--limit", "1001"],
        ["dog", "cat"],
        [],
    ],
)
def test_find_refuses_wrong_usage(finder: FakeFinder, arguments: list[str]) -> None:
    result = run("find", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_labels(finder: FakeFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("labels").stdout == "Animal\tparent\nDog\tlabel\n"
    assert json.loads(run("labels", "Do", "--json").stdout) == [{"term": "dog", "name": "Dog", "kind": "label"}]
    nothing = run("labels", "zebra")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert 'no label starts with "zebra"' in nothing.stderr
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    assert "│ Dog" in run("labels").stdout


################################################################################
# status
################################################################################


@pytest.fixture
def trouble(store: Store, queues: dict[str, str]) -> dict[str, str]:
    boto3.client("sqs").send_message(QueueUrl=queues["photos"], MessageBody="{}")
    dead_letter(queues["dead-letters"], Photo="s3://b/x.jpg", Cause="DetectLabels: 500", NextStep="send it back")
    for n in range(3):
        put(store, f"images/notes-{n}.jpg", Rejected("InvalidImageFormatException: no JPEG"))
    return queues


def test_status_in_a_pipe(trouble: dict[str, str]) -> None:
    result = run("status", "--limit", "2")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[:5] == [
        ["waiting", "1"],
        ["in_flight", "0"],
        ["dead_letters", "1"],
        ["dead_letter", "s3://b/x.jpg", "DetectLabels: 500", "send it back"],
        ["rejected", "3"],
    ]
    assert [(line[0], line[2]) for line in lines[5:]] == [
        ("rejected_photo", "InvalidImageFormatException: no JPEG")
    ] * 2
    assert "read units" in result.stderr


def test_status_json(trouble: dict[str, str]) -> None:
    answer = json.loads(run("status", "--json").stdout)
    assert answer["queue"] == {"waiting": 1, "in_flight": 0}
    (letter,) = answer["dead_letters"]["letters"]
    assert (letter["photo"], letter["cause"], letter["failed_at"]) == ("s3://b/x.jpg", "DetectLabels: 500", None)
    assert answer["rejected"]["count"] == 3
    assert len(answer["rejected"]["photos"]) == 3


def test_status_of_photos_over_the_daily_limit(waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = run("status", "--no-rejected").stdout.splitlines()
    assert lines == ["waiting\t0", "in_flight\t0", "over_daily_limit\t3", "dead_letters\t0"]
    answer = json.loads(run("status", "--no-rejected", "--json").stdout)
    assert answer["over_daily_limit"] == {"waiting": 2, "in_flight": 1}
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    assert "\n3 waiting (daily limit)\n" in run("status", "--no-rejected").stdout
    boto3.client("sqs").purge_queue(QueueUrl=waiting)
    assert "daily limit" not in run("status", "--no-rejected").stdout


def test_status_takes_the_waiting_queue_from_a_flag(waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_LABELS_WAITING_QUEUE_URL")
    assert "over_daily_limit\t3" in run("status", "--no-rejected", "--waiting-queue-url", waiting).stdout


def test_status_without_a_waiting_queue(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "over_daily_limit" not in run("status", "--no-rejected").stdout
    assert json.loads(run("status", "--no-rejected", "--json").stdout)["over_daily_limit"] is None
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    assert "daily limit" not in run("status", "--no-rejected").stdout


def test_status_leaves_the_dead_letters_where_they_are(trouble: dict[str, str]) -> None:
    assert [run("status").stdout.count("dead_letter\t") for _ in range(3)] == [1, 1, 1]


def test_status_without_rejected_needs_no_table(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_LABELS_IMAGES_TABLE")
    result = run("status", "--no-rejected", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["rejected"] is None


@pytest.mark.parametrize("event", ["eventbridge_created", "s3_created"])
def test_status_names_the_photo_of_an_unchanged_event(queues: dict[str, str], event: str) -> None:
    """SQS and EventBridge move the event unchanged."""
    body = event_files.body(event)
    photo = read(json.loads(body)).tasks[0].objects[0]
    boto3.client("sqs").send_message(QueueUrl=queues["dead-letters"], MessageBody=body)
    (line,) = [line for line in run("status", "--no-rejected").stdout.splitlines() if line.startswith("dead_letter\t")]
    assert line.split("\t")[1:3] == [
        f"s3://{photo.bucket}/{photo.key}",
        "unknown: SQS moved the message and records no reason",
    ]


def test_status_of_a_letter_that_eventbridge_could_not_deliver(queues: dict[str, str]) -> None:
    dead_letter(
        queues["dead-letters"],
        RULE_ARN="arn:aws:events:eu-west-1:111122223333:rule/photos",
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="User is not authorized to perform sqs:SendMessage",
    )
    letter = run("status", "--no-rejected").stdout.splitlines()[-1]
    assert letter.split("\t") == [
        "dead_letter",
        "",
        "EventBridge could not deliver it: NO_PERMISSIONS: User is not authorized to perform sqs:SendMessage",
        "correct the policies of the queue and the KMS key, then redrive the message",
    ]


def test_status_of_a_letter_that_sqs_moved(queues: dict[str, str], terminal: None) -> None:
    boto3.client("sqs").send_message(QueueUrl=queues["dead-letters"], MessageBody="{}")
    assert "SQS moved" in run("status", "--no-rejected").stdout


################################################################################
# Permissions
################################################################################

USES = {
    "show": [["show", "images/dog.jpg"]],
    "find": [
        ["find", "dog"],
        ["find", "dgo"],
        ["find", "dog AND animal AND NOT cat"],
        ["find", "(crowd OR ani*) AND NOT cat", "--all"],
        ["find", "crowd AND NOT cat"],
        ["find", "NOT cat", "--scan"],
    ],
    "labels": [["labels"], ["labels", "d"]],
    "status": [["status"]],
}


@dataclass
class Guard:
    """IAM for one user: records requests, and refuses `denied`."""

    kinds: dict[str, Resource]
    asked: set[tuple[str, Resource]] = field(default_factory=set)
    denied: tuple[str, Resource] | None = None

    def check(self, service: str, operation: str, params: dict[str, Any]) -> None:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html#API_HeadObject_RequestSyntax
        action = f"{service}:{'GetObject' if operation == 'HeadObject' else operation}"
        about = [params[name] for name in ("TableName", "QueueUrl", "Bucket") if name in params]
        for resource in about or params.get("RequestItems", ()):
            self.asked.add((action, self.kinds[resource]))
            if (action, self.kinds[resource]) == self.denied:
                message = (
                    f"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: {action.lower()} on "
                    f"resource: arn:aws:{service}:x:y:{resource} because no identity-based policy allows the action"
                )
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)


@pytest.fixture
def guard(store: Store, trouble: dict[str, str], waiting: str, monkeypatch: pytest.MonkeyPatch) -> Guard:
    guard = Guard(
        {
            TABLE: Resource.IMAGES_TABLE,
            LABELS_TABLE: Resource.LABELS_TABLE,
            BUCKET: Resource.PHOTOS,
            trouble["photos"]: Resource.QUEUE,
            trouble["dead-letters"]: Resource.DEAD_LETTER_QUEUE,
            waiting: Resource.WAITING_QUEUE,
        }
    )
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def guarded(self: Any, operation: str, params: dict[str, Any]) -> Any:
        guard.check(self.meta.service_model.signing_name, operation, params)
        return call(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", guarded)
    return guard


def put_crowd(store: Store, command: str) -> None:
    if command == "find":  # it takes a second
        put(store, CROWDED, Labels(CROWD, "3.0"))


def listed(command: str) -> set[tuple[str, Resource]]:
    return {(action, resource) for action, resources in COMMAND_PERMISSIONS[command].items() for resource in resources}


@pytest.mark.parametrize("command", USES)
def test_command_uses_exactly_the_listed_permissions(guard: Guard, store: Store, command: str) -> None:
    put_crowd(store, command)
    guard.asked.clear()
    for arguments in USES[command]:
        result = run(*arguments)
        assert result.exit_code == (1 if "dgo" in arguments else 0), result.output
    assert guard.asked == listed(command)


@pytest.mark.parametrize(
    ("command", "action", "resource"),
    [(command, action, resource) for command in USES for action, resource in sorted(listed(command))],
)
def test_command_names_the_missing_permission(
    guard: Guard, store: Store, command: str, action: str, resource: Resource
) -> None:
    put_crowd(store, command)
    guard.denied = (action, resource)
    results = [run(*arguments) for arguments in USES[command]]
    refused = [result for result in results if result.exit_code == 3]
    assert refused
    assert {result.exit_code for result in results} <= {0, 1, 3}
    for result in refused:
        assert f"missing permission: {action} on arn:aws:" in result.stderr
        assert "no identity-based policy" in result.stderr


def test_page_uses_exactly_the_listed_permissions(guard: Guard, store: Store) -> None:
    pytest.importorskip("waitress")
    pytest.importorskip("flask")
    from image_labels.search.finder import Finder
    from image_labels_cli.aws import Aws
    from image_labels_cli.browse import Access
    from image_labels_cli.browse.photos import Library

    aws = Aws(Deployment(region="eu-central-1"))
    put_crowd(store, "find")
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    guard.asked.clear()
    finder = Finder(aws.dynamodb, labels_table=LABELS_TABLE, images_table=TABLE)
    library = Library(Access(aws.dynamodb, aws.s3, TABLE, LABELS_TABLE, BUCKET), finder)
    assert library.find("crowd AND NOT cat", "", None, 25)["photos"]
    assert library.find("dgo", "", None, 25)["suggestions"]
    assert library.photos(["images/dog.jpg"])["photos"]
    assert library.labels()["labels"]
    assert library.completions("do")["terms"]
    assert library.rejected(None)["photos"]
    assert library.why("images/dog.jpg")["why"]
    assert guard.asked == listed("browse")


@pytest.mark.parametrize("taken", [False, True])
def test_browse_serves_the_page(monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    served = []

    class BrowseError(Exception):
        pass

    def serve(access: tuple[Any, ...], *, port: int, open_browser: bool) -> None:
        if taken:
            raise BrowseError("cannot listen on port 8080")
        served.append((access[2:], port, open_browser))

    page: Any = ModuleType("image_labels_cli.browse")
    page.Access, page.BrowseError, page.serve = lambda *parts: parts, BrowseError, serve
    monkeypatch.setitem(sys.modules, "image_labels_cli.browse", page)
    monkeypatch.setattr("image_labels_cli.browse", page, raising=False)
    result = run("browse", "--port", "8080", "--no-open")
    assert result.exit_code == (2 if taken else 0)
    assert ("port 8080" in result.stderr) == taken
    assert served == ([] if taken else [((TABLE, LABELS_TABLE, BUCKET, ""), 8080, False)])


def test_permissions_can_be_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "image_labels_cli.permissions"], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["commands"]["show"] == {"dynamodb:GetItem": ["images_table"]}
    assert answer["policy"]["labels_table"] == ["dynamodb:BatchGetItem", "dynamodb:Query"]
    assert "sqs:DeleteMessage" not in done.stdout


################################################################################
# Exit codes
################################################################################


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("image-labels ")
    for command in ([], ["show"], ["find"], ["labels"], ["status"], ["browse"]):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert "<bool>" not in result.stdout
        assert "default: True" not in result.stdout
        assert "[[" not in result.stdout
        assert "image-labels find" in result.stdout or command[:1] != ["find"]


def test_ctrl_c_ends_quietly(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Invocation, "connect", interrupted)
    result = run("show", "images/dog.jpg")
    assert (result.exit_code, result.output) == (130, "")


SCRIPT = """
from image_labels_cli import main, output

@main.app.command()
def write_lines():
    output.write_lines([str(n)] for n in range(LINES))

@main.app.command()
def fail():
    1 / 0

main.main()
"""


@pytest.mark.parametrize("lines", [3, 100_000])  # fewer and more than the pipe's buffer takes
def test_closed_pipe_ends_quietly(lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("LINES", str(lines)), "write-lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait() == main.CLOSED_PIPE


def test_internal_error_has_its_own_exit_code() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, "fail"], capture_output=True, text=True, check=False)
    assert done.returncode == main.INTERNAL_ERROR
    assert "ZeroDivisionError" in done.stderr
