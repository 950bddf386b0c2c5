"""Which columns are taken, whose probabilities they are, and what is refused with the way on."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.score import TableError, score
from plogq.tables import readers
from plogq.tables.columns import find_columns
from plogq.tables.readers import open_table

Q = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.25, 0.35, 0.4]])


def nats(table, **options):
    return score(table, unit="nat", bootstrap=0, **options).cross_entropy


def cost(*q):
    return pytest.approx(-np.mean(np.log(q)), rel=1e-14)


def said(table, **options):
    result = score(table, bootstrap=0, **options)
    return [w.message for w in result.warnings if w.code == "reading"]


def refused(table, *parts, error=TableError, **options):
    with pytest.raises(error) as caught:
        score(table, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def wide(names, prefix="prob_", **columns):
    return pa.table({f"{prefix}{name}": Q[:, j] for j, name in enumerate(names)} | columns)


# The labels.


@pytest.mark.parametrize(
    "name",
    ["label", "labels", "y_true", "target", "y", "class", "truth", "gold", "true_label", "Y"],
)
def test_the_label_is_found_by_name_where_only_one_is_there(name):
    table = wide("abc", **{name: ["a", "b", "c"]})
    result = score(table, unit="nat", bootstrap=0)
    assert result.cross_entropy == cost(0.6, 0.7, 0.4)
    assert result.source.columns["label"] == name
    assert (f"Labels are in {name!r}." in result.source.notes) == (name[:5] != "label")


def test_two_columns_that_may_be_the_label_are_refused():
    """Many tools write the class that the model chose as `label`, beside the truth."""
    table = wide("abc", label=["a", "b", "b"], gold=["a", "b", "c"])
    refused(table, "--label label or --label gold", "label, gold")
    assert nats(table, label="gold") == cost(0.6, 0.7, 0.4)
    (warning,) = said(table, label="label")
    assert "'gold' stands beside 'label'" in warning
    assert nats(table, slices=["gold"]) == nats(table, exclude=["gold"]) == cost(0.6, 0.7, 0.35)


def test_no_label_says_which_names_are_looked_for():
    refused(wide("abc", other=["a", "b", "c"]), "no column 'label'", "y_true", "--label")


def test_labels_that_the_model_chose_are_doubted():
    chosen = wide("abc", label=["a", "b", "c"])
    table = pa.concat_tables([chosen] * 3)
    assert any("what the model chose" in each for each in said(table))
    sure = {"logits": 30 * np.eye(3), "labels": np.arange(3)}
    assert said(sure) == []


# The classes.


def test_names_of_classes_are_matched_with_columns_in_any_order():
    table = wide("cab", label=["c", "a", "b"])
    right = nats(table)
    assert right == cost(0.6, 0.7, 0.4)
    for order in ("abc", "cab", "bca"):
        result = score(table, unit="nat", classes=list(order))
        assert result.cross_entropy == pytest.approx(right, rel=1e-15)
        assert result.classes == tuple(order)


def test_names_that_no_column_has_are_refused():
    table = wide("abc", label=["x", "y", "z"])
    refused(table, "a, b, c, in any order", "--probs prob_a,prob_b,prob_c", classes=list("xyz"))
    refused(table, "classes must be the names", classes=["a", "b", "z"])
    columns = ["prob_a", "prob_b", "prob_c"]
    assert nats(table, probs=columns, classes=list("xyz")) == cost(0.6, 0.7, 0.4)
    assert nats(table, probs=",".join(columns), classes=list("xyz")) == cost(0.6, 0.7, 0.4)


def test_numbered_columns_are_named_by_their_numbers():
    table = wide("201", label=["c", "a", "b"])
    assert nats(table, classes=["a", "b", "c"]) == cost(0.6, 0.7, 0.4)


def test_a_list_of_columns():
    table = wide(["0", "1", "2"], "p", predict=[0, 1, 2], label=[0, 1, 2])
    assert nats(table, probs=["p0", "p1", "p2"]) == cost(0.6, 0.7, 0.4)
    assert nats(table, probs="p2,p0,p1") == cost(0.6, 0.7, 0.4)
    refused(table, "no column 'p3'", "p0, p1, p2", probs="p0,p1,p3")
    refused(table, "each column once", probs="p0,p0,p1")


def test_classes_may_be_numbers():
    table = {"probs": Q, "labels": np.array([1, 2, 3])}
    assert nats(table, classes=range(1, 4)) == nats(table, classes=[1, 2, 3]) == cost(0.6, 0.7, 0.4)
    refused(table, "classes must be a list", classes=[0.5, 1, 2], error=TypeError)


# A prefix that takes what is no class.


@pytest.mark.parametrize("name", ["margin", "scale", "max", "temperature", "entropy", "pred"])
def test_columns_under_the_prefix_that_are_no_class_are_left_out(name):
    logits = np.log(Q)
    columns = {f"logit_{c}": logits[:, j] for j, c in enumerate("abc")}
    table = pa.table(columns | {f"logit_{name}": [3.0, 2.0, 1.0], "label": ["a", "b", "c"]})
    result = score(table, unit="nat")
    assert result.classes == ("a", "b", "c")
    assert result.cross_entropy == cost(0.6, 0.7, 0.4)
    assert any(f"logit_{name}" in each and "--logits" in each for each in said(table))
    assert said(table, exclude=[f"logit_{name}"]) == []
    assert len(score(table, logits=[*columns, f"logit_{name}"]).classes) == 4


def test_a_refused_sum_names_the_columns_that_a_pattern_took():
    table = wide("ab", prob_c=[0.5] * 3, label=["a", "b", "a"])
    refused(table, "in prob_a, prob_b, prob_c", "--normalise")


# A lone column.


@pytest.mark.parametrize(
    ("column", "q"),
    [("prob_0", [0.9, 0.8]), ("prob_1", [0.1, 0.2]), ("probs", [0.1, 0.2]), ("p", [0.1, 0.2]),
     ("prob_no", [0.9, 0.8]), ("prob_yes", [0.1, 0.2]), ("y_prob", [0.1, 0.2])],
)  # fmt: skip
def test_a_lone_column_is_of_the_class_that_it_is_named_after(column, q):
    table = pa.table({column: [0.9, 0.2, 0.5], "label": [0, 1, 1]})
    assert nats(table) == cost(*q, 0.5)
    assert any(f"{column!r} is the probability of class" in each
               for each in score(table).source.notes)  # fmt: skip


def test_a_lone_column_beside_names_of_classes():
    table = pa.table({"prob_spam": [0.9, 0.2], "label": ["spam", "ham"]})
    for classes in (["spam", "ham"], ["ham", "spam"]):
        assert nats(table, classes=classes) == cost(0.9, 0.8)
    refused(table, "'spam'", "0, 1")
    numbered = pa.table({"prob_0": [0.9, 0.2], "label": ["ham", "spam"]})
    assert nats(numbered, classes=["ham", "spam"]) == cost(0.9, 0.8)


def test_a_lone_column_named_after_neither_class_is_said():
    table = pa.table({"prob_spam": [0.9, 0.2], "label": [1, 0]})
    assert nats(table) == cost(0.9, 0.8)
    (warning,) = said(table)
    assert "--classes 1,0" in warning
    assert nats(table, classes=["1", "0"]) == cost(0.1, 0.2)


def test_the_score_of_the_chosen_class():
    """Class and score as pipelines write them: p(1) is 0.9, 0.2, 0.3 here."""
    table = pa.table({"label": [1, 0, 0], "score": [0.9, 0.8, 0.7], "truth": [1, 0, 1]})
    refused(table, "--label label or --label truth")
    refused(table.drop_columns(["truth"]), "--chosen label", "--probs score")
    right = cost(0.9, 0.8, 0.3)
    assert nats(table, label="truth", probs="score", chosen="label") == right
    assert any("--chosen" in each for each in said(table, label="truth", probs="score"))
    names = pa.table({"label": ["yes", "no", "no"], "score": [0.9, 0.8, 0.7], "y": [1, 0, 1]})
    logits = pa.table({"label": [1, 0, 0], "y": [1, 0, 1],
                       "logit": np.log(np.divide([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]))})  # fmt: skip
    assert nats(logits, label="y", chosen="label") == right
    refused(names, "'yes'", label="y", probs="score", chosen="label")
    refused(wide("abc", label=["a"] * 3, c=["a"] * 3), "chosen must go", chosen="c")


def test_two_names_for_predictions_are_refused():
    table = pa.table({"p": [0.5], "proba": [0.5], "y": [1]})
    refused(table, "--probs 'proba'", "--probs 'p'")
    assert nats(table, exclude=["p"]) == cost(0.5)
    named = pa.table({"probs": [0.5], "score": [0.9], "y": [1]})
    assert nats(named) == cost(0.5)  # the kinds' own names come first


# Truth in a column for each class.


def test_labels_in_a_column_for_each_class():
    hot = np.eye(3, dtype=int)
    columns = {f"label_{c}": hot[:, j] for j, c in enumerate("cba")}
    table = wide("abc", **columns)  # c, b, a are the truths of the rows
    result = score(table, unit="nat")
    assert result.cross_entropy == cost(0.1, 0.7, 0.25)
    assert result.entropy_floor is None
    true = {name: column.astype(bool) for name, column in columns.items()}
    assert nats(wide("abc", **true)) == cost(0.1, 0.7, 0.25)
    renamed = {name.replace("label", "t"): column for name, column in columns.items()}
    assert nats(wide("abc", **renamed), label="t_*") == cost(0.1, 0.7, 0.25)
    assert nats(wide("abc", **renamed), label=list(renamed)) == cost(0.1, 0.7, 0.25)


def test_soft_labels_in_a_column_for_each_class():
    soft = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.0, 1.0, 0.0]])
    columns = {f"label_{c}": soft[:, j] for j, c in enumerate("abc")}
    lists = pa.table({"probs": Q.tolist(), "label": soft.tolist()})
    assert nats(wide("abc", **columns)) == nats(lists)


def test_bad_labels_in_a_column_for_each_class():
    hot = {"label_a": [1, 1, 0], "label_b": [0, 1, 1], "label_c": [0, 0, 0]}
    refused(wide("abc", **hot), "'label_*'", "several classes", "[1, 1, 0]", "row 1")
    refused(wide("abc", label_a=[1, 1, 1], label_b=[0, 0, 0]), "one for each class, a, b, c")
    text = {"label_a": ["x"] * 3, "label_b": [0] * 3, "label_c": [0] * 3}
    refused(wide("abc", **text), "'label_a'", "numbers")


def test_very_many_columns_take_linear_time():
    """Each schema's names are listed once: 20,000 columns took a minute."""
    many = 20_000
    names = [f"prob_{j}" for j in range(many)]
    table = pa.table({name: pa.array([1.0 if name == "prob_7" else 0.0]) for name in names})
    columns = find_columns(open_table(table.append_column("label", pa.array([7]))))
    assert len(columns.names) == many


def test_a_small_table_is_decoded_once(tmp_path, monkeypatch):
    passes = []
    read = readers.parts_of
    monkeypatch.setattr(readers, "parts_of", lambda *a, **k: passes.append(a) or read(*a, **k))
    (tmp_path / "t.csv").write_text("prob_a,prob_b,label\n0.25,0.75,b\n0.5,0.5,a\n")
    table = open_table(tmp_path / "t.csv")
    columns = find_columns(table)
    first, second = (
        [part.batch.to_pylist() for part in table.parts(columns.read(), columns.types(), most)]
        for most in (1_000, None)
    )
    assert first == second
    assert len(passes) == 1
    assert [part.batch.num_columns for part in table.parts(["label"], {})] == [1]
    assert len(passes) == 2


@pytest.mark.parametrize(
    ("cells", "kind"),
    [(["0.5", "1"], pa.float64()), (["0.5", "x"], pa.string()), (["0.5", "NA"], pa.float64()),
     (["1", "0.5"], pa.float64()), (["1", "2"], pa.int64()), (["0.5", "nan"], pa.float64())],
)  # fmt: skip
def test_the_first_cell_does_not_decide_the_type(cells, kind, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{cell},1\n" for cell in cells))
    assert open_table(tmp_path / "t.csv").schema.field("a").type == kind
