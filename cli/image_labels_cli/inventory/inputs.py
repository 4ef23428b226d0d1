"""What the commands that compare bucket and tables take: arguments, options, and values of the deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer
from image_labels.policy import PolicyCriteria, read_policy
from image_labels.search.printable import visible
from image_labels.settings import SettingsError, detectors_by, fingerprint_of, wanted_by
from image_labels.unwanted.rules import RulesCriteria, read_rules

from image_labels_cli.inventory.keys import KeyFilter
from image_labels_cli.inventory.target import Target
from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from image_labels.selection import Wanted
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels_cli.deployment import Deployment
    from image_labels_cli.inventory.bucket import Object

# S3 sends events within seconds, or sometimes a minute or longer. A first retry adds the delay and the function's time.
DEFAULT_GRACE_SECONDS = 300
MAX_GRACE_SECONDS = 14 * 24 * 3600  # SQS deletes events after that

PREFIX_ARGUMENT = typer.Argument(metavar="PREFIX", help="Only photos whose keys start with this.", show_default=False)
GRACE_OPTION = typer.Option(
    min=0, max=MAX_GRACE_SECONDS, metavar="SECONDS", help="Age up to which an unlabelled photo is in progress."
)
# The values of the deployment that a comparison needs.
NEEDED = (
    *("bucket", "images_table", "queue_url", "dead_letter_queue_url"),
    *("filter_suffixes", "min_confidence", "max_labels"),
)


def inputs(deployment: Deployment, prefix: str) -> tuple[KeyFilter, str, str]:
    """The module's filter, the fingerprint of its settings, and the prefix to list for a given one.

    Raises UsageError.
    """
    settings = settings_of(deployment)
    keys = KeyFilter.of(deployment.filter_prefix, deployment.filter_suffixes)
    listed = keys.within(prefix)
    if listed is None:
        raise UsageError(f"the module labels keys that start with {visible(keys.prefix)}: {visible(prefix)} does not")
    return keys, settings, listed


def settings_of(deployment: Deployment) -> str:
    """The fingerprint of the module's settings. Raises UsageError."""
    try:
        return fingerprint_of(_environment(deployment))
    except SettingsError as error:
        raise UsageError(
            "--min-confidence, --max-labels, --text-min-confidence and --moderation-min-confidence must be those of "
            f"the module: {error}"
        ) from None


def target_of(deployment: Deployment, client: DynamoDBClient) -> Target:
    """What the function wants, with its rules. Raises UsageError, and what `read_policy` and `read_rules` raise."""
    settings_of(deployment)
    environment = _environment(deployment)
    criteria = wanted_by(environment)
    policy_id, unwanted_id, table = deployment.label_policy_id, deployment.unwanted_id, deployment.labels_table
    if (policy_id or unwanted_id) and not table:
        option, what = ("--label-policy-id", "label policy") if policy_id else ("--unwanted-id", "rules")
        raise UsageError(f"{option} needs --labels-table, which has the {what}")
    wanted: Wanted = criteria
    if policy_id:
        policy = read_policy(client, table, policy_id)
        wanted = PolicyCriteria(criteria, policy_id, lambda: policy)
    if unwanted_id:
        rules = read_rules(client, table, unwanted_id)
        wanted = RulesCriteria(wanted, unwanted_id, lambda: rules)
    return Target(wanted, detectors_by(environment))


def calls_per_photo(deployment: Deployment) -> int:
    """The calls of Rekognition for a new photo. Raises UsageError."""
    try:
        return 1 + len(detectors_by(_environment(deployment)))
    except SettingsError as error:
        raise UsageError(
            f"--text-min-confidence and --moderation-min-confidence must be those of the module: {error}"
        ) from None


def _environment(deployment: Deployment) -> dict[str, str]:
    return {
        "MIN_CONFIDENCE": deployment.min_confidence,
        "MAX_LABELS": deployment.max_labels,
        "LABEL_POLICY_ID": deployment.label_policy_id,
        "UNWANTED_ID": deployment.unwanted_id,
        "MODERATION_MIN_CONFIDENCE": deployment.moderation_min_confidence,
        "TEXT_MIN_CONFIDENCE": deployment.text_min_confidence,
        "FACES_SETTINGS": deployment.faces_settings,
    }


def counted(objects: Iterable[Object], progress: Callable[[int], None]) -> Iterator[Object]:
    """The objects. `progress` gets their number from time to time."""
    for number, found in enumerate(objects, 1):
        if number % 1000 == 0:
            progress(number)
        yield found
