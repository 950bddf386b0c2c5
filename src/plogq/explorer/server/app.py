"""The explorer's web application: one shell, one script, and a JSON answer per page."""

from __future__ import annotations

from importlib import resources

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from plogq.explorer.pages import PAGES
from plogq.explorer.pages.predictions_report import Report
from plogq.explorer.server.answers import failed, no_such_address, read_json, refused
from plogq.explorer.server.guard import Guard
from plogq.explorer.server.streams import training
from plogq.explorer.server.threads import on_a_thread
from plogq.explorer.server.uploads import upload
from plogq.records import encoded
from plogq.reports.embed import embedded

LARGEST_STATE = 64 * 1024  # bytes; a page's state is a few numbers

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
<noscript>The explorer needs JavaScript to draw its pages.</noscript>
<script type="application/json" id="plogq-pages">{pages}</script>
</body>
</html>
"""

STATIC = {"explorer.js": "text/javascript", "explorer.css": "text/css"}


def application(brought: Report | None = None) -> Guard:
    """Give the application, which binds no port. `brought` is the report that it starts with."""

    async def predictions(request: Request) -> Response:
        return JSONResponse(encoded(brought))

    # The guard is no middleware, since middleware does not see the answer to an internal error.
    return Guard(
        Starlette(
            routes=[
                Route("/api/predictions", predictions, methods=["GET"]),
                Route("/api/predictions", upload, methods=["POST"]),
                Route("/api/training", training),
                Route("/api/page/{name}", page, methods=["POST"]),
                Route("/static/{name}", static),
                Route("/", shell),
                Route("/{name}", shell),
            ],
            exception_handlers={HTTPException: no_such_address, Exception: failed},
        )
    )


async def shell(request: Request) -> Response:
    """Give the HTML in which all pages are drawn."""
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


async def page(request: Request) -> Response:
    """Compute a page's figures from its state; with `?part` those that are soon there."""
    name = request.path_params["name"]
    if name not in PAGES:
        return JSONResponse({"error": f"There is no page {name}."}, status_code=404)
    try:
        state = await read_json(request, LARGEST_STATE)
        part = "part" in request.query_params
        return JSONResponse(await on_a_thread(PAGES[name].answer, state, part=part))
    except ValueError as error:
        return refused(error)
