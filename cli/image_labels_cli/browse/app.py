"""The routes: the page, its static files, and its JSON API. All of them only read, except the upload."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from flask import Flask, Response, jsonify, redirect, request
from image_labels.aws_errors import code_of
from image_labels.search.expression import MAX_LENGTH, ExpressionError
from werkzeug.exceptions import HTTPException

from image_labels_cli.browse.previews import Abandoned, NotPreviewable
from image_labels_cli.browse.problems import BadRequest, problem_of
from image_labels_cli.browse.security import UPLOAD, Gate

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from image_labels_cli.browse.photos import Json, Library

MAX_LIMIT = 200
# The address of a preview has the photo's ETag, so it never changes. `private`: for this browser's cache only.
KEEP = "private, max-age=31536000, immutable"

log = logging.getLogger(__name__)


def create_app(library: Library, *, token: str, port: int) -> Flask:
    """The WSGI application of the page, for one port and one access token."""
    app = Flask(__name__, static_folder="static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    gate = Gate(token=token, port=port, image_origin=library.image_origin, uploads=library.uploads is not None)

    @app.before_request
    def _check() -> Response | None:
        return gate.check(request)

    @app.after_request
    def _finish(response: Response) -> Response:
        return gate.finish(response)

    @app.get("/")
    def _page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/api/about")
    def _about() -> Json:
        return library.about()

    @app.get("/api/find")
    def _find() -> Json:
        limit = request.args.get("limit", 50, type=int)
        if not 1 <= limit <= MAX_LIMIT:
            raise BadRequest(f"The limit must be 1 to {MAX_LIMIT}.")
        return library.find(request.args.get("q", ""), request.args.get("prefix", ""), _token(), limit)

    @app.get("/api/photos")
    def _photos() -> Json:
        return library.photos(request.args.getlist("key"))

    @app.get("/api/preview")
    def _preview() -> Response:
        waiting = request.environ.get("waitress.client_disconnected", lambda: False)
        try:
            sharp = "sharp" in request.args
            preview = library.preview(request.args.get("key", ""), request.args.get("etag", ""), waiting, sharp=sharp)
        except Abandoned:
            return Response(status=503)  # nobody reads it
        except NotPreviewable:
            return Response(status=204)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return Response(status=204)  # an image without content fails to load, and `why` gives the reason
            raise
        response = Response(preview.content, mimetype="image/webp")
        if preview.current:
            response.headers["Cache-Control"] = KEEP
        return response

    @app.get("/api/download")
    def _download() -> BaseResponse:
        return redirect(library.download(request.args.get("key", "")), code=303)

    @app.get("/api/covers")
    def _covers() -> Json:
        return library.covers(request.args.getlist("label"))

    @app.get("/api/status")
    def _status() -> Json:
        return library.status()

    @app.get("/api/faces")
    def _faces() -> Json:
        return library.alike(request.args.get("key", ""), request.args.get("face", 0, type=int))

    @app.get("/api/why")
    def _why() -> Json:
        return library.why(request.args.get("key", ""))

    @app.get("/api/orientation")
    def _orientation() -> Json:
        return library.orientation(request.args.get("key", ""))

    @app.get("/api/labels")
    def _labels() -> Json:
        prefix = request.args.get("prefix", "")
        return library.completions(prefix) if prefix else library.labels()

    @app.get("/api/recent")
    def _recent() -> Json:
        return library.recent()

    @app.get("/api/rejected")
    def _rejected() -> Json:
        return library.rejected(_token())

    if uploads := library.uploads:

        @app.put(UPLOAD)
        def _upload() -> Response:
            """A line of JSON for each report of `Uploads.send`. The first has the key."""
            key = uploads.key_of(request.args.get("folder", ""), request.args.get("name", ""))
            file = uploads.receive(request.stream)
            lines = uploads.send(key, file, replace="replace" in request.args)
            return Response(_lines(chain([{"key": key}], lines)), mimetype="application/x-ndjson")

    @app.errorhandler(Exception)
    def _problem(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        problem = problem_of(error)
        if isinstance(error, ExpressionError) and request.args.get("q", "")[: MAX_LENGTH + 1] != error.expression:
            problem = replace(problem, position=None)  # it is a position in the expression that was searched for
        if problem.kind == "unknown":
            log.error("%s", request.path, exc_info=error)
        response = jsonify(asdict(problem))
        response.status_code = problem.status
        return response

    return app


def _lines(answers: Iterable[Json]) -> Iterator[str]:
    return (json.dumps(answer) + "\n" for answer in answers)


def _token() -> str | None:
    return request.args.get("token") or None
