"""The explorer on a free port of this machine, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from plogq.explorer.pages.predictions_report import Report
from plogq.explorer.server.app import application
from plogq.explorer.server.threads import end_if_computing

HOST = "127.0.0.1"  # never beyond this machine
INTERRUPTED = 130  # the exit status of a command that Ctrl-C ends


def serve(
    port: int = 0, *, browser: bool = True, bring: Callable[[], Report] | None = None
) -> None:
    """Serve the explorer until it is interrupted, and open it in the browser.

    With a report to `bring` it opens on that: made once the port is known to be free.

    Raises
    ------
    OSError
        If the port is taken.
    """
    with listener(port) as listening:
        brought = None if bring is None else bring()
        page = "predictions" if brought else ""
        url = f"http://{HOST}:{listening.getsockname()[1]}/{page}"
        print(f"plogq explorer: {url}  (Ctrl-C stops it)", flush=True)
        config = uvicorn.Config(
            application(brought),
            log_config=None,  # nothing that other libraries log with is touched
            log_level="critical",  # a fault of ours is printed by `failed`
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        try:
            _Server(config).run(sockets=[listening])
        finally:
            end_if_computing(INTERRUPTED)


def listener(port: int) -> socket.socket:
    """Give a socket that listens: what a browser asks before the server runs waits in it."""
    # Only where the protocol is named does asyncio send at once (TCP_NODELAY); if not, the body of
    # an answer waits 40 ms for the browser to say that it has the head.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, error.strerror, f"{HOST}:{port}") from None
    return listening


class _Server(uvicorn.Server):
    """A server that waits for no stream to end when it is stopped."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up, then end as ever: an application takes it that its client left."""
        for connection in self.server_state.connections:
            connection.transport.close()
        await super().shutdown(sockets)
