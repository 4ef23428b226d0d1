"""The emulated Lambda writes a function's log to the log group of its configuration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from image_labels_emulator import log_groups
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment


def environment(logging_config: dict[str, str]) -> Any:
    environment = ExecutionEnvironment.__new__(ExecutionEnvironment)
    environment.function_version = SimpleNamespace(  # type: ignore[assignment]
        id=SimpleNamespace(function_name="labels-batch"), config=SimpleNamespace(logging_config=logging_config)
    )
    return environment


@pytest.mark.parametrize(
    ("logging_config", "log_group"),
    [
        ({"LogFormat": "JSON", "LogGroup": "/aws/lambda/labels"}, "/aws/lambda/labels"),
        ({"LogFormat": "Text"}, "/aws/lambda/labels-batch"),
        ({}, "/aws/lambda/labels-batch"),
    ],
)
def test_log_group_is_the_configured_one(logging_config: dict[str, str], log_group: str) -> None:
    log_groups.install()
    log_groups.install()
    assert environment(logging_config).get_log_group_name() == log_group
