"""ARFF as Weka and OpenML write it."""

import pytest

from plogq.score import TableError, score
from plogq.tables.readers import open_table

HEAD = """% made by hand
@RELATION 'two classes'

@attribute 'the id' string
@ATTRIBUTE class {neg, 'pos x'}
@attribute prob_neg numeric
@attribute 'prob_pos x' REAL
"""
ROWS = """% rows
'a, b', neg, 0.5, 0.5

'it\\'s', 'pos x', .75, .25
"""


def refused(path, text, *said):
    path.write_text(text)
    with pytest.raises(TableError) as caught:
        score(path, label="class", bootstrap=0)
    for words in (str(path), *said):
        assert words in str(caught.value)


def test_quotes_comments_and_nominal_classes(tmp_path):
    path = tmp_path / "t.arff"
    path.write_text(HEAD + "@data\n" + ROWS)
    result = score(path, label="class", id="the id", unit="nat", bootstrap=0)
    assert result.cross_entropy == pytest.approx((0.6931471805599453 + 1.3862943611198906) / 2)
    assert [row.name for row in result.per_class] == ["neg", "pos x"]
    assert {row.id for row in result.surprises} <= {"a, b", "it's"}
    schema = open_table(path).schema
    assert schema.field("class").metadata == {b"classes": b'["neg", "pos x"]'}
    [file] = open_table(path).readers
    assert file.pieces("class") == [2]


def test_whole_numbers_are_labels(tmp_path):
    path = tmp_path / "t.arff"
    path.write_text("@relation x\n@attribute label integer\n@attribute probs real\n@data\n1,.5\n")
    assert score(path, bootstrap=0).cross_entropy == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "@data\nx,?,.5,.5\n", "a label in every row (--ignore null"),
        (HEAD + "@data\nx,neg,?,.5\n", "a number in every row; got null"),
        (HEAD + "@data\nx,neg,half,.5\n", "hold numbers"),
        (HEAD + "@data\nx,neg,.5\n", "4 columns; got 3"),
        (HEAD + "@data\nx,other,.5,.5\n", "'other'"),
        (HEAD + "@data\n{1 neg}\n", "dense rows"),
        (HEAD + "@data\n", "no rows"),
        (HEAD, "no @data"),
        ("@relation x\n@data\n1\n", "@attribute"),
        ("@attribute a real\n@attribute a real\n@data\n1,1\n", "of its own"),
        ("", "no @data"),
    ],
)
def test_what_is_refused(text, said, tmp_path):
    refused(tmp_path / "t.arff", text, said)
