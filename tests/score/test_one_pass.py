"""What a state computes and adds in one native pass is what it is given row by row."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.score import TableError, score
from plogq.tables import row_figures as rows


def table(seed, classes, layout, dtype, rows=700):
    """Rows of every temper: labels impossible, or beyond 512 nats; masks of both kinds."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(rows, classes)) * 10.0 ** rng.integers(-2, 4, (rows, 1))).astype(dtype)
    y = rng.integers(0, classes, rows)
    x[::7, 0] = -np.inf
    x[::11, 1] = np.finfo(dtype).min
    y[::70], y[::77] = 0, 1
    group, site = rng.integers(0, 90, rows), rng.choice(["a", "b", None], rows)
    columns = {"label": y, "patient": group.astype(str), "site": site}
    if layout == "list":
        flat = pa.array(x.ravel())
        return pa.table({"logits": pa.FixedSizeListArray.from_arrays(flat, classes)} | columns)
    if layout == "binary":
        columns["label"] = np.minimum(y, 1)
        x[np.isneginf(x[:, 0]), 0] = -3  # with one column there is nothing to mask
        return pa.table({"logit": x[:, 0]} | columns)
    return pa.table({f"logit_{j}": x[:, j] for j in range(classes)} | columns)


OPTIONS = {
    "plain": {},
    "grouped": {"group": "patient"},
    "sliced": {"slices": ["site"], "id": "patient", "floor": 1e-3, "seed": 5},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    ("classes", "layout"),
    [(3, "wide"), (10, "wide"), (64, "wide"), (2, "binary"), (5, "list"), (64, "list")],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_pass_or_two(dtype, classes, layout, options, monkeypatch):
    data = table(classes, classes, layout, dtype)
    arguments = OPTIONS[options] | {"bootstrap": 40}
    if layout == "binary":
        arguments |= {"logits": "logit"}
    at_once = score(data, **arguments)
    pieces = pa.concat_tables([data.slice(0, 1), data.slice(1, 300), data.slice(301)])
    assert score(pieces, **arguments).to_json() == at_once.to_json()
    monkeypatch.setattr(rows, "MOST_CLASSES", 0)
    assert score(data, **arguments).to_json() == at_once.to_json()
    assert layout == "binary" or at_once.zero_probability_rows > 10


@pytest.mark.parametrize("classes", [64, 65])
def test_a_row_at_fault_has_its_column_and_place(classes):
    x = np.zeros((50, classes))
    x[33, 2] = np.nan
    data = pa.table({f"logit_{j}": x[:, j] for j in range(classes)} | {"label": [0] * 50})
    with pytest.raises(TableError, match=r"column 'logit_\*' must hold finite logits.*row 33"):
        score(data)
