"""The explorer and a browser, for tests, benchmarks and the gallery."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def explorer(*arguments, command=PLOGQ, **options):
    """Run `plogq explore`, and give (its address, its process).

    In the end Ctrl-C must stop it, if it has not stopped, and it must have complained of nothing.
    """
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            [*command, "explore", "--no-browser", *arguments],
            stdout=subprocess.PIPE, stderr=complaints, text=True, **options,
        ) as process,
    ):  # fmt: skip
        try:
            yield process.stdout.readline().split()[2].rstrip("/"), process
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30)
        finally:
            process.kill()
        complaints.seek(0)
        ended = process.returncode, said, complaints.read()
        assert ended == (130, "", ""), ended


SETTLED = """() => document.querySelector("h1") && !document.querySelector("[aria-busy=true]")
  && !document.querySelector(".sketch")
  && document.getElementById("main").childElementCount > 0"""
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def settled(page):
    """Wait until the page has been drawn from the server's answer."""
    page.wait_for_function(SETTLED)
    page.evaluate(FRAMES)


def run_async(coroutine):
    """Run a coroutine on a thread of its own: this one's loop may be Playwright's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
