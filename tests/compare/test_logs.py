"""Logs of two servers: their documents are paired by name, or by text where names are random."""

import pytest

from plogq.compare import compare
from plogq.lm import score_tokens
from plogq.score import TableError
from tests.lm.records import ASKED, completion, request_output, write

TEXTS = ["It snows", "Rain", "Fog over Oslo"]
LOSS = [1.0, 2.0, 4.0]


def log(path, name, *, scale=1.0, names=None, order=(0, 1, 2), texts=TEXTS):
    """A log of texts in two tokens each."""
    records = []
    for i in order:
        tokens = [(texts[i][:3], -LOSS[i] * scale), (texts[i][3:], -LOSS[i])]
        given = f"cmpl-{name}{i}" if names is None else names[i]
        records.append(completion(tokens, name=given))
    return write(path, *records, name=f"{name}.jsonl")


@pytest.fixture
def pair(tmp_path):
    return log(tmp_path, "a"), log(tmp_path, "b", scale=2.0, order=(2, 0, 1))


def test_random_names_are_paired_by_text(pair):
    result = compare(*pair, unit="nat", top=3)
    size = sum(map(len, TEXTS))
    assert (result.pairing, result.rows) == ("text", 3)
    assert result.difference == pytest.approx(-sum(LOSS) / size, rel=1e-14)
    gaps = {d.doc: d.a - d.b for d in result.largest.a}
    assert gaps == pytest.approx(
        {f"cmpl-a{i}": -LOSS[i] / len(TEXTS[i]) for i in range(3)}, rel=1e-14
    )


def test_the_interval_is_that_of_documents_of_one_name(tmp_path, pair):
    """Both models see the same documents in every replicate, whatever their names in B."""
    names = [f"cmpl-a{i}" for i in range(3)]
    named = log(tmp_path, "c", scale=2.0, names=names)
    by_name, by_text = compare(pair[0], named), compare(*pair)
    assert by_name.pairing == "doc"
    assert by_text.intervals == by_name.intervals
    assert by_text.difference == by_name.difference
    assert by_text.b.cross_entropy_per_byte == score_tokens(pair[1]).cross_entropy_per_byte


def test_names_that_are_only_places_give_way_to_texts(tmp_path):
    a = log(tmp_path, "a", names=[None] * 3)
    b = log(tmp_path, "b", names=[None] * 3, order=(1, 2, 0))
    assert compare(a, b).difference == 0
    assert compare(a, b).pairing == "text"
    prompts = [request_output([("Wet", None), (f" day {i}", -1.0)], [], str(i)) for i in range(3)]
    one = write(tmp_path, *[x | {"outputs": []} for x in prompts], name="p.jsonl")
    other = [x | {"outputs": [], "request_id": str(2 - i)} for i, x in enumerate(prompts)]
    assert compare(one, write(tmp_path, *other, name="q.jsonl")).pairing == "text"


@pytest.mark.parametrize(
    ("texts", "names", "message"),
    [
        (["It snows", "Rain", "Fog in Oslo!!"], None, "none of the name.*their texts differ, too"),
        (["It snows", "Rain", "Rain"], None, "a text is there twice"),
        (["It snows", "Rain", "Fog over Ohio"], ["x", "y", "z"], "'z' must be the same text"),
    ],
)
def test_texts_that_disagree(texts, names, message, tmp_path):
    a = log(tmp_path, "a", names=names)
    b = log(tmp_path, "b", texts=texts, names=names)
    with pytest.raises(TableError, match=message) as caught:
        compare(a, b)
    assert "a field custom_id in each record names it" in str(caught.value)


def test_a_custom_id_pairs_what_is_no_text(tmp_path):
    """Where bytes are not known, tokens must be as many."""
    record = completion([(f"token_id:{i}", -1.0) for i in range(3)], text=None)
    record["choices"][0]["text"] = None
    a = write(tmp_path, record | {"id": "a", "custom_id": "q"}, name="a.jsonl")
    b = write(tmp_path, record | {"id": "b", "custom_id": "q"}, name="b.jsonl")
    result = compare(a, b)
    assert (result.per, result.difference) == ("token", 0)
    assert [w.code for w in result.warnings] == ["bytes_unknown", "bytes_unknown"]
    c = write(tmp_path, record | {"id": "c"}, name="c.jsonl")
    with pytest.raises(TableError, match=r"none of the name 'q'.*custom_id"):
        compare(a, c)


def test_prompts_of_two_servers(tmp_path):
    a = write(tmp_path, request_output(ASKED, [("!", -1.0)], "0-1f"), name="a.jsonl")
    b = write(tmp_path, request_output(ASKED, [("?", -1.0)], "0-2e"), name="b.jsonl")
    result = compare(a, b, part="prompt")
    assert (result.pairing, result.difference) == ("text", 0)
