"""Access control of the page: only a browser on this machine that has the token.

The page shows private photos with the operator's credentials. As Jupyter does, it listens on loopback only, requires a
token that is new in each run, and accepts only its own host names, which prevents DNS rebinding. An upload must come
from the page itself. A form cannot send a PUT, and other sites would have to ask first, which is refused.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from flask import Request, Response, redirect

LOOPBACK = "127.0.0.1"
UPLOAD = "/api/upload"  # the only request that changes anything


class Gate:
    """Accepts or refuses requests, and sets the security headers of all responses."""

    def __init__(self, *, token: str, port: int, image_origin: str, uploads: bool = False) -> None:
        self._token = token
        self._uploads = uploads
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        # Browsers send a cookie to every port of a host, so the name has the port.
        self._cookie = f"image_labels_{port}"
        self._headers = {
            # A second defense against markup in keys and labels: scripts and styles from this server only, images
            # also from the bucket, and no string that becomes HTML (Trusted Types).
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'none'",
                    "script-src 'self'",
                    "style-src 'self'",
                    f"img-src 'self' {image_origin}",
                    "connect-src 'self'",
                    "form-action 'self'",
                    "base-uri 'none'",
                    "frame-ancestors 'none'",
                    "require-trusted-types-for 'script'",
                    "trusted-types 'none'",
                )
            ),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    def check(self, request: Request) -> Response | None:
        """None if the request is accepted, else the response that refuses it."""
        # The header as sent, because a framework may use another header, or a default, as the host.
        if request.environ.get("HTTP_HOST", "") not in self._hosts:
            return _refusal(403, "The host must be 127.0.0.1 or localhost, with the port of this page.")
        if self._uploads and request.method == "PUT" and request.path == UPLOAD:
            if not _from_this_page(request):
                return _refusal(403, "The upload does not come from this page.")
        elif request.method not in ("GET", "HEAD"):
            return _refusal(405, "This page accepts only GET and HEAD.", {"Allow": "GET, HEAD"})
        if _from_another_site(request):
            return _refusal(403, "The request comes from another site.")
        if "token" in request.args and request.path == "/":
            return self._enter(request)
        if not self._is_token(request.cookies.get(self._cookie, "")):
            return _refusal(403, _HOW_TO_ENTER)
        return None

    def finish(self, response: Response) -> Response:
        """Adds the headers that every response has."""
        response.headers.update(self._headers)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _enter(self, request: Request) -> Response:
        """Moves the token from the address, which the browser's history keeps, to a cookie that scripts cannot read."""
        if not self._is_token(request.args["token"]):
            return _refusal(403, _HOW_TO_ENTER)
        rest = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
        response = redirect(f"/?{urlencode(rest)}" if rest else "/", code=303, Response=Response)
        assert isinstance(response, Response)  # noqa: S101 - the class passed above
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), self._token.encode())


_HOW_TO_ENTER = (
    "The token is missing or not valid.\n"
    "Open the full address that `image-labels browse` printed, including the token.\n"
)


def _from_another_site(request: Request) -> bool:
    """Whether a page of another origin embeds or fetches this. Another port of this machine is another origin."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none") and request.headers.get("Sec-Fetch-Mode") != "navigate"


def _from_this_page(request: Request) -> bool:
    """Whether a script of this page sends it. Scripts can set neither header; the host is checked before."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = f"http://{request.environ['HTTP_HOST']}"
    if site is None:  # an older browser, but each names the origin of a PUT
        return origin == ours
    return site == "same-origin" and origin in (
        None,
        "null",
        ours,
    )  # null: a browser may apply the Referrer-Policy to it


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status=status, mimetype="text/plain", headers=headers)
