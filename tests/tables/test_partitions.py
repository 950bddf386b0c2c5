"""A worker that opens a file again reads it as it was read when the table was opened."""

import pickle

import pyarrow as pa
import pytest

from plogq.tables.columns import find_columns
from plogq.tables.formats.text_options import text_options
from plogq.tables.partitions import Pieces, files_of, plan
from plogq.tables.readers import open_table

EXPECTED = {"prob_é": [0.5, 0.75], "prob_b": [0.5, 0.25], "label": ["é", "b"]}


def again(folder, text=None):
    """Give the columns as the workers of a cluster would read them."""
    table = open_table(folder, text)
    columns = find_columns(table, label="label")
    found = {name: [] for name in EXPECTED}
    files = [Pieces(file, file.pieces(columns.names[0])) for file in files_of(table)]
    for run in pickle.loads(pickle.dumps(plan(files, 2))):
        for partition in run:
            for part in partition.parts(columns.read(), columns.types()):
                for name in EXPECTED:
                    found[name] += part.batch.column(name).to_pylist()
    return found


@pytest.mark.parametrize(
    ("names", "rows", "text"),
    [
        ("prob_é;prob_b;label", ["0,5;0,5;é", "0,75;0,25;b"], text_options(encoding="cp1252")),
        ("# prob_é prob_b label", [".5 .5 é", ".75 .25 b"], text_options(encoding="cp1252")),
        (None, [".5,.5,é", ".75,.25,b"], text_options("cp1252", header=list(EXPECTED))),
        ("prob_é, prob_b, label", [".5, .5, é", ".75, .25, b"], text_options("cp1252")),
    ],
)
def test_dialects_and_options(names, rows, text, tmp_path):
    for i, row in enumerate(rows):
        lines = [*([names] if names else []), row]
        data = "".join(line + "\n" for line in lines).encode("cp1252")
        (tmp_path / f"part-{i}.csv").write_bytes(data)
    assert again(tmp_path, text) == EXPECTED


def test_json_and_names_of_folders(tmp_path, monkeypatch):
    for i, label in enumerate(EXPECTED["label"]):
        folder = tmp_path / f"label={label}"
        folder.mkdir()
        p, q = EXPECTED["prob_é"][i], EXPECTED["prob_b"][i]
        (folder / "p.json").write_text(f'[{{"prob_é": {p}, "prob_b": {q}}}]', encoding="utf-8")
    backwards = {name: values[::-1] for name, values in EXPECTED.items()}  # b comes before é
    assert again(tmp_path) == backwards
    monkeypatch.chdir(tmp_path)
    assert again(".") == backwards
    assert open_table(tmp_path).schema.field("label").type == pa.string()
