"""`image-labels backfill --batch-operations`: the requests, the question, and how the jobs end."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from image_labels_cli import emulated
from image_labels_cli.batch_operations import jobs
from image_labels_cli.permissions import BATCH_PERMISSIONS
from support.batch_service import ACCOUNT, BatchService
from support.fakes import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    Run = Callable[..., Result]

FAILED_REPORT = f"s3://{BUCKET}/image-labels-batch/reports/job-00000000-0000-4000-8000-000000000002/"


def ids(service: BatchService) -> list[str]:
    return list(service.jobs)


def violations(value: Any, shape: Any, place: str = "") -> Iterator[str]:
    """The places where a value breaks a shape's rules. botocore itself checks types, required members and minimums."""
    match shape.type_name:
        case "structure":
            yield from [f"{place}{name}" for name in [*value, *shape.required_members] if name not in shape.members]
            yield from [f"{place}{name}" for name in shape.required_members if name not in value]
            for name, member in shape.members.items():
                if name in value:
                    yield from violations(value[name], member, f"{place}{name}.")
        case "list":
            for each in value:
                yield from violations(each, shape.member, place)
        case "string":
            rules = shape.metadata
            if not (
                rules.get("min", 0) <= len(value) <= rules.get("max", 10_000)
                and re.search(rules.get("pattern", ""), value)
                and value in (rules.get("enum") or [value])
            ):
                yield place.rstrip(".")


class TestRequest:
    def test_dry_run_prints_the_request_of_each_suffix_and_creates_nothing(
        self, run: Run, service: BatchService
    ) -> None:
        result = run("--dry-run")
        assert (result.exit_code, result.stderr, service.calls) == (0, "", {})
        png, gif, jpg = json.loads(result.stdout)
        tokens = {each.pop("ClientRequestToken") for each in (png, gif, jpg)}
        assert len(tokens) == 3
        assert jpg == {
            "AccountId": ACCOUNT,
            "ConfirmationRequired": True,
            "Operation": {
                "LambdaInvoke": {
                    "FunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:image-labels-batch",
                    "InvocationSchemaVersion": "2.0",
                }
            },
            "Report": {
                "Bucket": f"arn:aws:s3:::{BUCKET}",
                "Prefix": "image-labels-batch/reports",
                "Format": "Report_CSV_20180820",
                "Enabled": True,
                "ReportScope": "FailedTasksOnly",
            },
            "ManifestGenerator": {
                "S3JobManifestGenerator": {
                    "SourceBucket": f"arn:aws:s3:::{BUCKET}",
                    "EnableManifestOutput": True,
                    "ManifestOutputLocation": {
                        "Bucket": f"arn:aws:s3:::{BUCKET}",
                        "ManifestPrefix": "image-labels-batch/manifests",
                        "ManifestEncryption": {"SSES3": {}},
                        "ManifestFormat": "S3InventoryReport_CSV_20211130",
                    },
                    "Filter": {"KeyNameConstraint": {"MatchAnyPrefix": ["images/"], "MatchAnySuffix": [".jpg"]}},
                }
            },
            "Description": "image-labels backfill of images/*.jpg",
            "Priority": 1,
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/application/image-labels-batch-2026",
        }

    @pytest.mark.parametrize(
        ("module_prefix", "suffixes", "prefix", "constraints"),
        [
            ("images/", ".jpg", "", [{"MatchAnyPrefix": ["images/"], "MatchAnySuffix": [".jpg"]}]),
            ("images/", ".jpg", "images/2026/", [{"MatchAnyPrefix": ["images/2026/"], "MatchAnySuffix": [".jpg"]}]),
            ("images/", ".jpg", "im", [{"MatchAnyPrefix": ["images/"], "MatchAnySuffix": [".jpg"]}]),
            ("images/", "*", "", [{"MatchAnyPrefix": ["images/"]}]),
            ("", ".jpg,.png", "", [{"MatchAnySuffix": [".jpg"]}, {"MatchAnySuffix": [".png"]}]),
            ("", "*", "", [None]),
            ("", "*", "Käse & 🐕/", [{"MatchAnyPrefix": ["Käse & 🐕/"]}]),
        ],
    )
    def test_filter_is_that_of_the_module(
        self,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
        module_prefix: str,
        suffixes: str,
        prefix: str,
        constraints: Any,
    ) -> None:
        monkeypatch.setenv("IMAGE_LABELS_FILTER_PREFIX", module_prefix)
        monkeypatch.setenv("IMAGE_LABELS_FILTER_SUFFIXES", suffixes)
        generators = [
            each["ManifestGenerator"]["S3JobManifestGenerator"] for each in json.loads(run("--dry-run", prefix).stdout)
        ]
        assert [each.get("Filter", {}).get("KeyNameConstraint") for each in generators] == constraints

    def test_longest_request_is_valid_by_botocores_model(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGE_LABELS_FILTER_SUFFIXES", ",".join(f"{n:0128}" for n in range(100)))
        requests = json.loads(run("--dry-run", "images/" + "x" * 1000).stdout)
        assert len(requests) == 100
        shape = boto3.client("s3control").meta.service_model.operation_model("CreateJob").input_shape
        for request in requests:
            assert list(violations(request, shape)) == []

    def test_check_by_the_model_finds_violations(self, run: Run) -> None:
        shape = boto3.client("s3control").meta.service_model.operation_model("CreateJob").input_shape
        (request, *_) = json.loads(run("--dry-run").stdout)
        wrong = {"RoleArn": "role", "Description": "x" * 257, "Report": {"Enabled": True, "Format": "CSV"}, "Limit": 5}
        assert list(violations(request | wrong, shape)) == ["Limit", "Report.Format", "Description", "RoleArn"]
        del request["Priority"]
        assert list(violations(request, shape)) == ["Priority"]

    def test_request_goes_to_the_endpoint_of_the_account(self, run: Run, service: BatchService) -> None:
        run("--yes")
        assert service.hosts == {f"{ACCOUNT}.s3-control.eu-central-1.amazonaws.com"}


class TestQuestion:
    def test_count_cost_and_time_are_shown_before_the_jobs_start(
        self, run_on_terminal: Run, service: BatchService
    ) -> None:
        service.bucket += [f"images/{n}.jpg" for n in range(14_396)]
        started: list[str] = []
        service.on_start = started.extend
        result = run_on_terminal(typed="n\n")
        assert "Start the jobs for 14,400 photos? [y/N]:" in result.stderr
        assert "14,399  photos that end with .jpg" in result.stdout
        assert "0  photos that end with .gif" in result.stdout
        # 3 jobs are $0.75; 14,400 tasks are $0.0144; the photos are in 3 manifests.
        assert "14,400 photos: 60.0 minutes at 4 photos per second, at most $15.92 (us-east-1)" in result.stdout
        assert "$14.40  Rekognition" in result.stdout
        assert "$0.77  S3 Batch Operations" in result.stdout
        assert started == []

    def test_no_cancels_the_jobs(self, run_on_terminal: Run, service: BatchService) -> None:
        result = run_on_terminal(typed="n\n")
        assert result.exit_code == 1
        assert service.statuses == ["Cancelled", "Failed", "Cancelled"]  # no photo ends with .gif
        assert "the jobs are cancelled\nnothing was labelled" in result.stderr

    def test_end_of_input_cancels_the_jobs(self, run_on_terminal: Run, service: BatchService) -> None:
        result = run_on_terminal(typed="")
        assert result.exit_code == 130
        assert service.statuses == ["Cancelled", "Failed", "Cancelled"]

    def test_yes_starts_the_jobs(self, run_on_terminal: Run, service: BatchService) -> None:
        result = run_on_terminal(typed="y\n")
        assert result.exit_code == 0, result.output
        assert service.statuses == ["Complete", "Failed", "Complete"]
        assert "4 photos done, 0 failed" in result.stdout

    @pytest.mark.parametrize("words", [(), ("--json",)])
    def test_question_needs_a_terminal(self, run: Run, service: BatchService, words: tuple[str, ...]) -> None:
        result = run(*words)
        assert (result.exit_code, service.calls) == (2, {})
        assert "add --yes or --dry-run" in result.stderr


class TestResult:
    def test_lines_in_a_pipe(self, run: Run, service: BatchService) -> None:
        result = run("--yes")
        assert result.exit_code == 0, result.output
        lines = [line.split("\t") for line in result.stdout.splitlines()]
        assert lines[:2] == [["photos", "4"], ["seconds", "1"]]
        assert ["dollars", "Rekognition", "0.00"] in lines
        png, _, jpg = ids(service)
        report = f"s3://{BUCKET}/image-labels-batch/reports"
        assert lines[-4:] == [
            ["succeeded", "4"],
            ["failed", "0"],
            ["job", png, ".PNG", "Complete", f"{report}/job-{png}/"],
            ["job", jpg, ".jpg", "Complete", f"{report}/job-{jpg}/"],
        ]

    def test_json(self, run: Run) -> None:
        result = run("--yes", "--json", "images/2026/")
        answer = json.loads(result.stdout)
        assert (result.exit_code, answer["photos"], answer["succeeded"], answer["failed"]) == (0, 1, 1, 0)
        assert [(job["suffix"], job["status"], job["total"]) for job in answer["jobs"]] == [
            (".PNG", "Failed", 0),
            (".gif", "Failed", 0),
            (".jpg", "Complete", 1),
        ]
        assert [job["report"] for job in answer["jobs"]] == [None, None, FAILED_REPORT]
        assert answer["estimated_dollars"]["S3 Batch Operations"] == 0.75

    def test_failed_photos_are_counted_and_their_report_is_named(self, run: Run, service: BatchService) -> None:
        service.failing = frozenset({"images/b.jpg"})
        result = run("--yes")
        assert result.exit_code == 1
        assert "failed\t1" in result.stdout
        assert f"1 photo failed, and the report says why: {FAILED_REPORT}\nfix the causes" in result.stderr

    def test_job_that_fails_is_named_with_its_reason(self, run: Run, service: BatchService) -> None:
        service.fails_with = "The task failure rate exceeds 50 percent"
        result = run("--yes")
        assert result.exit_code == 1
        assert f"job {ids(service)[2]} (.jpg) is Failed: The task failure rate exceeds 50 percent" in result.stderr

    def test_bucket_without_photos(self, run: Run, service: BatchService) -> None:
        service.bucket = ["notes.txt"]
        result = run("--yes")
        assert result.exit_code == 1
        assert "the bucket has no photo that the module labels under this prefix" in result.stderr
        assert service.calls["UpdateJobStatus"] == 0

    def test_manifest_that_cannot_be_listed_is_explained(self, run: Run, service: BatchService) -> None:
        service.unlistable = "Access denied for PutInventoryConfiguration"
        result = run("--yes")
        assert result.exit_code == 3
        assert (
            "could not list the photos: Access denied for PutInventoryConfiguration\nsee the permissions"
            in result.stderr
        )
        assert service.calls["UpdateJobStatus"] == 0

    def test_new_job_that_s3_does_not_know_yet_is_looked_for_again(self, run: Run, service: BatchService) -> None:
        service.unknown = 10
        assert run("--yes").exit_code == 0

    def test_job_that_s3_never_knows_is_an_error(self, run: Run, service: BatchService) -> None:
        service.unknown = 1000
        result = run("--yes")
        assert (result.exit_code, "NoSuchJob" in result.stderr) == (3, True)


class TestInterruption:
    def test_ctrl_c_while_s3_counts_cancels_the_jobs(self, run: Run, service: BatchService) -> None:
        def before(operation: str) -> None:
            if operation == "DescribeJob":
                raise KeyboardInterrupt

        service.before = before
        result = run("--yes")
        assert (result.exit_code, service.statuses) == (130, ["Cancelled"] * 3)
        assert result.stderr == "the jobs are cancelled\n"

    def test_ctrl_c_leaves_the_jobs_running_and_says_how_to_follow_and_cancel_them(
        self, run: Run, service: BatchService
    ) -> None:
        service.bucket += [f"images/{n}.jpg" for n in range(5000)]

        def before(operation: str) -> None:
            if "Active" in service.statuses:
                raise KeyboardInterrupt

        service.before = before
        result = run("--yes")
        assert result.exit_code == 130
        assert "Cancelled" not in service.statuses
        png, _, jpg = ids(service)
        where = f'--region eu-central-1 --account-id {ACCOUNT} --job-id "$job"'
        query = "--query 'Job.[Status,ProgressSummary]'"
        cancel = f"aws s3control update-job-status {where} --requested-job-status Cancelled"
        assert result.stderr.splitlines() == [
            "AWS goes on with the jobs. To see how far they are:",
            f"  for job in {png} {jpg}; do aws s3control describe-job {where} {query}; done",
            "To cancel them:",
            f"  for job in {png} {jpg}; do {cancel}; done",
        ]

    def test_commands_for_one_job_need_no_loop(self, run: Run, service: BatchService) -> None:
        def before(_operation: str) -> None:
            if "Active" in service.statuses:
                raise KeyboardInterrupt

        service.before = before
        result = run("--yes", "images/a")
        cancel = shlex.split(result.stderr.splitlines()[-1])
        assert cancel[:3] == ["aws", "s3control", "update-job-status"]
        assert cancel[cancel.index("--job-id") + 1] == ids(service)[2]

    def test_error_while_the_jobs_run_says_so_too(self, run: Run, service: BatchService) -> None:
        service.step = 1

        def before(_operation: str) -> None:
            if "Active" in service.statuses:
                service.denied = frozenset({"DescribeJob"})

        service.before = before
        result = run("--yes")
        assert result.exit_code == 3
        assert "AWS goes on with the jobs" in result.stderr
        assert "Cancelled" not in service.statuses

    def test_network_that_fails_for_some_looks_does_not_end_the_command(
        self, run: Run, service: BatchService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "MAX_FAILURES", 1)
        fails = iter([True, True, True])  # one look, which makes three attempts

        def before(_operation: str) -> None:
            if "Active" in service.statuses and next(fails, False):
                raise EndpointConnectionError(endpoint_url="https://s3-control")

        service.before = before
        result = run("--yes", "images/2026/")
        assert (result.exit_code, service.statuses[2], next(fails, False)) == (0, "Complete", False), result.output

    def test_network_that_fails_for_long_ends_the_command_and_not_the_jobs(
        self, run: Run, service: BatchService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "MAX_FAILURES", 1)

        def before(_operation: str) -> None:
            if "Active" in service.statuses:
                raise EndpointConnectionError(endpoint_url="https://s3-control")

        service.before = before
        result = run("--yes", "images/2026/")
        assert (result.exit_code, service.statuses[2]) == (3, "Active")
        assert "AWS goes on with the jobs" in result.stderr
        assert "AWS does not answer" in result.stderr

    def test_error_while_the_jobs_are_created_cancels_those_that_exist(self, run: Run, service: BatchService) -> None:
        def before(_operation: str) -> None:
            if service.calls["CreateJob"] == 3:
                service.denied = frozenset({"CreateJob"})

        service.before = before
        result = run("--yes")
        assert (result.exit_code, service.statuses) == (3, ["Cancelled"] * 2)

    def test_jobs_that_cannot_be_cancelled_are_named(self, run_on_terminal: Run, service: BatchService) -> None:
        service.denied = frozenset({"UpdateJobStatus"})
        result = run_on_terminal(typed="n\n")
        png, _, jpg = ids(service)
        assert (
            f"S3 did not confirm that the jobs are cancelled. Cancel them:\n  for job in {png} {jpg}; do"
            in result.stderr
        )


class TestUsage:
    def test_limit_is_refused(self, run: Run, service: BatchService) -> None:
        result = run("--yes", "--limit", "5")
        assert (result.exit_code, service.calls) == (2, {})
        assert "a job has no limit" in result.stderr

    def test_prefix_outside_the_filter_is_refused(self, run: Run, service: BatchService) -> None:
        result = run("--yes", "videos/")
        assert (result.exit_code, service.calls) == (2, {})
        assert "the module labels keys that start with images/: videos/ does not" in result.stderr

    def test_module_without_the_switch_is_named(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("IMAGE_LABELS_BATCH_FUNCTION_ARN")
        monkeypatch.setenv("PATH", "")
        result = run("--yes")
        assert result.exit_code == 2
        assert "apply the module with enable_batch_operations = true" in result.stderr

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("BATCH_TPS", "many"),
            ("BATCH_TPS", "0"),
            ("BATCH_FUNCTION_ARN", "image-labels-batch"),
            ("BATCH_ROLE_ARN", "r"),
        ],
    )
    def test_invalid_value_is_refused(
        self, run: Run, service: BatchService, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(f"IMAGE_LABELS_{name}", value)
        result = run("--yes")
        assert (result.exit_code, service.calls) == (2, {})
        assert f"--{name.lower().replace('_', '-')} must be" in result.stderr

    def test_emulated_aws_has_no_jobs(self, run: Run, service: BatchService, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(emulated, "labels_by", lambda _endpoint: "Labels by the emulated Rekognition: m")
        result = run("--yes")
        assert (result.exit_code, service.calls) == (2, {})
        assert "the emulated AWS has no S3 Batch Operations" in result.stderr


def test_command_uses_exactly_the_listed_permissions(run_on_terminal: Run, run: Run, service: BatchService) -> None:
    """CreateJob passes the role, which needs iam:PassRole."""
    run("--yes")
    run_on_terminal(typed="n\n")
    assert {f"s3:{operation}" for operation in service.calls} == BATCH_PERMISSIONS.keys() - {"iam:PassRole"}


@pytest.mark.parametrize("operation", ["CreateJob", "DescribeJob", "UpdateJobStatus"])
def test_missing_permission_is_named(run: Run, service: BatchService, operation: str) -> None:
    service.denied = frozenset({operation})
    result = run("--yes")
    assert result.exit_code == 3
    assert f"missing permission: s3:{operation}" in result.stderr
