"""Each example applies unchanged, has no changes in a second plan, labels photos, and is destroyed completely."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from applied_examples import NAMES, Examples
from command import Command
from pictures import jpeg
from stack import Stack, stack_of, wait_for
from support.event_files import load
from test_pipeline import KEYS

if TYPE_CHECKING:
    from image_labels_emulator.server import Server


@pytest.fixture(scope="module")
def existing(localstack: Server, examples: Examples) -> Stack:
    return stack_of(localstack, examples["existing-bucket"].module)


@pytest.fixture(scope="module")
def copies(localstack: Server, examples: Examples) -> dict[str, Stack]:
    outputs = examples["shared-bucket"].module
    return {name: stack_of(localstack, each) for name, each in outputs.items()}


@pytest.mark.parametrize("name", NAMES)
def test_second_plan_has_no_changes(examples: Examples, name: str) -> None:
    assert examples[name].second_plan_ended_with == 0, examples[name].second_plan


@pytest.mark.parametrize("name", ["complete", "kms", "vpc"])
def test_labels_photos(localstack: Server, examples: Examples, name: str) -> None:
    stack = stack_of(localstack, examples[name].module)
    key = "images/dog.jpg"
    assert "Dog" in stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))["Labels"]


@pytest.mark.parametrize(("name", "algorithm"), [("complete", "AES256"), ("kms", "aws:kms")])
def test_photos_are_encrypted(localstack: Server, examples: Examples, name: str, algorithm: str) -> None:
    """With a KMS key by the module's configuration, without one by S3's default."""
    stack = stack_of(localstack, examples[name].module)
    stack.upload("other/encrypted.txt", b"")
    assert stack.s3.head_object(Bucket=stack.bucket, Key="other/encrypted.txt")["ServerSideEncryption"] == algorithm


def test_function_in_the_vpc_has_a_route_to_each_service(examples: Examples) -> None:
    """Checks the configuration only, because the emulated function is in no network."""
    vpc = examples["vpc"]
    function = boto3.client("lambda").get_function_configuration(FunctionName=vpc.module["lambda_function_name"])
    ec2 = boto3.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=function["VpcConfig"]["SubnetIds"])["Subnets"]
    assert {subnet["VpcId"] for subnet in subnets} == {vpc.outputs["vpc_id"]}
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2

    in_vpc = [{"Name": "vpc-id", "Values": [vpc.outputs["vpc_id"]]}]
    endpoints = {
        each["ServiceName"].rpartition(".")[2]: each
        for each in ec2.describe_vpc_endpoints(Filters=in_vpc)["VpcEndpoints"]
    }
    assert endpoints.keys() == {"s3", "dynamodb", "rekognition", "sqs"}
    tables = ec2.describe_route_tables(Filters=in_vpc)["RouteTables"]
    table_of = {
        link["SubnetId"]: table["RouteTableId"]
        for table in tables
        for link in table["Associations"]
        if "SubnetId" in link
    }
    for service in ("s3", "dynamodb"):
        assert set(endpoints[service]["RouteTableIds"]) == {table_of[subnet["SubnetId"]] for subnet in subnets}
    for service in ("rekognition", "sqs"):
        assert set(endpoints[service]["SubnetIds"]) == set(function["VpcConfig"]["SubnetIds"])
        assert endpoints[service]["PrivateDnsEnabled"]


def test_key_has_the_required_policy_and_encrypts_the_queue(examples: Examples) -> None:
    """Without the policy, S3 and CloudWatch Logs fail on AWS. The emulator stores it but does not enforce it."""
    applied = examples["kms"]
    policy = boto3.client("kms").get_key_policy(KeyId=applied.outputs["kms_key_arn"], PolicyName="default")["Policy"]
    assert json.loads(policy) == json.loads(applied.module["kms_key_policy_json"])
    queue = boto3.client("sqs").get_queue_attributes(QueueUrl=applied.module["queue_url"], AttributeNames=["All"])
    assert queue["Attributes"]["KmsMasterKeyId"] == applied.outputs["kms_key_arn"]


class TestExistingBucket:
    """An existing bucket whose notifications are in use."""

    def test_bucket_keeps_its_notifications(self, existing: Stack) -> None:
        found: dict[str, Any] = existing.s3.get_bucket_notification_configuration(Bucket=existing.bucket)  # type: ignore[assignment]
        assert [queue["Id"] for queue in found["QueueConfigurations"]] == ["theirs"]
        assert found["EventBridgeConfiguration"] == {}
        assert not found.get("LambdaFunctionConfigurations")
        assert not found.get("TopicConfigurations")

    def test_upload_reaches_the_module_and_the_existing_target(self, existing: Stack, examples: Examples) -> None:
        key = "photos/two targets.jpg"
        existing.labelled(key, existing.upload(key, jpeg(), "Dog=99"))

        theirs = examples["existing-bucket"].outputs["their_queue_url"]

        def received() -> bool:
            messages = existing.sqs.receive_message(QueueUrl=theirs, MaxNumberOfMessages=10).get("Messages", [])
            return any("photos/two+targets.jpg" in message["Body"] for message in messages)

        wait_for("message in the existing queue", received)

    def test_photos_with_unusual_keys_are_labelled(self, existing: Stack) -> None:
        keys = [f"photos/{key}" for key in KEYS.values() if len(key) < 900]
        versions = {key: existing.upload(key, jpeg(), "Cat=98") for key in keys}
        for key, version in versions.items():
            assert "Cat" in existing.labelled(key, version)["Labels"], key

    def test_delete_removes_the_item(self, existing: Stack) -> None:
        key = "photos/to be deleted.jpg"
        existing.labelled(key, existing.upload(key, jpeg(), "Dog=99"))
        existing.s3.delete_object(Bucket=existing.bucket, Key=key)
        wait_for("item gone", lambda: existing.item(key) is None)

    @pytest.mark.parametrize("event", ["eventbridge_created", "eventbridge_deleted"])
    def test_rules_match_recorded_events_of_aws(self, existing: Stack, event: str) -> None:
        """The second event is from a lifecycle rule, which the emulator does not implement."""
        recorded = load(event)
        assert len(_matching_rules(existing, recorded, "photos/dog.jpg")) == 1

    def test_rules_match_the_same_keys_as_the_s3_filters(self, existing: Stack) -> None:
        recorded = load("eventbridge_created")
        suffixes = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")
        names = ["photos/a.jpg", "photos/.jpg", "photos/a b+c%20ä.PNG", "photos/a.Jpg", "photos/a.jpg.txt", "a.jpg"]
        names += ["other/photos/a.jpg", "Photos/a.jpg", "photos/a/b/c.jpeg", "photosa.jpg", "photos/a.gif", "photos/*"]
        for key in names:
            wanted = key.startswith("photos/") and key.endswith(suffixes)
            # If two rules matched a key, its events would be sent twice.
            assert len(_matching_rules(existing, recorded, key)) == wanted, key

    def test_rules_do_not_match_another_bucket(self, existing: Stack) -> None:
        recorded = load("eventbridge_created")
        assert not _matching_rules(existing, recorded, "photos/dog.jpg", bucket="another-bucket")

    def test_queue_policies_deny_plain_http(self, existing: Stack) -> None:
        """The emulator stores the policies but does not enforce them."""
        for name in ("queue_url", "dead_letter_queue_url", "waiting_queue_url"):
            queue = existing.sqs.get_queue_attributes(QueueUrl=existing.outputs[name], AttributeNames=["Policy"])
            statements = json.loads(queue["Attributes"]["Policy"])["Statement"]
            denied = [each for each in statements if each["Effect"] == "Deny"]
            assert [(each["Action"], each["Principal"]) for each in denied] == [("sqs:*", "*")], name
            assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


class TestSharedBucket:
    """Two copies of the module in one account, on one bucket."""

    def test_each_copy_labels_only_photos_under_its_prefix(self, copies: dict[str, Stack]) -> None:
        versions = {
            name: stack.upload(f"{name}/dog.jpg", jpeg(), "Dog=99,Cat=75", "SPEED LIMIT=99.1|55=98")
            for name, stack in copies.items()
        }
        for name, stack in copies.items():
            stack.labelled(f"{name}/dog.jpg", versions[name])
        for name, stack in copies.items():
            assert stack.labelled_keys() == {f"{name}/dog.jpg"}

    def test_each_copy_applies_its_own_min_confidence(self, copies: dict[str, Stack]) -> None:
        def labels(name: str) -> set[str]:
            item = copies[name].item(f"{name}/dog.jpg")
            assert item is not None
            return set(item["Labels"])

        assert "Cat" in labels("archive")  # from 60 %
        assert "Cat" not in labels("catalogue")  # from 90 %

    def test_text_is_found_where_it_is_switched_on(self, localstack: Server, copies: dict[str, Stack]) -> None:
        def found(name: str, exit_code: int) -> str:
            command = Command(localstack, json.loads(copies[name].outputs["cli_environment"]))
            return command.run("find", '"speed limit"', exit_code=exit_code).stdout

        assert found("archive", 0).startswith("archive/dog.jpg\t")
        assert found("catalogue", 1) == ""
        (line,) = copies["archive"].log("archive/dog.jpg", "photo labelled")
        assert (line["rekognition_calls"], line["detect_text_calls"]) == (2, 1)


class TestDailyLimit:
    """The complete example with a limit that its photos exceed, while the other examples, now tested, are destroyed."""

    def test_photos_over_the_limit_wait_set_off_the_alarm_and_are_labelled_later(
        self, localstack: Server, examples: Examples
    ) -> None:
        examples.start_to_destroy(*(name for name in NAMES if name != "complete"))
        stack = stack_of(localstack, examples["complete"].module)
        before = stack.all_rekognition_calls()
        assert before >= 1, "a previous test has labelled a photo"
        examples.change("complete", f"daily_image_limit={before + 2}")
        versions = {key: stack.upload(key, jpeg(), "Dog=99") for key in (f"images/limit/{n}.jpg" for n in range(6))}
        waiting = stack.outputs["waiting_queue_url"]
        wait_for("4 waiting photos", lambda: stack.in_queue(waiting) == 4)
        wait_for("2 photos labelled", lambda: len(stack.labelled_keys() & versions.keys()) == 2)
        assert stack.all_rekognition_calls() == before + 2
        assert stack.dead_letters() == []

        # A deletion needs no call, so it is processed while the limit is reached.
        done = min(stack.labelled_keys() & versions.keys())
        stack.s3.delete_object(Bucket=stack.bucket, Key=done)
        wait_for("item gone", lambda: stack.item(done) is None)

        alarm = examples["complete"].module["alarm_arns"]["daily-limit"].rpartition(":")[2]
        # LocalStack counts a queue's messages once a minute.
        wait_for("a metric over the alarm's threshold", lambda: _is_over_threshold(alarm), seconds=150)

        # The schedule's event, first while the limit is reached, then after it was raised.
        tick = load("scheduled")
        answer = stack.invoke(tick)  # which also counts photos
        assert (answer["moved"], answer["waiting"]) == (0, 4)
        examples.change("complete", "daily_image_limit=1000")
        wait_for("all moved", lambda: stack.invoke(tick)["waiting"] == 0)
        for key, version in versions.items() - {(done, versions[done])}:
            stack.labelled(key, version)
        assert stack.all_rekognition_calls() == before + 6


def test_destroy_leaves_nothing(examples: Examples) -> None:
    """The last test of this file, because it destroys the examples."""
    assert _named_after_examples(), "the examples exist"
    left = examples.destroy()
    assert left == dict.fromkeys(NAMES, "")
    assert _named_after_examples() == []


def _named_after_examples() -> list[str]:
    """Names of all resources of the examples in the emulated AWS, without those of the tests' root module."""
    found = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    found += [url.rpartition("/")[2] for url in boto3.client("sqs").list_queues().get("QueueUrls", [])]
    found += [each["FunctionName"] for each in boto3.client("lambda").list_functions()["Functions"]]
    found += boto3.client("dynamodb").list_tables()["TableNames"]
    logs = boto3.client("logs").describe_log_groups()["logGroups"]
    found += [group["logGroupName"].removeprefix("/aws/lambda/") for group in logs]
    found += [each["AlarmName"] for each in boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    found += [each["DashboardName"] for each in boto3.client("cloudwatch").list_dashboards()["DashboardEntries"]]
    found += [rule["Name"] for rule in boto3.client("events").list_rules()["Rules"]]
    found += [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]
    found += [topic["TopicArn"].rpartition(":")[2] for topic in boto3.client("sns").list_topics()["Topics"]]
    vpcs = boto3.client("ec2").describe_vpcs()["Vpcs"]
    found += [tag["Value"] for vpc in vpcs for tag in vpc.get("Tags", []) if tag["Key"] == "Name"]
    return [name for name in found if name.startswith("image-labels-") and not name.startswith("image-labels-e2e")]


def _is_over_threshold(alarm: str) -> bool:
    """Whether the alarm's metric exceeds its threshold. (LocalStack first evaluates the alarm after 5 minutes.)"""
    cloudwatch = boto3.client("cloudwatch")
    condition = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace=condition["Namespace"],
        MetricName=condition["MetricName"],
        Dimensions=condition["Dimensions"],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=condition["Period"],
        Statistics=[condition["Statistic"]],
    )
    return any(point[condition["Statistic"]] > condition["Threshold"] for point in found["Datapoints"])


def _matching_rules(stack: Stack, recorded: dict[str, Any], key: str, bucket: str | None = None) -> list[str]:
    """The module's rules that match this event according to EventBridge."""
    events = boto3.client("events")
    rules = events.list_rules(NamePrefix=stack.outputs["queue_url"].rpartition("/")[2])["Rules"]
    assert len(rules) == 2, "six suffixes, three a rule"
    detail = recorded["detail"] | {"bucket": {"name": bucket or stack.bucket}}
    detail["object"] = detail["object"] | {"key": key}
    event = json.dumps(recorded | {"detail": detail})
    return [
        rule["Name"]
        for rule in rules
        if events.test_event_pattern(EventPattern=rule["EventPattern"], Event=event)["Result"]
    ]
