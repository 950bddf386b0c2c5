"""The report in a real browser: what it shows, at any size, and what it must never do."""

import csv
import io
import json

import numpy as np
import pytest

from plogq.reports.html import report_html, write_report
from plogq.reports.numbers import percent
from plogq.score import score

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "--><b>",
    "\"'&amp;",
    "=HYPERLINK(1)",
    "\u202egnirts",
    "a name " * 40,
    "__proto__",
)


def predictions(rows, classes, seed=0, scale=2.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, classes)) * scale
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (q.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return {"logits": logits * 1.5, "labels": labels}


def impossible():
    table = predictions(300, 3)
    table["logits"][np.arange(0, 300, 50), table["labels"][::50]] = -np.inf
    return table


def binary():
    q = np.random.default_rng(1).random(400)
    return {"probs": q**2, "labels": (np.random.default_rng(2).random(400) < q).astype(int)}


def soft():
    table = predictions(200, 3)
    table["labels"] = np.random.default_rng(3).dirichlet(np.ones(3), 200)
    return table


RESULTS = {
    "ten": lambda: score(predictions(600, 10), code=True),
    "hostile": lambda: score(predictions(500, len(HOSTILE)), classes=HOSTILE),
    "binary": lambda: score(binary()),
    "impossible": lambda: score(impossible(), code=True, floor=1e-3),
    "soft": lambda: score(soft()),
    "hundred": lambda: score(predictions(3000, 100)),
    "one row": lambda: score(predictions(1, 3)),
}


@pytest.fixture(scope="session")
def pages():
    made = {}

    def page(name):
        if name not in made:
            made[name] = report_html(RESULTS[name]())
        return made[name]

    return page


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", RESULTS)
def test_nothing_overflows_or_collides(name, width, pages, open_page):
    page = open_page(pages(name), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    collisions = page.evaluate(
        """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
          const texts = [...svg.querySelectorAll("text")]
            .map((e) => [e.textContent, e.getBoundingClientRect()])
            .filter(([t, r]) => t && r.width);
          return texts.flatMap(([s, a], i) => texts.slice(i + 1)
            .filter(([, b]) => a.left < b.right - 2 && b.left < a.right - 2
              && a.top < b.bottom - 4 && b.top < a.bottom - 4)
            .map(([t]) => `${s} | ${t}`));
        })"""
    )
    assert collisions == []
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("svg text")]
          .map((e) => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes, default=13) >= 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ten", "hostile", "impossible", "soft"])
def test_axe_finds_nothing(name, scheme, pages, open_page, axe):
    page = open_page(pages(name), scheme=scheme, bypass_csp=True)
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))")
    assert found == []


def test_names_from_the_table_stay_text(pages, open_page):
    page = open_page(pages("hostile"))
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2  # the data and the page's own
    text = page.inner_text("body")
    assert "<script>alert(1)</script>" in text
    assert "--><b>" in text


def test_the_numbers_are_those_of_the_result(open_page):
    result = score(predictions(600, 10))
    page = open_page(report_html(result))
    assert f"{result.cross_entropy:.4f}" in page.inner_text("h1")
    figures = page.inner_text("#figures")
    for name in ("cross_entropy", "label_entropy", "refinement", "brier"):
        assert f"{getattr(result, name):.4f}" in figures
    assert percent(result.accuracy) in figures


def test_the_json_file_gives_the_same_page():
    result = score(predictions(100, 3))
    assert report_html(json.loads(result.to_json())) == report_html(result)


def test_a_result_without_the_later_figures_is_shown(open_page):
    old = json.loads(score(predictions(100, 3)).to_json())
    for name in ("refinement", "miscalibration", "resolution", "recalibration", "intervals",
                 "histograms", "confusion", "code"):  # fmt: skip
        old.pop(name, None)
    old["temperature"].pop("curve")
    page = open_page(report_html(old))
    assert f"{old['cross_entropy']:.4f}" in page.inner_text("h1")


def test_what_is_no_result_is_refused():
    with pytest.raises(ValueError, match="source: expected"):
        report_html({"schema": 1})
    document = json.loads(score({"probs": [[0.5, 0.5]] * 9, "labels": [0, 1, 1] * 3}).to_json())
    next(bin for bin in document["reliability"] if bin["rows"])["rows"] = 10**400
    with pytest.raises(ValueError, match=r"reliability\[\d\]\.rows: expected a whole number"):
        report_html(document)


def test_tables_sort_and_search_by_keyboard(pages, open_page):
    page = open_page(pages("ten"))
    table = page.locator("#surprises table")
    rows = table.locator("tbody tr")
    before = rows.count()
    heads = table.locator("thead button")
    first = rows.first.inner_text()
    heads.last.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert table.locator("th[aria-sort]").count() == 1
    turned = rows.first.inner_text()
    page.keyboard.press("Enter")
    assert {first, turned} & {rows.first.inner_text(), first}
    page.locator("#surprises input[type=search]").fill("no such row at all")
    assert rows.count() < before


def test_tables_are_exported_as_csv_that_a_spreadsheet_does_not_run(pages, open_page):
    page = open_page(pages("hostile"), accept_downloads=True)
    with page.expect_download() as download:
        page.locator("#classes button", has_text="CSV").first.click()
    text = download.value.path().read_text("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)


def test_print_shows_the_pictures(pages, open_page):
    page = open_page(pages("ten"))
    page.emulate_media(media="print")
    assert page.locator("#loss svg").first.is_visible()
    assert not page.locator("nav").first.is_visible()


def test_size(pages):
    assert len(pages("hundred").encode()) < 1_000_000


def test_a_thousand_classes_stay_usable(open_page):
    page = open_page(report_html(score(predictions(3000, 1000))))
    assert page.locator("#classes tbody tr").count() < 200  # the rest on demand
    page.locator("#classes input[type=search]").fill("777")
    assert "777" in page.locator("#classes tbody").inner_text()


def test_the_file_is_written_whole(tmp_path):
    path = tmp_path / "r.html"
    write_report(score(predictions(50, 3)), path)
    assert path.read_text().endswith("</html>\n")
    with pytest.raises(OSError, match="absent"):
        write_report(score(predictions(50, 3)), tmp_path / "absent" / "r.html")
