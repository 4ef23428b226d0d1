"""The function's clients of AWS."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from image_labels.clients import Clients, make_clients


def test_deferred_client_is_made_once_for_all_threads(aws: None) -> None:
    clients: Clients = make_clients(concurrency=1)
    start = threading.Barrier(8, timeout=30)

    def both(_n: int) -> tuple[int, int]:
        start.wait()
        return id(clients.sqs()), id(clients.dynamodb_once())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(both, range(8)))) == 1
    assert clients.sqs().list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_client_that_subtracts_from_the_count_does_not_retry(clients: Clients) -> None:
    """A subtraction that botocore sends again, since its answer was lost, would let the day have an image too many."""
    once = clients.dynamodb_once()
    assert once is clients.dynamodb_once()
    assert once.meta.config.retries["total_max_attempts"] == 1  # type: ignore[attr-defined]
    assert clients.dynamodb.meta.config.retries["total_max_attempts"] > 1  # type: ignore[attr-defined]
