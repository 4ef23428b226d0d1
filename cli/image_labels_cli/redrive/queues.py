"""A pass over the dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from image_labels.aws_errors import code_of

from image_labels_cli.dead_letters import ATTRIBUTES
from image_labels_cli.queue_depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# The most messages that one request receives, sends, deletes or makes visible.
BATCH = 10
# For how long a received message is hidden, if nothing makes it visible before. A pass over 120,000 messages, the most
# that SQS hides at a time, takes about ten minutes.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
HIDDEN_SECONDS = 1800
# Long polling: with 0 s, SQS asks only some of its servers. It may still miss messages that its count includes.
WAIT_SECONDS = 1
EMPTY_ANSWERS = 3
DELETE_TRIES = 3


class Pass:
    """One pass over the dead-letter queue: receives each message once. `release` makes all it hides visible again.

    The receipt handles of hidden messages are in a file, so that the memory does not grow with the queue.
    """

    def __init__(self, client: SQSClient, url: str) -> None:
        self.not_released = 0
        self.release_error: ClientError | BotoCoreError | None = None
        self._client = client
        self._url = url
        self._at_hand: list[str] = []
        self._hidden: SpooledTemporaryFile[str] = SpooledTemporaryFile(  # noqa: SIM115 - release closes it
            max_size=1_000_000, mode="w+"
        )

    def receive(self, most: int) -> Sequence[MessageTypeDef]:
        """Up to `most` messages, at most 10; none at the end of the queue."""
        self._hidden.writelines(f"{handle}\n" for handle in self._at_hand)
        self._at_hand = []
        for _ in range(EMPTY_ANSWERS):
            if messages := self._receive(min(most, BATCH)):
                self._at_hand = [message["ReceiptHandle"] for message in messages]
                return messages
            if not depth(self._client, self._url).waiting:
                break
        return []

    def delete(self, messages: Sequence[MessageTypeDef]) -> int:
        """Delete messages of the last `receive`. Returns how many SQS did not delete: `release` makes them visible."""
        left = [message["ReceiptHandle"] for message in messages]
        for _ in range(DELETE_TRIES):
            if not left:
                break
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=_entries(left))
            deleted = {left[int(each["Id"])] for each in answer.get("Successful", ())}
            self._at_hand = [handle for handle in self._at_hand if handle not in deleted]
            left = [handle for handle in left if handle not in deleted]
        return len(left)

    def release(self, released: Callable[[int], None] = lambda _: None) -> None:
        """Make all messages visible that were received and not deleted. If SQS refuses, HIDDEN_SECONDS do it.

        Raises nothing, because it runs after errors, too: see `not_released` and `release_error`.
        """
        self._hidden.writelines(f"{handle}\n" for handle in self._at_hand)
        self._at_hand = []
        self._hidden.seek(0)
        with self._hidden:
            while handles := [handle for line in self._next_lines() if (handle := line.rstrip("\n"))]:
                self.not_released += self._release(handles)
                released(len(handles))

    def _receive(self, most: int) -> Sequence[MessageTypeDef]:
        try:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                MessageAttributeNames=ATTRIBUTES,
                AttributeNames=["SentTimestamp"],
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
            )
        except ClientError as error:
            if code_of(error).endswith("OverLimit"):  # 120,000 messages are hidden
                return []
            raise
        return answer.get("Messages", [])

    def _next_lines(self) -> list[str]:
        return [line for _ in range(BATCH) if (line := self._hidden.readline())]

    def _release(self, handles: list[str]) -> int:
        """Returns how many SQS refused. One that is visible already, because its time is over, counts as well."""
        if self.release_error:
            return len(handles)
        entries: Any = [entry | {"VisibilityTimeout": 0} for entry in _entries(handles)]
        try:
            answer = self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            self.release_error = error
            return len(handles)
        return len(answer.get("Failed", ()))


def _entries(handles: Sequence[str]) -> list[Any]:
    return [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(handles)]
