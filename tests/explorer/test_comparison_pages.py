"""The pages of a comparison, of token logprobs and of the doctor, in a real browser."""

import re

import numpy as np
import pyarrow as pa
import pytest

from plogq.compare import compare
from plogq.doctor import check
from plogq.doctor.runtime.gradient_flow import GradientFlow, LayerFlow
from plogq.lm import score_tokens
from plogq.reports.findings import compare as compare_words
from plogq.reports.findings import compare_many
from plogq.reports.findings import lm as lm_words
from plogq.reports.html import report_html
from plogq.reports.numbers import figure
from tests.compare.tables import models, table
from tests.explorer.test_report_page import HOSTILE
from tests.lm.corpora import corpus


def several(count, **options):
    label, found, columns = models(0, noise=np.linspace(0.3, 0.9, count), **options)
    return [table(label, each, columns) for each in found]


def hostile(count):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(500, len(HOSTILE)))
    labels, of = rng.integers(0, len(HOSTILE), 500), rng.choice(HOSTILE, 500)
    return [
        pa.table(
            {"logits": pa.FixedSizeListArray.from_arrays(
                (logits * k).ravel(), len(HOSTILE)), "label": labels, HOSTILE[0]: of, "id": [
                f"{HOSTILE[i % 8]}{i}" for i in range(500)]}
        )
        for k in np.linspace(0.1, 1, count)
    ]  # fmt: skip


def impossible():
    tables = several(2)
    logits = tables[1]["logit_cat"].to_numpy().copy()
    logits[::7] = -np.inf
    return [tables[0], tables[1].set_column(0, "logit_cat", pa.array(logits))]


def documents(count):
    rows = corpus(1, documents=30, first_unscored=False)
    return [
        pa.Table.from_pylist([row | {"logprob": row["logprob"] * k} for row in rows])
        for k in np.linspace(1, 1.2, count)
    ]


def of_hostile(count):
    options = {"classes": HOSTILE, "slices": [HOSTILE[0]], "id": "id"}
    return compare(*hostile(count), **options)


def layers():
    kept = [LayerFlow(f"{HOSTILE[i % 8]}.{i}", "Linear", 40, 0.5, 10.0**-i, 0) for i in range(12)]
    return GradientFlow((*kept, LayerFlow("last", "Linear", 4, 0.1, 0.0, 1.0)))


RESULTS = {
    "two": lambda: compare(*several(2), slices=["site"]),
    "three": lambda: compare(*several(3), slices=["site"]),
    "eight": lambda: compare(*several(8)),
    "hostile two": lambda: of_hostile(2),
    "hostile three": lambda: of_hostile(3),
    "impossible": lambda: compare(*impossible()),
    "few": lambda: compare(*several(3, rows=4), bootstrap=0),
    "alike": lambda: compare(*several(2)[:1] * 2),
    "two of documents": lambda: compare(*documents(2)),
    "three of documents": lambda: compare(*documents(3)),
    "tokens": lambda: score_tokens(documents(1)[0]),
    "doctor": lambda: check(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 2]),
    "doctor, nothing found": lambda: check(np.eye(3) * 2.5 - 0.1, [0, 1, 2]),
    "layers": layers,
}


@pytest.fixture(scope="module")
def pages():
    made = {}

    def page(name):
        if name not in made:
            made[name] = report_html(RESULTS[name]())
        return made[name]

    return page


COLLISIONS = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")]
    .map((e) => [e.textContent, e.getBoundingClientRect()])
    .filter(([t, r]) => t && r.width);
  return texts.flatMap(([s, a], i) => texts.slice(i + 1)
    .filter(([, b]) => a.left < b.right - 2 && b.left < a.right - 2
      && a.top < b.bottom - 4 && b.top < a.bottom - 4)
    .map(([t]) => `${s} | ${t}`));
})"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", RESULTS)
def test_nothing_overflows_or_collides(name, width, pages, open_page):
    page = open_page(pages(name), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(COLLISIONS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["two", "hostile three", "few", "tokens", "doctor", "layers"])
def test_axe_finds_nothing(name, scheme, pages, open_page, axe):
    page = open_page(pages(name), scheme=scheme, bypass_csp=True)
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))")
    assert found == []


@pytest.mark.parametrize("name", ["hostile two", "hostile three"])
def test_names_from_the_table_stay_text(name, pages, open_page):
    page = open_page(pages(name))
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert "<script>alert(1)</script>" in page.inner_text("body")


def words_of(name, result):
    """Give the sentences that the terminal prints on the first screen."""
    if name in ("three", "few"):
        return [each.text for each in compare_many.page(result).headline.answers]
    found = (lm_words if name == "tokens" else compare_words).findings(result)
    return [found.headline.title, found.headline.text, found.headline.advice, found.sure]


@pytest.mark.parametrize("name", ["two", "three", "few", "impossible", "tokens"])
def test_the_page_says_what_the_terminal_says(name, pages, open_page):
    shown = open_page(pages(name)).inner_text("body")
    for sentence in words_of(name, RESULTS[name]()):
        assert sentence in shown


def test_the_numbers_are_those_of_the_result(pages, open_page):
    page = open_page(pages("two"))
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    result = RESULTS["two"]()
    classes = page.inner_text("#classes")
    for each in result.per_class.values():
        for number in (each.a, each.b, each.difference, *each.interval):
            assert figure(number) in classes
    assert page.locator(
        "#classes svg [class=stroke-rest], #classes svg [class=stroke-gain]"
    ).count()


def test_the_page_loads_nothing(pages):
    assert not re.search(r'(src|href)="(?!#|data:)', pages("three").split("<script>")[0])
