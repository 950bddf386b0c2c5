"""What a model says of a text, beside one plain run of the model for each token."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from plogq.lm import score_model, score_tokens
from tests.lm.models import (
    ARCHITECTURES,
    LONG_ROPE,
    POSITIONS,
    VOCABULARY,
    costs,
    library,
    tiny,
    tokenizer,
)

SLOW = [
    name if name in ("Llama", "Gemma2", "GPT2") else pytest.param(name, marks=pytest.mark.slow)
    for name in ARCHITECTURES
]
SOURCE = library(1).popitem()[1]
TEXTS = {
    "long": SOURCE[:240],
    "short": SOURCE[300:340],
    "one": "x",
    "none": "",
    "emoji": "😀 né\r\n",
}


def table_of(tmp_path, *given, **options):
    """Return the result, and the table that it was saved as."""
    path = tmp_path / "tokens.parquet"
    result = score_model(*given, save=path, **options)
    return result, pq.read_table(path)


@pytest.mark.parametrize("name", SLOW)
def test_every_architecture(name, tmp_path):
    dtype = torch.float32 if name == "Mixtral" else torch.float64  # it has no product in float64
    model, words = tiny(name).to(dtype), tokenizer(bos=True)
    options = {"context": 16, "stride": 6}
    result, rows = table_of(tmp_path, model, words, TEXTS, **options, batch_tokens=40)
    expected = []
    for text in TEXTS.values():
        ids = words(text, add_special_tokens=False)["input_ids"]
        expected += costs(model, ids, 16, 6, prefix=(0,), dtype=dtype)
    found = -rows["logprob"].to_numpy()
    # Some models compute a part (a softmax, a state) in float32, whatever their weights are.
    single = name in ("Mixtral", "Gemma2", "Bloom", "Mamba")
    assert np.abs(found - expected).max() <= (1e-5 if single else 1e-9)
    within = 1e-6 if single else 1e-12
    assert result.surprisal == pytest.approx(sum(expected) / math.log(2), rel=within)
    per_byte = pytest.approx(result.surprisal / result.bytes, rel=1e-15)
    assert result.cross_entropy_per_byte == per_byte
    assert result.bytes == sum(len(text.encode()) for text in TEXTS.values())
    assert not any("whole batches" in note for note in result.source.notes)


def test_float32(tmp_path):
    model, words = tiny(), tokenizer(bos=True)
    result, rows = table_of(tmp_path, model, words, TEXTS, context=16, stride=6, batch_tokens=40)
    expected = []
    for text in TEXTS.values():
        expected += costs(model, words(text, add_special_tokens=False)["input_ids"], 16, 6, (0,))
    assert np.abs(-rows["logprob"].to_numpy() - expected).max() <= 1e-5
    assert result.surprisal == pytest.approx(sum(expected) / math.log(2), rel=1e-6)


@pytest.mark.parametrize("bos", ["auto", "yes", "first", "no"])
@pytest.mark.parametrize("own", [True, False])
def test_bos(bos, own, tmp_path):
    model, words = tiny(), tokenizer(bos=own)
    prefix = (0,) if bos in ("yes", "first") or (bos == "auto" and own) else ()
    options = {"context": 10, "stride": 7}
    result, rows = table_of(tmp_path, model, words, TEXTS, **options, bos=bos)
    expected = []
    for text in TEXTS.values():
        ids = words(text, add_special_tokens=False)["input_ids"]
        expected += costs(model, ids, 10, 7, prefix=prefix, every=bos != "first")
    found = [None if x is None else -x for x in rows["logprob"].to_pylist()]
    assert [x is None for x in found] == [x is None for x in expected]
    scored = [(a, b) for a, b in zip(found, expected, strict=True) if a is not None]
    assert max(abs(a - b) for a, b in scored) <= 1e-5
    assert result.tokens == len(scored)
    assert result.unscored.tokens == (0 if prefix else 4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_figures_do_not_depend_on_the_batch(dtype):
    model, words = tiny().to(dtype), tokenizer(bos=True)
    texts = [SOURCE[a : a + 37 * (a % 11)] for a in range(0, 2000, 50)]
    each = [score_model(model, words, texts, batch_tokens=n).surprisal for n in (1, 100, 8192)]
    bound = {torch.float64: 1e-14, torch.float32: 1e-8, torch.bfloat16: 1e-3}[dtype]
    assert max(each) - min(each) <= bound * each[0]


def test_windows_of_other_lengths_do_not_share_a_batch_where_rotations_depend_on_it():
    model, words = tiny("Phi3", rope_scaling=LONG_ROPE), tokenizer()
    texts = ["abc", SOURCE[:200]]  # below and above the length from which rotations change
    alone = sum(score_model(model, words, [text]).surprisal for text in texts)
    assert score_model(model, words, texts).surprisal == pytest.approx(alone, rel=1e-7)


def test_the_saved_table_is_what_was_scored(tmp_path):
    result, rows = table_of(tmp_path, tiny(), tokenizer(), TEXTS, unit="nat", seed=3)
    again = score_tokens(tmp_path / "tokens.parquet", unit="nat", seed=3)
    for name in ("surprisal", "tokens", "words", "characters", "bytes", "unscored", "intervals",
                 "documents", "worst_documents", "surprises"):  # fmt: skip
        assert getattr(again, name) == getattr(result, name), name
    codes = {each.code for each in again.warnings}
    assert codes == {each.code for each in result.warnings} - {"empty_documents"}
    assert rows.schema.field("logprob").type == pa.float32()
    for name, text in TEXTS.items():
        of = rows.filter(pa.compute.equal(rows["doc"], name))
        assert sum(of["bytes"].to_pylist()) == len(text.encode())
        assert sum(of["characters"].to_pylist()) == len(text)
        assert sum(of["words"].to_pylist()) == len(text.split())
        assert of["token_id"].to_pylist() == tokenizer()(text)["input_ids"]


def test_a_model_that_learned_pays_less(tmp_path):
    """A small model that is trained here, on one text, against its own plain loss."""
    words = tokenizer(bos=True)
    ids = torch.tensor(words(SOURCE, add_special_tokens=False)["input_ids"][:6400]).view(-1, 32)
    model = tiny()
    before = score_model(model, words, [SOURCE[:2000]]).cross_entropy_per_byte
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(30):
        optimiser.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
    model.train()
    result = score_model(model, words, [SOURCE[:2000]])
    assert model.training
    assert result.cross_entropy_per_byte < 0.7 * before
    listed = words(SOURCE[:2000], add_special_tokens=False)["input_ids"]
    expected = sum(costs(model, listed, POSITIONS, POSITIONS // 2, prefix=(0,)))
    assert result.surprisal * math.log(2) == pytest.approx(expected, rel=1e-6)


def test_gradients_are_possible_afterwards():
    model, words = tiny(), tokenizer(bos=True)
    score_model(model, words, ["def f():"])
    ids = torch.tensor([[0, 5, 6]])
    model(input_ids=ids, labels=ids).loss.backward()
    assert "forward" not in vars(model.model)


class Odd(torch.nn.Module):
    """A model whose logits the pieces cannot give: they depend on the place, behind the body."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.config, self.base_model = inner, inner.config, inner.model

    def forward(self, input_ids, use_cache=None):
        found = self.inner(input_ids=input_ids)
        place = torch.arange(found.logits.shape[1])[:, None]
        found.logits = found.logits * (1 + place / 10)
        return found


def test_a_head_that_cannot_run_on_pieces_is_said():
    odd, words = Odd(tiny()), tokenizer(bos=True)
    result = score_model(odd, words, TEXTS, context=16, stride=6)
    assert any("whole batches of logits are held" in note for note in result.source.notes)
    expected = []
    for text in TEXTS.values():
        expected += costs(odd, words(text, add_special_tokens=False)["input_ids"], 16, 6, (0,))
    assert result.surprisal * math.log(2) == pytest.approx(sum(expected), rel=1e-6)


def test_a_token_of_probability_0():
    model = tiny(tie_word_embeddings=False)
    words = tokenizer(bos=True)
    x = words("x", add_special_tokens=False)["input_ids"][0]
    head = model.lm_head
    model.lm_head = torch.nn.Linear(32, VOCABULARY)
    model.lm_head.weight, model.lm_head.bias.data[:] = head.weight, 0
    model.lm_head.bias.data[x] = -math.inf
    result = score_model(model, words, ["x", "y"])
    assert result.surprisal == math.inf
    assert result.zero_probability_tokens == 1


def test_progress_is_told_in_bytes():
    told = []
    score_model(tiny(), tokenizer(), TEXTS, batch_tokens=32,
                progress=lambda *done: told.append(done))  # fmt: skip
    size = sum(len(text.encode()) for text in TEXTS.values())
    assert told[-1] == (size, size)
    assert told == sorted(told)
    assert len(told) > 3


def test_more_windows_than_a_chunk_has():
    model, words = tiny(), tokenizer(bos=True)
    result = score_model(model, words, [SOURCE[:3000]], batch_tokens=16, context=8, stride=3)
    other = score_model(model, words, [SOURCE[:3000]], context=8, stride=3)
    assert result.tokens == other.tokens == len(words(SOURCE[:3000])["input_ids"]) - 1
    assert result.surprisal == pytest.approx(other.surprisal, rel=1e-8)
