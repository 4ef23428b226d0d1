"""`image-labels audit`: whether the tables agree with the bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from image_labels.detectors.faces import FacesAsked

from image_labels_cli import cost, output
from image_labels_cli.inventory.bucket import Bucket
from image_labels_cli.inventory.comparison import DIFFERENCES, MEANINGS, Compared, Expected, State
from image_labels_cli.inventory.faces import FaceAudit, FaceReport
from image_labels_cli.inventory.inputs import (
    DEFAULT_GRACE_SECONDS,
    GRACE_OPTION,
    NEEDED,
    PREFIX_ARGUMENT,
    counted,
    inputs,
)
from image_labels_cli.inventory.table import Table
from image_labels_cli.invocation import DifferencesError
from image_labels_cli.layout import key
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import bar
from image_labels_cli.queue_depth import Depth, depth

if TYPE_CHECKING:
    from image_labels_cli.aws import Aws
    from image_labels_cli.deployment import Deployment

DEFAULT_LIMIT = 10


@dataclass(frozen=True)
class Waiting:
    """The queues before the table is read. `over_limit` is None in a deployment without a waiting queue."""

    queue: Depth
    over_limit: Depth | None
    dead_letters: Depth

    @property
    def events(self) -> int:
        """The events that the function has yet to process."""
        return self.queue.total + (self.over_limit.total if self.over_limit else 0)


@dataclass
class Report:
    """The number of keys in each state, and up to `limit` keys of each state in which bucket and tables differ."""

    limit: int
    counts: Counter[State] = field(default_factory=Counter)
    model_versions: Counter[str] = field(default_factory=Counter)
    faces: FaceReport | None = None
    examples: dict[State, list[Compared]] = field(default_factory=lambda: {state: [] for state in DIFFERENCES})

    def add(self, compared: Compared) -> None:
        self.counts[compared.state] += 1
        if compared.state is State.LABELLED and compared.item:
            self.model_versions[compared.item.model_version] += 1
        if compared.state in self.examples and len(self.examples[compared.state]) < self.limit:
            self.examples[compared.state].append(compared)

    @property
    def face_differences(self) -> dict[str, int]:
        """The number of differences between the face collection and the items."""
        if self.faces is None:
            return {}
        counts = {
            "faces without a photo": self.faces.without_photo_count,
            "photos whose faces are gone": self.faces.lost_count,
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def differences(self) -> dict[State, int]:
        return {state: self.counts[state] for state in DIFFERENCES if self.counts[state]}


def audit(
    ctx: typer.Context,
    prefix: Annotated[str, PREFIX_ARGUMENT] = "",
    limit: Annotated[int, typer.Option(min=0, help="Maximum number of photos to list of each difference.")] = (
        DEFAULT_LIMIT
    ),
    grace: Annotated[int, GRACE_OPTION] = DEFAULT_GRACE_SECONDS,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Compare the bucket with the tables, and change nothing.

    \b
      image-labels audit
      image-labels audit images/2026/
      image-labels audit --json --limit 1000

    The command reads the whole table and lists the bucket. A photo is
    missing if it has no item, and stale if its item is of another
    object or of other settings. A ghost is an item without an object.
    With faces.index, and without PREFIX, the face collection is compared
    with the items, too. In a pipe, the first cell names the line.

    Exit codes: 0 bucket and tables agree, 1 they differ.
    """
    deployment, aws = ctx.obj.connect(*NEEDED)
    keys, settings, listed = inputs(deployment, prefix)
    waiting = _waiting(aws, deployment)
    bucket, report = Bucket(aws.s3, deployment.bucket), Report(limit)
    faces = None if prefix else _face_audit(aws, deployment)
    if faces is not None:
        faces.begin()
    with Table(aws.dynamodb, deployment.images_table) as table:
        with bar("items read") as shown:
            read_face = faces.add if faces is not None else lambda _item: None
            started = table.read(lambda key: _is_wanted(key, prefix, listed, report), shown.set, read_face)
        expected = Expected(keys, deployment.bucket, settings, started - timedelta(seconds=grace))
        with bar("objects compared") as shown:
            for compared in expected.compare(counted(bucket.objects(listed), shown.set), table):
                report.add(compared)
        if faces is not None:
            report.faces = faces.report(table, limit)
        items = table.items
        read_cost = {"read_units": items.read_units, "requests": items.requests, "list_requests": bucket.requests}
    if as_json:
        output.write_json(_as_json(deployment.bucket, listed, settings, waiting, report) | read_cost)
    elif output.is_terminal():
        _write_tables(waiting, report)
    else:
        output.write_lines(_lines(waiting, report))
    output.note(cost.of_audit(items.read_units, items.requests, bucket.requests))
    if report.differences or report.face_differences:
        raise DifferencesError(_conclusion(waiting, report, ctx.obj.command("status")))


def _waiting(aws: Aws, deployment: Deployment) -> Waiting:
    return Waiting(
        depth(aws.sqs, deployment.queue_url),
        depth(aws.sqs, deployment.waiting_queue_url) if deployment.waiting_queue_url else None,
        depth(aws.sqs, deployment.dead_letter_queue_url),
    )


def _is_wanted(key: str, prefix: str, listed: str, report: Report) -> bool:
    """Whether the item's object would be listed. Counts other items under the prefix: they are outside the filter."""
    if key.startswith(listed):
        return True
    if key.startswith(prefix):
        report.counts[State.OUTSIDE] += 1
    return False


def _as_json(bucket: str, prefix: str, settings: str, waiting: Waiting, report: Report) -> dict[str, Any]:
    return {
        "bucket": bucket,
        "prefix": prefix,
        "settings": settings,
        "agree": not report.differences and not report.face_differences,
        **{str(state): report.counts[state] for state in State},
        "photos": {
            str(state): [{"key": each.key} | ({"reason": each.reason} if each.reason else {}) for each in examples]
            for state, examples in report.examples.items()
        },
        "faces": asdict(report.faces) if report.faces else None,
        "model_versions": dict(sorted(report.model_versions.items())),
        "queue": asdict(waiting.queue),
        "over_daily_limit": asdict(waiting.over_limit) if waiting.over_limit else None,
        "dead_letters": asdict(waiting.dead_letters),
    }


def _lines(waiting: Waiting, report: Report) -> Iterator[list[str]]:
    for state in State:
        yield [str(state), str(report.counts[state])]
    yield ["in_queue", str(waiting.queue.total)]
    if waiting.over_limit:
        yield ["over_daily_limit", str(waiting.over_limit.total)]
    yield ["dead_letters", str(waiting.dead_letters.total)]
    for state, examples in report.examples.items():
        for each in examples:
            yield ["photo", str(state), each.key, each.reason]
    if report.faces is not None:
        yield ["faces", str(report.faces.faces)]
        yield ["faces_without_photo", str(report.faces.without_photo_count)]
        yield ["photos_with_lost_faces", str(report.faces.lost_count)]
        yield from (["face", "without_photo", face_id] for face_id in report.faces.without_photo)
        yield from (["photo", "lost_faces", key] for key in report.faces.lost)


def _write_tables(waiting: Waiting, report: Report) -> None:
    for state in State:
        name = str(state).replace("_", " ")
        output.write_text(f"{report.counts[state]:>13,}  {name:<14}  {MEANINGS[state]}".rstrip())
    output.write_text(f"{waiting.queue.total:>13,}  in the queue")
    if waiting.over_limit and waiting.over_limit.total:
        output.write_text(f"{waiting.over_limit.total:>13,}  waiting (daily limit)")
    output.write_text(f"{waiting.dead_letters.total:>13,}  dead letters")
    for state, examples in report.examples.items():
        if not examples:
            continue
        count = report.counts[state]
        shown = f", first {len(examples):,} of {count:,}" if len(examples) < count else ""
        with_reason = state is State.STALE
        output.write_table(
            (key("Photo"), "Reason") if with_reason else (key("Photo"),),
            ([each.key, each.reason][: 1 + with_reason] for each in examples),
            title=f"{str(state).replace('_', ' ').capitalize()}{shown}",
        )

    if report.faces is not None:
        output.write_text(f"{report.faces.faces:>13,}  faces in the collection")
        for name, count in report.face_differences.items():
            output.write_text(f"{count:>13,}  {name}")
        if report.faces.lost:
            output.write_table((key("Photo"),), ([each] for each in report.faces.lost), title="Faces are gone")


def _conclusion(waiting: Waiting, report: Report, status: str) -> str:
    differences = {str(state): count for state, count in report.differences.items()} | report.face_differences
    counts = ", ".join(f"{count:,} {what}" for what, count in differences.items())
    lines = [f"bucket and tables differ: {counts}"]
    if events := waiting.events:
        lines.append(f"{_number(events, 'event')} in the queues may explain differences: run the command again later")
    if letters := waiting.dead_letters.total:
        lines.append(f"{_number(letters, 'dead letter')} may explain differences: {status}")
    if report.faces is not None and report.faces.without_photo:
        delete = ["aws", "rekognition", "delete-faces", "--collection-id", report.faces.collection_id]
        lines.append(f"delete faces without a photo: {' '.join([*delete, '--face-ids', *report.faces.without_photo])}")
    if report.faces is not None and report.faces.lost:
        lines.append("index the faces of photos again: image-labels relabel, with an expression that finds the photos")
    return "\n".join(lines)


def _face_audit(aws: Aws, deployment: Deployment) -> FaceAudit | None:
    """None without a face collection."""
    asked = FacesAsked.parse(deployment.faces_settings)
    return FaceAudit(aws.rekognition, asked.collection_id) if asked is not None and asked.collection_id else None


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
