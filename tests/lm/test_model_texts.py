"""What is read as documents: files of text, tables with a column of them, texts in memory."""

import bz2
import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from plogq.errors import TableError
from plogq.lm.documents import Remarks
from plogq.lm.from_model.texts import Survey, files_of, texts_of
from plogq.tables.formats.text_options import text_options

TEXTS = ["It snows.\r\nIt does.", "né 😀", "", "12", "NA", "2024-01-01", 'a "quoted" one, with ;']
ROWS = {"text": TEXTS, "other": list(range(len(TEXTS)))}


def read(*paths, **options):
    return list(files_of([str(path) for path in paths], **options).read())


def as_csv(path):
    pd.DataFrame(ROWS).to_csv(path, index=False)


def as_lines(path):
    path.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))


WRITERS = {
    "t.parquet": lambda path: pq.write_table(pa.table(ROWS), path),
    "t": lambda path: pq.write_table(pa.table(ROWS), path),  # known by its first bytes
    "t.arrow": lambda path: feather.write_feather(pa.table(ROWS), path),
    "t.csv": as_csv,
    "t.csv.gz": as_csv,
    "t.jsonl": as_lines,
    "t.json": lambda path: path.write_text(json.dumps([{"text": text} for text in TEXTS])),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_of_any_format(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = read(tmp_path / name)
    assert [name for name, _ in found] == [str(row) for row in range(len(TEXTS))]
    assert [text or "" for _, text in found] == TEXTS


def test_two_tables_and_their_names(tmp_path):
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    a.write_text('{"text": "x", "doc": "one", "n": 7}\n{"text": "y", "doc": "two", "n": 8}\n')
    b.write_text('{"text": "z"}\n')
    assert read(a) == [("one", "x"), ("two", "y")]
    assert read(a, doc="n") == [("7", "x"), ("8", "y")]
    assert read(a, column="doc", doc="text") == [("x", "one"), ("y", "two")]
    assert read(a, b) == [(f"{a}:one", "x"), (f"{a}:two", "y"), (f"{b}:0", "z")]


def test_files_of_text(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfa\r\nb")  # a mark of byte order is no text
    (tmp_path / "in" / "a.py").write_bytes(b"x = 1\n")
    (tmp_path / "c.md.gz").write_bytes(gzip.compress("né".encode()))
    (tmp_path / "d.txt.bz2").write_bytes(bz2.compress(b"d"))
    (tmp_path / ".hidden").write_bytes(b"\xff")
    (tmp_path / "_half.txt.tmp").write_bytes(b"\xff")
    (tmp_path / "in" / "__init__.py").write_bytes(b"2")
    expected = {
        "in/__init__.py": "2",
        "b.txt": "a\r\nb",
        "c.md.gz": "né",
        "d.txt.bz2": "d",
        "in/a.py": "x = 1\n",
    }
    assert dict(read(tmp_path)) == expected
    path = tmp_path / "b.txt"
    assert read(path) == [(str(path), "a\r\nb")]
    assert read(path, tmp_path / "in") == [
        (str(path), "a\r\nb"),
        ("__init__.py", "2"),
        ("a.py", "x = 1\n"),
    ]


def test_another_encoding(tmp_path):
    path = tmp_path / "a.txt"
    for encoding in ("utf-16", "cp1252"):
        path.write_bytes("né\r\n".encode(encoding))
        assert read(path, text=text_options(encoding, None, None, None)) == [(str(path), "né\r\n")]


def test_texts_in_memory():
    def names_and_texts(source, **options):
        found = texts_of(source, **options)
        assert list(found.read()) == list(found.read())
        return list(found.read())

    assert names_and_texts(["x", "y"]) == [("0", "x"), ("1", "y")]
    assert names_and_texts(each for each in ["x", "y"]) == [("0", "x"), ("1", "y")]
    assert names_and_texts({"a": "x", 2: "y"}) == [("a", "x"), ("2", "y")]
    assert names_and_texts(pd.Series(["x"])) == [("0", "x")]
    frame = pd.DataFrame({"body": ["x"], "doc": ["a"]})
    assert names_and_texts(frame, column="body") == [("a", "x")]
    assert names_and_texts(pa.table({"text": ["x"]})) == [("0", "x")]


def test_paths_in_memory(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x")
    assert list(texts_of(path).read()) == list(texts_of([path]).read()) == [(str(path), "x")]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("a text", TypeError, r"texts must be a list of texts, as \[text\] is for one"),
        (7, TypeError, "texts must be a list of texts or paths, a mapping .*; got int"),
        (b"abc", TypeError, "got bytes"),
        (["a", 3], TypeError, r"texts must hold texts, or paths alone; got int \(first at row 1\)"),
        (["a", Path("b")], TypeError, "got PosixPath"),
        ([], TableError, "no text to score"),
        (["", ""], TableError, "no text to score"),
        (["a\ud800"], TableError, "character 1 is half of a pair of surrogates"),
        (pa.table({"body": ["x"]}), TableError, "no column 'text' .* its columns are body"),
        (pa.table({"text": [1]}), TableError, "column 'text' must hold texts; got int64"),
        (pa.table({"text": ["x", "y"], "doc": ["a", "a"]}), TableError, "two documents are called"),
        (pa.table({"text": ["x", "y"], "doc": ["a", None]}), TableError, "must name the document"),
    ],
)  # fmt: skip
def test_what_is_no_text(source, error, said):
    with pytest.raises(error, match=said):
        Survey.of(texts_of(source), Remarks())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.txt": b"ok\nno \xff\n"}, "a.txt: line 2: byte 6, 0xff, is not text in UTF-8"),
        ({"a.txt": "x".encode("utf-16")}, "a.txt must be UTF-8; got UTF-16: --encoding utf-16"),
        ({"a.txt": b"x", "b.csv": b"text\nx\n"}, "either texts or tables: .*; got b.csv and a.txt"),
        ({}, "no files in this folder"),
        ({"a.jsonl": b'{"body": "x"}\n'}, "no column 'text'"),
        ({"a.jsonl": b'{"text": "x"\n'}, "a.jsonl: line 1 is not JSON"),
        ({"a.jsonl": b'{"text": "\\ud800"}\n'}, "a.jsonl"),
    ],
)
def test_files_that_are_no_text(files, said, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(TableError, match=said):
        Survey.of(files_of([str(tmp_path)]), Remarks())


def test_no_such_file(tmp_path):
    with pytest.raises(TableError, match=r"none.txt: no such file or folder"):
        read(tmp_path / "none.txt")


def test_a_survey_knows_what_changed():
    def digest(*texts):
        return Survey.of(texts_of(list(texts)), Remarks()).digest

    assert digest("a", "b") == digest("a", "b")
    assert len({digest("a", "b"), digest("ab"), digest("b", "a"), digest("a", "b", "c")}) == 4
    remarks = Remarks()
    found = Survey.of(texts_of(["é", "", "x"]), remarks)
    assert (found.documents, found.bytes) == (2, 3)
    assert [item[0] for item in remarks.items()] == ["empty_documents"]
