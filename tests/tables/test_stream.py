"""A generator of batches is scored as one table, in one pass."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from plogq.doctor import check_table
from plogq.score import TableError, score
from plogq.tables.readers import open_table

rng = np.random.default_rng(11)
N = 9_000
Y = rng.integers(0, 4, N)
Z = (2 * np.eye(4)[Y] + rng.normal(size=(N, 4))).astype(np.float32)
Z[5, Y[5]] = -np.inf
SITE = rng.choice(["a", "b", "ç"], N)
WHOLE = {"logits": Z, "labels": Y}
OPTIONS = {"bootstrap": 40}


def figures(result):
    """Give all of a result but what it was read from."""
    document = result.to_document()
    del document["source"]
    return document


def cut(*sizes):
    """Give slices of the rows, of these sizes in turn."""
    first, i = 0, 0
    while first < N:
        yield slice(first, first + sizes[i % len(sizes)])
        first, i = first + sizes[i % len(sizes)], i + 1


@pytest.mark.parametrize("sizes", [(1, 30), (64,), (999, 1, 2), (4096,), (N,)])
def test_pairs_give_the_bits_of_the_whole_table(sizes):
    pairs = ((torch.tensor(Z[at]), torch.tensor(Y[at])) for at in cut(*sizes))
    assert figures(score(pairs, **OPTIONS)) == figures(score(WHOLE, **OPTIONS))


FORMS = {
    "mapping": lambda t: {name: t[name].to_numpy() for name in t.column_names},
    "pandas": lambda t: t.to_pandas(),
    "polars": pl.from_arrow,
    "record batch": lambda t: t.combine_chunks().to_batches()[0],
    "table": lambda t: t,
    "categories": lambda t: t.to_pandas().astype({"site": "category"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_frames_and_mappings_with_every_kind_of_column(form):
    columns = {f"logit_{j}": Z[:, j] for j in range(4)}
    table = pa.table(columns | {"label": Y, "site": SITE, "w": rng.random(N), "id": np.arange(N)})
    options = OPTIONS | {"slices": ["site"], "weight": "w", "id": "id", "group": "site"}
    batches = (FORMS[form](table.slice(at.start, at.stop - at.start)) for at in cut(700))
    assert figures(score(batches, **options)) == figures(score(table, **options))


def test_a_loop_may_use_its_memory_again():
    def loop():
        z, y = np.empty((100, 4), np.float32), np.empty(100, np.int64)
        for at in cut(100):
            z[:], y[:] = Z[at], Y[at]
            yield z, y
            z[:], y[:] = np.nan, 99

    assert figures(score(loop(), **OPTIONS)) == figures(score(WHOLE, **OPTIONS))


def test_half_precision_on_a_graph():
    z = torch.tensor(Z[:3000], dtype=torch.bfloat16, requires_grad=True)
    pairs = ((z[i : i + 500], torch.tensor(Y[i : i + 500])) for i in range(0, 3000, 500))
    whole = score({"logits": z, "labels": Y[:3000]}, **OPTIONS)
    assert figures(score(pairs, **OPTIONS)) == figures(whole)


def test_masks_leave_rows_out():
    mask = rng.random((500, 6)) < 0.8
    z, y = rng.normal(size=(500, 6, 3)), rng.integers(0, 3, (500, 6))
    whole = {"logits": z, "labels": y, "mask": mask}
    parts = ({name: x[i : i + 50] for name, x in whole.items()} for i in range(0, 500, 50))
    assert figures(score(parts, **OPTIONS)) == figures(score(whole, **OPTIONS))


def test_all_is_read_and_only_once():
    read = []

    def loop():
        for at in cut(64):
            read.append(at)
            yield Z[at], Y[at]

    score(loop(), bootstrap=0)
    assert read == list(cut(64))
    read.clear()
    check_table(loop(), rows=300)
    assert len(read) < 100  # no more than the rows that were asked for, put together


@pytest.mark.parametrize(
    ("options", "option"),
    [({"code": True}, "code"), ({"labels": "l.csv", "on": "id"}, "labels"),
     ({"engine": "dask"}, "engine")],
)  # fmt: skip
def test_what_needs_two_passes_is_refused(options, option):
    with pytest.raises(TableError, match=f"{option} must go with a table that can be read again"):
        score(iter([(Z, Y)]), **options)


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ([], "batches: no rows"),
        ([(Z[:0], Y[:0])], "batches: no rows"),
        ([(Z, Y), (Z, Y, Y)], r"batches: batch 1 must be a pair \(logits, labels\).*got tuple"),
        ([Z], r"batches: batch 0 must be a pair.*got ndarray"),
        ([(Z, Y), (Z[:, :3], Y)], r"1: column 'logits' must be .*\[4\] as in batch 0; got .*\[3\]"),
        ([(Z, Y), {"logits": Z}], "batch 1: column 'labels' must be int64 .*; got no such column"),
        ([(Z, Y), (Z[:3], Y)], "arrays must hold arrays of one length"),
        ([(Z[:9], Y[:9]), (np.full((2, 4), np.nan, np.float32), Y[:2])],
         "batches: column 'logits' must hold finite logits.*at row 9"),
    ],
)  # fmt: skip
def test_bad_batches_are_named(batches, said):
    with pytest.raises(TableError, match=said):
        score(iter(batches))


def test_an_error_of_the_loop_is_its_own():
    def loop():
        yield Z, Y
        raise KeyError("of the loop")

    with pytest.raises(KeyError, match="of the loop"):
        score(loop())


def test_pandas_frames_keep_their_rows_in_order():
    frame = pd.DataFrame({f"logit_{j}": Z[:, j] for j in range(4)} | {"label": Y})
    parts = (part for _, part in frame.groupby(np.arange(N) // 1000))
    assert figures(score(parts, **OPTIONS)) == figures(score(frame, **OPTIONS))


def test_a_second_pass_is_refused_and_never_short():
    table = open_table((Z[at], Y[at]) for _ in range(3) for at in cut(500))
    for _ in range(2):  # looks at the head
        next(table.parts(["logits", "labels"], {}, 1_000))
    assert sum(part.batch.num_rows for part in table.parts(["logits"], {})) == 3 * N
    with pytest.raises(TableError, match="batches must be read twice here"):
        list(table.parts(["logits"], {}))
