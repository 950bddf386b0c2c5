"""The explorer on a free port of this machine, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser

import uvicorn

from plogq.explorer.app import application
from plogq.explorer.predictions import Report

HOST = "127.0.0.1"  # never beyond this machine


def serve(port: int = 0, *, browser: bool = True, brought: Report | None = None) -> None:
    """Serve the explorer until it is interrupted, and open it in the browser.

    With a report `brought` along it opens on that.

    Raises
    ------
    OSError
        If the port is taken.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            # From now on it listens: what a browser asks before the server runs waits.
            listening.listen(128)
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{HOST}:{port}") from None
        page = "predictions" if brought else ""
        url = f"http://{HOST}:{listening.getsockname()[1]}/{page}"
        print(f"plogq explorer: {url}  (Ctrl-C stops it)", flush=True)
        config = uvicorn.Config(
            application(brought),
            log_level="error",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listening])
