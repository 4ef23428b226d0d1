"""Candidates for each place of the command line, their cost, and that failures are quiet."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from image_labels.model import Label, Labels, Photo
from image_labels_cli import main as cli
from image_labels_cli import named
from image_labels_cli.completion import main, run
from image_labels_cli.completion.run import QuickAws, complete
from support.fakes import BUCKET

if TYPE_CHECKING:
    from image_labels.tables.store import Store
    from mypy_boto3_s3 import S3Client

ROOT = typer.main.get_command(cli.app)


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The configuration file, and signals as they were."""
    monkeypatch.setattr(named, "file", lambda: tmp_path / "config.toml")
    monkeypatch.delenv("IMAGE_LABELS_DEPLOYMENT", raising=False)
    return tmp_path / "config.toml"


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, before)


def after(*words: str) -> list[str]:
    """The candidates for the last of these words."""
    return [each.value for each in complete(ROOT, words[:-1], words[-1])]


class TestNames:
    def test_commands(self) -> None:
        assert after("s") == ["show", "status"]
        assert after("--region", "eu-west-1", "bro") == ["browse"]
        assert {"find", "env", "completion"} <= set(after(""))

    def test_commands_have_their_help(self) -> None:
        [candidate] = complete(ROOT, [], "labels")
        assert candidate.help.startswith("List the labels")

    def test_options_of_the_command_and_of_the_deployment(self) -> None:
        assert after("find", "--sc") == ["--scan"]
        assert after("find", "dog", "--re") == ["--region", "--rekognition-tps"]
        assert after("--v") == ["--version"]
        assert "--version" not in after("find", "--")

    def test_word_after_two_hyphens_is_no_option(self) -> None:
        assert after("completion", "--", "--js") == []

    def test_shells(self) -> None:
        assert after("completion", "") == ["bash", "zsh", "fish"]

    def test_values_of_a_choice(self) -> None:
        assert after("find", "dog", "--output", "j") == ["json", "jsonl"]
        assert after("find", "--sort=") == ["--sort=confidence", "--sort=date", "--sort=key"]

    def test_value_that_is_not_known(self) -> None:
        assert after("find", "--limit", "") == []
        assert after("nonsense", "") == []

    def test_named_deployments(self, configuration: Path) -> None:
        assert after("--deployment", "") == []
        configuration.write_text("[deployments.holiday]\n[deployments.work]\n")
        assert after("--deployment", "") == ["holiday", "work"]
        assert after("find", "--deployment=h") == ["--deployment=holiday"]

    def test_directories_of_terraform(self, tmp_path: Path) -> None:
        for name in ("infra", "infra 2", ".hidden"):
            (tmp_path / name).mkdir()
        (tmp_path / "inf.txt").touch()
        assert after("find", "dog", "--download", f"{tmp_path}/i") == [f"{tmp_path}/infra/", f"{tmp_path}/infra 2/"]
        assert after("--terraform-dir", f"{tmp_path}/") == [f"{tmp_path}/infra/", f"{tmp_path}/infra 2/"]


@pytest.mark.usefixtures("deployment")
class TestLabels:
    @pytest.fixture(autouse=True)
    def _photos(self, store: Store) -> None:
        names = ("Traffic Light", "Train", "And", "T-Shirt")
        store.put(
            Photo(BUCKET, "images/x.jpg", "e", "v1", 1), Labels(tuple(Label(n, 99) for n in names), "3"), "s", None
        )

    def test_names(self) -> None:
        assert after("labels", "tra") == ["traffic light", "train"]
        assert after("labels", "Do") == ["Dog"]

    @pytest.mark.parametrize(
        ("text", "candidates"),
        [
            ("do", ["dog"]),
            ("Do", ["Dog"]),
            ("dog AND tra", ['dog AND "traffic light"', "dog AND train"]),
            ('"tra', ['"traffic light"', '"train"']),
            ("(dog OR NOT tr", ['(dog OR NOT "traffic light"', "(dog OR NOT train"]),
            ("an", ["animal", "animals and pets", "and"]),
            ("t-s", ["t-shirt"]),
            ("dog ", ["dog AND", "dog OR"]),
            ("dog a", ["dog AND", "dog animal", "dog animals and pets", "dog and"]),
            ("traffic l", ["traffic light"]),
            ("dog OR Traffic l", ["dog OR Traffic light"]),
            ("dog traffic l", ["dog traffic light"]),
            ("a b (dog traffic l", ["a b (dog traffic light"]),
            ("dog>=9 tr", ['dog>=9 "traffic light"', "dog>=9 train"]),
            ("dog>=9", []),
            ("tra*", []),
            ("zzz", []),
            ("N", ["NOT"]),
        ],
    )
    def test_last_label_of_an_expression(self, text: str, candidates: list[str]) -> None:
        quoted = {"animals and pets": '"animals and pets"', "and": '"and"'}
        wanted = [quoted.get(each, each) for each in candidates]
        wanted = [f"dog {quoted[each[4:]]}" if each[:4] == "dog " and each[4:] in quoted else each for each in wanted]
        assert sorted(after("find", text)) == sorted(wanted)

    def test_arguments_of_one_expression(self) -> None:
        assert after("find", "dog", "NOT", "tr") == ['"traffic light"', "train"]

    def test_cost(self) -> None:
        asked: list[dict[str, Any]] = []

        class Counting(QuickAws):
            def _record(self, params: dict[str, Any], *_: object, **__: object) -> None:
                asked.append(params)

        assert complete(ROOT, ["find"], "d", Counting)
        [request] = asked
        assert request["Limit"] == 100  # rows of about 100 bytes: one or two read units
        assert "ConsistentRead" not in request


@pytest.mark.usefixtures("deployment")
class TestKeys:
    @pytest.fixture(autouse=True)
    def _objects(self, s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGE_LABELS_FILTER_PREFIX", "images/")
        monkeypatch.setenv("IMAGE_LABELS_FILTER_SUFFIXES", ".jpg,.png")
        for key in ("images/cat.jpg", "images/2026/it's (1).png", "images/2026/b.jpg", "images/notes.txt", "x/y.jpg"):
            s3.put_object(Bucket=BUCKET, Key=key)

    def test_keys_by_directory_and_only_those_of_photos(self) -> None:
        assert after("show", "") == ["images/2026/", "images/cat.jpg"]
        assert after("show", "im") == ["images/2026/", "images/cat.jpg"]
        assert after("show", "images/c") == ["images/cat.jpg"]
        assert after("show", "x/") == []

    def test_single_directory_is_entered(self) -> None:
        assert after("show", "images/2") == ["images/2026/b.jpg", "images/2026/it's (1).png"]

    def test_photo_to_search_by_is_a_file_or_a_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "images").mkdir()
        (tmp_path / "import.jpg").touch()
        assert after("faces", "--like", "im") == ["images/", "import.jpg", "images/2026/", "images/cat.jpg"]
        assert after("faces", "--like", "images/c") == ["images/cat.jpg"]

    def test_uri(self) -> None:
        assert after("show", "s3:") == [f"s3://{BUCKET}/"]
        assert after("show", f"s3://{BUCKET}/images/c") == [f"s3://{BUCKET}/images/cat.jpg"]
        assert after("show", "s3://other-bucket/") == []

    def test_prefixes(self) -> None:
        assert after("audit", "images/c") == ["images/cat.jpg"]
        assert after("find", "dog", "--prefix", "im") == ["images/2026/", "images/cat.jpg"]


@pytest.mark.usefixtures("deployment")
class TestOutput:
    @pytest.fixture(autouse=True)
    def _keys(self, s3: S3Client) -> None:
        for key in ("images/a b.jpg", "images/a\x1b[2J\nb.jpg"):
            s3.put_object(Bucket=BUCKET, Key=key)

    def test_bash(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(ROOT, "bash", ["image-labels", "cd; image-labels show images/a", " :="])
        assert capsys.readouterr() == ("images/a\\ b.jpg\n", "")  # a line cannot have the other key

    def test_zsh_and_fish(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(ROOT, "zsh", ["show", "images/a"])
        main(ROOT, "fish", ["show", "'images/a "])
        main(ROOT, "zsh", ["labe"])
        assert capsys.readouterr().out.splitlines() == [
            "images/a b.jpg",
            "images/a b.jpg",
            "labels\tList the labels that photos can be found by.",
        ]


class TestFailures:
    def quiet(self, capsys: pytest.CaptureFixture[str], *words: str) -> bool:
        main(ROOT, "zsh", words)
        return capsys.readouterr() == ("", "")

    def test_no_deployment(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        assert self.quiet(capsys, "find", "d")

    @pytest.mark.usefixtures("aws", "deployment")
    def test_no_table_and_no_bucket(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.quiet(capsys, "find", "d")
        assert self.quiet(capsys, "show", "d")

    def test_malformed_configuration_file(self, capsys: pytest.CaptureFixture[str], configuration: Path) -> None:
        configuration.write_text("[")
        assert self.quiet(capsys, "--deployment", "")

    def test_terraform_that_does_not_answer(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "terraform").write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / "terraform").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.setattr(run, "SECONDS", 1)
        began = time.monotonic()
        assert self.quiet(capsys, "find", "d")
        assert time.monotonic() - began < 30

    @pytest.mark.usefixtures("deployment")
    def test_profile_with_a_second_factor_does_not_prompt(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "config").write_text(
            "[profile x]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = y\n"
            "mfa_serial = arn:aws:iam::111122223333:mfa/x\n"
            "[profile y]\naws_access_key_id = a\naws_secret_access_key = b\n"
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_PROFILE", "x")
        assert self.quiet(capsys, "find", "d")

    def test_names_need_no_credentials(self) -> None:
        def refuse(_deployment: object) -> Any:
            raise AssertionError

        assert [each.value for each in complete(ROOT, [], "fin", refuse)] == ["find"]
        assert complete(ROOT, ["find"], "--", refuse)
