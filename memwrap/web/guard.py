"""Who may ask: a token, the host that was meant, and the page itself for what changes something."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guarded"]

_COOKIE = "memwrap_token"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
}


class Guarded:
    """An application that answers only who may ask.

    Args:
        app: The application.
        token: What has to be in the address of the first request, and in a cookie from then on;
            None for no token.
        hosts: The hosts that requests may be sent to; empty for any.
    """

    def __init__(
        self, app: ASGIApp, *, token: str | None = None, hosts: Collection[str] = ()
    ) -> None:
        self.app = app
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self.app)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to who may not ask; None for who may."""
        if self._hosts and request.headers.get("host") not in self._hosts:
            return PlainTextResponse("This page is served for another host.", 403)
        if self._token is not None:
            given = request.query_params.get("token")
            if given is not None and self._is_token(given):
                return self._entered(request)
            if not self._is_token(request.cookies.get(_COOKIE, "")):
                return PlainTextResponse("Open the address with its token, as it was shown.", 403)
        if request.method not in ("GET", "HEAD") and not _is_same_origin(request):
            return PlainTextResponse("Only the page itself may change something.", 403)
        return None

    def _is_token(self, given: str) -> bool:
        token = self._token or ""
        return hmac.compare_digest(given.encode(), token.encode())

    def _entered(self, request: Request) -> Response:
        """Return the way to the same page without the token, which a cookie has from now on."""
        query = [pair for pair in parse_qsl(request.url.query) if pair[0] != "token"]
        path = request.url.path + (f"?{urlencode(query)}" if query else "")
        response = RedirectResponse(path, 303)
        response.set_cookie(
            _COOKIE,
            self._token or "",
            path=request.scope.get("root_path") or "/",
            httponly=True,
            samesite="strict",
        )
        return response


def _is_same_origin(request: Request) -> bool:
    """Tell whether a browser says that the page itself has sent a request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
