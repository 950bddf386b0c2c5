"""What is taken out of the report, and read off it without a mouse."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from plogq.explorer import report_html
from plogq.score import score


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(600, 3)) * 3
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (q.cumsum(axis=1) > rng.random((600, 1))).argmax(axis=1)
    return score({"logits": 2 * logits, "labels": labels}, code=True)


@pytest.fixture
def page(open_page, result):
    return open_page(report_html(result), accept_downloads=True)


def saved(page, button):
    with page.expect_download() as download:
        button.click()
    return download.value.path().read_bytes()


def test_all_numbers_as_json(page, result):
    data = saved(page, page.get_by_role("button", name="Save all numbers as JSON"))
    assert json.loads(data) == json.loads(result.to_json())


def test_every_picture_as_svg(page):
    buttons = page.get_by_role("button", name="Save as SVG").all()
    assert len(buttons) >= 8
    for button in buttons:
        picture = ElementTree.fromstring(saved(page, button))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        assert picture.find(".//*[@class]") is None  # its colours stand in it


def test_a_picture_as_png(page):
    button = page.locator("#loss").get_by_role("button", name="Save as PNG")
    assert saved(page, button).startswith(b"\x89PNG\r\n")


def test_charts_are_read_by_arrow_keys(page, result):
    chart = page.locator("#reliability .chart-plot")
    chart.focus()
    page.keyboard.press("End")
    last = [b for b in result.reliability if b.rows][-1]
    said = page.locator("#reliability [aria-live]").inner_text()
    assert f"{last.rows:,} rows" in said
    assert f"{100 * last.accuracy:.1f}\xa0%" in said
    page.keyboard.press("Escape")
    assert page.locator("#reliability [aria-live]").inner_text() == ""


def test_sorting_by_keyboard_orders_the_rows(page, result):
    header = page.locator("#classes thead button", has_text="accuracy")
    header.focus()
    page.keyboard.press("Enter")
    ordered = sorted(result.per_class, key=lambda c: c.accuracy, reverse=True)
    names = page.locator("#classes tbody th").all_inner_texts()
    assert names == [c.name for c in ordered]
    page.keyboard.press("Space")
    assert page.locator("#classes tbody th").all_inner_texts() == names[::-1]


def test_the_theme_is_chosen_by_keyboard(page):
    def paper():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = paper()
    page.get_by_role("button", name="Dark theme").press("Enter")
    page.locator("html[data-theme=dark]").wait_for()
    assert paper() != light


def test_why_a_recalibration_was_not_tried_is_shown(open_page):
    few = score({"logits": np.eye(3).repeat(40, axis=0), "labels": [0, 1, 2] * 40})
    shown = open_page(report_html(few)).locator("#recalibration").inner_text()
    assert few.recalibration.aside
    for name, why in few.recalibration.aside.items():
        assert name in shown
        assert f"not tried: {why}" in shown
    for name, loss in few.recalibration.cross_entropy.items():
        assert name.replace("identity", "as they are") in shown
        assert f"{loss:.4f}" in shown


def test_intervals_are_shown(page, result):
    row = page.locator("#figures tbody tr", has_text="miscalibration").first.inner_text()
    low, high = result.intervals["miscalibration"]
    assert f"{low:.4f}" in row
    assert f"{high:.4f}" in row


def test_open_tables_do_not_overflow_a_phone(open_page, result):
    page = open_page(report_html(result), 390)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
