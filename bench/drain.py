"""`make bench-drain`: 2,000 photos at once, at quotas of 20, 5 and 50 Rekognition calls per second.

Two contestants run one after the other at each quota. Both call the same emulated Rekognition, which takes 600 ± 200 ms
and throttles calls over its quota, and the same S3 and DynamoDB (bench/in_memory_aws.py):

    ours        the real handler and an SQS queue of LocalStack, with the module's sizing for the quota
                (bench/event_source_mapping.py)
    blueprint   a function like AWS's blueprint, which S3 invokes directly (bench/blueprint.py)

The benchmark runs in real time, about 20 minutes. The clock starts when all photos are in the queue and the event
source mapping is enabled. It stops when the last item is stored, so it includes a cold start. Goals: no photo lost,
drain time at most 1.05 times the ideal (photos / quota), at most 5 % of calls throttled, one successful call per photo,
a quarter of the baseline's compute. The last line has our worst figures over all quotas, and the baseline's best.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from image_labels_emulator import server
from image_labels_emulator.rekognition.settings import Settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import in_memory_aws, queues
from bench.blueprint import BlueprintRun
from bench.event_source_mapping import EventSourceMapping
from bench.lambda_runtime import unpack
from bench.module import Sizing, sizing
from bench.report import report
from tools.terraform import LOCAL

DIRECTORY = LOCAL / "bench-drain"
PHOTOS = 2000
QUOTAS = (20.0, 5.0, 50.0)
LATENCY_MS, JITTER_MS = 400.0, 400.0  # from 400 to 800
POLL_SECONDS = 0.5
REPORT_SECONDS = 30.0
# The function's variables that name resources; the module computes the others.
RESOURCES = frozenset(
    {"BUCKET_NAME", "IMAGES_TABLE_NAME", "LABELS_TABLE_NAME", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "WAITING_QUEUE_URL"}
)

console = Console(highlight=False)


@dataclass(frozen=True)
class Result:
    """One contestant at one quota. `waiting` counts photos in the queue, `dead` those in the dead-letter queue."""

    contestant: str
    quota: float
    photos: int
    lost: int
    rejected: int
    dead: int
    waiting: int
    drain_seconds: float
    calls: int
    answered: int
    throttled: int
    most_answered_of_one_photo: int
    gb_seconds: float
    more: dict[str, float]

    @property
    def ideal_seconds(self) -> float:
        return self.photos / self.quota

    @property
    def drain_over_ideal(self) -> float:
        return self.drain_seconds / self.ideal_seconds

    @property
    def throttled_share(self) -> float:
        return self.throttled / max(1, self.calls)

    @property
    def calls_per_photo(self) -> float:
        """Successful calls, which are the ones that Rekognition bills."""
        return self.answered / self.photos

    @property
    def compute_per_photo(self) -> float:
        return self.gb_seconds / self.photos


def main(
    photos: Annotated[int, typer.Option(min=10, help="Number of photos.")] = PHOTOS,
    quota: Annotated[list[float] | None, typer.Option(min=1, help="Quota in calls per second; repeatable.")] = None,
) -> None:
    """Measure how both contestants drain, and report it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # SystemExit runs the cleanup
    keys = [f"images/photo-{n:05}.jpg" for n in range(photos)]
    results: list[tuple[Result, Result]] = []
    try:
        with _localstack() as running:
            running.take_over_environment()  # endpoint and credentials for boto3 in this process
            # Taken once at the start: the repository may change during the next 20 minutes.
            code = unpack(DIRECTORY / "function")
            sizings = {one: sizing(one, RESOURCES) for one in quota or QUOTAS}
            for one, given in sizings.items():
                ours = _ours(running.url, code, given, one, keys)
                results.append((ours, _blueprint(given, one, keys)))
    except server.EmulatorError as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    _show([result for pair in results for result in pair])
    _report(results)


@contextmanager
def _localstack() -> Iterator[server.Server]:
    """LocalStack, for SQS. It first stops the one that an aborted run left behind, with its queues."""
    directory = DIRECTORY / "localstack"
    server.stop(directory)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    try:
        yield server.start(directory, port=0)
    finally:
        server.stop(directory)


def _rekognition(quota: float) -> Settings:
    return Settings(calls_per_second=quota, latency_ms=LATENCY_MS, latency_jitter_ms=JITTER_MS, seed=1)


def _ours(localstack: str, code: dict[str, str], given: Sizing, quota: float, keys: list[str]) -> Result:
    both = queues.make(f"at-{quota:g}".replace(".", "-"), given)
    both.fill(keys)
    with in_memory_aws.Server(_rekognition(quota)) as aws:
        variables = (
            code
            | given.environment
            | {
                "BUCKET_NAME": queues.BUCKET,
                "IMAGES_TABLE_NAME": in_memory_aws.IMAGES_TABLE,
                "LABELS_TABLE_NAME": in_memory_aws.LABELS_TABLE,
                "QUEUE_URL": both.photos,
                "DEAD_LETTER_QUEUE_URL": both.dead_letters,
                "WAITING_QUEUE_URL": "unused: no daily limit",
                "AWS_ENDPOINT_URL": aws.url,
                "AWS_ENDPOINT_URL_SQS": localstack,
            }
        )
        log = DIRECTORY / f"environments-at-{quota:g}.log"
        mapping = EventSourceMapping(both.sqs, both.photos, both.photos_arn, given, variables, log)
        with mapping, _progress(f"ours at {quota:g}/s", len(keys)) as show:
            counted_at = time.monotonic()
            deadline = counted_at + 3 * len(keys) / quota + 600
            while True:
                time.sleep(POLL_SECONDS)
                now = time.monotonic()
                state = aws.state()
                show(len(state.stored))
                if len(state.stored) == len(keys) or now > deadline or mapping.failure:
                    break
                if now - counted_at > 10:  # the queue's attributes are expensive in LocalStack
                    counted_at = now
                    if both.waiting() == 0:
                        break
        state = aws.state()
    dead = both.dead()
    missing = set(keys) - state.stored - dead
    waiting = min(len(missing), both.waiting())
    return Result(
        contestant="ours",
        quota=quota,
        photos=len(keys),
        lost=len(missing) - waiting,
        rejected=len(state.rejected),
        dead=len(dead),
        waiting=waiting,
        drain_seconds=(now if waiting else state.last_stored) - mapping.enabled,
        calls=state.calls,
        answered=state.answered,
        throttled=state.throttled,
        most_answered_of_one_photo=state.most_answered_of_one_photo,
        gb_seconds=mapping.usage.gb_seconds(given.memory_mb),
        more={
            **asdict(mapping.usage),
            "environments": given.maximum_concurrency,
            "batch_size": given.batch_size,
            "memory_mb": given.memory_mb,
        },
    )


def _blueprint(given: Sizing, quota: float, keys: list[str]) -> Result:
    """Uses the memory size of our function, so that GB-seconds compare seconds."""
    with in_memory_aws.Server(_rekognition(quota)) as aws:
        began = time.monotonic()
        with BlueprintRun(aws.url, keys) as run, _progress(f"blueprint at {quota:g}/s", len(keys)) as show:
            while not run.finished():
                time.sleep(POLL_SECONDS)
                show(len(aws.state().stored))
            totals = run.totals()
        state = aws.state()
    return Result(
        contestant="blueprint",
        quota=quota,
        photos=len(keys),
        lost=len(set(keys) - state.stored),
        rejected=len(state.rejected),
        dead=0,
        waiting=0,
        drain_seconds=state.last_stored - began,
        calls=state.calls,
        answered=state.answered,
        throttled=state.throttled,
        most_answered_of_one_photo=state.most_answered_of_one_photo,
        gb_seconds=totals.billed_seconds * given.memory_mb / 1024,
        more={**asdict(totals), "memory_mb": given.memory_mb},
    )


class _Lines:
    """Progress without a terminal: a line every REPORT_SECONDS."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._began = self._reported = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._reported >= REPORT_SECONDS:
            self._reported = now
            print(f"{self._what}: {done} of {self._total} photos stored after {now - self._began:.0f} s", flush=True)


@contextmanager
def _progress(what: str, total: int) -> Iterator[_Lines | _Bar]:
    if not console.is_terminal:
        print(f"{what}: {total} photos", flush=True)
        yield _Lines(what, total)
        return
    columns = (TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress, what, total)


class _Bar:
    """Progress on a terminal."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def __call__(self, done: int) -> None:
        self._progress.update(self._task, completed=done)


def _show(results: list[Result]) -> None:
    table = Table(title=f"{results[0].photos} photos at once")
    table.add_column("quota")
    table.add_column("contestant")
    for heading in ("lost", "wrongly\nrejected", "dead\nletters", "still\nqueued", "drain s", "drain/\nideal"):
        table.add_column(heading, justify="right")
    for heading in ("throttled\nshare", "calls/\nphoto", "GB-s/\nphoto"):
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(
            f"{result.quota:g}/s",
            result.contestant,
            *(str(number) for number in (result.lost, result.rejected, result.dead, result.waiting)),
            f"{result.drain_seconds:.1f}",
            f"{result.drain_over_ideal:.3f}",
            f"{result.throttled_share:.3f}",
            f"{result.calls_per_photo:.3f}",
            f"{result.compute_per_photo:.3f}",
        )
    (console if console.is_terminal else Console(width=120)).print(table)
    for result in results:
        if result.contestant == "blueprint":
            billed, wall = result.more["billed_seconds"], result.more["wall_seconds"]
            print(f"blueprint at {result.quota:g}/s: {billed:.0f} s billed, {wall:.0f} s wall time on this machine")


def _report(results: list[tuple[Result, Result]]) -> None:
    ours = [result for result, _ in results]
    figures: dict[str, float] = {
        "lost": max(result.lost for result in ours),
        "drain_over_ideal": max(result.drain_over_ideal for result in ours),
        "throttled_share": max(result.throttled_share for result in ours),
        "calls_per_photo": max(result.calls_per_photo for result in ours),
        "compute_over_blueprint": max(mine.compute_per_photo / other.compute_per_photo for mine, other in results),
        "blueprint_lost": min(other.lost for _, other in results),
    }
    goals = {
        "lost": 0,
        "drain_over_ideal": 1.05,
        "throttled_share": 0.05,
        "calls_per_photo": 1.0,
        "compute_over_blueprint": 0.25,
    }
    for name, goal in goals.items():
        verdict = "met" if figures[name] <= goal else "MISSED"
        print(f"{name:24} {figures[name]:8.3f}   goal: at most {goal:g}   {verdict}")
    # Compute of a blueprint that is never throttled.
    waiting_gb_seconds = (LATENCY_MS + JITTER_MS / 2) / 1000 * ours[0].more["memory_mb"] / 1024
    details: dict[str, object] = {
        "photos": ours[0].photos,
        "latency_ms": [LATENCY_MS, LATENCY_MS + JITTER_MS],
        "compute_over_unthrottled_blueprint": max(result.compute_per_photo for result in ours) / waiting_gb_seconds,
        "runs": [
            {
                **asdict(result),
                "drain_over_ideal": result.drain_over_ideal,
                "throttled_share": result.throttled_share,
                "calls_per_photo": result.calls_per_photo,
                "compute_per_photo": result.compute_per_photo,
            }
            for pair in results
            for result in pair
        ],
    }
    report("drain", figures, details)


if __name__ == "__main__":
    typer.run(main)
