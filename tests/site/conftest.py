"""The site is built once for all tests and workers, and served to a browser."""

import fcntl
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.explorer.conftest import axe, browser, listen, violations

__all__ = ["axe", "browser", "violations"]
ROOT = Path(__file__).parents[2]


def build(folder):
    """Build the site, strictly."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    pytest.importorskip("mkdocs")
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    with (folder.parent / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = folder.parent / "site.txt"
        if not said.exists():
            run = build(folder)
            said.write_text(f"{run.returncode}\n{run.stdout}{run.stderr}")
    status, _, text = said.read_text().partition("\n")
    assert status == "0", text
    assert "WARNING" not in text
    return folder


@pytest.fixture(scope="session")
def address(site):
    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(site))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Open a page; what it asks for elsewhere, or complains of, fails the test."""
    contexts, complaints = [], []

    def opened(url, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        own = "file:" if url.startswith("file:") else url[: url.index("/", 8)]
        listen(page, complaints, lambda url: url.startswith((own, "data:", "blob:")))
        page.goto(url)
        page.wait_for_selector("h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
