"""Results as a notebook shows them, in a real kernel; and as numbers and frames."""

import json
import re

import nbformat
import numpy as np
import pandas as pd
import polars as pl
import pytest
from nbclient import NotebookClient

from plogq.compare import Comparison, compare, validate
from plogq.doctor import check
from plogq.doctor.choices import choose
from plogq.lm import score_tokens
from plogq.reports.findings.of_result import first_screen
from plogq.reports.findings.words import plain
from plogq.score import Recalibration, Result, label_errors, score

TAGS = {"style", "div", "p", "dl", "dt", "dd", "ul", "li", "br", "svg", "rect", "span", "small",
        "strong", "code"}  # fmt: skip
rng = np.random.default_rng(3)
Y = rng.integers(0, 3, 400)
Z = 2 * np.eye(3)[Y] + rng.normal(size=(400, 3))
SITE = np.where(Y > 0, "<b>a</b>", "b")
TABLE = {"logits": Z, "labels": Y, "site": SITE}
TOKENS = pd.DataFrame({"doc": ["<i>a</i>"] * 3 + ["b"] * 2, "logprob": [-1.0, -2, -3, -1, -2],
                       "bytes": [1, 2, 3, 4, 5]})  # fmt: skip
RESULTS = {
    "score": score(TABLE, slices=["site"]),
    "infinite": score({"probs": [[1.0, 0.0], [0.5, 0.5]], "labels": [1, 0]}),
    "compare": compare(TABLE, {"logits": Z + rng.normal(size=Z.shape), "labels": Y}),
    "lm": score_tokens(TOKENS),
    "many": compare(TABLE, TABLE, {"logits": Z + rng.normal(size=Z.shape), "labels": Y}),
    "labels": label_errors(TABLE),
    "validation": validate(Recalibration.fit(TABLE), TABLE),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_cell_has_the_first_screen_and_nothing_that_runs_or_loads(name):
    result = RESULTS[name]
    shown, said = result._repr_html_(), str(result)
    assert set(re.findall(r"</?(\w+)", shown)) <= TAGS
    assert re.search(r"<script|\bon\w+=|https?:|url\(", shown) is None
    assert len(shown) < 5_000
    screen = first_screen(result)
    for text in (screen.title, *(each.text for each in screen.answers), *screen.warnings):
        assert plain(text).removesuffix(".") in said  # the title may be the first answer
    assert "<i>" not in shown
    assert said.splitlines()[0] == plain(screen.title)


def test_pictures_are_of_what_is_finite():
    assert "miscalibration" in RESULTS["score"]._repr_html_()
    assert "A costs less" in RESULTS["compare"]._repr_html_()
    assert "<svg" not in RESULTS["infinite"]._repr_html_()


def test_the_bar_of_a_score_is_the_label_entropy():
    r = RESULTS["score"]
    found = re.findall(r'<rect x="([\d.]+)" y="3" width="([\d.]+)"', r._repr_html_())
    parts = [r.refinement, r.miscalibration, r.information_gain]
    assert sum(parts) == pytest.approx(r.label_entropy, abs=1e-12)
    for (_, width), part in zip(found, parts, strict=True):
        assert float(width) == pytest.approx(1000 * part / r.label_entropy, abs=0.06)
    assert float(found[-1][0]) + float(found[-1][1]) == pytest.approx(1000, abs=0.11)


def test_html_is_the_report_where_there_is_one():
    assert RESULTS["score"].html().startswith("<!doctype html>")
    assert choose("one").TEXT == ""
    with pytest.raises(TypeError, match="html must be asked of a report; got the answer of plogq"):
        choose("one").html()


def test_metrics_are_the_numbers_of_the_json():
    r = RESULTS["score"]
    found, document = r.metrics(), json.loads(r.to_json())
    assert all(type(value) is float for value in found.values())
    assert {"rows", "cross_entropy", "temperature.value", "recalibration.cross_entropy.identity",
            "intervals.miscalibration.low"} <= set(found)  # fmt: skip
    for name, value in found.items():
        at = document
        *path, last = name.split(".")
        for part in path:
            at = at[part]
        at = at[("low", "high").index(last)] if isinstance(at, list) else at[last]
        assert (float(at) if isinstance(at, str) else at) == value
    assert "kl" not in found  # of hard labels there is none
    assert RESULTS["infinite"].metrics()["cross_entropy"] == np.inf
    compared = RESULTS["compare"].metrics()
    assert compared["a.cross_entropy"] - compared["b.cross_entropy"] == pytest.approx(
        compared["difference"]
    )


def test_frames_for_pandas_and_polars():
    r = RESULTS["score"]
    classes = r.to_frame("per_class").to_pandas()
    assert classes["name"].tolist() == ["0", "1", "2"]
    assert classes["rows"].sum() == r.rows
    slices = pl.from_arrow(r.to_frame("slices"))
    assert slices.columns == ["column", "name", "rows", "cross_entropy", "information_gain"]
    assert slices["name"].to_list() == list(r.slices["site"])
    bins = r.to_frame("reliability").column_names
    assert bins == ["bin.low", "bin.high", "rows", "confidence", "accuracy"]
    groups = RESULTS["compare"].to_frame("per_class").column_names
    assert groups == ["name", "rows", "a", "b", "difference", "interval.low", "interval.high",
                      "winner"]  # fmt: skip
    assert RESULTS["lm"].to_frame("worst_documents")["doc"].to_pylist()[0] == "<i>a</i>"


def test_a_frame_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(
        ValueError, match=r"name must be one of per_class, .*surprises, warnings; got 'per'"
    ):
        RESULTS["infinite"].to_frame("per")
    with pytest.raises(ValueError, match="no tables"):
        choose("one").to_frame("x")


def test_what_is_read_back_is_shown_the_same():
    for name, kind in (("score", Result), ("compare", Comparison)):
        again = kind.read(json.loads(RESULTS[name].to_json()))
        assert again._repr_html_() == RESULTS[name]._repr_html_()
        assert again.metrics() == RESULTS[name].metrics()


def test_the_doctors_cell_is_framed_the_same():
    shown = check([[0.5, 0.5]], [0])._repr_html_()
    assert shown.startswith("<style>")
    assert set(re.findall(r"</?(\w+)", shown)) <= TAGS


CELLS = [
    "import numpy as np\ny, p = np.array([0, 1] * 30), np.full((60, 2), .5)",
    "from plogq.score import score\nscore(y, p)",
    "from plogq.compare import compare\ntable = {'probs': p, 'label': y}\ncompare(table, table)",
    "from plogq.lm import score_tokens\n"
    "score_tokens({'doc': ['a', 'b'], 'logprob': [-1., -2.], 'bytes': [1, 2]})",
    "from plogq.doctor import check\ncheck(p, y)",
    "from plogq import explore\nexplore.softmax()",
]


def test_a_kernel_shows_results_and_pages():
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in CELLS])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    shown = [each.data for cell in book.cells[1:] for each in cell.outputs if "data" in each]
    assert len(shown) == 5
    for data, title in zip(shown, ("1.0000 bits per row", "A and B cost the same", "per byte"),
                           strict=False):  # fmt: skip
        assert title in data["text/plain"].splitlines()[0]
        assert title in data["text/html"]
    assert "found" in shown[3]["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in shown[4]
