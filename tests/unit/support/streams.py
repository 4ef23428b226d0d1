"""Records of the stream of the images table, as Lambda passes them to a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from support.fakes import TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import StreamViewTypeType


def enable_stream(dynamodb: DynamoDBClient, view: StreamViewTypeType = "NEW_AND_OLD_IMAGES") -> None:
    dynamodb.update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": view})


def stream_records(dynamodb: DynamoDBClient) -> list[dict[str, Any]]:
    """All records so far, in their order.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html has the form. DynamoDB rounds the time to seconds.
    """
    arn = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    client = boto3.client("dynamodbstreams")
    (shard,) = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records: list[Any] = client.get_records(ShardIterator=iterator)["Records"]
    for record in records:
        change = record["dynamodb"]
        change["ApproximateCreationDateTime"] = float(int(change["ApproximateCreationDateTime"].timestamp()))
        record["eventSourceARN"] = arn
    return records
