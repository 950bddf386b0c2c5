"""The guard between the browser and the pages: who may ask, and what a page may load."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Answer only pages of this very server; other sites' scripts get nothing.

    The Host must be this server's own address, or a name that is bound to 127.0.0.1 elsewhere
    would reach it (DNS rebinding). An Origin, where there is one, must be the same: a page of
    another site may send a request, though it could not read the answer. A request for a picture
    or a script of such a page has no Origin, but the browser marks it as cross-site. A link from
    another site may be followed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        hosts = own_hosts(scope)
        headers = Headers(scope=scope)
        origin, origins = headers.get("origin"), {f"http://{host}" for host in hosts}
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if (
            headers.get("host") not in hosts
            or (origin is not None and origin not in origins)
            or (foreign and headers.get("sec-fetch-mode") != "navigate")
        ):
            refusal = JSONResponse(
                {"error": "This server answers only pages that it served itself, on 127.0.0.1."},
                status_code=403,
            )
            await refusal(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)


def own_hosts(scope: Scope) -> set[str]:
    """Give the names of this server, as a Host header writes them."""
    _, port = scope["server"]
    names = {"127.0.0.1", "localhost"}
    return {f"{name}:{port}" for name in names} | (names if port == 80 else set())
