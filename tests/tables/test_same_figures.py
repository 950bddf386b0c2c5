"""The same predictions in every dialect, encoding, packing and layout: the same bits as Parquet."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plogq.score import score
from tests.tables.written import PACKERS, lines

CLASSES = ["b", "ä", "c c"]
rng = np.random.default_rng(0)
PROBS = rng.dirichlet(np.ones(3), 40)
LABELS = [CLASSES[j] for j in rng.integers(0, 3, 40)]
NAMES = ["id", *(f"prob_{name}" for name in CLASSES), "label"]
ROWS = [
    (f"row {i}", *row, y) for i, (row, y) in enumerate(zip(PROBS.tolist(), LABELS, strict=True))
]


def figures(source, **options):
    text = score(source, bootstrap=0, id="id", **options).to_json()
    return text[text.index('"kind"') :]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "t.parquet"
    columns = dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), path)
    return figures(path)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    delimiter=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]),
    packed=st.sampled_from(list(PACKERS)),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    above=st.sampled_from(["", "# a comment\n", "\n"]),
    blanks=st.booleans(),
    header=st.booleans(),
)  # fmt: skip
def test_text(
    reference, tmp_path, delimiter, decimal, encoding, packed, end, above, blanks, header
):
    blanks = blanks and delimiter != decimal  # quotes after blanks are no quotes
    text = above + lines(NAMES, ROWS, delimiter, decimal, end, blanks)
    options = {}
    if header:
        text = above + lines(ROWS[0], ROWS[1:], delimiter, decimal, end)
        options["header"] = NAMES
    if encoding == "cp1252":
        options["encoding"] = encoding
    path = tmp_path / f"t.csv{packed}"
    path.write_bytes(PACKERS[packed](text.encode(encoding)))
    assert figures(path, **options) == reference


RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.jsonl", "".join(json.dumps(record) + "\n" for record in RECORDS)),
        ("t.json", json.dumps(RECORDS)),
        ("t.json", json.dumps({"columns": NAMES, "data": ROWS})),
        ("t.json", json.dumps(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True)))),
        (
            "t.arff",
            "@relation t\n@attribute id string\n"
            + "".join(f"@attribute 'prob_{name}' numeric\n" for name in CLASSES)
            + "@attribute label {b, ä, 'c c'}\n@data\n"
            + lines([], ROWS).lstrip("\n"),
        ),
    ],
    ids=["lines", "records", "split", "columns", "arff"],
)
def test_other_formats(reference, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert figures(path) == reference


@pytest.mark.parametrize("write", [str, lambda row: str(np.array(row)), json.dumps])
def test_lists(write, tmp_path):
    with np.printoptions(precision=17, floatmode="unique"):
        cells = [write(row) for row in PROBS.tolist()]
    index = [CLASSES.index(name) for name in LABELS]
    of_arrays = {"id": [row[0] for row in ROWS], "probs": PROBS.tolist(), "label": index}
    rows = [(row[0], f'"{cell}"', y) for row, cell, y in zip(ROWS, cells, index, strict=True)]
    (tmp_path / "t.tsv").write_text(lines(["id", "probs", "label"], rows, "\t"))
    assert figures(tmp_path / "t.tsv") == figures(pa.table(of_arrays))
