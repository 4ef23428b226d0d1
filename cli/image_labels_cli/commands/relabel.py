"""`image-labels relabel`: labels photos again that have labels already."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from image_labels.model import is_iso_time, iso_time
from image_labels.search.expression import parse_words
from image_labels.search.finder import MAX_PAGE, Finder, Page, Resolved
from image_labels.search.printable import visible

from image_labels_cli import cost, output
from image_labels_cli.expressions import did_you_mean
from image_labels_cli.feeding.conclusion import send
from image_labels_cli.feeding.follower import Rule
from image_labels_cli.feeding.inputs import OFFLINE_FACTOR, daily_limit_of, pace_of
from image_labels_cli.feeding.preview import Preview
from image_labels_cli.feeding.selection import Selection
from image_labels_cli.feeding.session import Session, check_question
from image_labels_cli.inventory.inputs import target_of
from image_labels_cli.inventory.items import MAX_KEYS
from image_labels_cli.inventory.table import Table
from image_labels_cli.invocation import NothingFoundError, UsageError
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import bar

if TYPE_CHECKING:
    from image_labels_cli.inventory.items import KnownItem
    from image_labels_cli.inventory.target import Target

_NEEDED = (
    *("bucket", "images_table", "labels_table", "queue_url", "dead_letter_queue_url"),
    *("min_confidence", "max_labels"),
)
# Why a photo is labelled again. The values are names in the output.
MATCHES, REJECTED, SETTINGS, MODEL, UNDATED = "matches", "rejected", "other_settings", "older_model", "undated"
# Participles, which suit one photo and several.
_MEANINGS = {
    MATCHES: "matching the expression",
    REJECTED: "rejected by Rekognition",
    SETTINGS: "labelled under other settings",
    MODEL: "labelled by an older model of Rekognition",
    UNDATED: "stored by an earlier version of the module",
}


def relabel(
    ctx: typer.Context,
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="Photos that match, as in find.", show_default=False)
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="Photos labelled under other settings or by an older model.")
    ] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="Photos that Rekognition rejected.")] = False,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Photos under other settings whose stored answer suffices: no call."),
    ] = False,
    prefix: Annotated[str, typer.Option(help="Only photos whose keys start with this.", show_default=False)] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without a question.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count, and show cost and time.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of photos to send.", show_default=False)
    ] = None,
    labelled_before: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Leave out photos labelled since this time, to continue.", show_default=False
        ),
    ] = "",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Label photos again that have labels already.

    \b
      image-labels relabel 'weapon AND toy'  ask Rekognition again
      image-labels relabel --rejected        for example after a fix
      image-labels relabel --stale           after a change of settings
      image-labels relabel --offline         the same, without a call
      image-labels relabel --stale --dry-run

    The command sends the photos to the function as a backfill does, and
    follows them until they are done. Changed settings are applied to
    Rekognition's stored answer if it has all labels that are wanted, at
    no cost. A new answer is only requested for the other photos.

    Ctrl-C stops it, and tells the command that continues. In a pipe, the
    first cell names the line.

    Exit codes: 0 all is done, 1 no photo matches, or some photos failed
    or are not done.
    """
    _check(expression, stale=stale, rejected=rejected, offline=offline, labelled_before=labelled_before)
    if expression is not None:
        parse_words(expression).refuse_not_alone()
    check_question(answered=yes or dry_run, as_json=as_json)
    deployment, aws = ctx.obj.connect(*_NEEDED)
    pace, daily_limit = pace_of(deployment), daily_limit_of(deployment)
    flags = {"--stale": stale, "--rejected": rejected, "--offline": offline}
    target = target_of(deployment, aws.dynamodb)
    session = Session(deployment, aws, pace)
    with (
        Selection(limit) as selection,
        Table(aws.dynamodb, deployment.images_table, call=session.patience, sleep=session.time.sleep) as table,
    ):
        choice = _Choice(session, table, selection, target, prefix, labelled_before)
        words = [name for name, given in flags.items() if given] + (["--prefix", prefix] if prefix else [])
        if expression is not None:
            words.insert(0, choice.matching(expression))
        else:
            choice.of_items(stale=stale, rejected=rejected)
        if not selection.sent_to_rekognition:
            session.pace *= OFFLINE_FACTOR
        preview = Preview.of(selection, session.pace, daily_limit)
        answer = {
            "settings": target.settings,
            "labelled_before": choice.before,
            "reasons": {reason: selection.reasons[reason] for reason in _MEANINGS},
            "need_rekognition": choice.left_out,
            "chosen": preview.as_json(),
            "read_units": choice.read_units,
            "requests": choice.requests,
            "suggestions": choice.suggestions,
            "result": None,
        }
        if not as_json:
            _write_preview(selection.reasons, choice, preview)
        output.note(cost.of_reads(choice.read_units, choice.requests))
        if expression is not None and not choice.found:
            if as_json:
                output.write_json(answer)
            suggestions = choice.suggestions
            raise NothingFoundError(
                "\n".join(["no photo matches", *map(did_you_mean, suggestions, suggestions.values())])
            )
        send(
            session,
            selection,
            Rule(deployment.bucket, target.settings),
            table,
            answer=answer,
            as_json=as_json,
            dry_run=dry_run,
            yes=yes,
            again=ctx.obj.command("relabel", *words, *([] if offline else ["--labelled-before", choice.before])),
            redrive=ctx.obj.command("redrive"),
        )


def _check(expression: str | None, *, stale: bool, rejected: bool, offline: bool, labelled_before: str) -> None:
    given = (expression is not None) + stale + rejected + offline
    if given != 1:
        raise UsageError("give either an expression, --stale, --rejected or --offline")
    if labelled_before and not is_iso_time(labelled_before):
        raise UsageError(
            f"--labelled-before must be a time as the command prints it, such as {iso_time(0)}: "
            f"{visible(labelled_before)}"
        )


@dataclass
class _Choice:
    """Offers photos to the selection. `before` is the time before which labels are old.

    `found` counts photos that match. If there are none, `suggestions` has similar terms for each unknown one.
    `left_out` counts photos whose stored answer does not suffice, `read_units` and `requests` are the cost.
    """

    session: Session
    table: Table
    selection: Selection
    target: Target
    prefix: str
    before: str
    found: int = 0
    suggestions: dict[str, list[str]] = field(default_factory=dict)
    left_out: int = 0
    read_units: float = 0.0
    requests: int = 0

    def matching(self, expression: str) -> str:
        """The photos that match the expression, which is returned as it was resolved. Raises as Finder.find does."""
        deployment = self.session.deployment
        finder = Finder(
            self.session.aws.dynamodb, labels_table=deployment.labels_table, images_table=deployment.images_table
        )
        token: str | None = None
        with bar("photos found") as shown:
            self.session.patience.tell = shown.say
            resolved: Resolved = self.session.patience(partial(finder.resolve, expression))
            expression = resolved.expression
            self.read_units += resolved.read_units
            self.requests += resolved.requests
            while True:
                page: Page = self.session.patience(
                    partial(finder.find, expression, key_prefix=self.prefix, limit=MAX_PAGE, token=token)
                )
                self.read_units += page.read_units
                self.requests += page.requests
                self.found += len(page.photos)
                keys = list(dict.fromkeys(photo.key for photo in page.photos))
                for start in range(0, len(keys), MAX_KEYS):
                    self._offer_matching(keys[start : start + MAX_KEYS])
                shown.set(self.selection.offered)
                token = page.next_token
                if token is None:
                    break
        if not self.found:
            self.suggestions = self.session.patience(partial(finder.suggestions, expression))
        output.note_each(resolved.notes)
        self._count()
        return expression

    def _offer_matching(self, keys: list[str]) -> None:
        found = self.session.patience(lambda: self.table.items.get(keys))
        self._begin(self.table.items.first_answer)
        for key in keys:
            item = found.get(key)
            if item is not None and self._is_old(item):
                self.selection.offer_item(item, self.target, MATCHES, self.before)

    def of_items(self, *, stale: bool, rejected: bool) -> None:
        """The rejected photos, the stale ones, or those that other settings can be applied to without a call.

        The latter two include the items that an earlier version of the module wrote. The function writes them again
        without a call, if they have the whole answer.
        """
        with bar("items read") as shown:
            self.session.patience.tell = shown.say
            self._begin(self.table.read(lambda key: key.startswith(self.prefix), shown.set))
        newest = (
            max((_version(item.model_version) for item in self.table if not item.foreign), default=()) if stale else ()
        )
        for item in self.table:
            if item.foreign or not item.complete or item.removed:
                continue  # a backfill sends them, except those that were removed
            other_settings = item.settings != self.target.settings
            if rejected:
                if item.status == "REJECTED" and self._is_old(item):
                    self.selection.offer_item(item, self.target, REJECTED, self.before)
            elif stale and item.status == "LABELLED" and () < _version(item.model_version) < newest:
                if self._is_old(item):
                    self.selection.offer_item(item, self.target, MODEL, self.before)
            elif other_settings and (stale or not self.target.calls(item)):
                self.selection.offer_item(item, self.target, SETTINGS)
            elif other_settings:
                self.left_out += 1
            elif not item.dated and not self.target.calls(item):
                self.selection.offer_item(item, self.target, UNDATED)
        self._count()

    def _begin(self, now: datetime | None) -> None:
        if now is not None:
            self.table.ahead = self.table.ahead or (now - datetime.now(UTC)).total_seconds()
            self.before = self.before or iso_time(now.timestamp())

    def _is_old(self, item: KnownItem) -> bool:
        return item.labelled_at < self.before

    def _count(self) -> None:
        self.read_units += self.table.items.read_units
        self.requests += self.table.items.requests


def _version(text: str) -> tuple[int, ...]:
    """A version of Rekognition's model, such as 3.0, as numbers. Empty for other texts."""
    found = re.match(r"\d+(\.\d+)*", text, re.ASCII)
    return tuple(map(int, found[0].split("."))) if found else ()


def _write_preview(reasons: Counter[str], choice: _Choice, preview: Preview) -> None:
    if not output.is_terminal():
        output.write_lines([reason, str(reasons[reason])] for reason in _MEANINGS)
        output.write_lines([["need_rekognition", str(choice.left_out)], ["labelled_before", choice.before]])
        output.write_lines(
            ["chosen", name, str(value)] for name, value in preview.as_json().items() if value is not None
        )
        return
    for reason, meaning in _MEANINGS.items():
        if reasons[reason]:
            output.write_text(f"{reasons[reason]:>13,}  {meaning}")
    if choice.left_out:
        output.write_text(f"{choice.left_out:>13,}  left out: the stored answer does not suffice; use relabel --stale")
    if not preview.photos:
        output.write_text("Nothing to do.")
        return
    for line in preview.lines():
        output.write_text(line)
