"""Debian's chromium through Playwright; where there is none, tests are skipped, but not in CI."""

import os
from pathlib import Path

import pytest

from tests.explorer.running import CHROMIUM, explorer, settled

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


def need(found, advice):
    if not found:
        if os.environ.get("CI"):
            pytest.fail(advice)
        pytest.skip(advice)


@pytest.fixture(scope="session")
def browser():
    need(CHROMIUM, "no chromium on the path. Debian, Ubuntu: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def listen(page, complaints, allowed):
    """Note what a page complains of, and what it asks for that is not `allowed`."""
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if allowed(request.url) else complaints.append(request.url),
    )


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
        page.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
        own = path.as_uri()
        listen(page, complaints, lambda url: url == own or url.startswith(("data:", "blob:")))
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


@pytest.fixture(scope="session")
def explorer_url():
    with explorer() as (url, _):
        yield url


@pytest.fixture(scope="session")
def contexts(browser, explorer_url):
    """Browser contexts of the explorer: a desk's and a phone's, whose user wants no motion."""
    options = {
        "desk": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
        "phone": {
            "viewport": {"width": 390, "height": 844}, "color_scheme": "dark",
            "reduced_motion": "reduce", "has_touch": True,
        },
    }  # fmt: skip
    made = {
        name: browser.new_context(base_url=explorer_url, **given) for name, given in options.items()
    }
    for context in made.values():
        context.set_default_timeout(10_000)
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def visit(contexts, explorer_url):
    """Open an address of the explorer; `visit.complaints` must be empty when the test ends."""
    opened, complaints = [], []

    def page(address, context="desk"):
        page = contexts[context].new_page()
        opened.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((f"{explorer_url}/", "data:", "blob:"))
                else complaints.append(request.url)
            ),
        )
        page.goto(address)
        settled(page)
        return page

    page.complaints = complaints
    yield page
    for page in opened:
        page.close()
    assert complaints == []


COLLISIONS = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")]
    .map((e) => [e.textContent, e.getBoundingClientRect()])
    .filter(([t, r]) => t && r.width);
  return texts.flatMap(([s, a], i) => texts.slice(i + 1)
    .filter(([, b]) => a.left < b.right - 2 && b.left < a.right - 2
      && a.top < b.bottom - 4 && b.top < a.bottom - 4)
    .map(([t]) => `${s} | ${t}`));
})"""


def looks_right(page):
    """Assert that nothing overflows, no two texts of a picture collide, and all can be read."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(COLLISIONS) == []
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("svg text")].filter((e) => e.getClientRects().length)
          .map((e) => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes, default=13) >= 12


def cut_off(page):
    """Give what of a picture lies outside it, and so may not be seen."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".page-picture svg")].flatMap((svg) => {
          const box = svg.getBoundingClientRect();
          return [...svg.querySelectorAll("text, circle, rect, line")]
            .filter((e) => !e.closest("clipPath"))
            .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
            .filter(([, r]) => r.left < box.left - 2 || r.right > box.right + 2
              || r.top < box.top - 2 || r.bottom > box.bottom + 2)
            .map(([html]) => html);
        })"""
    )


def violations(page, axe):
    """Give what axe finds."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    return page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))")
