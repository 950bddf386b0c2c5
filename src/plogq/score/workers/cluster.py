"""A connection to Dask's workers: those of a scheduler, or our own while it is open."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker

import dask
from distributed import Client, LocalCluster, WorkerPlugin
from distributed.comm.addressing import get_address_host_port

import plogq
from plogq.errors import TableError
from plogq.kernels.threads import default_threads
from plogq.signals import held_back, none_left_behind

SECONDS_TO_CONNECT = 30
LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")


@contextmanager
def connect(scheduler: str | None) -> Iterator[Client]:
    """Yield a client of the scheduler at an address, or of a new cluster here, a worker per core.

    Raises
    ------
    ConnectionError
        There is no scheduler at the address, or it has no workers.
    TableError
        A worker has another plogq, or none.
    """
    with ExitStack() as stack:
        stack.enter_context(_silence())
        address: str | LocalCluster | None = scheduler
        if address is None:
            address = stack.enter_context(own_workers(default_threads()))
        try:
            if scheduler is not None:
                # This refuses a bad address: a client that was never open takes a minute to close.
                get_address_host_port(scheduler)
            client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            expected = "give the address of a Dask scheduler, tcp://host:port"
            raise ConnectionError(f"{scheduler}: no answer ({error}): {expected}") from error
        stack.enter_context(client)
        if scheduler is not None:
            _same_version(client, scheduler)
        yield client


@contextmanager
def own_workers(count: int) -> Iterator[LocalCluster]:
    """Yield a cluster of processes that only this machine can reach; all of it is removed again.

    The threads and processes of it receive no Ctrl-C, and are closed in order.
    """
    with tempfile.TemporaryDirectory(prefix="plogq-") as folder, dask.config.set(
        # By default Dask sets an environment variable here which keeps glibc from learning how much
        # freed memory to hold on to; it would stay set in this process, too.
        {"distributed.nanny.pre-spawn-environ": {}, "temporary-directory": folder}
    ):  # fmt: skip
        # Python starts the tracker with the first process, and then unblocks signals: hence before.
        resource_tracker.ensure_running()
        cluster = None
        try:
            with held_back(), none_left_behind():
                cluster = _start(count, folder)
            with Client(cluster, set_as_default=False) as client:
                client.register_plugin(_Quiet())
            yield cluster
        finally:
            if cluster is not None:  # also where a signal came while it started
                with held_back():
                    cluster.sync(_stop, cluster)
                    cluster.close()


def _start(count: int, folder: str) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None is port 8787, which may be taken
            scheduler_kwargs={"dashboard": False},
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        hint = (
            'out of memory, or a script that does its work outside of `if __name__ == "__main__":`'
        )
        # At the end of Python it would tell of those that did, and are killed.
        logging.getLogger("distributed.process").setLevel(logging.CRITICAL)
        raise ConnectionError(f"Dask's workers did not start: {hint} ({error})") from error


async def _stop(cluster: LocalCluster) -> None:
    """Stop the workers, and kill those that are still at work."""
    await asyncio.gather(*(worker.close(timeout=0.5) for worker in cluster.workers.values()))


class _Quiet(WorkerPlugin):
    """It keeps every worker, also one started later, from logging to our terminal."""

    name = "plogq-quiet"

    def setup(self, worker: object) -> None:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _silence() -> Iterator[None]:
    """Silence Dask's logs meanwhile: exceptions say what went wrong."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _same_version(client: Client, scheduler: str) -> None:
    # A nested function is sent as code, so that a worker need not import it.
    def version() -> str | None:
        try:
            import plogq
        except ImportError:
            return None
        return plogq.__version__

    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except TimeoutError as error:
        raise ConnectionError(f"{scheduler}: the scheduler has no workers") from error
    for worker, found in client.run(version).items():
        if found != plogq.__version__:
            came = "no plogq" if found is None else f"plogq {found}"
            raise TableError(
                f"{scheduler}: worker {worker} has {came}; all need the {plogq.__version__} of "
                "this machine"
            )
