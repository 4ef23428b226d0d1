"""Looks for photos that the images table does not answer for: failed ones, and ones that have changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from image_labels_cli.dead_letters import parse
from image_labels_cli.feeding.follower import Outcome, Rule
from image_labels_cli.inventory.items import MAX_KEYS, Items
from image_labels_cli.patience import passes
from image_labels_cli.queue_depth import depth
from image_labels_cli.redrive.queues import BATCH, Pass

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.feeding.pending import Pending, Sent
    from image_labels_cli.inventory.bucket import Bucket
    from image_labels_cli.stop import Stop


class Inspection:
    """Reads the dead-letter queue, whose messages stay, and lists single photos. `call` makes the requests.

    `to_epoch` converts a reading of the clock to AWS's seconds since the epoch.
    """

    def __init__(
        self,
        client: SQSClient,
        dead_letter_queue_url: str,
        bucket: Bucket,
        pending: Pending,
        items: Items,
        rule: Rule,
        *,
        call: Callable[[Callable[[], Any]], Any],
        to_epoch: Callable[[float], float],
    ) -> None:
        self._client = client
        self._url = dead_letter_queue_url
        self._bucket = bucket
        self._pending = pending
        self._items = items
        self._rule = rule
        self._call = call
        self._to_epoch = to_epoch

    def dead_letters(self) -> int:
        """The number of messages in the dead-letter queue."""
        found: int = self._call(lambda: depth(self._client, self._url)).total
        return found

    def failed(self, stop: Stop) -> Generator[Sent]:
        """The pending photos that are in the dead-letter queue, and were sent there after this command sent them.

        A photo may occur twice. If SQS throttles, a message may stay hidden for as long as redrive.queues says.
        """
        letters = Pass(self._client, self._url)
        try:
            while not stop.requested and (messages := self._call(lambda: letters.receive(BATCH))):
                for message in messages:
                    photo = parse(message).photo or ""
                    key = photo.removeprefix(f"s3://{self._bucket.name}/")
                    dead_at = int(message["Attributes"]["SentTimestamp"]) / 1000
                    if key != photo:
                        yield from (sent for sent in self._pending.find(key) if dead_at >= self._to_epoch(sent.at))
        finally:
            letters.release()
        if letters.release_error and not passes(letters.release_error):
            raise letters.release_error

    def changed(self, before: float, most: int, stop: Stop) -> Iterator[tuple[Sent, Outcome]]:
        """The photos whose objects have changed so that the function had nothing to write, with their outcomes.

        Of the `most` oldest ones sent before `before`. A photo without an item was deleted, or one was replaced by what
        its item is of.
        """
        last = looked = 0
        while looked < most and (page := self._pending.older(before, last, min(MAX_KEYS, most - looked))):
            items = self._call(partial(self._items.get, list({sent.photo.key for sent in page})))
            for sent in page:
                if stop.requested:
                    return
                item, found = items.get(sent.photo.key), self._bucket.find(sent.photo.key)
                if item is None and found is None:
                    yield sent, Outcome.REMOVED
                elif item is not None and found is not None:
                    outcome = self._rule.outcome(replace(sent.photo, etag=found.etag), item)
                    if outcome is not None:
                        yield sent, outcome
            last = page[-1].number
            looked += len(page)
