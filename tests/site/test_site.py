"""The site: built strictly, whole, with links that lead somewhere, for everyone, from the disk."""

import importlib
import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.site import public_names
from docs.site.public_names import MODULES
from tests.site.conftest import ROOT, violations

pytestmark = pytest.mark.slow

PACKAGE = ROOT / "src" / "plogq"
# What serves the public modules, and has no page.
SERVING = {
    *("adapters", "cli", "conditions", "errors", "extras", "files", "formulas", "kernels"),
    *("kinds", "notebook", "records", "reports", "signals", "tables"),
}
PAGES = {
    "first": "index.html",
    "guide": "torch.html",
    "reference": "reference/plogq.html",
    "command": "commands/score.html",
}
VIEWS = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (360, "dark")}


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors.add(given.get("id"))
        self.anchors.add(given.get("name"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in ("prev", "next", "canonical"):
            self.loaded.append(given["href"])
        self.loaded += [given[key] for key in ("src", "data") if tag != "input" and given.get(key)]


@cache
def read(path):
    return Page(path.read_text(encoding="utf-8"))


def broken(path):
    """Give the links of a page that lead nowhere, and what it loads from elsewhere or lacks."""
    page = read(path)
    for link in [*page.links, *page.loaded]:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if link in page.loaded and parts.scheme != "data":
                yield link
            continue
        target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
        anchor = unquote(parts.fragment)
        if not target.is_file() or (anchor and anchor not in read(target).anchors):
            yield link


def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    pages = [path for path in site.rglob("*.html") if path.name != "404.html"]
    assert len(pages) > 100
    found = {str(path.relative_to(site)): list(broken(path)) for path in pages}
    assert {page: links for page, links in found.items() if links} == {}
    for path in site.rglob("*.css"):
        urls = re.findall(r"url\(\s*[\"']?([^\"')]{1,40})", path.read_text(encoding="utf-8"))
        assert [url for url in urls if not url.startswith("data:")] == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<h1 id=a><a href=#a>1</a><a href=#b>2</a><a href=no.html>3</a><img src=//h/x>")
    assert list(broken(page)) == ["#b", "no.html", "//h/x"]


def test_links_of_pages_outside_docs():
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = re.sub(r"`[^`\n]*`", "", (ROOT / name).read_text(encoding="utf-8"))
        links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
        assert [link for link in links if not (ROOT / link).exists()] == [], name


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(site, module):
    names = importlib.import_module(module).__all__
    page = read(site / "reference" / f"{module}.html")
    absent = [name for name in names if f"{module}.{name}" not in page.anchors]
    assert [name for name in absent if name not in ("__version__", "parallel")] == []


def test_every_module_has_a_page_or_serves_others():
    there = {path.stem for path in PACKAGE.iterdir() if path.stem[0] not in "_."} - {"py"}
    paged = {module.split(".")[1] for module in MODULES if "." in module}
    assert there == paged | SERVING
    assert paged & SERVING == set()


def test_a_name_without_a_docstring_stops_the_build(monkeypatch):
    package = public_names.load()
    assert public_names.undocumented(package) == []
    monkeypatch.setattr(package["formulas.information.entropy"], "docstring", None)
    assert public_names.undocumented(package) == ["plogq.entropy"]


@pytest.mark.parametrize("page", PAGES)
def test_everyone_can_read_it(page, address, visit, axe):
    for width, scheme in VIEWS.values():
        opened = visit(f"{address}/{PAGES[page]}", width, scheme)
        assert opened.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert violations(opened, axe) == []


def test_nothing_is_wider_than_a_phone(site, address, visit):
    page = visit(f"{address}/index.html", 360)
    folders = (site, site / "reference", site / "commands", site / "coming-from")
    paths = [path for folder in folders for path in sorted(folder.glob("*.html"))]
    wide = []
    for path in paths:
        page.goto(f"{address}/{path.relative_to(site)}", wait_until="domcontentloaded")
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            wide.append(path.name)
    assert wide == []


def test_the_search_works_from_the_disk(site, visit):
    page = visit((site / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.insert_text("generalised cross-entropy")  # at once: lunr warns of "cross-"
    page.wait_for_selector(".md-search-result__item a")
    links = page.eval_on_selector_all(".md-search-result__item a", "all => all.map(a => a.href)")
    assert any("generalised_cross_entropy" in link for link in links)


def test_a_picture_of_the_gallery_has_the_readers_colours(address, visit):
    shown = "e => [...e].filter(i => i.getClientRects().length).map(i => i.getAttribute('src'))"
    for scheme, other in (("light", "dark"), ("dark", "light")):
        page = visit(f"{address}/explorer.html", scheme=scheme)
        pictures = page.eval_on_selector_all('img[src^="explorer/"]', shown)
        assert any(f"-{scheme}.webp" in picture for picture in pictures)
        assert not any(f"-{other}.webp" in picture for picture in pictures)
        assert any("-phone.webp" in picture for picture in pictures)


def test_the_colours_can_be_chosen(address, visit):
    page = visit(f"{address}/index.html", scheme="dark")
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    page.click("form[data-md-component=palette] label:not([hidden])")
    assert page.evaluate("document.body.dataset.mdColorScheme") == "default"
    page.reload()
    assert page.evaluate("document.body.dataset.mdColorScheme") == "default"
