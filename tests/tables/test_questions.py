"""Multiple-choice samples of lm-evaluation-harness as a table: the choices are the classes."""

import bz2
import gzip
import json
import lzma
import math
import zipfile

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.compare import compare
from plogq.lm.kinds import kind_of
from plogq.score import TableError, score
from plogq.tables.readers import open_table

QUESTIONS = [([-4.0, -2.5, -6.0], 1), ([-1.0, -3.0, -2.0], 2), ([-9.0, -8.0, -7.5], 2)]
CHOICES = [" no", " perhaps", " — sí"]


def sample(number, logprobs, target, choices=CHOICES, **more):
    pairs = [[str(x), "False"] for x in logprobs]
    return {
        "doc_id": number,
        "target": target,
        "arguments": {
            f"gen_args_{i}": {"arg_0": "Well?", "arg_1": text}
            for i, text in enumerate(choices[: len(logprobs)])
        },
        "resps": [[pair] for pair in pairs],
        "filtered_resps": pairs,
        "filter": "none",
    } | more


def write(path, *samples, name="samples_quiz.jsonl"):
    file = path / name
    file.write_text("".join(json.dumps(s) + "\n" for s in samples))
    return file


def cross_entropy(logits, target):
    """By its definition, at 40 digits."""
    with mpmath.workdps(40):
        powers = [mpmath.exp(mpmath.mpf(x)) for x in logits]
        return float(-mpmath.log(powers[target] / mpmath.fsum(powers)))


@pytest.fixture
def quiz(tmp_path):
    return write(tmp_path, *(sample(i, x, str(y)) for i, (x, y) in enumerate(QUESTIONS)))


def test_choices_are_classes(quiz):
    result = score(quiz, unit="nat", bootstrap=0)
    expected = sum(cross_entropy(x, y) for x, y in QUESTIONS) / 3
    assert result.cross_entropy == pytest.approx(expected, rel=1e-14)
    assert (result.rows, result.accuracy) == (3, 2 / 3)
    table = open_table(quiz)
    assert "the choices are the classes" in table.notes[0]
    assert table.warnings == []


def test_by_the_length_of_the_choices(quiz):
    """On request: each loglikelihood divided by the bytes of its choice."""
    sizes = [len(text.encode()) for text in CHOICES]
    assert sizes == [3, 8, 8]
    result = score(quiz, logits="per_byte", id="id", unit="nat", bootstrap=0)
    expected = [
        cross_entropy([a / n for a, n in zip(x, sizes, strict=True)], y) for x, y in QUESTIONS
    ]
    assert result.cross_entropy == pytest.approx(sum(expected) / 3, rel=1e-14)
    assert result.surprises[0].id == str(expected.index(max(expected)))


def test_two_models(quiz, tmp_path):
    """By the numbers of the questions, whatever their order."""
    better = [(sample(i, [x + (j == y) for j, x in enumerate(xs)], y))
              for i, (xs, y) in enumerate(QUESTIONS)]  # fmt: skip
    other = write(tmp_path, *better[::-1], name="b.jsonl")
    result = compare(quiz, other, id="id", unit="nat", bootstrap=0)
    mine = [cross_entropy(x, y) for x, y in QUESTIONS]
    theirs = [cross_entropy([v + (j == y) for j, v in enumerate(x)], y) for x, y in QUESTIONS]
    assert result.difference == pytest.approx((sum(mine) - sum(theirs)) / 3, rel=1e-13)
    assert result.kind == "predictions"


def test_questions_of_fewer_choices(tmp_path):
    path = write(tmp_path, sample(0, [-1.0, -2.0], "0"), sample(1, [-3.0, -1.0, -2.0], "2"))
    result = score(path, unit="nat", bootstrap=0)
    expected = (cross_entropy([-1, -2], 0) + cross_entropy([-3, -1, -2], 2)) / 2
    assert result.cross_entropy == pytest.approx(expected, rel=1e-14)
    assert open_table(path).warnings == [
        "Questions have 2 to 3 choices: those that a row lacks have probability 0."
    ]


@pytest.mark.parametrize(
    ("target", "choices", "more", "label"),
    [
        (1, CHOICES, {}, 1),
        ("1", CHOICES, {"acc": 1.0}, 1),
        (" perhaps", CHOICES, {}, 1),
        ("perhaps", CHOICES, {"acc": 1}, 1),
        # A digit that is the text of another choice: acc tells which is meant.
        ("1", [" 1", " 2", " 3"], {"acc": 1.0}, 1),
        ("1", [" 1", " 2", " 3"], {"acc": 0.0}, 0),
        ("3", [" 1", " 2", " 3"], {}, 2),
    ],
)
def test_what_target_says(target, choices, more, label, tmp_path):
    path = write(tmp_path, sample(0, QUESTIONS[0][0], target, choices, **more))
    result = score(path, unit="nat", bootstrap=0)
    assert result.cross_entropy == pytest.approx(cross_entropy(QUESTIONS[0][0], label), rel=1e-14)


@pytest.mark.parametrize(
    ("target", "choices", "more", "message"),
    [
        ("0", CHOICES, {"acc": 1.0}, "must agree with acc, 1.0; the likeliest choice is 1"),
        ("1", [" 1", " 2", " 3"], {}, "index or the text of one of 3 choices; got '1'"),
        ("maybe", CHOICES, {}, "index or the text of one of 3 choices; got 'maybe'"),
        ("7", CHOICES, {}, "got '7'"),
        ([0, 2], CHOICES, {}, r"of one choice; got \[0, 2\]"),
        (None, CHOICES, {}, "of one choice; got None"),
        ("0", CHOICES, {"acc": 0.75}, "acc must be 0 or 1; got 0.75: are several choices right"),
        ("0", CHOICES, {"filtered_resps": [["-1", "True"]]}, "for each of 3 choices; got 1"),
        ("0", CHOICES, {"filtered_resps": ["x", "y", "z"]}, "a loglikelihood, at most 0; got 'x'"),
        ("0", CHOICES, {"filtered_resps": [[0.5], [-1], [-1]]}, "at most 0; got 0.5"),
    ],
)
def test_refused(target, choices, more, message, tmp_path):
    path = write(tmp_path, sample(0, QUESTIONS[0][0], target, choices, **more))
    with pytest.raises(TableError, match=f"line 1: .*{message}"):
        score(path)


def test_filters_and_questions_that_come_back(tmp_path):
    one = sample(0, [-1.0, -2.0], "0")
    path = write(tmp_path, one, one | {"filter": "other"}, sample(1, [-1.0, -2.0], "1"))
    assert score(path, bootstrap=0).rows == 2
    assert "Left out 1 samples under another filter than none" in open_table(path).notes[1]
    with pytest.raises(TableError, match="question '0' comes back"):
        score(write(tmp_path, one, one))
    with pytest.raises(TableError, match="line 2: is no multiple-choice sample"):
        score(write(tmp_path, one, {"doc_id": 3}))


def test_a_log_is_no_table(tmp_path):
    rolling = {"doc_id": 0, "arguments": [["It rains."]], "filtered_resps": ["-3.5"]}
    for record in (rolling, {"id": "a", "choices": [{"text": "x"}]}):
        with pytest.raises(TableError, match=r"must be a table; got a log .*: plogq lm reads it"):
            score(write(tmp_path, record))


def test_choices_of_a_table_are_no_log(tmp_path):
    """Their texts may stand beside predictions in JSON: that is for the reader of tables."""
    path = write(tmp_path, {"choices": ["a", "b"], "probs": [0.5, 0.5], "label": 0})
    assert kind_of(path) == "unknown"
    assert open_table(path).schema.names == ["choices", "probs", "label"]


def test_choices_by_themselves_are_no_classes(tmp_path):
    """For acc_mutual_info the harness asks for each choice without the question, too."""
    record = sample(0, [-1.0, -2.0], "1")
    more = {f"gen_args_{i + 2}": {"arg_0": "", "arg_1": CHOICES[i]} for i in range(2)}
    record["arguments"] |= more
    record["filtered_resps"] += [["-5.0", "False"], ["-6.0", "False"]]
    result = score(write(tmp_path, record), unit="nat", bootstrap=0)
    assert result.cross_entropy == pytest.approx(cross_entropy([-1, -2], 1), rel=1e-14)


numbers = st.floats(-60, 0)


@given(
    st.lists(
        st.tuples(st.lists(numbers, min_size=2, max_size=5), st.data()), min_size=1, max_size=5
    )
)
def test_any_questions(tmp_path_factory, drawn):
    questions = [(xs, data.draw(st.integers(0, len(xs) - 1))) for xs, data in drawn]
    choices = [f" c{i}" for i in range(5)]
    path = write(
        tmp_path_factory.mktemp("quiz"),
        *(sample(i, xs, y, choices) for i, (xs, y) in enumerate(questions)),
    )
    table = open_table(path)
    (part,) = table.parts(["logits", "label"], {})
    assert part.batch.column("label").to_pylist() == [y for _, y in questions]
    most = max(len(xs) for xs, _ in questions)
    assert part.batch.column("logits").to_pylist() == [
        xs + [-math.inf] * (most - len(xs)) for xs, _ in questions
    ]


def test_a_folder_of_one_task_is_its_samples(quiz, tmp_path):
    (tmp_path / "results.json").write_text('{"results": {}}')
    found = score(tmp_path, bootstrap=0)
    assert found.cross_entropy == score(quiz, bootstrap=0).cross_entropy
    assert "Not read, of the folder: results.json." in found.source.notes
    write(tmp_path, sample(0, [-1.0, -2.0], "0"), name="samples_other.jsonl")
    with pytest.raises(TableError, match=r"each task has questions of its own.*got 2 files"):
        score(tmp_path)


def test_samples_stay_in_this_process(quiz):
    with pytest.raises(TableError, match=r"held in memory.*engine local"):
        score(quiz, engine="dask")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zip"])
def test_samples_may_be_packed(quiz, tmp_path, ending):
    packed = tmp_path / f"samples.jsonl.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(quiz, "samples.jsonl")
    else:
        packing = {"gz": gzip, "bz2": bz2, "xz": lzma}[ending]
        packed.write_bytes(packing.compress(quiz.read_bytes()))
    assert score(packed, bootstrap=0).cross_entropy == score(quiz, bootstrap=0).cross_entropy
