from __future__ import annotations

import threading
from typing import Any

import pytest
from image_labels_emulator.rekognition.faults import Behaviour, FaultError
from image_labels_emulator.rekognition.settings import OPERATIONS, Settings, SettingsError


class Clock:
    """A clock that only sleeps and tests advance."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def behaviour(clock: Clock, **settings: Any) -> Behaviour:
    return Behaviour(Settings(**settings), clock=clock, sleep=clock.sleep)


def outcome(one: Behaviour, key: str = "a.jpg", operation: str = "DetectLabels") -> str:
    try:
        one.admit("photos", key, operation)
    except FaultError as fault:
        return fault.error
    one.answered(operation)
    return "ok"


def counters(one: Behaviour) -> dict[str, Any]:
    found: dict[str, Any] = one.snapshot()["counters"]
    return found


def test_default_settings_have_no_effect(clock: Clock) -> None:
    one = behaviour(clock)
    assert {outcome(one) for _ in range(1000)} == {"ok"}
    assert clock.slept == []


def test_quota_allows_one_seconds_calls_at_once(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=5)
    assert [outcome(one) for _ in range(7)] == ["ok"] * 5 + ["ThrottlingException"] * 2
    clock.now += 0.2
    assert [outcome(one) for _ in range(2)] == ["ok", "ThrottlingException"]
    clock.now += 3600
    assert [outcome(one) for _ in range(6)] == ["ok"] * 5 + ["ThrottlingException"]
    assert counters(one)["throttled"] == 4
    assert counters(one)["answered"] == 11


def test_quota_holds_over_a_minute(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=5)
    answered = 0
    for _ in range(6000):
        clock.now += 0.01
        answered += outcome(one) == "ok"
    assert 300 <= answered <= 305


def test_quota_below_one_call_a_second(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=0.5)
    assert [outcome(one), outcome(one)] == ["ok", "ThrottlingException"]
    clock.now += 1.9
    assert outcome(one) == "ThrottlingException"
    clock.now += 0.2
    assert outcome(one) == "ok"


def test_throttle_error_can_be_changed(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=1, throttle_error="ProvisionedThroughputExceededException")
    assert [outcome(one), outcome(one)] == ["ok", "ProvisionedThroughputExceededException"]


def test_latency_and_jitter(clock: Clock) -> None:
    one = behaviour(clock, latency_ms=200, latency_jitter_ms=100, seed=1)
    for _ in range(200):
        outcome(one)
    assert min(clock.slept) >= 0.2
    assert max(clock.slept) < 0.3
    assert max(clock.slept) - min(clock.slept) > 0.05


def test_a_throttled_call_is_refused_at_once(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=1, latency_ms=1)
    outcome(one)
    outcome(one)
    assert clock.slept == [0.001]


def test_random_failures_depend_on_the_seed_only(clock: Clock) -> None:
    first = [outcome(behaviour(clock, error_rate=0.3, seed=seed)) for seed in range(50)]
    assert first == [outcome(behaviour(clock, error_rate=0.3, seed=seed)) for seed in range(50)]
    many = behaviour(clock, error_rate=0.3, error_code="ThrottlingException", seed=1)
    failed = [outcome(many) for _ in range(2000)].count("ThrottlingException")
    assert 500 < failed < 700
    assert {outcome(behaviour(clock, error_rate=1)) for _ in range(20)} == {"InternalServerError"}


def test_rules_fail_the_first_calls_for_a_prefix(clock: Clock) -> None:
    one = behaviour(clock)
    one.add_rules([{"key_prefix": "images/b", "error": "InternalServerError", "times": 2}])
    one.add_rules({"key_prefix": "images/", "error": "AccessDeniedException"})
    assert outcome(one, "other/b.jpg") == "ok"
    assert [outcome(one, "images/b.jpg") for _ in range(4)] == [
        "InternalServerError",
        "InternalServerError",
        "AccessDeniedException",
        "AccessDeniedException",
    ]
    assert [rule["times"] for rule in one.snapshot()["rules"]] == [0, None]
    one.clear_rules()
    assert outcome(one, "images/b.jpg") == "ok"


def test_counters_by_photo(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=2)
    for key in ("a.jpg", "b.jpg", "a.jpg"):
        outcome(one, key)
    one.failed()
    calls = {"calls": 3, "answered": 2, "throttled": 1, "failed": 1}
    assert counters(one) == calls | {
        "operations": {"DetectLabels": calls},
        "photos": {"photos": {"a.jpg": 2, "b.jpg": 1}},
    }


def test_counters_by_operation(clock: Clock) -> None:
    one = behaviour(clock)
    for operation in ("DetectLabels", "DetectFaces", "DetectFaces"):
        outcome(one, operation=operation)
    one.failed("IndexFaces")
    found = counters(one)
    assert {name: calls["answered"] for name, calls in found["operations"].items()} == {
        "DetectFaces": 2,
        "DetectLabels": 1,
        "IndexFaces": 0,
    }
    assert (found["answered"], found["failed"]) == (3, 1)
    assert found["photos"] == {"photos": {"a.jpg": 1}}, "photos counts the calls of DetectLabels"


def test_every_operation_has_its_own_quota(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=2, quotas={"DetectFaces": 1, "DetectText": None})
    for operation, answered in (("DetectLabels", 2), ("IndexFaces", 2), ("DetectFaces", 1), ("DetectText", 5)):
        assert [outcome(one, operation=operation) for _ in range(5)].count("ok") == answered
    clock.now += 1
    assert outcome(one, operation="DetectFaces") == "ok"
    assert outcome(one, operation="DetectFaces") == "ThrottlingException"


def test_a_rule_for_one_operation(clock: Clock) -> None:
    one = behaviour(clock)
    one.add_rules({"key_prefix": "", "error": "AccessDeniedException", "operation": "DetectFaces"})
    assert outcome(one) == "ok"
    assert outcome(one, operation="DetectFaces") == "AccessDeniedException"


def test_settings_can_be_changed_and_reset(clock: Clock) -> None:
    one = behaviour(clock, latency_ms=5)
    one.change({"calls_per_second": 1})
    assert one.snapshot()["settings"]["latency_ms"] == 5
    assert [outcome(one), outcome(one)] == ["ok", "ThrottlingException"]
    one.change({"calls_per_second": None})
    assert outcome(one) == "ok"
    one.add_rules({"key_prefix": "", "error": "nonsense"})
    one.reset()
    assert one.snapshot() == behaviour(clock, latency_ms=5).snapshot()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"calls": 5}, "unknown setting 'calls'; the settings are calls_per_second"),
        ({"calls_per_second": 0}, "calls_per_second must be greater than 0"),
        ({"calls_per_second": "5"}, "calls_per_second must be a number"),
        ({"latency_ms": -1}, "latency_ms must be a number of 0 or more"),
        ({"latency_ms": None}, "latency_ms must be a number"),
        ({"latency_jitter_ms": True}, "latency_jitter_ms must be a number"),
        ({"error_rate": 1.5}, "error_rate must be a number from 0 to 1"),
        ({"error_code": "Oops"}, "error_code must be one of AccessDeniedException"),
        ({"throttle_error": "InternalServerError"}, "throttle_error must be one of ThrottlingException"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"quotas": 5}, "quotas must be a JSON object"),
        ({"quotas": {"DetectCats": 5}}, "operations in quotas must be one of CompareFaces, "),
        ({"quotas": {"DetectFaces": 0}}, "the quota of DetectFaces must be greater than 0"),
        ({"quotas": {"DetectFaces": "5"}}, "the quota of DetectFaces must be a number"),
        ([], "settings must be a JSON object"),
    ],
)
def test_invalid_settings_are_refused(clock: Clock, changes: object, words: str) -> None:
    one = behaviour(clock)
    with pytest.raises(SettingsError, match="^" + words):
        one.change(changes)
    assert one.snapshot() == behaviour(clock).snapshot()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("images/", "a rule requires key_prefix and error"),
        ({"key_prefix": "a"}, "a rule requires key_prefix and error"),
        ({"key_prefix": "a", "error": "nonsense", "time": 1}, "a rule requires key_prefix and error"),
        ({"key_prefix": 1, "error": "nonsense"}, "key_prefix must be a string"),
        ({"key_prefix": "a", "error": "Oops"}, "error must be one of"),
        ({"key_prefix": "a", "error": ["nonsense"]}, "error must be one of"),
        ({"key_prefix": "a", "error": "nonsense", "times": 0}, "times must be a whole number of 1 or more"),
        ({"key_prefix": "a", "error": "nonsense", "operation": "DetectCats"}, "operation must be one of"),
    ],
)
def test_invalid_rules_are_refused(clock: Clock, rule: object, words: str) -> None:
    one = behaviour(clock)
    with pytest.raises(SettingsError, match="^" + words):
        one.add_rules([{"key_prefix": "good", "error": "nonsense"}, rule])
    assert one.snapshot()["rules"] == []


def test_settings_from_the_environment() -> None:
    found = Settings.from_environment(
        {
            "REKOGNITION_EMULATOR_CALLS_PER_SECOND": "5",
            "REKOGNITION_EMULATOR_LATENCY_MS": "12.5",
            "REKOGNITION_EMULATOR_ERROR_CODE": "ThrottlingException",
            "REKOGNITION_EMULATOR_ERROR_RATE": "",
            "REKOGNITION_EMULATOR_SEED": "7",
            "REKOGNITION_EMULATOR_QUOTAS": "DetectFaces=2.5, IndexFaces=1",
            "CALLS_PER_SECOND": "9",
        }
    )
    assert found == Settings(
        calls_per_second=5,
        quotas={"DetectFaces": 2.5, "IndexFaces": 1},
        latency_ms=12.5,
        error_code="ThrottlingException",
        seed=7,
    )
    with pytest.raises(SettingsError, match="REKOGNITION_EMULATOR_QUOTAS must be like DetectFaces=5,IndexFaces=2"):
        Settings.from_environment({"REKOGNITION_EMULATOR_QUOTAS": "5"})
    with pytest.raises(SettingsError, match="REKOGNITION_EMULATOR_LATENCY_MS must be a number, not 'fast'"):
        Settings.from_environment({"REKOGNITION_EMULATOR_LATENCY_MS": "fast"})


def test_many_threads_lose_no_count(clock: Clock) -> None:
    one = behaviour(clock, calls_per_second=100)
    threads = [threading.Thread(target=lambda: [outcome(one) for _ in range(250)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = counters(one)
    assert (found["calls"], found["answered"], found["throttled"]) == (2000, 100, 1900)


def test_operations_are_those_of_the_provider() -> None:
    from image_labels_emulator.rekognition.operations import ANSWERS
    from image_labels_emulator.rekognition.provider import RekognitionProvider
    from localstack.aws.skeleton import create_dispatch_table

    assert set(OPERATIONS) == ANSWERS.keys() == create_dispatch_table(RekognitionProvider(Behaviour())).keys()
