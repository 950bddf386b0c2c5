"""The same rows score the same out of every kind of file."""

import gzip
import re
import subprocess
import sys
import zipfile

import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv, feather

from plogq.score import TableError, score
from plogq.tables import readers
from plogq.tables.formats import NAMES
from plogq.tables.formats.registry import FORMATS

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
    assert result.source.paths == (str(tmp_path / name),)
    assert figures(tmp_path / name) == reference
    assert figures((tmp_path / name).as_uri()) == reference


@pytest.mark.parametrize("name", ["t.csv.gz", "T.CSV.GZ"])
def test_compressed_csv(name, wide, reference, tmp_path):
    csv.write_csv(wide, tmp_path / "t.csv")
    packed = tmp_path / name
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
        assert result.per_class[0].cross_entropy == 1
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


def test_filesystems_of_fsspec(wide, reference, tmp_path):
    pq.write_table(wide, tmp_path / "t.parquet")
    with fsspec.open("memory://folder/t.parquet", "wb") as file:
        file.write((tmp_path / "t.parquet").read_bytes())
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as packed:
        packed.write(tmp_path / "t.parquet", "t.parquet")
    for uri in (
        "memory://folder/t.parquet",
        "memory://folder",
        f"zip://t.parquet::file://{tmp_path}/t.zip",
        f"zip://t.parquet::{tmp_path}/t.zip",
        f"simplecache::file://{tmp_path}/t.parquet",
    ):
        assert figures(uri) == reference


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("nowhere://t.parquet", r"no filesystem of the name 'nowhere'; there are abfs, .*s3.*zip"),
        ("memory://none.parquet", r"memory://none.parquet: no such file or folder"),
        ("zip://t.parquet::{}/none.zip", r"none.zip: no such file or folder"),
        ("zip://u.parquet::{}/t.zip", r"zip://u.parquet::.*t.zip: no such file or folder"),
        ("none::t.parquet", r"^none::t.parquet: not a readable table"),
        ("file://relative.parquet", r"file://relative.parquet: not a readable table"),
    ],
)
def test_uris_that_lead_nowhere(uri, said, tmp_path):
    zipfile.ZipFile(tmp_path / "t.zip", "w").close()
    with pytest.raises(TableError, match=said):
        score(uri.format(tmp_path))


def test_archives_that_are_broken(tmp_path):
    (tmp_path / "text.zip").write_text("no archive")
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "label,prob_0,prob_1\n" + "1,.25,.75\n" * 5_000)
    assert score(f"zip://t.csv::{whole}").rows == 5_000
    data = bytearray(whole.read_bytes())
    data[50:80] = bytes(30)
    (tmp_path / "cut.zip").write_bytes(data)
    with pytest.raises(TableError, match=r"text.zip: not a URI that fsspec can follow: "):
        score(f"zip://t.csv::{tmp_path}/text.zip")
    with pytest.raises(TableError, match=r"^.*t.csv: not a readable CSV file: "):
        score(f"zip://t.csv::{tmp_path}/cut.zip")


def test_a_filesystem_whose_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(TableError, match=r"sftp://h/t.parquet: cannot be reached: .*paramiko"):
        score("sftp://h/t.parquet")


def test_a_file_with_colons_in_its_name(wide, reference, tmp_path):
    pq.write_table(wide, tmp_path / "zip::t.parquet")
    assert figures(tmp_path / "zip::t.parquet") == reference


def test_of_several_broken_files_the_first_is_named(wide, tmp_path):
    for i in range(40):
        pq.write_table(wide, tmp_path / f"{i:02}.parquet")
    for i in (7, 30):
        (tmp_path / f"{i:02}.parquet").write_text("no table")
    with pytest.raises(TableError, match=r"07.parquet: not a readable Parquet file"):
        score(tmp_path)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.arrow", "t.npz"])
def test_pieces_can_be_read_by_themselves(name, wide, arrays, tmp_path):
    path = tmp_path / name
    if name == "t.parquet":
        pq.write_table(wide, path, row_group_size=7)
    elif name == "t.csv":
        csv.write_csv(wide, path)
    elif name == "t.npz":
        np.savez(path, logits=arrays["logits"], label=arrays["labels"])
    else:
        with pa.ipc.new_file(path, wide.schema) as writer:
            writer.write_table(wide, max_chunksize=7)
    [file] = readers.open_table(path).readers
    rows = file.pieces("label")
    split = name in ("t.parquet", "t.arrow")
    assert rows == ([7] * 7 + [1] if split else [N])
    labels = []
    for i in range(len(rows)):
        for part in readers.parts_of(
            file, ["label"], {}, pieces=range(i, i + 1) if split else None
        ):
            labels += part.batch.column("label").to_pylist()
    assert labels == arrays["labels"].tolist()


def test_quoted_line_breaks_are_no_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('prob_a,prob_b,note,label\n0.5,0.5,"two\nlines",a\n0.5,0.5,,b\n')
    assert readers.open_table(path).readers[0].pieces("label") == [2] == [score(path).rows]


def test_sentences_name_every_format():
    assert set(re.findall(r"\w+", NAMES)) - {"or"} == {kind.format for kind in FORMATS.values()}
