"""The same rows score the same out of every kind of file."""

import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv, feather

from plogq.score import readers, score

N, C = 50, 3


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {"logits": rng.normal(size=(N, C)), "labels": rng.integers(0, C, N)}


@pytest.fixture
def wide(arrays):
    x = {f"logit_{j}": arrays["logits"][:, j] for j in range(C)}
    return pa.table(x | {"label": arrays["labels"], "note": ["text"] * N})


def figures(source, **options):
    text = score(source, **options).to_json()
    return text[text.index('"kind"') :]


@pytest.fixture
def reference(arrays):
    return figures(arrays)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.parquet", pq.write_table),
        ("t.csv", csv.write_csv),
        ("t.feather", feather.write_feather),
    ],
)
def test_files(name, write, wide, reference, tmp_path):
    write(wide, tmp_path / name)
    result = score(tmp_path / name)
    assert result.source["paths"] == [str(tmp_path / name)]
    assert figures(tmp_path / name) == reference
    assert figures((tmp_path / name).as_uri()) == reference


def test_compressed_csv(wide, reference, tmp_path):
    csv.write_csv(wide, tmp_path / "t.csv")
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    assert figures(packed) == reference


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_files_and_streams(new, wide, reference, tmp_path):
    path = tmp_path / "t.arrow"
    with new(path, wide.schema) as writer:
        writer.write_table(wide, max_chunksize=7)
    assert figures(path) == reference


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(save, arrays, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "BATCH_ROWS", 7)
    save(tmp_path / "t.npz", **arrays)
    assert figures(tmp_path / "t.npz") == reference


def test_npz_of_names_and_of_the_other_byte_order(arrays, reference, tmp_path):
    names = np.array(["0", "1", "2"])[arrays["labels"]]
    swapped = arrays["logits"].astype(">f8")
    np.savez(tmp_path / "t.npz", logits=swapped, label=names)
    assert figures(tmp_path / "t.npz", classes=["0", "1", "2"]) == reference


def test_tables_in_memory(wide, reference):
    assert figures(wide) == reference
    assert figures(wide.to_pandas()) == reference
    assert figures(pl.DataFrame(wide)) == reference
    assert isinstance(wide.to_pandas(), pd.DataFrame)


def test_arrays_of_any_strides(arrays, reference):
    flipped = np.asfortranarray(arrays["logits"])
    flipped.flags.writeable = False
    assert figures(arrays | {"logits": flipped}) == reference


def test_names_out_of_polars():
    names = ["b", "a", "b"]
    q = {"prob_a": [0.5, 0.5, 0.25], "prob_b": [0.5, 0.5, 0.75]}
    for label in (pl.Series(names), pl.Series(names, dtype=pl.Categorical)):
        result = score(pl.DataFrame(q | {"label": label, "site": label}), slices=["site"])
        assert result.per_class[0]["bits"] == 1
        assert list(result.slices["site"]) == ["a", "b"]


def test_scoring_does_not_load_pandas(wide, tmp_path):
    """Arrow's to_numpy does, and takes longer over it than over everything else."""
    pq.write_table(wide, tmp_path / "t.parquet")
    code = "import sys, plogq.score as s; s.score(sys.argv[1]); sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "t.parquet"], check=True)
    code = code.replace("s.score(sys.argv[1])", "import pandas")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


def test_a_folder_and_its_markers(wide, reference, tmp_path):
    (tmp_path / "part=1").mkdir()
    pq.write_table(wide.slice(0, 20), tmp_path / "part=1" / "a.parquet")
    pq.write_table(wide.slice(20), tmp_path / "part=1" / "b.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden.parquet").write_text("no table")
    (tmp_path / "README").write_text("no table either")
    assert figures(tmp_path) == reference


def test_csv_columns_whose_first_rows_look_like_integers(tmp_path):
    (tmp_path / "t.csv").write_text(
        "prob_a,prob_b,w,site,label\n0,1,1,1,b\n0.5,0.5,2.5,x,a\n", encoding="utf-8"
    )
    result = score(tmp_path / "t.csv", weight="w", slices=["site"])
    assert result.cross_entropy == pytest.approx(2.5 / 3.5)
    assert list(result.slices["site"]) == ["1", "x"]


def test_wide_rows_come_in_small_batches(tmp_path, monkeypatch):
    x = np.zeros((40, 1000))
    table = pa.table({"logits": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 1000)})
    pq.write_table(table, tmp_path / "t.parquet", use_dictionary=False)
    for source in (tmp_path / "t.parquet", table, {"logits": x}):
        parts = readers.open_table(source).parts(["logits"], {})
        assert [part.batch.num_rows for part in parts] == [40]
    monkeypatch.setattr(readers, "BATCH_BYTES", 80_000)  # ten rows of 8,000 bytes
    for source in (tmp_path / "t.parquet", table, {"logits": x}):
        sizes = [p.batch.num_rows for p in readers.open_table(source).parts(["logits"], {})]
        assert max(sizes) <= 10
        assert sum(sizes) == 40
