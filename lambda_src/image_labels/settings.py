"""The function's settings: environment variables, checked once at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from image_labels.selection import MAX_LABELS, POLICY, RULES, Criteria

if TYPE_CHECKING:
    from image_labels.detectors.faces import FacesAsked
    from image_labels.detectors.finding import DetectorCriteria


class SettingsError(ValueError):
    """Environment variables are missing or not allowed; the message lists all of them and the allowed values."""


class Settings(NamedTuple):
    """The settings that the Terraform module gives the function.

    `min_confidence` is a percentage, `concurrency` the number of photos at a time within one invocation,
    `detect_labels_per_second` the calls that one execution environment may make, `retry_delay` the seconds before the
    first retry, and `daily_image_limit` the maximum number of images per day (UTC) to send to Rekognition, None for no
    limit. `requested_min_confidence` is the percentage that Rekognition is asked for, at most `min_confidence`.
    `label_policy_id` names the label policy, "" for none.
    `text_min_confidence` is the percentage of lines of text, None if DetectText is not called. `detect_text_per_second`
    is the number of its calls that one execution environment may make; `moderation_min_confidence` and
    `detect_moderation_labels_per_second` are the same for DetectModerationLabels. `faces_asked` is what is asked about
    faces, None if nothing is; with a collection, they are indexed in it. `faces_per_second` is the number of those
    calls. `timeout` is that of the function, in seconds, if faces are indexed.
    `unwanted_id` names the rules for unwanted photos, "" for none. `requested_max_labels` is the number of labels that
    Rekognition is asked for.
    `waiting_queue_url` is the queue of photos over the limit; without a limit, its messages are moved back.
    Messages are moved back only while the queue of photos has fewer than `max_queue_backlog` messages.
    """

    bucket: str
    images_table: str
    labels_table: str
    min_confidence: float
    max_labels: int
    concurrency: int
    detect_labels_per_second: float
    queue_url: str
    dead_letter_queue_url: str
    max_receive_count: int
    retry_delay: int
    waiting_queue_url: str
    max_queue_backlog: int
    requested_min_confidence: float
    requested_max_labels: int
    daily_image_limit: int | None = None
    label_policy_id: str = ""
    text_min_confidence: float | None = None
    detect_text_per_second: float = 0.0
    faces_asked: FacesAsked | None = None
    faces_per_second: float = 0.0
    timeout: float = 0.0
    moderation_min_confidence: float | None = None
    detect_moderation_labels_per_second: float = 0.0
    unwanted_id: str = ""

    @property
    def wanted(self) -> Criteria:
        """Decide the labels, together with the label policy. A photo whose item has others is labelled again."""
        return Criteria(self.max_labels, self.min_confidence)

    @property
    def has_detectors(self) -> bool:
        """Whether anything is asked besides the labels: see image_labels.detectors."""
        detected = (self.text_min_confidence, self.moderation_min_confidence, self.faces_asked)
        return any(each is not None for each in detected)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check every variable. Raises SettingsError that names all invalid ones, not only the first."""
        read = _Reader(environment)
        limited = "DAILY_IMAGE_LIMIT" in environment
        min_confidence = read.min_confidence()
        requested = "REQUESTED_MIN_CONFIDENCE" in environment
        text = "TEXT_MIN_CONFIDENCE" in environment
        faces = "FACES_SETTINGS" in environment
        indexed = "FUNCTION_TIMEOUT" in environment
        moderation = "MODERATION_MIN_CONFIDENCE" in environment
        max_labels = read.max_labels()
        settings = cls(
            bucket=read.text("BUCKET_NAME"),
            images_table=read.text("IMAGES_TABLE_NAME"),
            labels_table=read.text("LABELS_TABLE_NAME"),
            min_confidence=min_confidence,
            max_labels=max_labels,
            concurrency=int(read.number("CONCURRENCY", int, 1, 100)),
            detect_labels_per_second=read.number("DETECT_LABELS_PER_SECOND", float, 0.01, 10_000),
            queue_url=read.text("QUEUE_URL"),
            dead_letter_queue_url=read.text("DEAD_LETTER_QUEUE_URL"),
            max_receive_count=int(read.number("MAX_RECEIVE_COUNT", int, 1, 1000)),
            retry_delay=int(read.number("RETRY_DELAY_SECONDS", int, 1, 900)),
            waiting_queue_url=read.text("WAITING_QUEUE_URL"),
            max_queue_backlog=int(read.number("MAX_QUEUE_BACKLOG", int, 1, 1_000_000_000)),
            requested_min_confidence=(
                read.number("REQUESTED_MIN_CONFIDENCE", float, 0, min_confidence) if requested else min_confidence
            ),
            daily_image_limit=int(read.number("DAILY_IMAGE_LIMIT", int, 1, 1_000_000_000)) if limited else None,
            label_policy_id=environment.get("LABEL_POLICY_ID", ""),
            text_min_confidence=read.text_min_confidence() if text else None,
            detect_text_per_second=read.number("DETECT_TEXT_PER_SECOND", float, 0.01, 10_000) if text else 0.0,
            faces_asked=read.faces_asked() if faces else None,
            faces_per_second=(
                read.number("INDEX_FACES_PER_SECOND" if indexed else "DETECT_FACES_PER_SECOND", float, 0.01, 10_000)
                if faces
                else 0.0
            ),
            timeout=read.number("FUNCTION_TIMEOUT", float, 1, 900) if indexed else 0.0,
            moderation_min_confidence=read.moderation_min_confidence() if moderation else None,
            detect_moderation_labels_per_second=(
                read.number("DETECT_MODERATION_LABELS_PER_SECOND", float, 0.01, 10_000) if moderation else 0.0
            ),
            unwanted_id=environment.get("UNWANTED_ID", ""),
            requested_max_labels=(
                int(read.number("REQUESTED_MAX_LABELS", int, max_labels, MAX_LABELS))
                if "REQUESTED_MAX_LABELS" in environment
                else max_labels
            ),
        )
        if read.problems:
            raise SettingsError("the function's environment variables are wrong: " + "; ".join(read.problems))
        return settings


def fingerprint_of(environment: Mapping[str, str]) -> str:
    """The Settings of an item: the text of `wanted_by`, and what else decides about it unless that is empty.

    That is LABEL_POLICY_ID, UNWANTED_ID and `detectors_by`, in this order.
    """
    ids = {POLICY: environment.get("LABEL_POLICY_ID"), RULES: environment.get("UNWANTED_ID")}
    labels = wanted_by(environment).text + "".join(f"{before}{each}" for before, each in ids.items() if each)
    return labels + "".join(criteria.settings for criteria in detectors_by(environment).values())


def detectors_by(environment: Mapping[str, str]) -> dict[str, DetectorCriteria]:
    """What a function with these variables asks besides the labels, by the detectors' names, in their order.

    A variable that is empty counts as missing. Raises SettingsError that names the invalid ones.
    """
    read = _Reader(environment)
    found: dict[str, DetectorCriteria] = {}
    if environment.get("TEXT_MIN_CONFIDENCE"):
        from image_labels.detectors import text  # not at the function's start: the import lengthens it

        found[text.NAME] = text.TextCriteria(read.text_min_confidence())
    if environment.get("FACES_SETTINGS"):
        from image_labels.detectors import faces

        found[faces.NAME] = read.faces_asked()
    if environment.get("MODERATION_MIN_CONFIDENCE"):
        from image_labels.detectors import moderation  # likewise

        found[moderation.NAME] = moderation.ModerationCriteria(read.moderation_min_confidence())
    if read.problems:
        raise SettingsError("; ".join(read.problems))
    return found


def wanted_by(environment: Mapping[str, str]) -> Criteria:
    """What a function with these variables wants, of which only MIN_CONFIDENCE and MAX_LABELS are read.

    Raises SettingsError that names the invalid ones.
    """
    read = _Reader(environment)
    wanted = Criteria(min_confidence=read.min_confidence(), max_labels=read.max_labels())
    if read.problems:
        raise SettingsError("; ".join(read.problems))
    return wanted


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        value = self._environment.get(name, "")
        if not value:
            self.problems.append(f"{name} is not set")
        return value

    def min_confidence(self) -> float:
        return self.number("MIN_CONFIDENCE", float, 0, 100)

    def text_min_confidence(self) -> float:
        return self.number("TEXT_MIN_CONFIDENCE", float, 0, 100)

    def faces_asked(self) -> FacesAsked:
        from image_labels.detectors.faces import FacesAsked  # not at the start: the import lengthens it

        text = self._environment.get("FACES_SETTINGS", "")
        asked = FacesAsked.parse(text)
        if asked is None:
            self.problems.append(f"FACES_SETTINGS={text!r} is not as attributes=SMILE+max=20")
        return asked or FacesAsked.of((), 1)

    def moderation_min_confidence(self) -> float:
        return self.number("MODERATION_MIN_CONFIDENCE", float, 0, 100)

    def max_labels(self) -> int:
        return int(self.number("MAX_LABELS", int, 1, MAX_LABELS))

    def number(self, name: str, parse: Callable[[str], float], low: float, high: float) -> float:
        kind = "a whole number" if parse is int else "a number"
        text = self._environment.get(name)
        if text is None:
            self.problems.append(f"{name} is not set: {kind} from {low} to {high}")
            return low
        try:
            value = parse(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.problems.append(f"{name}={text!r} is not {kind} from {low} to {high}")
            return low
        return value
