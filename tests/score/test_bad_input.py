"""Bad input of each kind is one line: which file, column and row, and what was expected."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from plogq.score import TableError, score

GOOD = {"prob_a": [0.5, 0.25, 0.5], "prob_b": [0.5, 0.75, 0.5], "label": ["a", "b", "a"]}
LISTS = [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]


def refused(source, *parts, **options):
    with pytest.raises(TableError) as caught:
        score(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


@pytest.fixture
def write(tmp_path):
    def write(**columns):
        path = tmp_path / "t.parquet"
        pq.write_table(pa.table(GOOD | columns), path, row_group_size=1)
        return path

    return write


def test_missing_file(tmp_path):
    refused(tmp_path / "none.parquet", "none.parquet", "no such file")


def test_unknown_format(tmp_path):
    (tmp_path / "t.md").touch()
    refused(tmp_path / "t.md", "t.md", ".parquet")


def test_missing_label_column_names_the_nearest(write):
    refused(write(), "t.parquet", "'lable'", "did you mean 'label'", "prob_a", label="lable")


@pytest.mark.parametrize("option", ["weight", "id", "probs"])
def test_missing_named_columns(option, write):
    refused(write(), "t.parquet", "'nothing'", **{option: "nothing"})


def test_missing_slice_column(write):
    refused(write(), "'nothing'", slices=["nothing"])


def test_no_predictions(tmp_path):
    pq.write_table(pa.table({"label": [1], "score": [0.5]}), tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "t.parquet", "logits", "--probs", "label, score")


def test_two_kinds_of_predictions(write):
    refused(write(logits=LISTS), "t.parquet", "--logits 'logits'", "--probs 'prob_*'")
    assert score(write(logits=LISTS), logits="logits", classes=["a", "b"]).kind == "logits"


def test_two_kinds_asked_for(write):
    refused(write(), "--logits", "--probs", logits="x", probs="y")


def test_label_that_is_no_class(write):
    refused(write(label=["a", "b", "c"]), "t.parquet", "column 'label'", "a, b", "'c'", "row 2")


@pytest.mark.parametrize("bad", [-1, 2])
def test_index_that_is_no_class(bad, write):
    refused(write(label=[0, bad, bad]), "column 'label'", "[0, 2)", f"got {bad}", "row 1")


def test_float_labels(write):
    refused(write(label=[0.0, 0.5, 0.0]), "column 'label'", "class index", "got 0.5", "row 1")


def test_names_without_named_columns(tmp_path):
    table = pa.table({"probs": LISTS, "label": ["a", "b", "a"]})
    refused(table, "column 'label'", "--classes", "'a'", "row 0")


def test_columns_of_values_within_values(write):
    pair = [{"a": 1}, {"a": 2}, {"a": 3}]
    refused(write(label=pair), "column 'label'", "one of its fields: label.a", "records")
    refused(write(site=pair), "column 'site'", "its fields: site.a", "records", slices=["site"])


def test_two_columns_of_one_name():
    table = pa.table([pa.array([0.5]), pa.array([0]), pa.array([1])], ["probs", "label", "label"])
    refused(table, "name for each column", "got label")


def test_null_label(write):
    refused(write(label=["a", None, "a"]), "column 'label'", "null", "row 1")


def test_null_prediction(write):
    refused(write(prob_a=[0.5, None, 0.5]), "column 'prob_a'", "null", "row 1")


def test_null_list_and_null_in_a_list():
    label = [0, 0]
    refused(pa.table({"probs": [[0.5, 0.5], None], "label": label}), "'probs'", "null", "row 1")
    inside = pa.table({"probs": [[0.5, 0.5], [None, 1.0]], "label": label})
    refused(inside, "'probs'", "null", "row 1")


def test_rows_that_do_not_sum_to_1(write):
    refused(write(prob_a=[0.5, 0.5, 0.5]), "'prob_*'", "sum to 1", "[0.5, 0.75], sum 1.25", "row 1")


def test_negative_probability(write):
    refused(write(prob_a=[0.5, 0.25, -0.5], prob_b=[0.5, 0.75, 1.5]), "'prob_*'", "row 2")


def test_logprobs_that_are_no_logarithms_of_probabilities():
    table = {"logprobs": np.log([[0.5, 0.5], [0.9, 0.9]]), "labels": np.array([0, 0])}
    refused(table, "'logprobs'", "sum to 1", "row 1")


@pytest.mark.parametrize("bad", [-0.25, 1.25, np.nan])
def test_binary_probability_out_of_range(bad):
    table = {"probs": np.array([0.5, bad]), "labels": np.array([0, 0])}
    refused(table, "'probs'", "[0, 1]", "row 1")


@pytest.mark.parametrize("bad", [0.25, np.nan])
def test_binary_logprob_out_of_range(bad):
    table = {"logprobs": np.array([-0.5, bad]), "labels": np.array([0, 0])}
    refused(table, "'logprobs'", "at most 0", "row 1")


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_nan(kind):
    x = np.array([[0.5, 0.5], [np.nan, 0.5]])
    x = x if kind == "probs" else np.log(x)
    refused({kind: x, "labels": np.array([0, 0])}, f"'{kind}'", "nan", "row 1")


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("row", [[np.inf, 0.0], [-np.inf, -np.inf], [np.nan, 0.0]])
def test_bad_logits(row, soft):
    labels = np.array([[1.0, 0.0], [0.5, 0.5]]) if soft else np.array([0, 0])
    table = {"logits": np.array([[0.0, 0.0], row]), "labels": labels}
    refused(table, "'logits'", "finite", "row 1")


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_bad_binary_logit(bad):
    refused({"logits": np.array([0.5, bad]), "labels": np.array([0, 0])}, "'logits'", "row 1")


def test_ragged_lists():
    table = pa.table({"probs": [[0.5, 0.5], [0.25, 0.25, 0.5]], "label": [0, 1]})
    refused(table, "'probs'", "2 numbers", "got 3", "row 1")


def test_classes_of_another_number_than_predictions():
    refused(
        pa.table({"probs": LISTS, "label": [0, 0, 0]}), "3 numbers", "got 2", classes=list("abc")
    )
    refused(pa.table(GOOD), "prob_*", "3 classes", "got 2", classes=list("abc"))
    refused(pa.table(GOOD), "different names", classes=["a", "a"])


def test_first_list_empty():
    refused(pa.table({"probs": [[], [0.5]], "label": [0, 0]}), "'probs'", "row 0")
    refused(pa.table({"probs": [None, [0.5]], "label": [0, 0]}), "'probs'", "got null", "row 0")


@pytest.mark.parametrize("bad", [[0.5, 0.25], [-0.5, 1.5], [np.nan, 1.0]])
def test_bad_soft_labels(bad):
    table = pa.table({"probs": [[0.5, 0.5]] * 2, "label": [[0.5, 0.5], bad]})
    refused(table, "'label'", "sum to 1", "row 1")


def test_soft_labels_of_another_length():
    table = pa.table({"probs": [[0.5, 0.5]] * 2, "label": [[0.5, 0.5], [1.0]]})
    refused(table, "'label'", "2 numbers", "got 1", "row 1")


def test_lists_of_integers_are_not_taken_for_soft_labels():
    table = pa.table({"probs": [[0.5, 0.5]], "label": [[1, 1]]})
    refused(table, "'label'", "--annotators")


def test_bad_annotators():
    def table(label):
        return pa.table({"probs": [[0.5, 0.5]] * 2, "label": label})

    refused(table([[0, 1], []]), "'label'", "none", "row 1", annotators=True)
    refused(table([[0, 1, 1], [0, 2]]), "'label'", "got 2", "row 1", annotators=True)
    refused(table([[0, 1], [None]]), "'label'", "null", "row 1", annotators=True)
    refused(table([0, 1]), "'label'", "lists", annotators=True)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, 1e19])
def test_bad_weights(bad, write):
    refused(write(w=[1.0, bad, 1.0]), "column 'w'", "weights", "row 1", weight="w")


def test_null_weight(write):
    refused(write(w=[1.0, None, 1.0]), "column 'w'", "null", "row 1", weight="w")


def test_weights_all_zero(write):
    refused(write(w=[0.0, 0.0, 0.0]), "t.parquet", "weights are all 0", weight="w")


def test_weights_too_small_to_add_up(write):
    """Sums are exact to 2^−128: of weights of 1e−30 they would lose digits in silence."""
    whole = score(write(w=[1.0, 3.0, 2.0]), weight="w")
    small = score(write(w=[1e-15, 3e-15, 2e-15]), weight="w")
    assert small.cross_entropy == pytest.approx(whole.cross_entropy, rel=1e-14)
    for tiny in (1e-30, 1e-36):
        refused(
            write(w=[tiny, 3 * tiny, 2 * tiny]), "t.parquet", "weights must be 1e-20 or more",
            f"got {2 * tiny:.3g} (multiply", weight="w",
        )  # fmt: skip


def test_text_where_numbers_belong(write):
    refused(write(prob_a=["x", "y", "z"]), "column 'prob_a'", "numbers", "string")
    refused(write(w=["x", "y", "z"]), "column 'w'", "numbers", "string", weight="w")


def test_too_many_slices():
    rows = 1001
    table = pa.table({"probs": [0.5] * rows, "label": [0] * rows, "key": list(range(rows))})
    refused(table, "'key'", "1,000", slices=["key"])
    assert len(score(table.slice(1), slices=["key"]).slices["key"]) == 1000


def test_no_rows(tmp_path):
    table = pa.table(GOOD).slice(0, 0)
    pq.write_table(table, tmp_path / "t.parquet")
    csv.write_csv(table, tmp_path / "t.csv")
    np.savez(tmp_path / "t.npz", probs=np.zeros((0, 2)), labels=np.zeros(0, int))
    for name in ("t.parquet", "t.csv", "t.npz"):
        refused(tmp_path / name, name, "no rows")


def test_empty_files(tmp_path):
    for name in ("t.parquet", "t.csv", "t.arrow", "t.npz"):
        (tmp_path / name).touch()
        refused(tmp_path / name, name, "not a readable")


def test_an_empty_folder(tmp_path):
    refused(tmp_path, str(tmp_path), ".parquet")


def test_a_folder_of_mixed_schemas(tmp_path):
    pq.write_table(pa.table(GOOD), tmp_path / "a.parquet")
    pq.write_table(pa.table(GOOD | {"label": [0, 1, 0]}), tmp_path / "b.parquet")
    refused(tmp_path, "b.parquet", "'label'", "string as in", "a.parquet", "int64")
    pq.write_table(pa.table(GOOD).drop_columns(["prob_b"]), tmp_path / "b.parquet")
    refused(tmp_path, "b.parquet", "'prob_b'", "no such column")


def test_a_folder_of_mixed_formats(tmp_path):
    pq.write_table(pa.table(GOOD), tmp_path / "a.parquet")
    csv.write_csv(pa.table(GOOD), tmp_path / "b.csv")
    refused(tmp_path, "one format", ".csv, .parquet")


def test_the_row_is_the_row_in_its_file(tmp_path):
    pq.write_table(pa.table(GOOD), tmp_path / "a.parquet")
    pq.write_table(pa.table(GOOD | {"label": ["a", "b", "z"]}), tmp_path / "b.parquet")
    refused(tmp_path, "b.parquet", "'z'", "row 2")


def test_the_first_of_several_bad_rows_is_reported(write, monkeypatch):
    from plogq.tables import readers

    monkeypatch.setattr(readers, "BATCH_ROWS", 1)
    path = write(label=["a", "y", "z"], prob_b=[0.5, 0.75, 9.0])
    for _ in range(5):
        refused(path, "'y'", "row 1")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_truncated_parquet(kept, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(GOOD), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    refused(path, "t.parquet", "not a readable Parquet file")


def test_damaged_pages(tmp_path):
    path = tmp_path / "t.parquet"
    n = 5000
    values = np.random.default_rng(0).random(n)
    pq.write_table(pa.table({"probs": values, "label": [0] * n}), path)
    data = bytearray(path.read_bytes())
    data[4:3000] = b"\xff" * 2996
    path.write_bytes(data)
    refused(path, "t.parquet", "not a readable Parquet file")


def test_csv_that_is_none(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("prob_a,prob_b,label\n0.5,0.5,a\n0.5,b\n")
    refused(path, "t.csv", "not a readable CSV file")
    path.write_text("prob_a,prob_b,label\n" + "0.5,0.5,a\n" * 3 + "0.5,half,a\n")
    refused(path, "t.csv")


@pytest.mark.parametrize("nan", ["nan", "NaN", "-nan"])
def test_nan_in_csv_is_no_missing_value(nan, tmp_path):
    path, good = tmp_path / "t.csv", "0.5,0.5,1\n"
    path.write_text(f"logit_0,logit_1,label\n{good}{nan},0.5,1\n")
    refused(path, "'logit_*' must hold finite logits", "got [nan, 0.5]", "row 1")
    path.write_text(f"logit_0,logit_1,label\n{good},0.5,1\n")
    refused(path, "'logit_0' must hold a number in every row; got null", "row 1")
    path.write_text(f"logit_0,logit_1,label\n{good}0.5,0.5,{nan}\n")
    refused(path, f"'label' must hold int64; got '{nan}'", "row 1")


def test_csv_faults_are_told_by_column_row_and_value(tmp_path):
    path, head, good = tmp_path / "t.csv", "prob_a,note,prob_b,label\n", "0.5,x,0.5,a\n"
    where = "row 3, counting from 0"
    path.write_text(head + good * 3 + "0.5,x,half,a\n")
    refused(path, "t.csv: column 'prob_b' must hold numbers; got 'half'", where)
    path.write_text(head + good * 3 + "0.5,x,0.5\n")
    refused(path, "t.csv: not a readable CSV file", "4 columns; got 3: 0.5,x,0.5", where)
    long = 400_000  # past the first block, where the types are found
    path.write_text(head + "0.5,x,0.5,0\n" * long + "0.5,x,0.5,a\n")
    refused(path, "column 'label' must hold int64; got 'a'", f"row {long}, counting from 0")
    path.write_text(head + good * long + "0.5\n")
    refused(path, "4 columns; got 1: 0.5", f"row {long}, counting from 0")


@pytest.mark.parametrize("cut", [8, 300])
def test_an_arrow_stream_cut_between_messages(cut, tmp_path):
    path = tmp_path / "t.arrow"
    table = pa.table(GOOD)
    ends = []
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        for _ in range(3):
            writer.write_table(table)
            ends.append(sink.tell())
    whole = path.read_bytes()
    assert score(path).rows == 9
    path.write_bytes(whole[: ends[1] if cut == 300 else -cut])
    refused(path, "t.arrow: not a readable Arrow file: it is cut short")


def test_npz_that_is_none(tmp_path):
    path = tmp_path / "t.npz"
    path.write_bytes(b"PK but no archive")
    refused(path, "t.npz", "not a readable")
    np.savez(path, probs=np.full((100, 2), 0.5), labels=np.zeros(100, int))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(path, "t.npz", "not a readable")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_a_byte_wrong_anywhere(save, tmp_path):
    path, refusals = tmp_path / "t.npz", 0
    save(path, probs=np.full((9, 2), 0.5), labels=np.arange(9) % 2)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            score(path, bootstrap=0)
        except ValueError:
            refusals += 1
    assert refusals > 30


def test_npz_damaged_inside(tmp_path):
    path = tmp_path / "t.npz"
    np.savez_compressed(
        path, probs=np.random.default_rng(0).random(5000), labels=np.zeros(5000, int)
    )
    data = bytearray(path.read_bytes())
    data[300:3000] = b"\x00" * 2700
    path.write_bytes(data)
    refused(path, "t.npz", "not a readable NPZ file")


class Trap:
    """Would run code if it were ever unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the object array was unpickled",))


def test_object_arrays_are_never_unpickled(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, probs=np.array([Trap()], dtype=object), labels=np.array([0]))
    refused(path, "t.npz", "'probs'", "objects")


def test_objects_in_memory():
    names = np.array(["b", "a", "b"], dtype=object)
    assert score({"probs": np.array(LISTS), "labels": names}, classes=["a", "b"]).rows == 3
    mixed = np.array(["b", 1, None], dtype=object)
    table = {"probs": np.array(LISTS), "labels": mixed}
    with pytest.raises(TableError) as caught:
        score(table, classes=["a", "b"])
    assert str(caught.value) == (
        "arrays: array 'labels' must hold plain numbers or strings; got dtype object"
    )


@pytest.mark.parametrize("of_file", [False, True])
def test_arrays_that_are_not_read_may_be_anything(of_file, tmp_path):
    table = {"probs": np.array(LISTS), "labels": np.zeros(3, int), "epoch": np.int64(7)}
    table |= {"class_names": np.array(["a", "b"], dtype=object), "cube": np.zeros((2, 2, 2))}
    if of_file:
        np.savez(tmp_path / "t.npz", **table)
    assert score(tmp_path / "t.npz" if of_file else table).rows == 3


def test_arrays_of_different_lengths_or_shapes(tmp_path):
    refused({"probs": np.full((3, 2), 0.5), "labels": np.zeros(2, int)}, "one length")
    refused(
        {"probs": np.full((3, 2, 1), 0.5), "labels": np.zeros(3, int)}, "one length", "(3, 2, 1)"
    )
    refused({"probs": np.float64(1), "labels": np.zeros(3, int)}, "'probs'", "shape")


def test_arguments():
    table = pa.table(GOOD)
    with pytest.raises(ValueError, match="unit must be"):
        score(table, unit="byte")
    for bad in (0.0, 1.5, -1.0, float("nan")):
        with pytest.raises(ValueError, match="floor must be"):
            score(table, floor=bad)
    with pytest.raises(ValueError, match="top must"):
        score(table, top=-1)
    with pytest.raises(TypeError, match=re.escape("source must be a path")):
        score(3)
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match=r"seed must .*; got"):
            score(table, seed=seed)


@pytest.mark.parametrize(
    "option",
    [{"top": 1.5}, {"seed": "1"}, {"floor": "x"}, {"weight": 3}, {"id": 3}, {"label": 3},
     {"label": [3]}, {"probs": 3}, {"probs": [3]}, {"slices": "site"}, {"slices": [1]},
     {"exclude": "a"}, {"chosen": 3}, {"ignore": 1.5}, {"ignore": [1.5]}, {"classes": "ab"},
     {"classes": [0.5, 1]}, {"classes": [True, False]}],
    ids=str,
)  # fmt: skip
def test_arguments_of_the_wrong_type(option):
    with pytest.raises(TypeError, match=rf"^{next(iter(option))} must be "):
        score(pa.table(GOOD), **option)


def test_integers_beyond_2_53_are_rounded():
    big = 2**53 + 1
    table = pa.table(
        {"logit_a": [0, big], "logit_b": [0, big], "label": [0, 1], "w": [1, 2**54 + 1]}
    )
    assert score(table, weight="w").cross_entropy == 1
