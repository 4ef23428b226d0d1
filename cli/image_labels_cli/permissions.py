"""What each command may have to ask AWS for. This list is the one that `reader_policy_json` is compared with.

`python -m image_labels_cli.permissions` prints it as JSON.
"""

from __future__ import annotations

import json
from enum import StrEnum


class On(StrEnum):
    """What an action is allowed on."""

    IMAGES_TABLE = "images_table"
    LABELS_TABLE = "labels_table"
    QUEUE = "queue"
    DEAD_LETTER_QUEUE = "dead_letter_queue"
    WAITING_QUEUE = "waiting_queue"  # of photos over the daily limit
    PHOTOS = "photos"  # the objects of the bucket, under filter_prefix
    KEY = "kms_key"


COMMANDS: dict[str, dict[str, tuple[On, ...]]] = {
    "show": {"dynamodb:GetItem": (On.IMAGES_TABLE,)},
    # In batches: which terms there are at all, and photos with more terms than a row takes.
    "find": {
        "dynamodb:Query": (On.LABELS_TABLE,),
        "dynamodb:BatchGetItem": (On.LABELS_TABLE, On.IMAGES_TABLE),
        "dynamodb:Scan": (On.IMAGES_TABLE,),
    },
    "labels": {"dynamodb:Query": (On.LABELS_TABLE,)},
    "status": {
        "sqs:GetQueueAttributes": (On.QUEUE, On.DEAD_LETTER_QUEUE, On.WAITING_QUEUE),
        "sqs:ReceiveMessage": (On.DEAD_LETTER_QUEUE,),
        "dynamodb:Scan": (On.IMAGES_TABLE,),
    },
    "browse": {
        "dynamodb:Query": (On.LABELS_TABLE,),
        "dynamodb:BatchGetItem": (On.LABELS_TABLE, On.IMAGES_TABLE),
        "dynamodb:Scan": (On.IMAGES_TABLE,),  # for the rejected photos
        # For the addresses that the page gives to the browser; and HeadObject, to say why one does not work.
        "s3:GetObject": (On.PHOTOS,),
    },
}
# With a key of the user's own (kms_key_arn): tables, queues and photos are decrypted for whoever reads them.
WITH_KEY: dict[str, tuple[On, ...]] = {"kms:Decrypt": (On.KEY,)}


def smallest_policy() -> dict[On, frozenset[str]]:
    """The actions for each resource with which every command works."""
    allowed: dict[On, frozenset[str]] = {}
    for actions in COMMANDS.values():
        for action, resources in actions.items():
            for resource in resources:
                allowed[resource] = allowed.get(resource, frozenset()) | {action}
    return allowed


def as_json() -> str:
    """The list by command, and what it comes to by resource."""
    return json.dumps(
        {
            "commands": COMMANDS,
            "policy": {resource: sorted(actions) for resource, actions in sorted(smallest_policy().items())},
            "policy_with_key": {resource: [action] for action, (resource,) in WITH_KEY.items()},
        },
        indent=2,
    )


if __name__ == "__main__":
    print(as_json())
