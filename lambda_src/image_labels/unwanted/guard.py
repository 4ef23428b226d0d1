"""Decides about a photo by the rules, and acts on the decision once it is stored.

A decision is stored with the photo's item before anything is done (Unwanted.done is false), and afterwards again. After
a crash in between, the redelivered message finds the stored decision, and acts again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from image_labels import logs
from image_labels.detectors.moderation import Moderation
from image_labels.model import iso_time
from image_labels.unwanted.actions import Actions, Done, Target
from image_labels.unwanted.decision import Action

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from image_labels.model import Labels, Photo
    from image_labels.tables.items import Item
    from image_labels.unwanted.decision import Unwanted
    from image_labels.unwanted.rules import Rules

logger = logging.getLogger(__name__)


class Guard:
    """The rules and their actions. Safe to use from several threads.

    `read` gives the rules, when they are needed first; it raises Failure and botocore's errors, and so do all methods.
    `now` gives seconds since the epoch.
    """

    def __init__(self, client: S3Client, read: Callable[[], Rules], *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._read = read
        self._now = now
        self._known: Rules | None = None

    @property
    def rules(self) -> Rules:
        if self._known is None:
            self._known = self._read()
        return self._known

    def decide(self, photo: Photo, content: Labels, before: Unwanted | None) -> Unwanted | None:
        """What is to be done with the photo, or was done; None for nothing.

        `before` is the decision that is stored for this photo. What was done stays recorded, also if the photo is not
        unwanted any more, and is not done again.
        """
        done = before if before is not None and before.done and not before.dry_run else None
        own = [label for label in (*content.labels, *content.others) if not label.changed]
        found = next((each for each in content.findings if isinstance(each, Moderation)), None)
        moderation = () if found is None else found.labels + found.others
        if not (matches := self.rules.matches(own, moderation)):
            return done
        decision = self.rules.decision(photo, matches, iso_time(self._now()))
        return done if done is not None and done.action is decision.action and not decision.dry_run else decision

    def recorded(self, photo: Photo, decision: Unwanted | None, before: Unwanted | None) -> None:
        """Log the dry run that was stored, unless it was stored before."""
        if decision is not None and decision.dry_run and (before is None or before.matches != decision.matches):
            self._log(Target(photo.bucket, photo.key, photo.etag, photo.version_id), decision)

    def act(self, item: Item, abandoned: Callable[[], bool]) -> Unwanted | None:
        """Do what is stored in the item as pending; None if there is nothing left to do it with."""
        decision = item.unwanted
        assert decision is not None  # noqa: S101 - the caller has checked it
        target = Target(item.bucket, item.key, item.etag, item.version_id)
        actions = Actions(self._client, self.rules.tag)
        match decision.action:
            case Action.TAG:
                done = actions.tag(target, abandoned)
            case Action.QUARANTINE:
                done = actions.quarantine(target, decision.to, abandoned)
            case Action.DELETE:
                done = actions.delete(target, abandoned)
        gone = done is Done.GONE and decision.action is Action.DELETE
        if done is not Done.YES and not gone:
            return None
        decision = replace(decision, done=True, at=iso_time(self._now()), gone=gone)
        self._log(target, decision)
        return decision

    def withdraw(self, item: Item, photo: Photo, decision: Unwanted | None) -> None:
        """Take off a tag that an unfinished action may have set, before the item is replaced by one of `photo`.

        It is the photo of the item, which is not unwanted under changed rules, or, in a bucket without versions, one
        that has replaced it and may have the tag by mistake, because S3 has no condition for tags. `decision` is the
        new one.
        """
        pending = item.unwanted
        if pending is None or pending.done or not pending.action is self.rules.action is Action.TAG:
            return
        if decision is not None and decision.action is Action.TAG:
            return
        if photo.version_id not in (None, item.version_id):
            return
        Actions(self._client, self.rules.tag).untag(Target(photo.bucket, photo.key, photo.etag, photo.version_id))

    def _log(self, target: Target, decision: Unwanted) -> None:
        """The line that the alarm counts. After a crash, there may be two for one photo."""
        fields: dict[str, logs.Field] = {
            "bucket": target.bucket,
            "key": target.key,
            "version": target.version_id or target.etag,
            "action": decision.action.value,
            "matches": ", ".join(f"{match.name} {match.confidence:.1f}" for match in decision.matches[:10]),
            "dry_run": decision.dry_run,
            "acted": int(not decision.dry_run),
        }
        if decision.to:
            fields["to"] = decision.to
        # A level that log_level seldom leaves out.
        logs.write(logger, logging.INFO if decision.dry_run else logging.WARNING, "photo unwanted", fields)
