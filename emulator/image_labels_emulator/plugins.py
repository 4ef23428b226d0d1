"""What this package adds to LocalStack, through LocalStack's own plug points (entry points in pyproject.toml).

LocalStack imports this file while it starts, so everything heavy is imported when a plugin is loaded.
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
    """`LAMBDA_RUNTIME_EXECUTOR=process`: functions run as processes of this machine, not in containers."""

    name = "process"

    def load(self, *_args: Any, **_kwargs: Any) -> type[ProcessRuntimeExecutor]:
        from image_labels_emulator.lambda_process import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


class LoopbackServerPlugin(RuntimeServerPlugin):
    """`GATEWAY_SERVER=loopback`: LocalStack listens on loopback only. Without this plugin it does not start."""

    name = "loopback"

    def load(self, *_args: Any, **_kwargs: Any) -> LoopbackServer:
        from image_labels_emulator.loopback import LoopbackServer

        return LoopbackServer()


@aws_provider(api="dynamodb", name="moto")
def dynamodb_moto() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODB=moto`: LocalStack's own provider downloads a Java program; moto's is in process."""
    from localstack.aws.api.dynamodb import DynamodbApi
    from localstack.services.moto import MotoFallbackDispatcher

    from image_labels_emulator import dynamodb

    dynamodb.install()
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=MotoFallbackDispatcher)


@aws_provider(api="rekognition", name="default")
def rekognition() -> Service:
    """Amazon Rekognition, of which LocalStack has no edition of its own."""
    from image_labels_emulator.rekognition.provider import RekognitionProvider

    return Service.for_provider(RekognitionProvider())


@hooks.on_infra_start()
def rekognition_emulator() -> None:
    """The routes under /_emulator, Rekognition's word that it is emulated, and what we change in LocalStack's services.

    Providers are loaded too late for it.
    """
    from image_labels_emulator import (
        alarm_tags,
        event_rules,
        faults_admin,
        functions,
        log_metrics,
        metric_dimensions,
        s3_events,
        sqs_bodies,
    )
    from image_labels_emulator.rekognition.provider import shared_admin

    shared_admin().register()
    faults_admin.register()
    functions.register()
    log_metrics.install()
    metric_dimensions.install()
    s3_events.install()
    event_rules.install()
    sqs_bodies.install()
    alarm_tags.install()
