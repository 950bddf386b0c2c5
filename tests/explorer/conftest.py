"""Debian's chromium through Playwright; where there is none, tests are skipped, but not in CI."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


def need(found, advice):
    if not found:
        if os.environ.get("CI"):
            pytest.fail(advice)
        pytest.skip(advice)


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    need(chromium, "no chromium on the path. Debian, Ubuntu: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open HTML at a size; whatever the page complains of or asks for fails the test."""
    contexts, complaints = [], []

    def opened(html, width=1280, scheme="light", **options):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(html)
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url == path.as_uri() or request.url.startswith(("data:", "blob:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(path.as_uri())
        page.wait_for_selector("h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe():
    need(AXE.exists(), "no axe-core: (cd web && npm ci)")
    return AXE.read_text()
