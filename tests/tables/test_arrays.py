"""Arrays as tables: places of texts, masks, Fortran order, and what is refused by its name."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from pyarrow import fs

from plogq.score import TableError, score
from plogq.tables.formats.npz import Npz
from plogq.tables.readers import open_table

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
Y = np.array([0, 1, 2])
TEXTS, TAGS = np.stack([P, P[::-1]]), np.stack([Y, Y])  # (N, T, C) and (N, T)


def cost(source, **options):
    return score(source, unit="nat", bootstrap=0, **options).cross_entropy


def refused(source, said, **options):
    with pytest.raises(TableError) as caught:
        score(source, bootstrap=0, **options)
    message = str(caught.value)
    assert said in message, message
    assert "\n" not in message


def labels_of(source):
    table = open_table(source)
    return [x for part in table.parts(["labels"], {}) for x in part.batch["labels"].to_pylist()]


def test_every_place_of_a_text_is_a_row():
    flat = {"probs": TEXTS.reshape(6, 3), "labels": TAGS.reshape(6)}
    assert cost({"probs": TEXTS, "labels": TAGS}) == cost(flat)
    assert cost({"probs": TEXTS[..., None, :], "labels": TAGS[..., None]}) == cost(flat)
    other = np.asfortranarray(TEXTS), np.asfortranarray(TAGS)
    assert cost({"probs": other[0], "labels": other[1]}) == cost(flat)
    weights = np.arange(6.0).reshape(2, 3)
    assert cost({"probs": TEXTS, "labels": TAGS, "w": weights}, weight="w") == cost(
        flat | {"w": weights.reshape(6)}, weight="w"
    )
    [note] = open_table({"probs": TEXTS, "labels": TAGS}).notes
    assert note == (
        "'probs' is of shape (2, 3, 3): each of its 6 places is a row, and the last axis is the "
        "classes."
    )


def test_arrays_of_three_axes_that_are_no_predictions_change_nothing():
    plain = {"probs": P, "labels": Y}
    assert cost(plain | {"hidden": np.zeros((3, 3, 5)), "mask": np.ones((3, 8, 8))}) == cost(plain)


@pytest.mark.parametrize("name", ["mask", "attention_mask"])
@pytest.mark.parametrize("kind", [bool, int])
def test_places_that_do_not_count_have_no_label(name, kind, tmp_path):
    kept = np.array([[1, 1, 0], [1, 0, 0]], dtype=kind)
    wanted = [0, 1, None, 0, None, None]
    source = {"probs": TEXTS, "labels": TAGS, name: kept}
    assert labels_of(source) == wanted
    for order in "CF":
        np.savez(tmp_path / "t.npz", **{k: np.array(x, order=order) for k, x in source.items()})
        assert labels_of(tmp_path / "t.npz") == wanted
        assert open_table(tmp_path / "t.npz").masked


@pytest.mark.parametrize(
    "labels",
    [Y, Y.tolist(), torch.tensor(Y), pl.Series(["a", "b", "c"]), pd.Series(list("abc")),
     pl.Series(list("abc"), dtype=pl.Categorical), np.eye(3), np.eye(3, dtype=int)],
    ids=lambda x: type(x).__module__,
)  # fmt: skip
def test_labels_of_every_kind_can_be_masked(labels):
    plain = labels_of({"probs": P, "labels": labels})
    kept = labels_of({"probs": P, "labels": labels, "mask": [True, False, True]})
    assert kept == [plain[0], None, plain[2]]
    frame = pl.DataFrame(P, schema=["a", "b", "c"])
    assert labels_of({"probs": frame, "labels": labels, "mask": [True, False, True]}) == kept


def test_what_does_not_count_is_left_out_and_counted():
    hidden = np.ma.array(Y, mask=[False, False, True])
    kept = cost({"probs": P[:2], "labels": Y[:2]})
    assert kept == pytest.approx(-np.log([0.7, 0.8]).mean())
    for source in ((hidden, P), ({"probs": P, "labels": hidden},)):
        result = score(*source, unit="nat", bootstrap=0)
        assert (result.cross_entropy, result.rows) == (kept, 2)
        assert "Left out for the label null: 1 row." in result.source.notes
    places = [[True, False, True], [False, True, True]]
    result = score({"probs": TEXTS, "labels": TAGS, "mask": places}, unit="nat", bootstrap=0)
    wanted = -np.log([P[0, 0], P[2, 2], P[1, 1], P[0, 2]])
    assert result.cross_entropy == pytest.approx(wanted.mean())
    assert sorted(found.row for found in result.surprises) == [0, 2, 4, 5]
    padded = np.where(np.array(places), TAGS, -100)
    assert score(padded, TEXTS, ignore=-100, unit="nat").cross_entropy == result.cross_entropy
    refused({"probs": P, "labels": Y, "mask": [False] * 3}, "no row is left")


def test_labels_of_another_name_are_masked_too():
    source = {"probs": P, "truth": Y, "w": np.ones(3), "mask": [True, True, False]}
    result = score(source, label="truth", weight="w", unit="nat", bootstrap=0)
    assert result.rows == 2
    assert result.cross_entropy == cost({"probs": P[:2], "labels": Y[:2]})
    [note] = open_table({"z": P, "labels": Y, "mask": [True, True, False]}).notes
    assert note == "'mask' is not looked at: no array is called logits, logprobs or probs."


def test_a_mask_that_is_none():
    plain = {"probs": P, "labels": Y}
    refused(plain | {"mask": [True]}, "array 'mask' must have a place for each row, shape (3,)")
    refused(plain | {"mask": [0.5, 1, 0]}, "array 'mask' must hold booleans")
    refused(plain | {"mask": [0, 1, 2]}, "array 'mask' must hold booleans")
    texts = {"probs": TEXTS, "labels": TAGS}
    refused(texts | {"mask": [True, True]}, "'mask' must have a place for each row, shape (2, 3)")


def test_what_numpy_masks_is_missing():
    hidden = np.ma.array(Y, mask=[False, False, True])
    assert labels_of({"probs": P, "labels": hidden}) == [0, 1, None]
    refused({"probs": np.ma.array(P, mask=P == 0.8), "labels": Y}, "got null (first at row 1)")
    weights = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    refused({"probs": P, "labels": Y, "w": weights}, "'w' must hold a number", weight="w")
    parts = [np.ma.array(row, mask=row == 0.8) for row in P]
    refused({"probs": parts, "labels": Y}, "'probs' must hide nothing under a mask")


def test_npz_in_fortran_order(tmp_path):
    np.savez(tmp_path / "t.npz", probs=np.asfortranarray(P), labels=Y)
    assert cost(tmp_path / "t.npz") == cost({"probs": P, "labels": Y})
    np.savez(tmp_path / "t.npz", probs=np.asfortranarray(TEXTS), labels=np.asfortranarray(TAGS))
    assert cost(tmp_path / "t.npz") == cost({"probs": TEXTS, "labels": TAGS})
    whole = (tmp_path / "t.npz").read_bytes()
    (tmp_path / "t.npz").write_bytes(whole[:200] + whole[300:])
    refused(tmp_path / "t.npz", "t.npz: not a readable NPZ file")


def test_npz_in_small_batches(tmp_path, monkeypatch):
    from plogq.tables import readers

    monkeypatch.setattr(readers, "BATCH_ROWS", 2)
    kept = np.array([True, False, True])
    np.savez(tmp_path / "t.npz", probs=np.asfortranarray(P), labels=Y, mask=kept)
    assert labels_of(tmp_path / "t.npz") == [0, None, 2]


def test_one_hot_rows_have_one_1():
    for bad in ([0, 1, 1], [0, 0, 0], [0, 2, -1]):
        labels = np.array([[1, 0, 0], bad, [0, 0, 1]])
        said = "be 1 for one class in each row and 0 for all others"
        refused({"probs": P, "labels": labels}, said)
        refused(pa.table({"probs": P.tolist(), "labels": labels.tolist()}), said)
    several = pa.table({"probs": P.tolist(), "label": [[0, 1, 1]] * 3})
    refused(several, "all others (lists of labels need --annotators); got [0, 1, 1]")
    refused({"probs": P, "labels": np.eye(3, dtype=int)[:, :2]}, "3 numbers, one for each class")


def test_types_that_are_no_numbers():
    labels = {"labels": Y}
    refused(labels | {"probs": P + 0j}, "plain numbers or strings; got dtype complex128")
    refused(labels | {"probs": np.zeros(3, "V2")}, "'probs' must hold plain numbers")
    for dates in (np.zeros(3, "M8[s]"), np.zeros(3, "M8[D]")):
        refused(labels | {"probs": dates}, "column 'probs' must hold numbers")
        refused({"probs": P, "labels": dates}, "column 'labels' must")
    refused(labels | {"probs": torch.eye(3).to_sparse()}, "'probs' must be an array; got Tensor: ")
    refused(labels | {"probs": torch.zeros(3, device="meta")}, "'probs' must be an array; got ")
    refused(labels | {"probs": [object()] * 3}, "got dtype object")


def test_a_sigmoids_list_of_one_number():
    said = "list a number for each class (one number about class 1: a plain column); got 1"
    refused(pa.table({"probs": [[0.9], [0.2]], "label": [1, 0]}), said)


def test_names_of_columns_that_are_no_text():
    frame = pd.DataFrame(P)
    frame["label"] = Y
    assert cost(frame, probs="*") == cost({"probs": P, "labels": Y})
    assert cost({0: P[:, 0], 1: P[:, 1], 2: P[:, 2], "label": Y}, probs="*") == cost(
        {"probs": P, "labels": Y}
    )
    levels = pd.DataFrame(P, columns=pd.MultiIndex.from_product([["prob"], list("abc")]))
    refused(levels, "columns of one level (df.columns = df.columns.map('_'.join)); got 2 levels")
    refused({1: Y, "1": Y}, "a name for each array of its own; got '1' again")
    mixed = pd.DataFrame({"probs": [0.5], "label": [1]}).assign(note=[[1, "x"]])
    refused(mixed, "column 'note' must hold values of one type (or be left out: df.drop(")


def test_null_inside_a_dictionary_is_no_class():
    labels = pa.DictionaryArray.from_arrays([0, 1], pa.array(["a", None]))
    table = pa.table({"prob_a": [0.5, 0.5], "prob_None": [0.5, 0.5], "label": labels})
    refused(table, "got null (first at row 1)")


class Split:
    """What datasets.Dataset offers of itself."""

    num_rows = 3

    def with_format(self, name):
        assert name == "arrow"
        return self

    def __getitem__(self, rows):
        assert rows == slice(None)
        return pa.table({"probs": P.tolist(), "label": Y})


def test_a_split_of_a_dataset():
    assert cost(Split()) == cost({"probs": P, "labels": Y})

    class Splits(dict):
        with_format, num_rows = Split.with_format, {"train": 3}

    refused(Splits(train=Split(), test=Split()), 'as dataset["test"]; got train, test')


def test_a_partition_counts_places_as_rows(tmp_path):
    np.savez(tmp_path / "t.npz", probs=TEXTS, labels=TAGS)
    assert Npz(fs.LocalFileSystem(), str(tmp_path / "t.npz")).pieces("probs") == [TAGS.size]
