"""`make bench-see`: precision, recall, time and memory of the emulated DetectLabels on photographs with ground truth.

Every photograph of bench/photographs takes the emulator's own path: image.load, vision.labels.see, detect_labels. Its
answer is compared with a ground truth written by hand (bench/photographs/truth.toml). A label of the answer is right if
it is true of the photograph, or above a label that is. All others are wrong.

Figures of the last line, over all photographs, at min_confidence 80:

    precision      right labels of all labels of the answers
    recall         required labels (truth.toml: must) that are in the answers
    ms_per_photo   median over the photographs of the processor time from decoded pixels to labels, in one thread; for
                   each photograph the least of several passes, because other processes slow it
    mb             peak of the resident memory of a new process that labels all photographs, in MB (1,000,000 bytes)

Half of the photographs are held out: thresholds and calibration were chosen without them. The table has both halves,
and two stricter figures: the precision of the most specific labels only, without the labels above them, which are more
often right; and the recall of the required labels that an answer can have at all. No model here has a class for sky,
roads or leaves. Some labels come with other classes (vision/also.json), some are learned (vision/learned.json).

Goals: precision of at least .90, recall of at least .80, at most 60 ms and 400 MB.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, FACES
from image_labels_emulator.rekognition import image, label_request, taxonomy
from image_labels_emulator.rekognition.detect import detect_labels
from image_labels_emulator.rekognition.sources import Found, find_labels
from image_labels_emulator.vision import classes, labels, learned, models
from rich.console import Console
from rich.table import Table

from bench.photographs.fetch import Photograph, photographs
from bench.report import report

LEVELS = (80, 55)
LAST_LINE = 80
MIN_PRECISION, MIN_RECALL, MAX_MS, MAX_MB = 0.90, 0.80, 60.0, 400.0
PASSES = 8
PEAK = "--peak-memory"

# Confidence by label, and processor time in ms: from pixels to labels, and from the file to the answer.
Timed = tuple[dict[str, float], float, float]

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer for a photograph, as in Timed, and what is true of the photograph."""

    name: str
    part: str
    answer: dict[str, float]
    right: frozenset[str]
    required: tuple[str, ...]
    see_ms: float
    ms: float

    def labels(self, level: float) -> list[str]:
        return [label for label, confidence in self.answer.items() if confidence >= level]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over photographs at one min_confidence."""

    labels: int
    right: int
    specific: int
    specific_right: int
    required: int
    found: int
    nameable: int
    nameable_found: int

    @property
    def precision(self) -> float:
        return _ratio(self.right, self.labels)

    @property
    def recall(self) -> float:
        return _ratio(self.found, self.required)


def main() -> None:
    """Label all photographs, and report."""
    if missing := {CLASSIFIER, DETECTOR, FACES} - models.installed().keys():
        sys.exit(f"error: {', '.join(sorted(missing))}: not installed; run python -m image_labels_emulator.models")
    found, absent = photographs()
    if PEAK in sys.argv:
        for photograph in found:
            _answer(photograph)
        print(_peak_mb())
        return
    for each in absent:
        print(f"without the photographs of {each}")
    _answer(found[0])  # loads the models
    passes = [[_answer(photograph) for photograph in found] for _ in range(PASSES)]
    seen = [_see(photograph, timed) for photograph, timed in zip(found, zip(*passes, strict=True), strict=True)]
    megabytes = float(subprocess.run([sys.executable, "-m", "bench.see", PEAK], capture_output=True, check=True).stdout)
    _show(seen)
    _report(seen, megabytes, absent)


def _see(photograph: Photograph, timed: tuple[Timed, ...]) -> Seen:
    truth = photograph.truth
    answer = timed[0][0]
    see_ms, ms = min(each[1] for each in timed), min(each[2] for each in timed)
    true = frozenset(name for label in (*truth.must, *truth.may) for name in _with_ancestors(label))
    return Seen(photograph.name, truth.part, answer, true, truth.must, see_ms, ms)


def _answer(photograph: Photograph) -> Timed:
    models_took = 0.0

    def see(photo: image.Photo) -> list[Found]:
        nonlocal models_took
        began = time.process_time()
        found = labels.see(photo)
        models_took = time.process_time() - began
        return found

    began = time.process_time()
    request = label_request.parse(
        {"Image": {"Bytes": photograph.data}, "MinConfidence": float(min(LEVELS)), "MaxLabels": 1000}
    )
    photo = image.load(photograph.data)
    known = taxonomy.load()
    answer = detect_labels(request, photo, find_labels(photo, known, see=see), known)
    took = time.process_time() - began
    return {each["Name"]: each["Confidence"] for each in answer["Labels"]}, models_took * 1000, took * 1000


@cache
def _with_ancestors(label: str) -> tuple[str, ...]:
    return (label, *taxonomy.load().get(label).parents)


@cache
def _nameable() -> frozenset[str]:
    """All labels that an answer could have."""
    known = classes.load()
    own = [each.label for each in (*known.classifier, *known.detector.values()) if each.label]
    also = [
        label for table in (known.also_of_classifier, known.also_of_detector) for of in table.values() for label in of
    ]
    trained = [each.label for each in learned.load()]
    return frozenset(name for label in (*own, *also, *trained, labels.FACE_LABEL) for name in _with_ancestors(label))


def score(seen: list[Seen], level: float) -> Score:
    """The counts over photographs at a min_confidence."""
    counts = np.zeros(8, int)
    for each in seen:
        answer = each.labels(level)
        above = {name for label in answer for name in _with_ancestors(label)[1:]}
        specific = [label for label in answer if label not in above]
        nameable = [label for label in each.required if label in _nameable()]
        counts += [
            len(answer),
            len(each.right.intersection(answer)),
            len(specific),
            len(each.right.intersection(specific)),
            len(each.required),
            len({*each.required} & {*answer}),
            len(nameable),
            len({*nameable} & {*answer}),
        ]
    return Score(*map(int, counts))


def _show(seen: list[Seen]) -> None:
    table = Table(
        title=f"labels at min_confidence {LAST_LINE}; in brackets: at {min(LEVELS)} only", title_justify="left"
    )
    for column in ("photograph", "required, found", "required, missed", "wrong"):
        table.add_column(column)
    for each in seen:
        answer, more = each.labels(LAST_LINE), each.labels(min(LEVELS))
        found = [label if label in answer else f"({label})" for label in each.required if label in more]
        missed = [label for label in each.required if label not in more]
        wrong = [label if label in answer else f"({label})" for label in more if label not in each.right]
        star = "" if each.part == "tuning" else " *"
        table.add_row(each.name + star, ", ".join(found), ", ".join(missed), ", ".join(wrong))
    out = console if console.is_terminal else Console(width=120)
    out.print(table)
    print("* held out")
    figures = Table(title="right of all labels, found of required labels", title_justify="left")
    figures.add_column("photographs")
    for column in ("level", "precision", "of most specific", "recall", "of those that can be"):
        figures.add_column(column, justify="right")
    for level in LEVELS:
        for part, chosen in _parts(seen).items():
            counts = score(chosen, level)
            figures.add_row(
                f"{part}: {len(chosen)}",
                str(level),
                _cell(counts.right, counts.labels),
                _cell(counts.specific_right, counts.specific),
                _cell(counts.found, counts.required),
                _cell(counts.nameable_found, counts.nameable),
            )
    out.print(figures)


def _parts(seen: list[Seen]) -> dict[str, list[Seen]]:
    parts = {part: [each for each in seen if each.part == part] for part in ("tuning", "held-out")}
    return {**parts, "all": seen}


def _report(seen: list[Seen], megabytes: float, absent: list[str]) -> None:
    last = score(seen, LAST_LINE)
    times = [each.see_ms for each in seen]
    figures = {
        "precision": last.precision,
        "recall": last.recall,
        "ms_per_photo": statistics.median(times),
        "mb": megabytes,
    }
    _goal("precision", figures["precision"], MIN_PRECISION, at_least=True)
    _goal("recall", figures["recall"], MIN_RECALL, at_least=True)
    _goal("ms_per_photo", figures["ms_per_photo"], MAX_MS)
    _goal("mb", megabytes, MAX_MB)
    whole = [each.ms for each in seen]
    print(f"95th percentile: {np.percentile(times, 95):.1f} ms")
    print(
        f"from the file to the answer: median {statistics.median(whole):.1f} ms, 95th {np.percentile(whole, 95):.1f} ms"
    )
    print("No answer of Amazon Rekognition to one of these photographs is published, so none is compared.")
    details: dict[str, object] = {
        "photographs": len(seen),
        "without": absent,
        "ms_95th": float(np.percentile(times, 95)),
        "ms_from_file": statistics.median(whole),
        "ms_from_file_95th": float(np.percentile(whole, 95)),
        "parts": {
            part: {str(level): asdict(score(chosen, level)) for level in LEVELS}
            for part, chosen in _parts(seen).items()
        },
        "answers": {each.name: each.answer for each in seen},
    }
    report("see", figures, json.loads(json.dumps(details)))


def _goal(name: str, figure: float, goal: float, *, at_least: bool = False) -> None:
    holds = figure >= goal if at_least else figure <= goal
    bound = "at least" if at_least else "at most"
    print(f"{name:13} {figure:8.3f}   goal: {bound} {goal:g}   {'met' if holds else 'MISSED'}")


def _cell(part: int, whole: int) -> str:
    return f"{_ratio(part, whole):.2f} ({part}/{whole})"


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _peak_mb() -> float:
    """The peak of this process's resident memory. ru_maxrss is in KiB, on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1_000_000 * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
