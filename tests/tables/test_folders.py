"""Each real file of a folder counts once, and what is hidden or unfinished does not."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.score import TableError, score
from plogq.tables.readers import open_table

GOOD = "label,prob_0,prob_1\n1,.3,.7\n0,.6,.4\n"
OTHER = "label,prob_0,prob_1\n1,.9,.1\n0,.1,.9\n"


def read(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    table = open_table(folder)
    return [path.removeprefix(f"{folder}/") for path in table.paths], table.notes


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints/p-checkpoint.csv",
        "_temporary/0/part-1.csv",
        "a/.hidden/b/p.csv",
        ".p.csv",
        "._p.csv",
        "_p.csv",
        "p.csv.tmp",
        "run.tmp/p.csv",
        "p.csv.inprogress",
        "p.csv.crdownload",
        "p.csv~",
        "__MACOSX/p.csv",
    ],
)
def test_hidden_and_unfinished_files_are_left_out(name, tmp_path):
    paths, notes = read(tmp_path, {"p.csv": GOOD, name: OTHER})
    assert paths == ["p.csv"]
    assert notes == ([f"Not read, of the folder: {name}."] if name.endswith(".csv") else [])
    assert score(tmp_path, unit="nat", bootstrap=0).cross_entropy == pytest.approx(0.43375028)


def test_markers_are_not_worth_a_word(tmp_path):
    markers = {"_SUCCESS": "", "._SUCCESS.crc": "", ".part-0.csv.crc": "", "part-0.csv": GOOD}
    assert read(tmp_path, markers) == (["part-0.csv"], [])


def test_what_a_folder_is_below_does_not_matter(tmp_path):
    paths, _ = read(tmp_path / ".cache" / "_x", {"p.csv": GOOD, "sub/q.csv": OTHER})
    assert paths == ["p.csv", "sub/q.csv"]


def test_a_folder_that_links_to_itself(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "again").symlink_to("sub")
    paths, _ = read(tmp_path, {"p.csv": GOOD, "sub/q.csv": OTHER})
    assert paths == ["p.csv", "sub/q.csv"]
    assert score(tmp_path, bootstrap=0).rows == 4


def test_links_to_what_lies_elsewhere_are_read_once(tmp_path):
    read(tmp_path / "store", {"x": GOOD, "more/y.csv": OTHER})
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).symlink_to(tmp_path / "store" / "x")
    (folder / "more").symlink_to(tmp_path / "store" / "more")
    (folder / "broken.csv").symlink_to("nowhere")
    paths, notes = read(folder, {})
    assert paths == ["a.csv", "more/y.csv"]
    assert notes == ["Not read, of the folder: b.csv."]
    (folder / "hard.csv").hardlink_to(tmp_path / "store" / "x")
    assert len(read(folder, {})[0]) == 2


def test_files_of_other_kinds_beside_tables(tmp_path):
    files = {"p.csv": GOOD, "config.json": "{}", "README.txt": "x", "model.bin": "x"}
    paths, notes = read(tmp_path, files)
    assert paths == ["p.csv"]
    assert notes == ["Not read, of the folder: README.txt, config.json, model.bin."]
    read(tmp_path / "j", {"p.json": '[{"label": 1, "probs": [0.1, 0.9]}]'})
    assert score(tmp_path / "j", bootstrap=0).rows == 1
    with pytest.raises(TableError, match=r"one format; got \.csv, \.jsonl"):
        read(tmp_path, {"p.jsonl": "{}"})


def test_a_part_without_an_ending_is_a_part(tmp_path):
    table = pa.table({"label": [1], "prob_0": [0.3], "prob_1": [0.7]})
    for name in ("part-0.snappy.parquet", "part-1", "part-2.parquet.tmp"):
        pq.write_table(table, tmp_path / name)
    (tmp_path / "_SUCCESS").touch()
    assert score(tmp_path, bootstrap=0).rows == 2


@pytest.mark.parametrize("end", [".csv", ".parquet", ".arrow", ".jsonl"])
def test_columns_that_names_of_folders_hold(end, tmp_path):
    for label, p in (("0", 0.8), ("1", 0.1)):
        folder = tmp_path / "site=A%20B" / f"label={label}"
        folder.mkdir(parents=True)
        table = pa.table({"prob_0": [p], "prob_1": [1 - p]})
        path = folder / f"part{end}"
        if end == ".parquet":
            pq.write_table(table, path)
        elif end == ".arrow":
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)
        elif end == ".csv":
            path.write_text(f"prob_0,prob_1\n{p},{1 - p}\n")
        else:
            path.write_text(f'{{"prob_0": {p}, "prob_1": {1 - p}}}\n')
    result = score(tmp_path, unit="nat", bootstrap=0, slices=["site"])
    assert result.cross_entropy == pytest.approx((0.22314355 + 0.10536052) / 2)
    assert list(result.slices["site"]) == ["A B"]
    assert "The column label is what names of folders say: label=…." in open_table(tmp_path).notes
    missing = tmp_path / "site=A%20B" / "label=__HIVE_DEFAULT_PARTITION__"
    (tmp_path / "site=A%20B" / "label=0").rename(missing)
    with pytest.raises(TableError, match=r"a label in every row .*; got null"):
        score(tmp_path, bootstrap=0)


def test_a_column_of_the_file_comes_before_that_of_the_folder(tmp_path):
    read(tmp_path, {"label=0/p.csv": GOOD})
    assert score(tmp_path, unit="nat", bootstrap=0).cross_entropy == pytest.approx(0.43375028)


def test_a_file_beside_its_compressed_copy_is_warned_of(tmp_path):
    read(tmp_path, {"p.csv": GOOD, "q.csv": OTHER})
    assert open_table(tmp_path).warnings == []
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    said = f"{tmp_path}/p is there with several endings: are these the same rows?"
    assert open_table(tmp_path).warnings == [said]
