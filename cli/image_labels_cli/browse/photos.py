"""The data of the page: search results, photos with labels and boxes, the vocabulary, and rejected photos."""

from __future__ import annotations

import base64
import binascii
import time
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from botocore.exceptions import ClientError
from image_labels.failures import TryAgain
from image_labels.search.faces import NothingToSearchByError
from image_labels.search.resolve import Resolved
from image_labels.tables.items import FINDINGS_NAMES, is_foreign
from image_labels.tables.terms import Kind, fold

from image_labels_cli import unwanted
from image_labels_cli.browse import answers
from image_labels_cli.browse.covers import Covers
from image_labels_cli.browse.nothing import diagnose
from image_labels_cli.browse.orientation import png_orientation
from image_labels_cli.browse.problems import BadRequest
from image_labels_cli.browse.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from image_labels.search.finder import Counts, Page, RecentPhoto, Skipped, VocabularyTerm

    from image_labels_cli.browse.access import Access
    from image_labels_cli.browse.previews import Preview, Previews

Json = dict[str, Any]

URL_SECONDS = 900  # the page requests a new URL after one expires
MAX_PHOTOS = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_LABELS = 3000  # about the number of labels that Rekognition has
MAX_COVERS = 24
MAX_RECENT = 12
MAX_ALIKE = 50
REJECTED_PAGE = 50
SCAN_SECONDS = 3.0
UNPROCESSED_ATTEMPTS = 6

_NAMES = {"#status": "Status", "#size": "Size"}
# The attributes that the page shows, and those that is_foreign reads.
_DETAILS = (
    "PK, Detections, DetectionsCut, #status, Reason, #size, LabelledAt, LabelModelVersion, #bucket, ETag, VersionId, "
    "Settings, Revision, #rows, Unwanted, " + ", ".join(FINDINGS_NAMES)
)
_DETAIL_NAMES = _NAMES | {"#bucket": "Bucket", "#rows": "Rows"} | FINDINGS_NAMES


class VocabularyLike(Protocol):
    """The used part of image_labels.search.vocabulary.Vocabulary."""

    @property
    def skipped(self) -> frozenset[Skipped]: ...

    def __iter__(self) -> Iterator[VocabularyTerm]: ...


class FinderLike(Protocol):
    """The used part of image_labels.search.finder.Finder."""

    def find(self, expression: str, *, key_prefix: str = "", limit: int = 25, token: str | None = None) -> Page: ...

    def resolve(self, expression: str) -> Resolved: ...

    def vocabulary(self, prefix: str = "") -> VocabularyLike: ...

    def counts(self, prefix: str = "") -> Counts: ...

    def recent(self, limit: int) -> tuple[RecentPhoto, ...]: ...

    def suggestions(self, expression: str) -> dict[str, list[str]]: ...


class Library:
    """The photos of one deployment. Results are plain JSON. Errors of botocore and of the search pass through."""

    def __init__(self, access: Access, finder: FinderLike, previews: Previews) -> None:
        self._access = access
        self._finder = finder
        self._previews = previews
        self._covers = Covers(finder)
        self.uploads = Uploads(access.s3, access.bucket, access.uploads) if access.uploads else None

    @property
    def image_origin(self) -> str:
        """The origin of the presigned URLs, for the Content-Security-Policy."""
        parts = urlsplit(self._url("a"))
        return f"{parts.scheme}://{parts.netloc}"

    def about(self) -> Json:
        """The bucket, the table, its S3 console, where labels come from if not from AWS, what may be uploaded, and
        whether photos can be found by face.
        """
        return {
            "bucket": self._access.bucket,
            "table": self._access.images_table,
            "console": self._access.console,
            "labelsBy": self._access.labels_by,
            "upload": self.uploads.about() if self.uploads else None,
            "faces": self._access.faces is not None,
        }

    def status(self) -> Json:
        """Photos that wait, and dead letters; {"queue": None} if the URLs of the queues are unknown."""
        return self._access.queues.status() if self._access.queues else {"queue": None}

    def find(self, expression: str, prefix: str, token: str | None, limit: int) -> Json:
        """One page of matching photos, highest confidence first. If there are none, the reason and what finds some.

        `searched` is the expression without words side by side. The page sends it with the token of the next page.
        """
        resolved = Resolved(expression, (), 0.0, 0) if token else self._finder.resolve(expression)
        expression = resolved.expression
        page = self._finder.find(expression, key_prefix=prefix, limit=limit, token=token)
        # Most photos have the same terms, so each is written once. `terms` of a photo has positions in that list.
        terms = {term: n for n, term in enumerate(dict.fromkeys(term for photo in page.photos for term in photo.terms))}
        answer: Json = {
            "photos": [
                {"key": photo.key, "confidence": photo.confidence, "terms": [terms[term] for term in photo.terms]}
                for photo in page.photos
            ],
            "terms": list(terms),
            "next": page.next_token,
            "readUnits": resolved.read_units + page.read_units,
            "searched": expression,
            "notes": [str(note) for note in resolved.notes],
            "skipped": len(page.skipped),
        }
        if token is None and not page.photos and page.next_token is None:
            answer["suggestions"] = self._finder.suggestions(expression)
            answer["nothing"] = diagnosis = asdict(diagnose(self._finder, expression, prefix))
            answer["readUnits"] += diagnosis.pop("read_units")
        return answer

    def photos(self, keys: Sequence[str]) -> Json:
        """URLs, labels and boxes of the photos with these keys, in the same order."""
        if not 1 <= len(keys) <= MAX_PHOTOS or not all(keys):
            raise BadRequest(f"A request needs 1 to {MAX_PHOTOS} keys.")
        items = self._items(list(dict.fromkeys(keys)))
        return {"photos": [self._photo(key, items.get(key)) for key in keys]}

    def preview(self, key: str, etag: str, abandoned: Callable[[], bool], *, sharp: bool = False) -> Preview:
        """The preview of a photo. Raises NotPreviewable and Abandoned."""
        if not key:
            raise BadRequest("A request needs a key.")
        return self._previews.get(key, etag, abandoned, sharp=sharp)

    def why(self, key: str) -> Json:
        """The reason why a browser cannot show a photo: a sentence, a short form for the grid, and whether it is there.

        The page requests it only after an image fails to load.
        """
        try:
            self._access.s3.head_object(Bucket=self._access.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"].get("Code") in ("404", "NoSuchKey", "NotFound"):
                return {
                    "short": "No longer in the bucket",
                    "why": "The object is no longer in the bucket. Its labels disappear when S3 delivers the event.",
                    "there": False,
                }
            if error.response["Error"].get("Code") in ("403", "AccessDenied"):
                return {
                    "short": "S3 denies access",
                    "why": "S3 denies access. Your credentials lack s3:GetObject, or kms:Decrypt if the bucket "
                    "has a customer managed key. Without s3:ListBucket, S3 also denies access to a deleted object.",
                    "there": False,
                }
            raise
        return {
            "short": "No preview",
            "why": "The object is in S3, but your browser cannot show it as an image.",
            "there": True,
        }

    def orientation(self, key: str) -> Json:
        """The EXIF orientation (1 to 8) that browsers apply and Rekognition ignores. 1 if there is no difference.

        The page requests it before it draws boxes. It costs one GetObject, of which only the start is read.
        """
        if not key:
            raise BadRequest("A request needs a key.")
        try:
            with closing(self._access.s3.get_object(Bucket=self._access.bucket, Key=key)["Body"]) as photo:
                return {"orientation": png_orientation(photo)}
        except ClientError:
            return {"orientation": 1}  # the image does not load either, and `why` reports the reason

    def labels(self) -> Json:
        """The labels of all photos in alphabetical order, how many photos have each, whether these numbers are exact
        (and from when on photos are counted, if that is not all), and the number of unreadable entries.
        """
        counts = self._finder.counts()
        labels = counts.of_kinds([Kind.LABEL]).terms[:MAX_LABELS]
        return {
            "labels": [each.term.name for each in labels],
            "photos": [each.photos for each in labels],
            "exact": counts.exact,
            "since": counts.since,
            "skipped": len(counts.skipped),
        }

    def recent(self) -> Json:
        """The photos that were uploaded last."""
        return {"photos": [asdict(photo) for photo in self._finder.recent(MAX_RECENT)]}

    def covers(self, labels: Sequence[str]) -> Json:
        """For each label, the preview of the photo that has it with the highest confidence, or None.

        It costs one search for one photo for each label, and nothing again for some minutes.
        """
        if not 1 <= len(labels) <= MAX_COVERS or not all(labels):
            raise BadRequest(f"A request needs 1 to {MAX_COVERS} labels.")
        keys = self._covers.keys(labels)
        items = self._items(list(dict.fromkeys(key for key in keys.values() if key)))
        covers = {label: self._photo(key, items.get(key)) for label, key in keys.items() if key}
        return {"covers": {label: covers.get(label) for label in labels}}

    def alike(self, key: str, face: int) -> Json:
        """Other photos of the person with this face of a photo, most similar first. AWS bills it as an image."""
        if self._access.faces is None:
            raise BadRequest("This deployment has no face collection.")
        try:
            found = self._access.faces.like_photo(key, face=face, limit=MAX_ALIKE)
        except NothingToSearchByError as error:
            raise BadRequest(f"Nothing to search by: {error}.") from None
        photos = [{"key": photo.key, "similarity": photo.similarity} for photo in found.photos]
        return {"photos": photos, "more": found.more}

    def download(self, key: str) -> str:
        """A presigned URL that makes the browser save the photo under its name."""
        if not key:
            raise BadRequest("A request needs a key.")
        name = quote(key.rstrip("/").rpartition("/")[2], safe="")
        return self._url(key, ResponseContentDisposition=f"attachment; filename*=UTF-8''{name}")

    def completions(self, prefix: str, limit: int = 8) -> Json:
        """Terms that start with the prefix."""
        terms = _first(self._finder.vocabulary(fold(prefix)), limit)
        return {"terms": [{"name": term.name, "kind": str(term.kind)} for term in terms]}

    def rejected(self, token: str | None) -> Json:
        """One page of rejected photos. They have no index, so each call scans the table for a few seconds."""
        request: Any = {
            "TableName": self._access.images_table,
            "FilterExpression": "#status = :rejected",
            "ProjectionExpression": "PK, Reason, #size, LabelledAt, ETag",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {":rejected": {"S": "REJECTED"}},
        }
        found: list[Json] = []
        looked = 0
        start = _unpack(token)
        deadline = time.monotonic() + SCAN_SECONDS
        while True:
            if start:
                request["ExclusiveStartKey"] = {"PK": {"S": start}}
            answer = self._access.dynamodb.scan(**request)
            looked += answer["ScannedCount"]
            found += [self._photo(item["PK"]["S"], item) for item in answer["Items"]]
            start = answer.get("LastEvaluatedKey", {}).get("PK", {}).get("S")
            if start is None or len(found) >= REJECTED_PAGE or time.monotonic() > deadline:
                return {"photos": found, "next": _pack(start), "looked": looked}

    def _items(self, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        table = self._access.images_table
        wanted: Any = {
            table: {
                "Keys": [{"PK": {"S": key}} for key in keys],
                "ProjectionExpression": _DETAILS,
                "ExpressionAttributeNames": _DETAIL_NAMES,
            }
        }
        items: dict[str, Mapping[str, Any]] = {}
        if not keys:  # which DynamoDB refuses
            return items
        for attempt in range(UNPROCESSED_ATTEMPTS):
            answer = self._access.dynamodb.batch_get_item(RequestItems=wanted)
            items |= {item["PK"]["S"]: item for item in answer["Responses"].get(table, ())}
            wanted = answer.get("UnprocessedKeys")  # more than 16 MB, or throttled
            if not wanted:
                return items
            time.sleep(0.05 * 2**attempt)
        raise TryAgain("BatchGetItem: DynamoDB throttles", throttled=True)

    def _photo(self, key: str, item: Mapping[str, Any] | None) -> Json:
        # The ETag in the address lets the browser keep the preview as long as the photo does not change.
        etag = item.get("ETag", {}).get("S", "") if item is not None else ""
        preview = f"/api/preview?{urlencode({'key': key, 'etag': etag})}"
        photo: Json = {"key": key, "url": self._url(key), "preview": preview, "labels": [], "lines": [], "faces": []}
        if item is not None:
            photo |= {"labels": answers.labels(item), "lines": answers.lines(item), "faces": answers.faces(item)}
            photo |= answers.facts(item)
            photo["boxesCut"] = "DetectionsCut" in item
            photo["foreign"] = is_foreign(item)
            photo["unwanted"] = unwanted.sentence(item)
            photo["removed"] = item.get("Status") == {"S": "REMOVED"}
        return photo

    def _url(self, key: str, **more: str) -> str:
        """A presigned URL of a photo, valid for URL_SECONDS. Presigning makes no request to AWS."""
        return self._access.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._access.bucket, "Key": key} | more, ExpiresIn=URL_SECONDS
        )


def _first(terms: Iterable[VocabularyTerm], limit: int) -> Iterable[VocabularyTerm]:
    for number, term in enumerate(terms, 1):
        yield term
        if number >= limit:  # the next term could cost a request
            return


def _pack(key: str | None) -> str | None:
    return None if key is None else base64.urlsafe_b64encode(key.encode()).decode()


def _unpack(token: str | None) -> str | None:
    if not token:
        return None
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        raise BadRequest("This list cannot be continued: reload the page.") from None
