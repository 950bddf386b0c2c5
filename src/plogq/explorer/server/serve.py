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
from plogq.signals import status_of

HOST = "127.0.0.1"  # never beyond this machine


def serve(
    port: int = 0, *, browser: bool = True, bring: Callable[[], Report] | None = None
) -> None:
    """Serve the explorer until it is interrupted, and open it in the browser.

    With `bring` the explorer opens on the report that it makes. It is called once the port is
    known to be free.

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
            log_config=None,  # the logging of other libraries stays as it is
            log_level="critical",  # `failed` prints the errors
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        try:
            _Server(config).run(sockets=[listening])
        except KeyboardInterrupt as interrupt:
            end_if_computing(status_of(interrupt))
            raise


def listener(port: int) -> socket.socket:
    """Give a listening socket; requests that come before the server runs wait in it."""
    # asyncio sets TCP_NODELAY only if the socket names its protocol. Without it the body of an
    # answer waits 40 ms until the browser has acknowledged the head.
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
    """A server that does not wait for streams to end when it is stopped."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the connections, then end as usual; the application sees that its clients left."""
        for connection in self.server_state.connections:
            connection.transport.close()
        await super().shutdown(sockets)
