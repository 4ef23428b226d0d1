"""Plugins for LocalStack, registered as entry points in emulator/pyproject.toml.

LocalStack imports this file at start, so plugins import their modules when they are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider

if TYPE_CHECKING:
    from image_labels_emulator.lambda_process import ProcessRuntimeExecutor
    from image_labels_emulator.loopback import LoopbackServer


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=process`: functions run as processes, not in containers."""

    name = "process"

    def load(self, *_args: Any, **_kwargs: Any) -> type[ProcessRuntimeExecutor]:
        from image_labels_emulator.lambda_process import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


class LoopbackServerPlugin(RuntimeServerPlugin):
    """`GATEWAY_SERVER=loopback`: LocalStack listens on loopback only. It does not start without this plugin."""

    name = "loopback"

    def load(self, *_args: Any, **_kwargs: Any) -> LoopbackServer:
        from image_labels_emulator.loopback import LoopbackServer

        return LoopbackServer()


@aws_provider(api="dynamodb", name="moto")
def dynamodb_moto() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODB=moto`: moto runs in process; LocalStack's provider downloads a Java program."""
    from localstack.aws.api.dynamodb import DynamodbApi
    from localstack.services.moto import MotoFallbackDispatcher

    from image_labels_emulator import dynamodb

    dynamodb.install()
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=MotoFallbackDispatcher)


@aws_provider(api="dynamodbstreams", name="moto")
def dynamodbstreams_moto() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODBSTREAMS=moto`: the streams of moto's tables; LocalStack's are those of its own."""
    from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi
    from localstack.services.moto import MotoFallbackDispatcher

    return Service.for_provider(DynamodbstreamsApi(), dispatch_table_factory=MotoFallbackDispatcher)


@aws_provider(api="rekognition", name="default")
def rekognition() -> Service:
    """Amazon Rekognition, which LocalStack 4.8.1 does not include."""
    from image_labels_emulator.rekognition.provider import RekognitionProvider

    return Service.for_provider(RekognitionProvider())


@hooks.on_infra_start()
def rekognition_emulator() -> None:
    """Register the routes under /_emulator and patch LocalStack's services.

    This is a start hook because LocalStack loads providers later.
    """
    from image_labels_emulator import (
        alarm_tags,
        conditional_deletes,
        event_rules,
        faults_admin,
        functions,
        log_groups,
        log_metrics,
        metric_dimensions,
        s3_events,
        sqs_bodies,
    )
    from image_labels_emulator.rekognition.provider import shared_admin

    shared_admin().register()
    faults_admin.register()
    functions.register()
    log_groups.install()
    log_metrics.install()
    metric_dimensions.install()
    s3_events.install()
    event_rules.install()
    sqs_bodies.install()
    alarm_tags.install()
    conditional_deletes.install()
