"""The daily limit, on moto: the count, which all environments share, never exceeds it."""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from image_labels.daily_limit import PAUSE_SECONDS, DailyLimit
from image_labels.failures import OverDailyLimit
from image_labels.model import Label, Labels, Photo
from image_labels.search.finder import Finder
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.tables import Tables

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

TODAY, TOMORROW = "2026-11-25", "2026-11-26"


class Days:
    """A clock that tests set, and execution environments that use it."""

    def __init__(self, clients: Clients) -> None:
        self.now = datetime(2026, 11, 25, 23, 58, tzinfo=UTC).timestamp()
        self.clients = clients

    def environment(self, limit: int) -> DailyLimit:
        return DailyLimit(self.clients.dynamodb, self.clients.dynamodb_once, LABELS_TABLE, limit, now=lambda: self.now)


@pytest.fixture
def days(clients: Clients, dynamodb: DynamoDBClient) -> Days:
    return Days(clients)


def counted(dynamodb: DynamoDBClient) -> dict[str, int]:
    items = dynamodb.scan(TableName=LABELS_TABLE)["Items"]
    return {item["Rank"]["S"]: int(item["Images"]["N"]) for item in items if item["Term"]["S"] == "*usage"}


def test_no_more_images_are_counted_than_the_limit(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(2)
    assert [limit.take(), limit.take()] == [TODAY, TODAY]
    with pytest.raises(OverDailyLimit, match=r"daily limit of 2 images is reached for 2026-11-25 \(UTC\)"):
        limit.take()
    assert counted(dynamodb) == {TODAY: 2}
    assert limit.left() == 0


@pytest.mark.parametrize("images", [{"S": "0"}, {"NULL": True}, {"SS": ["1"]}, {"M": {}}])
def test_count_that_is_no_number_holds_photos_back(days: Days, dynamodb: DynamoDBClient, images: Any) -> None:
    """If the row was changed manually, photos wait until the next day, because their cost would not be counted."""
    dynamodb.put_item(TableName=LABELS_TABLE, Item={"Term": {"S": "*usage"}, "Rank": {"S": TODAY}, "Images": images})
    limit = days.environment(2)
    with pytest.raises(OverDailyLimit):
        limit.take()
    assert limit.left() == 0


def test_count_that_is_no_whole_number_is_rounded_up(days: Days, dynamodb: DynamoDBClient) -> None:
    item: Any = {"Term": {"S": "*usage"}, "Rank": {"S": TODAY}, "Images": {"N": "0.5"}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=item)
    limit = days.environment(2)
    assert limit.left() == 1
    assert [limit.take(), limit.take()] == [TODAY, TODAY]
    with pytest.raises(OverDailyLimit):
        limit.take()


def test_environments_share_the_count(days: Days, dynamodb: DynamoDBClient) -> None:
    one, other = days.environment(2), days.environment(2)
    one.take()
    other.take()
    for each in (one, other):
        with pytest.raises(OverDailyLimit):
            each.take()
    assert counted(dynamodb) == {TODAY: 2}


def test_threads_share_the_count() -> None:
    tables: Any = Tables()
    limit = DailyLimit(tables, lambda: tables, "labels", 30, now=lambda: 0.0)

    def taken(_n: int) -> bool:
        try:
            return bool(limit.take())
        except OverDailyLimit:
            return False

    switches = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(10) as pool:
            assert sum(pool.map(taken, range(100))) == 30
    finally:
        sys.setswitchinterval(switches)
    assert tables.usage() == {"1970-01-01": 30}


def test_next_day_starts_at_zero(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(1)
    limit.take()
    with pytest.raises(OverDailyLimit):
        limit.take()
    days.now += 120
    assert limit.left() == 1
    assert limit.take() == TOMORROW
    assert counted(dynamodb) == {TODAY: 1, TOMORROW: 1}


def test_changed_limit_applies_at_once(days: Days) -> None:
    days.environment(1).take()
    raised = days.environment(3)  # a changed environment variable is another environment
    assert raised.left() == 2
    raised.take()
    lowered = days.environment(1)
    assert lowered.left() == -1
    with pytest.raises(OverDailyLimit):
        lowered.take()


def test_image_that_is_given_back_can_be_taken_again(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(1)
    day = limit.take()
    with pytest.raises(OverDailyLimit):
        limit.take()
    limit.give_back(day)
    assert counted(dynamodb) == {TODAY: 0}
    assert limit.take() == TODAY


def test_image_is_given_back_to_the_day_it_was_taken_from(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(5)
    day = limit.take()
    days.now += 120
    limit.take()
    limit.give_back(day)
    assert counted(dynamodb) == {TODAY: 0, TOMORROW: 1}


def test_image_of_yesterday_is_exchanged_for_one_of_today(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(1)
    day = limit.take()
    assert limit.renew(day) == TODAY
    assert counted(dynamodb) == {TODAY: 1}
    days.now += 120
    assert limit.renew(day) == TOMORROW
    assert counted(dynamodb) == {TODAY: 0, TOMORROW: 1}


def test_image_of_yesterday_is_given_back_if_today_has_none(days: Days, dynamodb: DynamoDBClient) -> None:
    limit = days.environment(1)
    day = limit.take()
    days.now += 120
    days.environment(1).take()
    with pytest.raises(OverDailyLimit, match=TOMORROW):
        limit.renew(day)
    assert counted(dynamodb) == {TODAY: 0, TOMORROW: 1}


def test_count_never_falls_below_zero(days: Days, dynamodb: DynamoDBClient, caplog: pytest.LogCaptureFixture) -> None:
    limit = days.environment(1)
    limit.give_back(TODAY)
    limit.give_back(limit.take())
    limit.give_back(TODAY)
    assert counted(dynamodb) == {TODAY: 0}
    assert len(caplog.records) == 2


def test_image_that_cannot_be_given_back_is_logged(days: Days, caplog: pytest.LogCaptureFixture) -> None:
    with Stubber(days.clients.dynamodb_once()) as stub:
        stub.add_client_error("update_item", "AccessDeniedException", "no dynamodb:UpdateItem")
        days.environment(1).give_back(TODAY)
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.WARNING, "image not given back to the daily limit")
    assert "AccessDeniedException" in record.__dict__["cause"]
    assert record.__dict__["consequence"] == "2026-11-25 (UTC) has room for one image less"
    assert "UpdateItem" in record.__dict__["next_step"]


def test_next_step_for_an_image_not_given_back_is_about_the_count(days: Days, caplog: pytest.LogCaptureFixture) -> None:
    with Stubber(days.clients.dynamodb_once()) as stub:
        stub.add_client_error("update_item", "InternalServerError", "")
        days.environment(1).give_back(TODAY)
    (record,) = caplog.records
    assert record.__dict__["next_step"] == "nothing: the count is higher than it need be until the day is over"


def test_error_of_the_table_is_raised(days: Days) -> None:
    with Stubber(days.clients.dynamodb) as stub:
        stub.add_client_error("update_item", "InternalServerError", "")
        with pytest.raises(ClientError, match="InternalServerError"):
            days.environment(1).take()


def test_photos_over_the_limit_cost_a_write_a_minute(days: Days) -> None:
    limit = days.environment(1)
    with Stubber(days.clients.dynamodb) as stub:
        for _ in range(2):
            stub.add_client_error("update_item", "ConditionalCheckFailedException")
            for _ in range(100):
                with pytest.raises(OverDailyLimit):
                    limit.take()
            stub.assert_no_pending_responses()
            days.now += PAUSE_SECONDS


def test_new_day_has_room_a_second_after_the_limit_was_reached(days: Days) -> None:
    days.now += 119
    limit = days.environment(1)
    limit.take()
    with pytest.raises(OverDailyLimit):
        limit.take()
    days.now += 1
    assert limit.take() == TOMORROW


def test_search_does_not_find_the_count(days: Days, clients: Clients, dynamodb: DynamoDBClient) -> None:
    days.environment(5).take()
    dog = Labels((Label("Dog", 99.0),), "3.0")
    Store(clients.dynamodb, TABLE, LABELS_TABLE).put(Photo(BUCKET, "dog.jpg", "e", None, 1), dog, "s", None)
    finder = Finder(dynamodb, labels_table=LABELS_TABLE, images_table=TABLE)
    assert [term.text for term in finder.vocabulary()] == ["dog"]
    assert list(finder.vocabulary("*")) == []
    assert [photo.key for photo in finder.find("d*").photos] == ["dog.jpg"]
    assert [photo.key for photo in finder.scan("NOT cat").photos] == ["dog.jpg"]
    for expression in ("*usage", '"*usage"', "*us*"):
        assert finder.find(expression).photos == ()
