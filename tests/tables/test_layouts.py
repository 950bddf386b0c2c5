"""The same predictions score the same to the last bit, whatever holds them."""

import warnings
from dataclasses import replace

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.records import READING
from plogq.score import TableError, score


def figures(source, *more, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = score(source, *more, bootstrap=0, **options)
    # How it was read, and what that leaves in doubt, names columns, which not every layout has.
    known = tuple(each for each in result.warnings if each.code != READING)
    text = replace(result, warnings=known).to_json()
    return text[text.index('"kind"') :]


def in_lists(layout):
    return lambda x: pa.array(x.tolist(), layout)


def frame_of(x):
    return {str(j): x[:, j] for j in range(x.shape[1])}


def view_of_classes(x):
    """A dictionary of what is itself a dictionary."""
    inner = pa.array([str(i) for i in range(9)], pa.string_view()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(pa.array(x), inner)


def chunks_with_an_empty_one(x):
    return pa.chunked_array([x[:1].tolist(), [], x[1:].tolist()], pa.list_(pa.float64()))


# Each takes (n, C) logits whose numbers bfloat16 holds exactly.
PREDICTIONS = {
    "list of lists": lambda x: x.tolist(),
    "list of arrays": list,
    "C order": lambda x: x,
    "Fortran order": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 3, axis=1)[:, ::3],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "other byte order": lambda x: x.astype(">f8"),
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "long double": lambda x: x.astype(np.longdouble),
    "bfloat16": lambda x: x.astype(ml_dtypes.bfloat16),
    "objects": lambda x: x.astype(object),
    "without a masked value": lambda x: np.ma.array(x),
    "jax": jnp.asarray,
    "torch": torch.tensor,
    "torch, learned": lambda x: torch.tensor(x, requires_grad=True),
    "torch, half": lambda x: torch.tensor(x).half(),
    "torch, bfloat16": lambda x: torch.tensor(x).bfloat16(),
    "pandas": lambda x: pd.DataFrame(x),
    "pandas, nullable": lambda x: pd.DataFrame(x).astype("Float64"),
    "pandas, of lists": lambda x: pd.Series(list(x)),
    "polars": lambda x: pl.DataFrame(frame_of(x)),
    "polars, lazy": lambda x: pl.LazyFrame(frame_of(x)),
    "polars, of lists": lambda x: pl.Series(x.tolist(), dtype=pl.List(pl.Float64)),
    "polars, of arrays": lambda x: pl.Series(x, dtype=pl.Array(pl.Float64, x.shape[1])),
    "Arrow": lambda x: pa.table(frame_of(x)),
    "lists": in_lists(pa.list_(pa.float64())),
    "large lists": in_lists(pa.large_list(pa.float32())),
    "views": in_lists(pa.list_view(pa.float64())),
    "large views": in_lists(pa.large_list_view(pa.float32())),
    "chunks": chunks_with_an_empty_one,
    "decimals": lambda x: pa.array(x.tolist()).cast(pa.list_(pa.decimal128(10, 4))),
    "tensors": lambda x: pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(x)),
}  # fmt: skip
LABELS = {
    "list": lambda y: y.tolist(),
    "names": lambda y: [str(label) for label in y],
    "int8": lambda y: y.astype(np.int8),
    "int4": lambda y: y.astype(ml_dtypes.int4),
    "column": lambda y: y[:, None],
    "objects": lambda y: y.astype(object),
    "objects, names": lambda y: np.array([str(label) for label in y], dtype=object),
    "names of any length": lambda y: y.astype(np.dtypes.StringDType()),
    "one-hot": lambda y: np.eye(4, dtype=np.int64)[y],
    "one-hot, boolean": lambda y: np.eye(4, dtype=bool)[y],
    "one-hot, lists": lambda y: pa.array(np.eye(4, dtype=int)[y].tolist()),
    "torch": torch.tensor,
    "pandas": pd.Series,
    "pandas, nullable": lambda y: pd.Series(y, dtype="Int64"),
    "pandas, categories": lambda y: pd.Series(y, dtype="category"),
    "pandas, frame": lambda y: pd.DataFrame({"y": y}),
    "polars": pl.Series,
    "polars, names": lambda y: pl.Series([str(label) for label in y]),
    "polars, categories": lambda y: pl.Series([str(label) for label in y], dtype=pl.Categorical),
    "views": lambda y: pa.array([str(label) for label in y], pa.string_view()),
    "dictionary of a dictionary": view_of_classes,
    "runs": lambda y: pa.RunEndEncodedArray.from_arrays(np.arange(1, len(y) + 1), pa.array(y)),
}  # fmt: skip


@st.composite
def predictions(draw):
    rows, classes = draw(st.integers(1, 9)), 4
    quarters = draw(
        st.lists(st.integers(-30, 30), min_size=rows * classes, max_size=rows * classes)
    )
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    return np.array(quarters, float).reshape(rows, classes) / 4, np.array(labels)


def check(layout, of_labels, x, y):
    held, labels = PREDICTIONS[layout](x), LABELS[of_labels](y)
    named = {"classes": list("0123")}
    wanted = figures({"logits": x, "labels": y}, **named)
    assert figures({"logits": held, "labels": labels}, **named) == wanted
    assert figures(labels, logits=held, **named) == wanted


FEW = np.array([[0.25, -7.5, 1, 2], [0, 0, 0.5, -3], [4, -1, 2.75, 0]]), np.array([0, 3, 2])


@pytest.mark.matrix
@pytest.mark.parametrize("layout", PREDICTIONS)
def test_predictions_of_every_layout(layout):
    check(layout, "int8", *FEW)


@pytest.mark.matrix
@pytest.mark.parametrize("layout", LABELS)
def test_labels_of_every_layout(layout):
    check("C order", layout, *FEW)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(PREDICTIONS)), st.sampled_from(list(LABELS)), predictions())
def test_any_layouts_of_any_predictions(layout, of_labels, drawn):
    check(layout, of_labels, *drawn)


@settings(max_examples=5, deadline=None)
@given(predictions())
def test_tables_of_every_library(drawn):
    x, y = drawn
    columns = {f"logit_{j}": x[:, j] for j in range(x.shape[1])}
    names = {"label": [str(label) for label in y], "id": [f"row {i}" for i in range(len(y))]}
    wanted = figures(pa.table(columns | names), id="id", slices=["label"])
    views = {name: pa.array(values, pa.string_view()) for name, values in names.items()}
    dictionaries = {name: pa.array(values).dictionary_encode() for name, values in views.items()}
    for table in (
        pa.table(columns | views),
        pa.table(columns | dictionaries),
        pl.DataFrame(columns | names),
        pl.LazyFrame(columns | names),
        pd.DataFrame(columns | names),
        pd.DataFrame(columns | names, index=[f"at {i}" for i in range(len(y))]),
        columns | names,
    ):
        assert figures(table, id="id", slices=["label"]) == wanted


def test_files_of_todays_writers(tmp_path):
    x, y = FEW
    names = [f"row {i}" for i in range(len(y))]
    frame = pl.DataFrame({"logits": x, "label": y, "id": names, "site": names})
    wanted = figures(pa.table({"logits": x.tolist(), "label": y, "id": names, "site": names}),
                     id="id", slices=["site"])  # fmt: skip
    frame.write_ipc(tmp_path / "a.arrow", compat_level=pl.CompatLevel.newest())
    frame.with_columns(pl.col("site").cast(pl.Categorical)).write_parquet(tmp_path / "b.parquet")
    views = {"logits": pa.array(x.tolist(), pa.list_view(pa.float64())), "label": y}
    views |= {name: pa.array(names, pa.string_view()) for name in ("id", "site")}
    with pa.ipc.new_file(tmp_path / "c.arrow", pa.table(views).schema) as writer:
        writer.write_table(pa.table(views), max_chunksize=2)
    for name in ("a.arrow", "b.parquet", "c.arrow"):
        assert figures(tmp_path / name, id="id", slices=["site"]) == wanted


def test_what_is_not_asked_for_may_be_of_any_type():
    x, y = FEW
    more = {"meta": [{"a": 1}] * 3, "spans": [[{"b": "c"}]] * 3, "when": [None] * 3}
    table = pa.table({"logits": x.tolist(), "label": y} | more)
    assert figures(table) == figures({"logits": x, "labels": y})
    with pytest.raises(
        TableError, match=r"column 'meta' must be named by one of its fields: meta\.a"
    ):
        score(table, slices=["meta"])
