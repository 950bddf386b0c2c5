"""plogq doctor table: a table is opened as a score opens it, and looked at."""

import inspect
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plogq.doctor import Diagnosis, check_table
from plogq.errors import TableError
from plogq.score import score
from tests.cli.running import plogq, plogq_here
from tests.doctor.corpus.values.draws import coins, drawn, logits, one_hot, softmax

X = logits(60, 3, 1)
Y = drawn(X, 2)


def codes(*args, **options):
    return {finding.code for finding in check_table(*args, **options).findings}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wide = {f"logit_{j}": softmax(X)[:, j] for j in range(3)} | {"label": Y}
    pyarrow.csv.write_csv(pa.table(wide), "sick.csv")
    pyarrow.parquet.write_table(
        pa.table({"logits": pa.array(list(X)), "label": Y}), "healthy.parquet"
    )
    return tmp_path


def test_exit_statuses_and_what_is_said(folder):
    sick = plogq("doctor", "table", "sick.csv")
    assert sick.returncode == 3
    said = " ".join(sick.stdout.split())
    assert "60 rows of sick.csv, logits 'logit_*' of 3 classes and labels 'label'" in said
    assert "logit_*: PQ101 Probabilities go into a loss that applies the softmax itself" in said
    assert "--probs" in said
    healthy = plogq("doctor", "table", "healthy.parquet")
    assert healthy.returncode == 0
    assert "That is no proof that all is well" in healthy.stdout
    absent = plogq("doctor", "table", "absent.csv")
    assert (absent.returncode, absent.stderr.count("\n")) == (1, 1)
    assert plogq("doctor", "table").returncode == 2
    assert plogq("doctor", "table", "sick.csv", "--rows", "0").returncode == 1


def test_checks_are_selected_and_labels_left_out(folder):
    done = plogq_here("doctor", "table", "sick.csv", "--skip", "PQ101,PQ126")
    assert done.returncode == 0
    done = plogq_here("doctor", "table", "sick.csv", "--select", "PQ101", "--format", "json")
    found = Diagnosis.read(json.loads(done.stdout))
    assert found == check_table("sick.csv", select=["PQ101"])
    assert found.checks == ("PQ101",)
    kept = (Y != 0).sum()
    assert f"{kept} rows" in check_table("sick.csv", ignore=["0"]).looked_at.split(" of ")[0]


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_other_formats_name_the_column(folder, form):
    done = plogq_here("doctor", "table", "sick.csv", "--format", form)
    assert done.returncode == 3
    assert "PQ101" in done.stdout


def test_every_option_on_columns_is_the_scores():
    own = inspect.signature(check_table).parameters
    scores = inspect.signature(score).parameters
    shared = set(own) - {"rows", "at_start", "select", "skip", "progress"}
    assert {name: own[name] for name in shared} == {name: scores[name] for name in shared}


def test_the_first_rows_are_looked_at_and_said():
    table = {"logits": np.concatenate([X, softmax(X)]), "labels": np.concatenate([Y, Y])}
    assert codes(table, rows=60) == set()
    assert check_table(table, rows=60).looked_at.startswith("the first 60 of 120 rows of ")
    assert check_table(table).looked_at.startswith("120 rows of ")


def test_rows_are_those_of_the_table():
    eps = np.clip(softmax(20 * one_hot(Y, 3)), 1e-7, 1)
    eps /= eps.sum(axis=1, keepdims=True)
    y = Y.copy()
    p = np.where(np.arange(60)[:, None] == 41, np.roll(eps, 1, axis=1), eps)
    p[41] = 0.0
    p[41, (y[41] + 1) % 3] = 1.0
    (found,) = check_table({"probs": p, "labels": y}, select=["PQ118"]).findings
    assert (found.where.row, str(found.where)) == (41, "probs, row 41")
    assert "infinitely much" in found.evidence[1]
    other = (y[41] + 1) % 3
    assert (y[:41] == other).any()
    (found,) = check_table(
        {"probs": p, "labels": y}, ignore=[str(other)], select=["PQ118"]
    ).findings
    assert found.where.row == 41


def test_rows_of_a_folder_count_on_from_file_to_file(tmp_path):
    for name, x in (("a", X), ("b", np.where(np.arange(60)[:, None] == 7, np.nan, X))):
        columns = {f"logit_{j}": x[:, j] for j in range(3)} | {"label": Y}
        pyarrow.parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    found = check_table(tmp_path, select=["PQ119"])
    assert found.looked_at.startswith("120 rows of ")
    assert [finding.where.row for finding in found.findings] == [67]


def test_soft_labels_of_a_lone_column_are_of_class_1():
    p = 1 / (1 + np.exp(-logits(40, 1, 13)[:, 0]))
    found = check_table(np.column_stack([1 - p, p]), p, select=["PQ122"])
    assert [finding.code for finding in found.findings] == ["PQ122"]
    assert codes(np.column_stack([p, 1 - p]), p, select=["PQ122"]) == set()


def test_lone_columns_log_probabilities_and_soft_labels():
    m = logits(200, 1, 3)[:, 0]
    y = coins(m, 4).astype(int)
    p = 1 / (1 + np.exp(-m))
    assert codes(y, p) == set()
    assert codes(y, logits=m) == set()
    assert codes(y, logprobs=np.log(p)) == set()
    assert "PQ104" in codes(y, logits=p)
    assert codes(Y, logprobs=np.log(softmax(X))) == set()
    assert codes(softmax(X + logits(60, 3, 5)), softmax(X)) == set()
    assert "PQ122" in codes(X.argmax(axis=1), softmax(logits(60, 3, 1, 0.5)))
    assert "PQ122" in codes(softmax(X), logits=X)


def test_a_constant_model_and_unequal_classes():
    y = (np.arange(500) % 50 == 0).astype(int)
    p = np.full(500, 0.02)
    assert codes(y, p) >= {"PQ114", "PQ121"}
    assert "PQ121" not in codes(y, p, at_start=True)


def test_what_the_reader_asks_is_found_and_what_it_states_is_not():
    found = check_table({"logits": np.cos(5 * X), "labels": Y}, select=["PQ126"]).findings
    assert "cosines" in found[0].evidence[0]
    assert found[0].confidence == "possible"
    rounded = np.round(softmax(X), 2)
    assert codes({"probs": rounded, "labels": Y}, select=["PQ126"]) == set()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"logits": np.array([[0.9, 0.3], [0.5, 0.5]]), "labels": [0, 2]}, "class index"),
        ({"labels": [0, 1]}, "logits"),
        ("absent.parquet", "absent.parquet"),
    ],
)
def test_a_table_that_cannot_be_scored_is_refused_in_a_sentence(table, said):
    with pytest.raises((TableError, OSError), match=rf"^[^\n]*{said}[^\n]*$"):
        check_table(table)


def test_predictions_that_a_score_refuses_are_found():
    table = {"probs": X, "labels": Y}
    with pytest.raises(TableError) as refused:
        score(table)
    found = check_table(table).findings
    assert [finding.code for finding in found] == ["PQ103", "PQ126"]
    assert (found[1].evidence, found[1].confidence) == ((str(refused.value),), "certain")
    nan = {"logits": np.where(np.arange(60)[:, None] == 7, np.nan, X), "labels": Y}
    found = check_table(nan).findings
    assert [(finding.code, finding.where.row) for finding in found] == [
        ("PQ119", 7),
        ("PQ126", None),
    ]


def test_shares_are_divided_by_their_sum_as_a_score_divides_them():
    table = {"probs": 100 * softmax(X), "labels": Y}
    assert codes(table) >= {"PQ103", "PQ126"}
    assert codes(table, normalise=True) == set()


def test_a_number_of_rows_is_at_least_one():
    with pytest.raises(ValueError, match=r"^rows must be at least 1"):
        check_table({"logits": X, "labels": Y}, rows=0)


ODD = st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e-7, 1e300, np.nan, np.inf, -np.inf, 255.0])


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_table_gives_a_diagnosis_or_one_sentence(data):
    rows, classes = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))
    shape = data.draw(st.sampled_from([(rows, classes), (rows,)]))
    x = data.draw(hnp.arrays(np.float64, shape, elements=ODD))
    soft = hnp.arrays(np.float64, (rows, classes), elements=ODD)
    hard = hnp.arrays(np.int64, (rows,), elements=st.integers(-1, 4))
    table = {data.draw(st.sampled_from(["logits", "logprobs", "probs"])): x}
    try:
        found = check_table(table | {"labels": data.draw(soft | hard)})
    except (TableError, ValueError) as error:
        refused = str(error)
    else:
        refused = ""
        assert isinstance(found, Diagnosis)
    assert "\n" not in refused
