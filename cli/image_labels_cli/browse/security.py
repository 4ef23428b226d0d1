"""Who may read the page: a browser on this machine that was given the token, and no page of anybody else's.

The page shows private photos with the operator's credentials, so it is guarded as Jupyter is: it listens on loopback
only, wants the token of this run, and answers to its own name alone, so that no other site can have its own name
point here (DNS rebinding).
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from flask import Request, Response, redirect

LOOPBACK = "127.0.0.1"


class Gate:
    """Lets requests in or says why not, and writes the headers of all answers."""

    def __init__(self, *, token: str, port: int, image_origin: str) -> None:
        self._token = token
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        # Browsers send a cookie to every port of a host: each run has one of its own.
        self._cookie = f"image_labels_{port}"
        self._headers = {
            # What a browser holds to even if a key or a label got into the page as markup after all: no script and
            # no style but ours, no picture but the bucket's, and (Trusted Types) no string that becomes HTML.
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
        """None lets the request in; else the answer to give instead."""
        # As it was sent: a framework may take another header, or a default, for the host.
        if request.environ.get("HTTP_HOST", "") not in self._hosts:
            return _refusal(403, "This page answers only as 127.0.0.1 or localhost, with its port.")
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "This page only reads: GET.", {"Allow": "GET, HEAD"})
        if _from_another_site(request):
            return _refusal(403, "Another site's page asked for this.")
        if "token" in request.args and request.path == "/":
            return self._enter(request)
        if not self._is_token(request.cookies.get(self._cookie, "")):
            return _refusal(403, _HOW_TO_ENTER)
        return None

    def finish(self, response: Response) -> Response:
        """The headers that every answer has."""
        response.headers.update(self._headers)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _enter(self, request: Request) -> Response:
        """The token moves from the address, which is kept in histories, to a cookie that no script can read."""
        if not self._is_token(request.args["token"]):
            return _refusal(403, _HOW_TO_ENTER)
        rest = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
        response = redirect(f"/?{urlencode(rest)}" if rest else "/", code=303, Response=Response)
        assert isinstance(response, Response)  # noqa: S101 - what was asked for
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), self._token.encode())


_HOW_TO_ENTER = (
    "The token is missing or is not the one of this run.\n"
    "Open the address that `image-labels browse` printed when it started, with all that is behind ?token=.\n"
)


def _from_another_site(request: Request) -> bool:
    """Whether a page of another origin, which may be another port of this machine, embeds or fetches this."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none") and request.headers.get("Sec-Fetch-Mode") != "navigate"


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status=status, mimetype="text/plain", headers=headers)
