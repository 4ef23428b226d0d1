"""With AWS_USE_FIPS_ENDPOINT the function calls FIPS endpoints only, in the Regions that the module says have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.loaders import Loader
from image_labels.clients import make_clients

from tools.terraform import ROOT

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest

SERVICES = ("s3", "rekognition", "dynamodb", "sqs")
# As the module names the queue to the function.
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/111122223333/photos"


class NotSentError(Exception):
    """Raised in place of sending a request."""


def _regions() -> list[str]:
    """The Regions that the module's check takes for Regions with FIPS endpoints."""
    module = "\n".join(path.read_text() for path in sorted(ROOT.glob("*.tf")))
    found = re.search(r"regions_with_fips_endpoints = \[(.+)\]", module)
    assert found
    return re.findall(r'"([a-z0-9-]+)"', found[1])


@pytest.mark.parametrize("region", _regions())
def test_each_call_goes_to_a_fips_endpoint_that_aws_has(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    called = _called_hosts()
    for service in SERVICES:
        assert called[service] in _fips_hosts(service, region)


def test_function_calls_no_fips_endpoint_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert not any("fips" in host for host in _called_hosts().values())


def test_documentation_names_the_same_regions() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    described = re.search(r"FIPS endpoints for all\s+services that the function calls: (.+?)\.", page, re.S)
    assert described
    assert re.findall(r"[a-z]+(?:-[a-z]+)+-\d", described[1]) == _regions()


def _called_hosts() -> dict[str, str]:
    """The host that each of the function's clients would send a request to."""
    clients = make_clients(1)
    hosts: dict[str, str] = {}
    for service, client, call in (
        ("s3", clients.s3, lambda: clients.s3.head_object(Bucket="photos", Key="dog.jpg")),
        ("rekognition", clients.rekognition, lambda: clients.rekognition.detect_labels(Image={})),
        ("dynamodb", clients.dynamodb, lambda: clients.dynamodb.get_item(TableName="images", Key={})),
        ("sqs", clients.sqs(), lambda: clients.sqs().send_message(QueueUrl=QUEUE_URL, MessageBody="{}")),
    ):

        def keep(request: AWSRequest, service: str = service, **_: Any) -> None:
            hosts[service] = urlsplit(str(request.url)).netloc
            raise NotSentError

        client.meta.events.register("before-send", keep)
        with pytest.raises(NotSentError):
            call()
    return hosts


def _fips_hosts(service: str, region: str) -> set[str]:
    """The hosts with FIPS that botocore lists. For other Regions it makes names of a pattern, which may not exist."""
    for partition in Loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            listed = partition["services"][service]["endpoints"][region]["variants"]
            hosts = {each["hostname"] for each in listed if each["tags"] == ["fips"]}
            assert hosts, f"{service} has no FIPS endpoint in {region}"
            if service == "dynamodb" and region.startswith("us-gov-"):
                hosts.add(f"dynamodb.{region}.amazonaws.com")  # botocore's rules take it: in GovCloud it is one, too
            return {f"photos.{host}" for host in hosts} if service == "s3" else hosts
    raise AssertionError(region)
