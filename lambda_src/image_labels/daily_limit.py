"""The daily limit of images: a count in the labels table that is increased before each call of Rekognition.

The count is one row for each day (see image_labels.tables.store), which all execution environments share: together they
cannot exceed the limit. Each attempt counts, including those after a timeout, because Rekognition may bill it. After a
crash or a lost answer the count may therefore be higher than what Rekognition bills, but never lower. An image counts
on the day of the call, even if the answer comes on the next day.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from image_labels import logs
from image_labels.aws_errors import code_of
from image_labels.failures import OverDailyLimit, TryAgain, failure_of
from image_labels.tables.items import number
from image_labels.tables.rows import USAGE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

logger = logging.getLogger(__name__)

# Seconds without a write to the table once the limit is reached. Photos over the limit keep no pace, and all of them
# would write to one row, for which DynamoDB allows 1,000 writes per second. An image that another environment gives
# back during this time can be used afterwards.
PAUSE_SECONDS = 60

NOTHING = "nothing: the count is higher than it need be until the day is over"


class DailyLimit:
    """A limit of images a day (UTC). Safe to use from many threads, and in many environments at the same time.

    `make_once_client` is called when an image is first given back. Its client does not retry: a retry after a lost
    answer could subtract twice, and the day would have an image too many. `now` gives seconds since the epoch.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        make_once_client: Callable[[], DynamoDBClient],
        labels_table: str,
        limit: int,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._make_once_client = make_once_client
        self._table = labels_table
        self._limit = limit
        self._now = now
        self._reached = ("", 0.0)  # the day, and the time until which the table is not asked again

    def take(self) -> str:
        """Count an image, and return the day it is counted on.

        Raises OverDailyLimit if the limit of the day is reached, and botocore's errors if DynamoDB fails.
        """
        day, now = self._day(), self._now()
        if self._reached[0] == day and now < self._reached[1]:
            raise OverDailyLimit(self._limit, day)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(day),
                UpdateExpression="ADD Images :one",
                ConditionExpression="attribute_not_exists(Images) OR Images < :limit",
                ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": str(self._limit)}},
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            self._reached = (day, now + PAUSE_SECONDS)
            raise OverDailyLimit(self._limit, day) from error
        return day

    def give_back(self, day: str) -> None:
        """Subtract an image from the count of its day, because Rekognition did not answer. Raises nothing."""
        try:
            self._make_once_client().update_item(
                TableName=self._table,
                Key=_key(day),
                UpdateExpression="ADD Images :minus_one",
                ConditionExpression="Images > :zero",  # a deleted row does not become a credit
                ExpressionAttributeValues={":minus_one": {"N": "-1"}, ":zero": {"N": "0"}},
            )
            self._reached = ("", 0.0)
        except (ClientError, BotoCoreError) as error:
            failure = failure_of(error)
            fields = {
                "cause": failure.cause,
                "consequence": f"{day} (UTC) has room for one image less",
                "next_step": NOTHING if isinstance(failure, TryAgain) else failure.next_step,
            }
            logs.write(logger, logging.WARNING, "image not given back to the daily limit", fields)

    def renew(self, day: str) -> str:
        """Exchange an image of an earlier day for one of today; the day that it counts on.

        Raises what `take` raises; the image is given back in any case.
        """
        while day != self._day():
            self.give_back(day)
            day = self.take()
        return day

    def left(self) -> float:
        """How many images the day has left; 0 if its count is not a number. Raises botocore's errors."""
        answer = self._client.get_item(
            TableName=self._table, Key=_key(self._day()), ConsistentRead=True, ProjectionExpression="Images"
        )
        images = number(answer.get("Item", {}).get("Images", {"N": "0"}))
        return 0 if images is None else math.floor(self._limit - images)

    def _day(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).date().isoformat()


def _key(day: str) -> dict[str, AttributeValueTypeDef]:
    return {"Term": {"S": USAGE}, "Rank": {"S": day}}
