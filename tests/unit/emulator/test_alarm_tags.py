"""The emulated CloudWatch stores the tags of a new alarm, which Terraform's second plan reads."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from image_labels_emulator import alarm_tags
from localstack.services.cloudwatch.provider_v2 import CloudwatchProvider


class Context(SimpleNamespace):
    account_id: str
    region: str


@pytest.fixture
def provider() -> Any:
    alarm_tags.install()
    provider = CloudwatchProvider.__new__(CloudwatchProvider)
    provider.alarm_scheduler = SimpleNamespace(schedule_metric_alarm=lambda _arn: None)  # type: ignore[assignment]
    return provider


def tags(provider: Any, context: Context, name: str, given: dict[str, str]) -> dict[str, str]:
    """Put the alarm with these tags, and return the stored tags."""
    request = {"AlarmName": name, "Tags": [{"Key": key, "Value": value} for key, value in given.items()]}
    provider.put_metric_alarm(context, request)
    arn = f"arn:aws:cloudwatch:{context.region}:{context.account_id}:alarm:{name}"
    return {tag["Key"]: tag["Value"] for tag in provider.list_tags_for_resource(context, arn)["Tags"]}


def test_new_alarm_has_its_tags(provider: Any) -> None:
    context = Context(account_id="000000000000", region="us-east-1")
    name = uuid.uuid4().hex
    assert tags(provider, context, name, {"Team": "photos"}) == {"Team": "photos"}
    assert tags(provider, context, name, {"Team": "others"}) == {"Team": "photos"}
    assert tags(provider, context, uuid.uuid4().hex, {}) == {}
