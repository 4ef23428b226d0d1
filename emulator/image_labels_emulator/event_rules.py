"""EventBridge rules: corrections where LocalStack differs from AWS.

- `*` in a `wildcard` matches zero or more characters, and `\\*` an asterisk. In LocalStack `*` matches one or more:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
- PutRule refuses an invalid event pattern. LocalStack accepts it, and then PutEvents fails for all rules.
- PutRule refuses an event pattern that is too complex (rule_complexity.py). LocalStack only counts the asterisks of
  each wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from localstack.aws.api.events import InvalidEventPatternException
from localstack.services.events.event_rule_engine import EventPatternCompiler, EventRuleEngine
from localstack.services.events.rule import RuleService

from image_labels_emulator.rule_complexity import is_too_complex

TOO_COMPLEX = (
    "Event pattern is not valid. Reason: Rule is too complex - try using fewer wildcard characters or fewer repeating "
    "character sequences after a wildcard character"
)


def install() -> None:
    """Patch LocalStack's rules in this process. Idempotent."""
    if hasattr(RuleService._validate_input, "__wrapped__"):
        return
    EventRuleEngine._evaluate_wildcard = staticmethod(matches_wildcard)  # type: ignore[method-assign]
    validate = RuleService._validate_input.__func__  # type: ignore[attr-defined]
    RuleService._validate_input = classmethod(_with_pattern(validate))  # type: ignore[method-assign,assignment]


def matches_wildcard(condition: str, value: Any) -> bool:
    """Whether an event's value matches the `wildcard` of an event pattern."""
    parts = re.findall(r"\\[\\*]|.", condition, re.DOTALL)
    expression = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _with_pattern(validate: Callable[..., None]) -> Callable[..., None]:
    @wraps(validate)
    def validate_input(cls: type[RuleService], event_pattern: str | None, *args: Any) -> None:
        validate(cls, event_pattern, *args)
        if event_pattern:
            EventPatternCompiler().compile_event_pattern(event_pattern)  # raises InvalidEventPatternException
            if is_too_complex(event_pattern):
                raise InvalidEventPatternException(TOO_COMPLEX)

    return validate_input
