"""What Rekognition refuses for a while is labelled in the end; what it never answers is in the dead-letter queue.

Last in the alphabet and so in the run: the photos were uploaded at its start (conftest.py), and five tries take five
times the queue's visibility time-out.
"""

from __future__ import annotations

from stack import NEVER, THROTTLED, Stack, wait_for

# Five tries, 30 s apart (six times the function's 5 s), on a busy machine.
SECONDS = 300


def test_throttled_photos_are_all_labelled_in_the_end(stack: Stack) -> None:
    for key in THROTTLED:
        item = wait_for(f"item of {key}", lambda: stack.item(key), SECONDS)  # noqa: B023 - called here and now
        assert "Dog" in item["Labels"]
    waited = [line for key in THROTTLED for line in stack.log(key, "photo failed")]
    assert waited
    assert {line["throttled"] for line in waited} == {1}


def test_photo_that_rekognition_never_answers_for_is_a_dead_letter(stack: Stack) -> None:
    url = stack.outputs["dead_letter_queue_url"]
    wait_for("a dead letter", lambda: stack.in_queue(url) > 0, SECONDS)
    keys = [message["Records"][0]["s3"]["object"]["key"] for message in stack.dead_letters()]
    assert keys == [NEVER]  # and nothing else: no rejected photo, nothing throttled
    lines = stack.log(NEVER, "photo failed")
    assert [line["attempt"] for line in lines] == [1, 2, 3, 4, 5]
    assert {line["bucket"] for line in lines} == {stack.bucket}
    assert all("InternalServerError" in line["cause"] and "dead-letter queue" in line["next_step"] for line in lines)
    assert stack.item(NEVER) is None


def test_queue_is_empty_at_the_end(stack: Stack) -> None:
    wait_for("an empty queue", lambda: stack.in_queue(stack.outputs["queue_url"]) == 0, SECONDS)
