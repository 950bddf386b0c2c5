"""The explorer's web application: one shell, one script, and a JSON answer per page."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from plogq.explorer.embed import embedded
from plogq.explorer.guard import Guard
from plogq.explorer.pages import PAGES

LARGEST_STATE = 64 * 1024  # bytes; a page's state is some numbers

SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>plogq explorer</title>
<link rel="stylesheet" href="/static/explorer.css">
<script type="module" src="/static/explorer.js"></script>
</head>
<body>
<div id="plogq-explorer"></div>
<noscript>The explorer draws its pages by JavaScript.</noscript>
<script type="application/json" id="plogq-pages">{pages}</script>
</body>
</html>
"""

STATIC = {"explorer.js": "text/javascript", "explorer.css": "text/css"}


def application() -> Starlette:
    """Give the application; it binds nothing and keeps nothing."""
    return Starlette(
        routes=[
            Route("/api/start", start),
            Route("/api/page/{name}", page, methods=["POST"]),
            Route("/static/{name}", static),
            Route("/", shell),
            Route("/{name}", shell),
        ],
        middleware=[Middleware(Guard)],
    )


async def shell(request: Request) -> Response:
    """Give the page that all pages are drawn in."""
    name = request.path_params.get("name")
    specs = {name: page.spec() for name, page in PAGES.items()}
    known = name is None or name in PAGES
    return HTMLResponse(SHELL.format(pages=embedded(specs)), status_code=200 if known else 404)


async def static(request: Request) -> Response:
    """Give the script or the style sheet."""
    name = request.path_params["name"]
    if name not in STATIC:
        return JSONResponse({"error": f"There is no file {name}."}, status_code=404)
    text = resources.files("plogq.explorer").joinpath("static", name).read_text("utf-8")
    return Response(text, media_type=STATIC[name])


async def start(request: Request) -> Response:
    """Give every page's figures at its defaults: the small pictures of the start page."""
    answers = await run_in_threadpool(lambda: {name: p.answer({}) for name, p in PAGES.items()})
    return JSONResponse(answers)


async def page(request: Request) -> Response:
    """Compute a page's figures from its state."""
    name = request.path_params["name"]
    if name not in PAGES:
        return JSONResponse({"error": f"There is no page {name}."}, status_code=404)
    try:
        state = await read_json(request, LARGEST_STATE)
        return JSONResponse(await run_in_threadpool(PAGES[name].answer, state))
    except ValueError as error:
        return refused(error)


def refused(error: Exception) -> Response:
    """Say in a sentence what was wrong with what came."""
    return JSONResponse({"error": str(error)}, status_code=400)


async def read_json(request: Request, largest: int) -> Any:
    """Read a body of JSON.

    Raises
    ------
    ValueError
        If it is not called JSON, too large, or not JSON.
    """
    # A form of another site can send text, but not this type.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("the body: expected content-type application/json")
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                raise ValueError(f"the body: expected at most {largest} bytes")
    except ClientDisconnect:
        raise ValueError("the body: expected, and the client left") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body: expected JSON, got {body[:40]!a}") from error
