"""make checkov: failing rules need a skip comment with a reason, and skip comments need a failing rule."""

from __future__ import annotations

from typing import Any

import pytest

from tools.checkov_checks import CheckovError, failures, problems, skips, without_skips

FUNCTION = """\
resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_117:it talks to AWS only
  count = var.there ? 1 : 0

  function_name = "f"
}
"""


def report(*failed: dict[str, Any], resources: int = 1) -> dict[str, Any]:
    return {"results": {"failed_checks": list(failed)}, "summary": {"resource_count": resources}}


def failed(check: str = "CKV_AWS_117", resource: str = "aws_lambda_function.this") -> dict[str, Any]:
    return {
        "check_id": check,
        "check_name": "A rule",
        "resource": resource,
        "file_path": "/main.tf",
        "file_line_range": [1, 6],
    }


def wrong(text: str, *failed: dict[str, Any]) -> list[str]:
    return problems(failures(report(*failed)), skips("main.tf", text))


def test_skip_of_a_failure_with_a_reason_is_accepted() -> None:
    assert wrong(FUNCTION, failed()) == []


def test_failure_without_a_skip_is_reported() -> None:
    assert wrong(FUNCTION, failed(), failed("CKV_AWS_50")) == ["main.tf:1: aws_lambda_function.this: CKV_AWS_50 A rule"]


def test_comment_outside_the_resource_skips_nothing() -> None:
    """As in checkov, although a comment above the resource looks effective."""
    lines = FUNCTION.splitlines()
    above = "\n".join([lines[1].strip(), lines[0], *lines[2:]])
    assert len(wrong(above, failed())) == 2


def test_skip_without_a_reason_is_reported() -> None:
    for comment in ("#checkov:skip=CKV_AWS_117", "#checkov:skip=CKV_AWS_117:", "#checkov:skip=CKV_AWS_117: "):
        text = FUNCTION.replace("#checkov:skip=CKV_AWS_117:it talks to AWS only", comment)
        assert wrong(text, failed()) == [
            "main.tf:2: CKV_AWS_117 is skipped without a reason; write #checkov:skip=CKV_AWS_117:reason"
        ]


def test_skip_without_a_failure_is_reported() -> None:
    assert wrong(FUNCTION) == ["main.tf:2: CKV_AWS_117 does not fail here; remove the skip comment"]


def test_every_check_of_a_comment_must_fail() -> None:
    text = FUNCTION.replace("CKV_AWS_117:", "CKV_AWS_117,CKV_AWS_50:")
    assert wrong(text, failed(), failed("CKV_AWS_50")) == []
    assert wrong(text, failed()) == ["main.tf:2: CKV_AWS_50 does not fail here; remove the skip comment"]


def test_comment_without_a_check_is_reported() -> None:
    text = FUNCTION.replace("CKV_AWS_117:it talks to AWS only", "")
    assert "main.tf:2: the skip comment names no check" in wrong(text, failed())


def test_same_failure_in_two_examples_is_reported_once() -> None:
    both = [
        failed("CKV_AWS_50", resource)
        for resource in (
            "module.image_labels.aws_lambda_function.this[0]",
            'module.image-labels["a.b"].aws_lambda_function.this',
        )
    ]
    assert wrong(FUNCTION, failed(), *both) == ["main.tf:1: aws_lambda_function.this: CKV_AWS_50 A rule"]


def test_checkov_reads_files_without_skips_and_counts() -> None:
    """Line numbers stay the same, so that reports apply to the original file."""
    read = without_skips(FUNCTION).splitlines()
    assert len(read) == len(FUNCTION.splitlines())
    assert skips("main.tf", without_skips(FUNCTION)) == []
    assert read[2] == ""
    assert read[4] == '  function_name = "f"'


def test_count_over_several_lines_is_kept() -> None:
    text = 'resource "a" "b" {\n  count = (\n    var.there ? 1 : 0\n  )\n}\n'
    assert without_skips(text) == text


def test_unreadable_file_is_a_failure() -> None:
    unread: dict[str, Any] = report() | {"results": {"failed_checks": [], "parsing_errors": ["/copy/main.tf"]}}
    with pytest.raises(CheckovError, match=r"main\.tf"):
        failures(unread)


def test_report_without_resources_is_a_failure() -> None:
    for nothing in (report(resources=0), {"passed": 0, "failed": 0}):
        with pytest.raises(CheckovError, match="no resource"):
            failures(nothing)
