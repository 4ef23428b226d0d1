"""What can complete an argument: labels, keys, named deployments and directories.

Labels cost about one read unit, keys one LIST request of S3. Both need credentials.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from image_labels.search.expression import ExpressionError, parse, parse_words
from image_labels.tables.rows import VOCABULARY
from image_labels.tables.terms import fold

from image_labels_cli import named
from image_labels_cli.inventory.keys import KeyFilter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from image_labels_cli.deployment import Deployment

MAX_LABELS = 100
MAX_KEYS = 200
MAX_LISTS = 4
_OPERATORS = ("AND", "OR")
_WORDS = ("AND", "OR", "NOT")
# The words at the end that may be one label.
_SIDE_BY_SIDE = re.compile(r"""(?<![^\s()])(?:(?!(?:AND|OR|NOT)\s)[^\s()"'<>=*]+\s+)*[^\s()"'<>=*]+$""", re.IGNORECASE)


def labels(client: DynamoDBClient, table: str, prefix: str) -> list[str]:
    """The terms of the vocabulary that start with the prefix, which keeps its case: at most MAX_LABELS."""
    begin = fold(prefix)
    names = {"#term": "Term", "#rank": "Rank"}
    values = {":vocabulary": {"S": VOCABULARY}} | ({":begin": {"S": begin}} if begin else {})
    answer = client.query(
        TableName=table,
        KeyConditionExpression="#term = :vocabulary" + (" AND begins_with(#rank, :begin)" if begin else ""),
        ProjectionExpression="#rank",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
        Limit=MAX_LABELS,
    )
    texts = [row["Rank"]["S"] for row in answer["Items"]]
    return [prefix + text[len(begin) :] if len(begin) == len(prefix) else text for text in texts]


def expressions(client: DynamoDBClient, table: str, text: str) -> list[str]:
    """The expression with its last label completed, or with an operator after its last label."""
    if text.count('"') % 2:
        head, _, partial = text.rpartition('"')
        return [f'{head}"{label}"' for label in labels(client, table, partial) if '"' not in label]
    partial = text[max(map(text.rfind, " ()\t")) + 1 :]
    head = text[: len(text) - len(partial)]
    before = head.split()
    if before and before[-1] not in _WORDS and not head.endswith("("):
        operators = [head + operator for operator in _OPERATORS if operator.startswith(partial.upper())]
        return [*operators, *_beside(client, table, text, head, partial)] if partial else operators
    if set(partial) & set('<>=*"'):
        return []
    found = [head + _as_operand(label) for label in labels(client, table, partial) if '"' not in label]
    return [*found, f"{head}NOT"] if partial and "NOT".startswith(partial) else found


def _beside(client: DynamoDBClient, table: str, text: str, head: str, partial: str) -> Iterator[str]:
    """The expression with a label after another one: that of the words side by side, and another one."""
    if set(partial) & set('<>=*"'):
        return
    run = _SIDE_BY_SIDE.search(text)
    for words in _ends(run[0]) if run else ():
        if found := [label for label in labels(client, table, words) if _is_words(label)]:
            yield from (text.removesuffix(words) + label for label in found)
            break
    yield from (head + _as_operand(label) for label in labels(client, table, partial) if '"' not in label)


def _ends(words: str) -> Iterator[str]:
    """The last three words, and the last two: each costs a request."""
    starts = [match.start() for match in re.finditer(r"\S+", words)]
    return (words[start:] for start in starts[-3:-1])


def _is_words(label: str) -> bool:
    """Whether the label needs no quotes when it is typed as words side by side."""
    try:
        return all(mention.joined for mention in parse_words(label).mentions[1:])
    except ExpressionError:
        return False


def _as_operand(label: str) -> str:
    """The label in quotes, unless it is an operand without them."""
    try:
        texts = [atom.text for atom in parse(label).positive() if not (atom.pattern or atom.bounded)]
    except ExpressionError:
        texts = []
    return label if texts == [fold(label)] else f'"{label}"'


def keys(client: S3Client, deployment: Deployment, text: str) -> list[str]:
    """Keys of photos that start with the text, and directories, which end with a slash.

    The text may start with s3://bucket/. A single directory is replaced by what is in it.
    """
    root = f"s3://{deployment.bucket}/"
    head = root if text.startswith(root) else ""
    if text.startswith("s3:") and not head:
        return [root] if root.startswith(text) else []
    prefix, found = text.removeprefix(head), list[str]()
    wanted = KeyFilter.of(deployment.filter_prefix, deployment.filter_suffixes or "*")
    for _ in range(MAX_LISTS):
        listed = wanted.within(prefix)
        if listed is None:
            return []
        answer = client.list_objects_v2(Bucket=deployment.bucket, Prefix=listed, Delimiter="/", MaxKeys=MAX_KEYS)
        found = [each["Prefix"] for each in answer.get("CommonPrefixes", [])]
        found += [each["Key"] for each in answer.get("Contents", []) if wanted.matches(each["Key"])]
        if len(found) != 1 or not found[0].endswith("/"):
            break
        prefix = found[0]
    return [head + key for key in found if key != prefix or not key.endswith("/")]


def names(text: str) -> list[str]:
    """The named deployments."""
    return sorted(name for name in named.deployments() if name.startswith(text))


def files(text: str) -> Iterator[str]:
    """The files that start with the text, and the directories, which end with a slash."""
    head, tail = os.path.split(text)
    directory = Path(head or ".").expanduser()
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name.startswith(tail) and (tail or not path.name.startswith(".")):
            yield os.path.join(head, path.name) + ("/" if path.is_dir() else "")  # noqa: PTH118 - as the user typed


def directories(text: str) -> Iterator[str]:
    """The directories that start with the text, with a slash at the end."""
    head, tail = os.path.split(text)
    for path in sorted(Path(head or ".").expanduser().iterdir()):
        if path.name.startswith(tail) and (tail or not path.name.startswith(".")) and path.is_dir():
            yield f"{os.path.join(head, path.name)}/"  # noqa: PTH118 - keeps what the user typed
