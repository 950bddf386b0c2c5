"""Labels in another table, joined by id: each row with its own, or refused with counts."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.compare import compare
from plogq.score import TableError, score
from tests.score.tables import drawn

ROWS = 500
X, Y = drawn(ROWS, 3, 0).values()
IDS = [f"r{i}" for i in range(ROWS)]
WHOLE = pa.table({"logits": X.tolist(), "label": Y, "site": ["n", "s"] * (ROWS // 2), "id": IDS})
PREDICTIONS = WHOLE.select(["id", "logits"])
TRUTH = WHOLE.select(["id", "label", "site"]).take(np.random.default_rng(0).permutation(ROWS))


def figures(result):
    return [result.cross_entropy, result.intervals, result.surprises, result.slices, result.rows]


def refused(*parts, predictions=PREDICTIONS, labels=TRUTH, **options):
    with pytest.raises(TableError) as caught:
        score(predictions, labels=labels, **{"on": "id"} | options)
    for part in parts:
        assert part in str(caught.value), caught.value


def test_labels_are_those_of_the_row():
    options = {"slices": ["site"], "group": "site"}
    joined = score(PREDICTIONS, labels=TRUTH, on="id", **options)
    assert figures(joined) == figures(score(WHOLE, **options))
    assert "Labels are those of table, by 'id'." in joined.source.notes


def test_files_of_both_in_parts(tmp_path):
    for i in range(0, ROWS, 100):
        part = PREDICTIONS.slice(i, 100)
        pq.write_table(part, tmp_path / f"{i:03}.parquet", row_group_size=7)
    truth = tmp_path.parent / f"{tmp_path.name}.csv"
    from pyarrow import csv

    csv.write_csv(TRUTH, truth)
    joined = score(tmp_path, labels=truth, on="id", id="id", code=True)
    whole = score(WHOLE, id="id", code=True)
    assert figures(joined) == figures(whole)
    assert joined.code == whole.code


def test_the_label_of_the_labels_file_goes_before_one_of_the_predictions():
    chosen = PREDICTIONS.append_column("label", pa.array(X.argmax(axis=1)))
    assert figures(score(chosen, labels=TRUTH, on="id")) == figures(score(WHOLE))


def test_ids_of_another_type():
    numbers = PREDICTIONS.set_column(0, "id", pa.array(range(ROWS)))
    texts = WHOLE.select(["label"]).append_column("id", pa.array([str(i) for i in range(ROWS)]))
    assert figures(score(numbers, labels=texts, on="id")) == figures(score(WHOLE))


def test_rows_without_a_partner_are_refused_with_their_number():
    refused("2 of 500 that are not, the first 'r3'", "row 3",
            labels=TRUTH.filter(~np.isin(TRUTH["id"].to_pylist(), ["r3", "r9"])))  # fmt: skip
    refused("ids must be those of table", "10 of 500", predictions=PREDICTIONS.slice(10))


def test_ids_that_come_twice_or_not_at_all():
    twice = pa.concat_tables([TRUTH, TRUTH.slice(0, 3)])
    first = TRUTH["id"][0].as_py()
    refused(f"3 that came before, the first {first!r}", "row 500", labels=twice)
    again = pa.concat_tables([PREDICTIONS, PREDICTIONS.slice(7, 1)])
    refused("1 that came before, the first 'r7'", predictions=again)
    gone = PREDICTIONS.set_column(0, "id", pa.array([None, *IDS[1:]]))
    refused("1 without", "row 0", predictions=gone)


def test_arguments_that_do_not_go_together():
    refused("--on id", on=None)
    refused("no column 'key'", on="key")
    refused("on must go with labels", labels=None)
    with pytest.raises(ValueError, match='labels must go with engine "local"'):
        score(PREDICTIONS, labels=TRUTH, on="id", engine="dask")


def test_two_models_and_the_labels_of_both():
    other = {"id": IDS, "logits": (0.5 * X).tolist()}
    found = compare(PREDICTIONS, pa.table(other), labels=TRUTH, on="id")
    whole = compare(WHOLE, WHOLE.set_column(0, "logits", pa.array((0.5 * X).tolist())))
    assert (found.difference, found.intervals) == (whole.difference, whole.intervals)


@pytest.mark.parametrize("run", ["score", "compare"])
def test_both_files_are_read_by_the_options_of_text(tmp_path, run):
    predictions, truth = tmp_path / "p.csv", tmp_path / "y.csv"
    predictions.write_bytes("1;0,75;0,25\n2;0,25;0,75\n".encode("cp1252"))
    truth.write_bytes("id;label\n2;thé\n1;café\n".encode("cp1252"))
    options = {
        "labels": truth, "on": "id", "encoding": "cp1252", "delimiter": ";", "decimal": ",",
        "header": ["id", "prob_café", "prob_thé"], "unit": "nat", "bootstrap": 0,
    }  # fmt: skip
    if run == "score":
        assert score(predictions, **options).cross_entropy == pytest.approx(-np.log(0.75))
    else:
        result = compare(predictions, predictions, **options)
        assert result.a.cross_entropy == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize("ids", [[[1], [2]], [{"x": 1}, {"x": 2}], [b"\xe9", b"\xe8"]])
@pytest.mark.parametrize("run", ["labels", "predictions", "compare"])
def test_ids_that_are_no_texts(ids, run):
    predictions = pa.table({"id": ids, "probs": [[0.7, 0.3], [0.2, 0.8]], "label": [0, 1]})
    truth = pa.table({"id": ["a", "b"], "label": [0, 1]})
    tries = {
        "labels": lambda: score(predictions, labels=predictions.select(["id", "label"]), on="id"),
        "predictions": lambda: score(predictions, labels=truth, on="id"),
        "compare": lambda: compare(predictions, predictions, id="id"),
    }
    with pytest.raises(TableError, match=r"text in UTF-8|named by one of its fields: id\.x"):
        tries[run]()
