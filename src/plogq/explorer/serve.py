"""The explorer on a free port of this machine, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser

import uvicorn

from plogq.explorer.app import application

HOST = "127.0.0.1"  # never beyond this machine


def serve(port: int = 0, *, browser: bool = True) -> None:
    """Serve the explorer until it is interrupted, and open it in the browser.

    Raises
    ------
    OSError
        If the port is taken.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{HOST}:{port}") from None
        url = f"http://{HOST}:{listening.getsockname()[1]}/"
        print(f"plogq explorer: {url}  (Ctrl-C stops it)", flush=True)
        config = uvicorn.Config(
            application(), log_level="warning", access_log=False, timeout_graceful_shutdown=1
        )
        if browser:
            # The socket listens before the server runs: what the browser asks meanwhile waits.
            listening.listen(128)
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listening])
