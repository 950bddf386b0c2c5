"""Lists of numbers that went through text."""

import numpy as np
import pytest
import torch

from plogq.score import TableError, score
from plogq.tables.formats.text_lists import are_lists
from plogq.tables.readers import open_table

COST = (0.6931471805599453 + 1.3862943611198906) / 2
ROWS = np.array([[0.5, 0.5], [0.75, 0.25]])


def table(write):
    cells = ['"' + write(row).replace('"', '""') + '"' for row in ROWS]
    return f"label,probs\n0,{cells[0]}\n1,{cells[1]}\n"


@pytest.mark.parametrize(
    "write",
    [
        lambda row: str(row.tolist()),
        lambda row: str(tuple(row.tolist())),
        str,
        repr,
        lambda row: repr(list(row)),
        lambda row: repr(row.astype(np.float32)),
        lambda row: repr(torch.tensor(row)),
        lambda row: "[" + ";".join(map(str, row)) + "]",
        lambda row: "[ " + "\n  ".join(map(str, row)) + " ]",
        lambda row: " ".join(map(str, row)),
        lambda row: ",".join(map(str, row)),
        lambda row: "[" + " ".join(f"{x:.3e}" for x in row) + "]",
    ],
)
def test_a_list_as_text_is_a_list(write, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(table(write))
    assert score(path, unit="nat", bootstrap=0).cross_entropy == pytest.approx(COST)
    assert open_table(path).notes == ["The lists in probs were written as text."]


def test_long_lists_of_numpy_have_line_breaks(tmp_path):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 60)), rng.integers(0, 60, 200)
    path = tmp_path / "t.csv"
    with np.printoptions(precision=17, floatmode="unique"):
        rows = "".join(f'{y},"{row}"\n' for y, row in zip(labels, logits, strict=True))
    path.write_text("label,logits\n" + rows)
    assert score(path, bootstrap=0).cross_entropy == pytest.approx(
        score({"logits": logits, "labels": labels}, bootstrap=0).cross_entropy, rel=1e-12
    )


def test_soft_labels(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('label,probs\n"[0.5, 0.5]","[0.5, 0.5]"\n')
    result = score(path, bootstrap=0)
    assert (result.cross_entropy, result.label_entropy) == (1, 1)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("[0.5 0.1 ... 0.1]", "cut when it was printed"),
        ("[0.5, x]", "lists of numbers; got '[0.5, x]'"),
        ("[[0.5, 0.5]]", "lists of numbers"),
        ("[0.5]", "list 2 numbers"),
        ("", "got null"),
        ("[]", "got null"),
    ],
)
def test_a_cell_that_is_no_list_is_named(cell, said, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(table(str) + f'1,"{cell}"\n')
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0)
    assert said in str(caught.value)
    assert "row 2" in str(caught.value)


def test_a_comma_in_a_list_may_be_a_decimal_mark(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("label;logits\n0;[0,5 0,5]\n1;[0,75 0,25]\n")
    with pytest.raises(TableError, match=r"one kind of separator, .* --decimal"):
        score(path)
    said = score(path, bootstrap=0, decimal=",").cross_entropy
    assert said == score({"logits": ROWS, "labels": [0, 1]}, bootstrap=0).cross_entropy


@pytest.mark.parametrize(
    "cells",
    [["12 34", "56 78"], ["(0, 10]", "(10, 20]"], ["a b"], ["0.5"], ["2026-01-01 10:00"], ["1.5 m"],
     [""], [], ["[a, b]"], ["0.1 0.2", "0.1 0.2 0.3"], ["1,234.5"], ["1.234,5", "0.5,5"]],
)  # fmt: skip
def test_other_text_stays_text(cells):
    assert not are_lists(cells)


def test_a_column_asked_for_as_text_is_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('label,prob_0,prob_1,id\n1,.5,.5,"[1]"\n')
    [row] = score(path, bootstrap=0, id="id").surprises
    assert row.id == "[1]"
