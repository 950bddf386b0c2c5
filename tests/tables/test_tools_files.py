"""Files as tools write them: the right number by the option that a message names, or a doubt."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.codes.files.labels_file import code_labels
from plogq.errors import TableError
from plogq.score import score
from plogq.tables.column_names import ends

CLASSES = ("elm", "fir", "oak")
ROWS = [("elm", [0.7, 0.2, 0.1]), ("oak", [0.1, 0.3, 0.6]), ("fir", [0.25, 0.5, 0.25]),
        ("elm", [0.4, 0.5, 0.1])]  # fmt: skip
NATS = 0.6192346200347059


def table(path, names, rows):
    lines = [",".join(map(str, names)), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def chosen(q):
    return CLASSES[int(np.argmax(q))]


def found(source, **options):
    return score(source, bootstrap=0, unit="nat", **options)


def doubts(result):
    return " ".join(each.message for each in result.warnings if each.code == "reading")


@pytest.mark.parametrize(
    ("columns", "probs"),
    [
        ("confidence({})", "confidence*"),
        ("confidence({})", "confidence(*"),
        ("P (tree={})", "P (tree=*"),
        ("prob.{}", "prob*"),
        ("proba_{}", "proba*"),
        (".pred_{}", ".pred_*"),
        ("P_tree{}", "P_tree*"),
    ],
)
def test_classes_are_named_by_what_stands_between_marks(tmp_path, columns, probs):
    names = [columns.format(name) for name in CLASSES]
    rows = [[y, *q] for y, q in ROWS]
    path = table(tmp_path / "t.csv", ["tree", *names], rows)
    for asked in (probs, ",".join(names)) if "tree{" not in columns else (probs,):
        result = found(path, label="tree", probs=asked)
        assert result.cross_entropy == pytest.approx(NATS)
        assert result.classes == CLASSES


def test_marks_that_not_all_names_have_are_theirs():
    assert ends(["p(a", "p(b)"], "p") == ("a", "b)")
    assert ends(["p_", "p_a"], "p") == ("_", "_a")
    assert ends(["a)", "b)"], "") == ("a)", "b)")


def test_the_message_names_the_columns_of_one_prefix(tmp_path):
    names = ["age", "tree", *(f"Score {name}" for name in CLASSES)]
    path = table(tmp_path / "t.csv", names, [[1.5, y, *q] for y, q in ROWS])
    with pytest.raises(TableError, match=r"perhaps --probs 'Score \*'"):
        found(path, label="tree")
    with pytest.raises(TableError, match=r"--labels TABLE --on ID"):
        found(path)
    with pytest.raises(TableError, match=r"then --probs 'Score \*'"):
        found(path, label="tree", probs="Sco*")
    upper = table(tmp_path / "u.csv", names, [[1.5, y.upper(), *q] for y, q in ROWS])
    with pytest.raises(TableError, match=r"--probs Score elm,Score fir,Score oak --classes"):
        found(upper, label="tree", probs="Score *")
    options = {"probs": names[2:], "classes": [name.upper() for name in CLASSES]}
    assert found(upper, label="tree", **options).cross_entropy == pytest.approx(NATS)


def test_records_are_a_column_for_each_field(tmp_path):
    records = [{"label": y, "probs": dict(zip(CLASSES, q, strict=True))} for y, q in ROWS]
    nested = [{"x": {"tree": r["label"], "cats": r["probs"]}} for r in records]
    whole = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_pylist(records), whole)
    lines = tmp_path / "t.jsonl"
    lines.write_text("\n".join(map(json.dumps, nested)))
    assert found(whole).cross_entropy == pytest.approx(NATS)
    for probs in ("x.cats", "x.cats.*", ",".join(f"x.cats.{name}" for name in CLASSES)):
        result = found(lines, label="x.tree", probs=probs)
        assert result.cross_entropy == pytest.approx(NATS)
        assert result.classes == CLASSES


def test_records_are_joined_with_labels(tmp_path):
    records = [{"meta": {"id": i}, "cats": dict(zip(CLASSES, q, strict=True))}
               for i, (_, q) in enumerate(ROWS)]  # fmt: skip
    truth = [{"meta": {"id": i}, "gold": y} for i, (y, _) in reversed([*enumerate(ROWS)])]
    for name, rows in (("p.jsonl", records), ("y.jsonl", truth)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    flat = table(
        tmp_path / "y.csv", ["meta.id", "gold"], [[r["meta"]["id"], r["gold"]] for r in truth]
    )
    for labels in (tmp_path / "y.jsonl", flat):
        result = found(tmp_path / "p.jsonl", probs="cats", labels=labels, on="meta.id")
        assert result.cross_entropy == pytest.approx(NATS)


def test_labels_are_joined_with_columns_of_folders(tmp_path):
    for fold in ("0", "1"):
        (tmp_path / "p" / f"fold={fold}").mkdir(parents=True)
        rows = [[i, *q] for i, (_, q) in enumerate(ROWS) if i % 2 == int(fold)]
        table(
            tmp_path / "p" / f"fold={fold}" / "t.csv", ["id", *(f"prob_{c}" for c in CLASSES)], rows
        )
    truth = table(tmp_path / "y.csv", ["id", "label"], [[i, y] for i, (y, _) in enumerate(ROWS)])
    result = found(tmp_path / "p", labels=truth, on="id", slices=["fold"])
    assert result.cross_entropy == pytest.approx(NATS)


def test_a_record_of_further_fields_or_none_is_refused(tmp_path):
    first = [{"label": "a", "logits": {"a": 1.5, "b": 0.0}}] * 5_000
    path = tmp_path / "t.jsonl"
    more = {"label": "a", "logits": {"a": 1.5, "b": 0.0, "c": 9.0}}
    path.write_text("\n".join(map(json.dumps, [*first, more])))
    with pytest.raises(TableError, match="same fields in each row"):
        found(path)
    with pytest.raises(TableError, match=r"'logits\.b'.* null"):
        found(pa.Table.from_pylist([first[0], {"label": "a", "logits": {"a": 1.0}}]))


@pytest.mark.parametrize("probs", ["probability", "probability.values"])
def test_values_of_sparse_vectors_are_no_classes(probs):
    vector = {"type": 0, "size": 3, "indices": [0, 2], "values": [0.75, 0.25]}
    spark = pa.table({"label": [0, 1], "probability": [vector] * 2})
    with pytest.raises(
        TableError, match="vector_to_array" if probs == "probability" else "no column"
    ):
        found(spark, probs=probs)


def scores(q):
    """What a pipeline gives for a text: a record for each class, the most likely first."""
    order = sorted(range(3), key=lambda j: -q[j])
    return [{"label": CLASSES[j], "score": q[j]} for j in order]


def test_lists_of_scores_are_a_column_for_each_label(tmp_path):
    records = [{"text": "…", "label": y, "scores": scores(q)} for y, q in ROWS]
    lines, whole = tmp_path / "t.jsonl", tmp_path / "t.json"
    lines.write_text("\n".join(map(json.dumps, records)))
    whole.write_text(json.dumps(records))
    for path in (lines, whole):
        result = found(path, probs="scores")
        assert result.cross_entropy == pytest.approx(NATS)
        assert set(result.classes) == set(CLASSES)
    with pytest.raises(TableError, match=r"perhaps --probs 'scores\.\*'"):
        found(lines)
    other = [
        {
            "intent": y,
            "ranking": [{"name": x["label"], "confidence": x["score"]} for x in scores(q)],
        }
        for y, q in ROWS
    ]
    whole.write_text(json.dumps(other))
    assert found(whole, label="intent", probs="ranking").cross_entropy == pytest.approx(NATS)
    right = score([y for y, _ in ROWS], [scores(q) for _, q in ROWS], unit="nat", bootstrap=0)
    assert right.cross_entropy == pytest.approx(NATS)


def test_scores_of_other_labels_in_other_rows_are_refused(tmp_path):
    path = tmp_path / "t.jsonl"
    few = [{"label": y, "scores": scores(q)[:2]} for y, q in ROWS]
    path.write_text("\n".join(map(json.dumps, few)))
    with pytest.raises(TableError, match="null"):
        found(path, probs="scores")
    with pytest.raises(TableError, match="null"):
        score([y for y, _ in ROWS], [scores(q)[:2] for _, q in ROWS], bootstrap=0)
    top = [{"label": y, "scores": scores(q)[:1]} for y, q in ROWS]
    path.write_text("\n".join(map(json.dumps, top)))
    with pytest.raises(TableError, match="of records with a label and a score"):
        found(path, probs="scores")


def test_lists_of_records_name_the_way_on(tmp_path):
    lists = [scores(q) for _, q in ROWS]
    records = pa.table({"label": [y for y, _ in ROWS], "probs": lists})
    with pytest.raises(TableError, match="make a column for each class"):
        found(records)
    path = tmp_path / "t.json"
    path.write_text(json.dumps(lists))
    with pytest.raises(TableError, match="make one of each row, with the truth"):
        found(path)


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_a_column_of_row_names_is_no_class(tmp_path, index, kind):
    rows = [[i, *(np.log(q) if kind == "logits" else q), y] for i, (y, q) in enumerate(ROWS)]
    path = table(tmp_path / "t.csv", [index, *CLASSES, "tree"], rows)
    result = found(path, label="tree", **{kind: "*"})
    assert (result.cross_entropy, result.classes) == (pytest.approx(NATS), CLASSES)
    assert "Left out of '*', as no class by name" in doubts(result)


def test_messages_suggest_lists_and_columns_called_the_truth():
    probs = [q for _, q in ROWS]
    truth = [CLASSES.index(y) for y, _ in ROWS]
    lists = pa.table({"found": probs, "YTrue": truth})
    with pytest.raises(TableError, match="perhaps --label YTrue"):
        found(lists)
    with pytest.raises(TableError, match="perhaps --probs found"):
        found(lists, label="YTrue")
    alone = pa.table({"probs": probs, "label": [[y] for y in truth]})
    with pytest.raises(TableError, match="a label alone in each list: --annotators"):
        found(alone)
    assert found(alone, annotators=True).cross_entropy == pytest.approx(NATS)


@pytest.mark.parametrize("word", ["PREDICTION", "probability", "Score"])
def test_a_word_behind_all_classes_is_no_part_of_them(tmp_path, word):
    names = [f"tree_{name}_{word}" for name in CLASSES]
    rows = [[*q, chosen(q), y] for y, q in ROWS]
    path = table(tmp_path / "t.csv", [*names, f"tree_{word}", "tree"], rows)
    with pytest.raises(TableError, match=f"perhaps --probs '{','.join(names)}'"):
        found(path, label="tree")
    result = found(path, label="tree", probs=names)
    assert (result.cross_entropy, result.classes) == (pytest.approx(NATS), CLASSES)
    bare = table(tmp_path / "u.csv", [f"{name}_{word}" for name in CLASSES] + ["tree"],
                 [[*q, y] for y, q in ROWS])  # fmt: skip
    assert found(bare, label="tree", probs="*").cross_entropy == pytest.approx(NATS)
    kept = table(tmp_path / "v.csv", ["label", "prob_a_score", "prob_b_score"],
                 [["a_score", 0.75, 0.25]] * 2)  # fmt: skip
    assert found(kept).cross_entropy == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize("line", ["Total,4,4,4", "mean,,,"])
def test_a_line_of_totals_names_the_way_on(tmp_path, line):
    names = ["label", *(f"prob_{name}" for name in CLASSES)]
    path = table(tmp_path / "t.csv", names, [[y, *q] for y, q in ROWS])
    path.write_text(path.read_text() + line + "\n")
    word = line.split(",")[0]
    with pytest.raises(TableError, match=rf"a line of totals\? --ignore {word} leaves.*row 4"):
        found(path)
    assert found(path, ignore=[word]).cross_entropy == pytest.approx(NATS)
    with pytest.raises(TableError, match=r"a line of totals\? take such rows out"):
        code_labels(path)
    path.write_text(path.read_text().replace(line, "# the end"))
    with pytest.raises(TableError, match=r"take this line out.*row 4"):
        found(path)


def test_a_first_row_is_not_lost_for_names(tmp_path):
    rows = [[y, *q] for y, q in ROWS]
    path = table(tmp_path / "t.csv", rows[0], rows[1:])
    with pytest.raises(TableError, match=r"--header A,B,… .*got '0\.7' in elm,0\.7,0\.2,0\.1"):
        found(path, label="elm")
    names = ["label", *(f"prob_{name}" for name in CLASSES)]
    assert found(path, header=names).cross_entropy == pytest.approx(NATS)
    whole = table(tmp_path / "u.csv", ["a", 70, 30], [["a", 70, 30], ["b", 25, 75]])
    with pytest.raises(TableError, match="got 'a' in a,70,30"):
        found(whole, label="a")
    steps = table(tmp_path / "v.csv", ["label", "0.5", "1.5"], [["0.5", 0.75, 0.25]] * 2)
    options = {"label": "label", "probs": "0.5,1.5", "classes": ["0.5", "1.5"]}
    header = ["label", "0.5", "1.5"]
    assert found(steps, header=header, **options).cross_entropy == pytest.approx(-np.log(0.75))


@pytest.mark.parametrize("first", [0, 1])
def test_names_may_stand_for_those_that_count_the_columns(tmp_path, first):
    rows = [[CLASSES.index(y), *np.log(q)] for y, q in ROWS]
    path = table(tmp_path / "t.csv", [j + first for j in range(4)], rows)
    result = found(path, header=["label", "logit_0", "logit_1", "logit_2"])
    assert result.rows == len(ROWS)
    assert result.cross_entropy == pytest.approx(NATS)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("what", ["row", "class"])
def test_numbers_of_rows_or_classes_among_the_logits_are_doubted(tmp_path, what, first):
    numbers = [i if what == "row" else int(np.argmax(q)) for i, (_, q) in enumerate(ROWS)]
    rows = [[n + first, *np.log(q), y] for n, (y, q) in zip(numbers, ROWS, strict=True)]
    path = table(tmp_path / "t.csv", ["n", *CLASSES, "tree"], rows)
    assert "'n': is it a class" in doubts(found(path, label="tree", logits="*"))
    right = found(path, label="tree", logits="*", exclude=["n"])
    assert right.cross_entropy == pytest.approx(NATS)
    assert not doubts(right)
    rows = [[n + first, *q, y] for n, (y, q) in zip(numbers, ROWS, strict=True)]
    path = table(tmp_path / "t.csv", ["n", *CLASSES, "tree"], rows)
    assert "'n': is it a class" in doubts(found(path, label="tree", probs="*", normalise=True))


def test_a_row_number_is_found_among_many_columns():
    wide = np.random.default_rng(0).integers(-3, 4, (8, 3_000)).astype(float)
    wide[:, -1] = np.linspace(0.25, 0.75, 8)
    wide[:, 7] = np.arange(8)
    names = [f"logit_{j}" for j in range(wide.shape[1])]
    whole = pa.table([*map(pa.array, wide.T), pa.array([0, 1] * 4)], [*names, "label"])
    assert "fractions in 'logit_7': is it a class" in doubts(found(whole))


def test_a_predicted_class_under_the_prefix_is_left_out(tmp_path):
    rows = [[int(np.argmax(q)), *np.log(q), y] for y, q in ROWS]
    names = ["logit_class", *(f"logit_{name}" for name in CLASSES), "label"]
    result = found(table(tmp_path / "t.csv", names, rows))
    assert result.cross_entropy == pytest.approx(NATS)
    assert "Left out of 'logit_*'" in doubts(result)


def test_sorted_rows_and_codes_of_nothing_are_doubted():
    index = [CLASSES.index(y) for y, _ in ROWS]
    probs = np.array([q for _, q in ROWS])
    assert "sorted, the most likely first" in doubts(
        found({"labels": index, "probs": -np.sort(-probs)})
    )
    assert not doubts(found({"labels": index, "probs": probs}))
    logits = np.vstack([np.log(probs), np.full((1, 3), -999.0)])
    assert "are -999 for every class" in doubts(found({"labels": [*index, 0], "logits": logits}))


@pytest.mark.parametrize("name", ["y_pred", "Prediction", "predicted_label", "Scored Labels"])
def test_labels_that_are_called_predictions_are_doubted(tmp_path, name):
    names = [name, *(f"prob_{each}" for each in CLASSES), "tree"]
    path = table(tmp_path / "t.csv", names, [[chosen(q), *q, y] for y, q in ROWS])
    assert "what a model chose: are they the truth" in doubts(found(path, label=name))
    assert not doubts(found(path, label="tree"))


def test_a_column_that_is_chosen_and_the_label_is_doubted():
    both = pa.table({"y": [0, 1, 0], "guess": [0, 0, 1], "score": [0.75, 0.5, 0.25]})
    options = {"probs": "score", "chosen": "guess"}
    right = found(both, **options)
    assert right.cross_entropy == pytest.approx(-np.log(0.75 * 0.5 * 0.75) / 3)
    assert not doubts(right)
    assert "both the label and the class" in doubts(found(both, label="guess", **options))


@pytest.mark.parametrize(
    "text",
    [
        "label,prob_a,prob_b\na,70.1%,29.9%\nb,12%,88%\n",
        "label;prob_a;prob_b\na;70,1 %;29,9 %\nb;12 %;88 %\n",
        "label, prob_b, prob_a\na, 29.9%, 70.1%\nb, 88%, 12%\n",
    ],
)
def test_percents_are_hundredths(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    result = found(path)
    assert result.cross_entropy == pytest.approx(-np.log(0.701 * 0.88) / 2, rel=1e-15)
    assert any("70% is 0.7" in note for note in result.source.notes)


def test_percents_further_on_are_read_alike(tmp_path):
    rows = [f"a,{10 + i % 80}%,{90 - i % 80}%" for i in range(5_000)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["label,prob_a,prob_b", *rows]))
    expected = -np.log([(10 + i % 80) / 100 for i in range(5_000)]).mean()
    assert found(path).cross_entropy == pytest.approx(expected, rel=1e-14)
    path.write_text("\n".join(["label,prob_a,prob_b", *rows, "a,.5,.5"]))
    with pytest.raises(TableError, match=r"percent signs in every row.*'\.5' \(.*row 5000\)"):
        found(path)
    path.write_text("\n".join(["label,prob_a,prob_b", *rows, "a,,50%"]))
    with pytest.raises(TableError, match="null"):
        found(path)


def test_text_options_that_are_not_used_are_said(tmp_path):
    pq.write_table(pa.table({"label": [0], "prob_0": [0.75], "prob_1": [0.25]}), tmp_path / "t.pq")
    (tmp_path / "t.jsonl").write_text('{"label": 0, "prob_0": 0.75, "prob_1": 0.25}')
    for name, options, said in (
        ("t.pq", {"delimiter": ";", "header": ["a"]}, "Parquet: --delimiter and --header were not"),
        ("t.pq", {"encoding": "cp1252"}, "Parquet: --encoding was not used"),
        ("t.jsonl", {"decimal": ",", "encoding": "utf-8"}, "JSON: --decimal was not used"),
    ):
        notes = found(tmp_path / name, **options).source.notes
        assert any(said in note for note in notes), notes
    assert not any("not used" in note for note in found(tmp_path / "t.pq").source.notes)
    rows = table(tmp_path / "t.csv", ["label", "prob_0", "prob_1"], [[0, 0.75, 0.25]])
    options = {"delimiter": ",", "decimal": ".", "encoding": "utf-8"}
    assert not any("not used" in note for note in found(rows, **options).source.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label;prob_a;prob_b\na;70%;30%\nb;0.2;0.8\n", "a percent sign in some rows alone"),
        (
            '"label" , "prob_a" , "prob_b"\n"a" , "0.7" , "0.3"\n',
            "without blanks between its quotes",
        ),
        ('label,probs\na,"{""a"": 0.7, ""b"": 0.3}"\n', "records in cells: save them"),
        ("label,prob_a,prob_b,prob_kind\na,0.7,0.3,a\n", "--exclude it"),
        ("label,prob_a,prob_b\na b,continuous,c\nclass,,\na,0.7,0.3\n", "second and the third"),
        ("label,prob_a,prob_b,,\na,0.7,0.3,,\n", "--header A,B,….*none above 2 columns, of 5"),
    ],
)
def test_cells_that_are_no_numbers_name_the_way_on(tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=said):
        found(path)
