"""The labels of a table as bytes: what they cost, and that they come back."""

import json
import math

import mpmath
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.codes import ModelDecoder, ModelEncoder
from plogq.codes.files import labels as labels_module
from plogq.score import TableError, score
from plogq.tables import readers

UNIT = 2.0**-24  # of the coder's probabilities


def table(rows, classes, kind, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, classes)) * 2
    if kind != "logits":
        x -= np.log(np.exp(x).sum(axis=1, keepdims=True))
        x = np.exp(x) if kind == "probs" else x
    x = x.astype(dtype)
    label = rng.integers(0, classes, rows)
    rows_of = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), classes)
    return pa.table({kind: rows_of, "label": label}), x, label


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bits_are_those_of_the_model(kind, dtype):
    data, x, label = table(300, 5, kind, 0, dtype)
    result = score(data, code=True)
    code = result.code
    mpmath.mp.dps = 40
    bits = mpmath.mpf(0)
    for row, y in zip(x.tolist(), label.tolist(), strict=True):
        q = [mpmath.exp(v) if kind != "probs" else mpmath.mpf(v) for v in row]
        bits -= mpmath.log(q[y] / mpmath.fsum(q), 2)
    assert code.exact_bits_per_row == pytest.approx(float(bits) / 300, rel=1e-12)
    assert code.exact_bits_per_row == pytest.approx(result.cross_entropy, abs=1e-6)
    assert code.escaped_rows == 0


def test_the_bytes_are_the_sum_of_their_parts():
    data, *_ = table(5000, 10, "logits", 1)
    code = score(data, code=True).code
    assert code.bits_per_row == 8 * code.bytes / 5000
    parts = ("quantised_bits_per_row", "coder_bits_per_row", "framing_bits_per_row")
    assert code.bits_per_row == pytest.approx(sum(getattr(code, part) for part in parts), rel=1e-12)
    assert code.overhead == pytest.approx(code.bits_per_row / code.exact_bits_per_row - 1)
    assert 0 < code.overhead < 0.02
    assert 0 < code.quantisation_kl < 10 * UNIT


@settings(max_examples=20)
@given(
    cuts=st.lists(st.integers(1, 119), max_size=4, unique=True),
    batch=st.integers(1, 130),
    group=st.integers(1, 130),
    kind=st.sampled_from(["logits", "probs"]),
)
def test_any_split_gives_the_same_bytes(cuts, batch, group, kind, tmp_path_factory):
    data, *_ = table(120, 4, kind, 2)
    folder = tmp_path_factory.mktemp("t")
    for i, (start, stop) in enumerate(zip([0, *sorted(cuts)], [*sorted(cuts), 120], strict=True)):
        pq.write_table(
            data.slice(start, stop - start), folder / f"{i}.parquet", row_group_size=group
        )
    made = []

    class Kept(ModelEncoder):
        def finish(self):
            made.append(super().finish())
            return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels_module, "ModelEncoder", Kept)
        whole = score(data, code=True).code
        patch.setattr(readers, "BATCH_ROWS", batch)
        assert score(folder, code=True).code == whole
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_one_binary_column_is_two_classes(kind):
    q = np.array([0.25, 0.5, 0.75, 0.9])
    column = {"probs": q, "logprobs": np.log(q), "logits": np.log(q) - np.log1p(-q)}[kind]
    code = score(pa.table({kind: column, "label": [1, 0, 1, 0]}), code=True).code
    expected = -np.log2([0.25, 0.5, 0.75, 0.1]).mean()
    assert code.exact_bits_per_row == pytest.approx(expected, rel=1e-12)


def test_an_impossible_label_is_escaped_and_counted():
    data = pa.table({"prob_a": [1.0, 0.5], "prob_b": [0.0, 0.5], "label": ["b", "a"]})
    result = score(data, code=True)
    assert math.isinf(result.code.exact_bits_per_row)
    assert result.code.overhead is None
    assert result.code.escaped_rows == 1
    [said] = [w for w in result.warnings if w.code == "code_escaped"]
    assert said.rows == 1
    assert json.loads(result.to_json())["code"]["exact_bits_per_row"] == "inf"


def test_weights_are_no_part_of_it():
    data, *_ = table(100, 3, "logits", 3)
    plain = score(data, code=True)
    assert not [w for w in plain.warnings if w.code == "code_unweighted"]
    weighted = score(data.append_column("w", pa.array(np.arange(100.0))), weight="w", code=True)
    assert weighted.code == plain.code
    assert weighted.cross_entropy != plain.cross_entropy
    [said] = [w for w in weighted.warnings if w.code == "code_unweighted"]
    assert "'w'" in said.message


def test_without_the_option_there_is_none():
    data, *_ = table(10, 3, "logits", 4)
    assert score(data).code is None


def test_labels_that_are_no_classes_are_refused():
    data = {"probs": np.full((2, 2), 0.5), "labels": np.full((2, 2), 0.5)}
    with pytest.raises(TableError, match=r"needs one class in each row .* holds distributions"):
        score(data, code=True)
    several = pa.table({"prob_a": [0.5], "prob_b": [0.5], "label": [["a", "b"]]})
    with pytest.raises(TableError, match=r"holds several annotators' labels"):
        score(several, annotators=True, code=True)


def test_another_engine_is_refused():
    data, *_ = table(10, 3, "logits", 5)
    with pytest.raises(TableError, match="score with engine local"):
        score(data, code=True, engine="dask")


@pytest.mark.parametrize("what", ["labels", "predictions", "rows"])
def test_a_table_that_changes_meanwhile(what, monkeypatch):
    """The decoder is given another table than the encoder was."""
    data, x, label = table(50, 3, "logits", 6)
    other = {
        "labels": {"logits": x, "labels": (label + 1) % 3},
        "predictions": {"logits": x * 1.001, "labels": label},
        "rows": {"logits": x[:-1], "labels": label[:-1]},
    }[what]

    class Switched(ModelDecoder):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            monkeypatch.setattr(readers.Table, "parts", lambda *a: parts)

    parts = list(readers.open_table(other).parts(["logits", "labels"], {}))
    monkeypatch.setattr(labels_module, "ModelDecoder", Switched)
    with pytest.raises(
        TableError, match=r"changed while it was coded|what was coded a pass before"
    ):
        score({"logits": x, "labels": label}, code=True)
    assert data.num_rows == 50
