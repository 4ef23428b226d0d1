"""`make demo`: the explanation of photos without labels, files that are left out, and searches that fail."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from image_labels_emulator.server import Server
from support.fakes import BUCKET
from support.rekognition_model import picture

from tools import demo
from tools.photographs import LeftOut
from tools.unfinished import Unfinished, explain

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

GROUP = "/aws/lambda/image-labels"
pytestmark = pytest.mark.usefixtures("aws")


class TestExplanation:
    @pytest.fixture
    def logs(self) -> CloudWatchLogsClient:
        return boto3.client("logs")

    @pytest.fixture
    def sqs(self) -> SQSClient:
        return boto3.client("sqs")

    @pytest.fixture
    def outputs(self, sqs: SQSClient) -> dict[str, str]:
        url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        return {"bucket_name": BUCKET, "log_group_name": GROUP, "dead_letter_queue_url": url}

    def log(self, logs: CloudWatchLogsClient, *lines: str) -> None:
        logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName="a")
        now = int(time.time() * 1000)
        events: Any = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
        logs.put_log_events(logGroupName=GROUP, logStreamName="a", logEvents=events)

    def test_log_dead_letter_and_neither(
        self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str]
    ) -> None:
        failed = {"message": "photo failed", "key": "images/a.jpg", "attempt": 1, "cause": "old", "next_step": "old"}
        last = failed | {"attempt": 2, "cause": "Rekognition: InternalServerError", "next_step": "wait"}
        self.log(logs, "START", json.dumps(failed), json.dumps([1]), json.dumps(last), '{"key": "images/c.jpg"}')
        attributes = {"Photo": f"s3://{BUCKET}/images/b.jpg", "Cause": "no permission", "NextStep": "grant it"}
        sqs.send_message(
            QueueUrl=outputs["dead_letter_queue_url"],
            MessageBody="{}",
            MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
        )
        a, b, c = explain(["images/a.jpg", "images/b.jpg", "images/c.jpg"], outputs, logs, sqs)
        assert a == Unfinished("images/a.jpg", "in a queue after attempt 2", "Rekognition: InternalServerError", "wait")
        assert b == Unfinished("images/b.jpg", "in the dead-letter queue", "no permission", "grant it")
        assert c.why == "the function logged no failure of this photo"
        assert "log" in c.next_step

    def test_function_that_never_ran(self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str]) -> None:
        (only,) = explain(["images/a.jpg"], outputs, logs, sqs)
        assert only.why == "the function logged no failure of this photo"

    def test_user_reads_which_photos_why_and_what_to_do(
        self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = {"key": "images/[a].jpg", "attempt": 1, "cause": "Rekognition: down", "next_step": "wait for it"}
        self.log(logs, json.dumps(line))
        demo.show_unfinished(explain(["images/[a].jpg", "images/b.jpg"], outputs, logs, sqs), 7, outputs)
        said = capsys.readouterr().out
        assert "error: 2 of 7 photos have no labels" in said
        for words in ("images/[a].jpg", "Rekognition: down", "wait for it", "images/b.jpg", GROUP, "localstack.log"):
            assert words in said
        assert "image-labels status" in said
        assert "make down" in said


class TestOwnPhotographs:
    def test_files_that_are_left_out_are_shown_by_reason(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "good.jpg").write_bytes(picture())
        (tmp_path / "My [cat].Jpg").write_bytes(picture())
        for n in range(12):
            (tmp_path / f"notes {n}.txt").write_text("x")
        photographs = demo._own(tmp_path)
        assert [photo.name for photo in photographs] == ["good.jpg"]
        said = capsys.readouterr().out
        assert "left out My [cat].Jpg  suffix .Jpg: filter_suffixes takes .jpg and .JPG only; rename it\n" in said
        assert "notes 1.txt" in said
        assert "and 7 more  not a .jpg, .jpeg or .png file" in said
        assert said.count("left out") == 2

    def test_name_cannot_write_to_the_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        demo.show_left_out([LeftOut("a\x1b[31m\n.txt", "no photo")])
        assert "a\\x1b[31m\\n.txt" in capsys.readouterr().out

    def test_directory_without_photographs_is_an_error_after_the_reasons(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.txt").write_text("x")
        with pytest.raises(demo.DemoError, match=r"has no \.jpg, \.jpeg or \.png file that can be labelled"):
            demo._own(tmp_path)
        assert "left out a.txt" in capsys.readouterr().out


class TestHonesty:
    """An emulator that sees nothing, and a search that finds nothing, are not a success."""

    def test_emulator_without_models_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Server, "models", lambda _: [])
        with pytest.raises(demo.DemoError, match=r"has no models, so it sees nothing: .* -m image_labels_emulator.mod"):
            demo._require_models(Server("http://127.0.0.1:1"))

    @pytest.mark.parametrize("code", [1, 3])
    def test_search_that_finds_nothing_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
    ) -> None:
        command = tmp_path / "image-labels"
        command.write_text(f"#!{sys.executable}\nraise SystemExit({code})\n")
        command.chmod(0o755)
        monkeypatch.setattr(demo, "COMMAND", command)
        with pytest.raises(demo.DemoError, match=f"exit code {code}, although photographs match"):
            demo._find(["Cat"], {})

    def test_no_labels_are_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        demo._find([], {})
        assert "nothing to search for" in capsys.readouterr().out
