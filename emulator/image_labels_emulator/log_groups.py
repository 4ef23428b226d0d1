"""Log groups of functions. LocalStack stores LoggingConfig's LogGroup, but writes to the default log group.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
"""

from __future__ import annotations

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment


def install() -> None:
    """Patch LocalStack's Lambda in this process. Idempotent."""
    default = ExecutionEnvironment.get_log_group_name
    if hasattr(default, "reads_configuration"):
        return

    def get_log_group_name(self: ExecutionEnvironment) -> str:
        return self.function_version.config.logging_config.get("LogGroup") or default(self)

    get_log_group_name.reads_configuration = True  # type: ignore[attr-defined]
    ExecutionEnvironment.get_log_group_name = get_log_group_name  # type: ignore[method-assign]
