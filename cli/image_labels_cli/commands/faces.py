"""`image-labels faces`: photos of the same person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from image_labels.detectors.faces import FacesAsked
from image_labels.search.faces import (
    DEFAULT_MIN_SIMILARITY,
    MAX_IMAGE_BYTES,
    Alike,
    FaceFinder,
    FoundFaces,
    NotAnImageError,
    NothingToSearchByError,
)
from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.commands.show import address_of
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError
from image_labels_cli.layout import key as key_column
from image_labels_cli.layout import number
from image_labels_cli.options import JSON_OPTION

if TYPE_CHECKING:
    from image_labels_cli.aws import Aws
    from image_labels_cli.deployment import Deployment

DEFAULT_LIMIT = 25
MAX_LIMIT = 1000


def faces(
    ctx: typer.Context,
    like: Annotated[
        str, typer.Option(metavar="KEY|FILE", help="Photo of the person: its key, its URI s3://bucket/key, or a file.")
    ],
    face: Annotated[
        int | None, typer.Option(min=1, help="Only this face of the photo; `image-labels show` has the numbers.")
    ] = None,
    min_similarity: Annotated[
        float, typer.Option(min=0, max=100, help="Minimum similarity of the faces, in percent.")
    ] = (DEFAULT_MIN_SIMILARITY),
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="Maximum number of photos.")] = DEFAULT_LIMIT,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find photos of the same person, most similar first.

    \b
      image-labels faces --like images/ada.jpg
      image-labels faces --like images/team.jpg --face 2
      image-labels faces --like ~/ada.jpg --min-similarity 95

    It needs a deployment with faces.index. A name of an existing file
    is a file, and any other a key. Of a photo of the bucket, all faces
    are searched for; of a file, the largest. Rekognition bills each of
    these searches as an image. In a pipe, a line has the key, the
    similarity in percent, and the ID of the face.
    """
    path = Path(like).expanduser()
    image = _image(path, face) if not like.startswith("s3://") and _is_file(path) else None
    key = "" if image is not None else address_of(like)[1]
    finder, labels_by = _finder(ctx.obj)
    what = f"the file {visible(like)}" if image is not None else f"the photo {visible(key)}"
    try:
        found = (
            finder.like_image(image, min_similarity=min_similarity, limit=limit)
            if image is not None
            else finder.like_photo(key, face=face, min_similarity=min_similarity, limit=limit)
        )
    except NothingToSearchByError as error:
        raise NothingFoundError(f"{what} has nothing to search by: {error}") from None
    except NotAnImageError as error:
        raise UsageError(f"{what} is not a JPEG or PNG image: {error}") from None
    _write(found, labels_by, as_json=as_json)
    if found.unknown:
        output.note(f"{found.unknown:,} similar faces of the collection belong to no photo: {ctx.obj.command('audit')}")
    if found.more:
        output.note(f"there are more photos: --limit {min(MAX_LIMIT, 4 * limit)} prints more of them")
    if not found.photos:
        other = "no other photo" if image is None else "no photo"
        raise NothingFoundError(f"{other} has a face that is similar by at least {min_similarity:g} percent")


def _write(found: FoundFaces, labels_by: str, *, as_json: bool) -> None:
    if as_json:
        output.write_json(
            {
                "photos": [_as_json(photo) for photo in found.photos],
                "more": found.more,
                "searches": found.searches,
                "unknown_faces": found.unknown,
                "read_units": found.read_units,
                "requests": found.requests,
            }
        )
    elif output.is_terminal():
        if found.photos:
            rows = [(photo.key, output.one_decimal(photo.similarity)) for photo in found.photos]
            output.write_table((key_column("Photo"), number("Similarity %")), rows)
            output.note_labels_by(labels_by)
    else:
        output.write_lines((photo.key, output.percent(photo.similarity), photo.face_id) for photo in found.photos)


def _as_json(photo: Alike) -> dict[str, Any]:
    left, top, width, height = photo.box
    box = {"left": left, "top": top, "width": width, "height": height}
    return {"key": photo.key, "similarity": photo.similarity, "face_id": photo.face_id, "box": box}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # the key is no possible name of a file
        return False


def _image(path: Path, face: int | None) -> bytes:
    """The bytes of the file. Raises UsageError."""
    if face is not None:
        raise UsageError("--face chooses a face of a photo in the bucket: of a file, the largest face is searched for")
    try:
        if (size := path.stat().st_size) > MAX_IMAGE_BYTES:
            raise UsageError(
                f"{visible(str(path))} has {size:,} bytes, and Rekognition takes files of at most 5 MB "
                f"({MAX_IMAGE_BYTES:,} bytes): make it smaller, or upload it to the bucket and give its key"
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {visible(str(path))}: {error.strerror}") from None


def face_finder(deployment: Deployment, aws: Aws) -> FaceFinder | None:
    """None for a deployment without a face collection."""
    asked = FacesAsked.parse(deployment.faces_settings)
    if asked is None or not asked.collection_id:
        return None
    return FaceFinder(
        aws.rekognition,
        aws.dynamodb,
        collection_id=asked.collection_id,
        labels_table=deployment.labels_table,
        images_table=deployment.images_table,
    )


def _finder(invocation: Invocation) -> tuple[FaceFinder, str]:
    """Raises UsageError for a deployment without a collection."""
    deployment, aws = invocation.connect("images_table", "labels_table")
    if not deployment.faces_settings:  # not among the values that were needed
        deployment = replace(deployment, faces_settings=invocation.deployment().faces_settings)
    finder = face_finder(deployment, aws)
    if finder is None:
        raise UsageError(
            "this deployment has no face collection: read docs/faces.md, then set faces = { index = true } in the "
            "module, and run `image-labels relabel --stale` for the photos that are there already"
        )
    return finder, aws.labels_by
