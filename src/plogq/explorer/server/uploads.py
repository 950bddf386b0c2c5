"""A file that the reader uploads: it is kept in a temporary folder while it is scored."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from plogq.explorer.pages.predictions_report import RESULT, known_ending, report_of_file
from plogq.explorer.server.answers import refused
from plogq.explorer.server.threads import on_a_thread
from plogq.records import encoded
from plogq.reports.findings.words import file_name

LARGEST = 1 << 30  # bytes of a table; larger ones are for `plogq score TABLE --html FILE`
LARGEST_JSON = 64 << 20  # bytes of a result, which is read into memory whole


async def upload(request: Request) -> Response:
    """Score the table in the body, whose name and columns the query says."""
    query = request.query_params
    name = file_name(query.get("name", "")) or "the file"
    options = {key: query[key] for key in ("label", "id", "unit") if query.get(key)}
    try:
        # A form of another site can send a file, but not as this type.
        if request.headers.get("content-type") != "application/octet-stream":
            raise ValueError("the body: expected content-type application/octet-stream")
        ending = known_ending(name)
        with tempfile.TemporaryDirectory(prefix="plogq-") as folder:
            path = Path(folder, f"table{ending}")
            with path.open("wb") as file:
                await receive(request, file, name, LARGEST_JSON if ending == RESULT else LARGEST)
            report = await on_a_thread(report_of_file, path, name, **options)
        return JSONResponse(encoded(report))
    except ValueError as error:
        return refused(error)
    except (OSError, MemoryError) as error:  # of this machine, not of the table nor of a page
        why = getattr(error, "strerror", None) or str(error) or "out of memory"
        return JSONResponse({"error": f"{name}: {why}"}, status_code=507)


async def receive(request: Request, file: BinaryIO, name: str, largest: int) -> None:
    """Write the body to a file as it comes.

    Raises
    ------
    ValueError
        If it is too large, or breaks off.
    """
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > largest:
                raise ValueError(
                    f"{name}: expected at most {largest >> 20} MiB here; "
                    "plogq score TABLE --html FILE takes any size"
                )
            file.write(chunk)
    except ClientDisconnect:
        raise ValueError(f"{name}: broke off after {size} bytes") from None
