"""What is done to logits that are not computed is what torch does to those that are."""

import operator
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from plogq.adapters.lazy_logits import LazyLogits

CLASSES = 7


def both(bias=True):
    """Return a head's lazy logits and its own, (2, 3, 7), in float64."""
    torch.manual_seed(0)
    head, hidden = nn.Linear(4, CLASSES, bias).double(), torch.randn(2, 3, 4).double()
    return LazyLogits.of(head, hidden), head(hidden)


def lora(x):
    torch.manual_seed(1)
    other, hidden = nn.Linear(3, CLASSES).double(), torch.randn(2, 3, 3).double()
    low = LazyLogits.of(other, hidden) if isinstance(x, LazyLogits) else other(hidden)
    return x * 3 + low * 0.5


SAME = {
    "as it is": lambda x: x,
    "times a number": lambda x: 3 * (x * 0.5),
    "over a number": lambda x: x / 4,
    "a softcap": lambda x: torch.tanh(x / 3) * 3,
    "a softcap of a scale": lambda x: 2.5 * (x * 0.7).tanh(),
    "a scale of a softcap": lambda x: torch.tanh(x / 2) * 2 / 0.5,
    "a low rank": lora,
    "all of it": lambda x: (lora(x) * 0.2).tanh() * 1.5,
    "a bias": lambda x: x * 2 + torch.arange(7.0).double(),
    "a bias before": lambda x: torch.arange(7.0).double()[None, None] * 1.0 + x,
    "the first classes": lambda x: x[..., :5],
    "rows": lambda x: x[:, :-1],
    "rows and classes": lambda x: x[:, 1:, :5].contiguous(),
    "one row": lambda x: x[1],
    "chosen rows": lambda x: x[torch.tensor([[True, False, True], [False, True, True]])],
    "cast": lambda x: x.to(torch.float64).to("cpu").float().to(torch.float64),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("bias", [True, False])
def test_logits_and_losses_are_those_of_torch(name, bias):
    lazy, logits = both(bias)
    found, expected = SAME[name](lazy), SAME[name](logits)
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if name == "cast" else {}
    assert isinstance(found, LazyLogits)
    assert found.shape == expected.shape == found.size()
    assert found.dim() == found.ndim == expected.ndim
    assert found.size(-1) == expected.size(-1)
    assert found.device == expected.device
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found.compute(), expected, **tolerance)
    rows, flat = found.view(-1, found.size(-1)), expected.reshape(-1, expected.shape[-1])
    target = torch.arange(len(flat)) % 5
    target[0] = -100
    for options in ({}, {"reduction": "sum"}, {"label_smoothing": 0.1}, {"reduction": "none"}):
        loss = F.cross_entropy(rows, target, **options)
        wanted = F.cross_entropy(flat, target, **options)
        torch.testing.assert_close(loss, wanted, **tolerance)
    module = nn.CrossEntropyLoss(weight=torch.rand(flat.shape[1]).double())
    torch.testing.assert_close(module(rows, target), module(flat, target), **tolerance)


@pytest.mark.parametrize("shape", [(-1, 7), (6, 7), (6, -1), (1, 6, 7), [3, 2, 7]])
def test_shapes(shape):
    lazy, logits = both()
    torch.testing.assert_close(lazy.view(shape).compute(), logits.view(*shape))
    torch.testing.assert_close(lazy.reshape(*shape).compute(), logits.view(*shape))
    torch.testing.assert_close(lazy.flatten(0, 1).compute(), logits.flatten(0, 1))


REFUSED = {
    "sub": lambda x: x - 1,
    "neg": lambda x: -x,
    "eq": lambda x: x == 1,
    "bool": bool,
    "len": len,
    "iter": list,
    "array": lambda x: x.__array__(),
    "argmax": lambda x: x.argmax(-1),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "softmax": lambda x: F.softmax(x, dim=-1),
    "a product with a Tensor": lambda x: torch.ones(7) * x,
    "setitem": lambda x: operator.setitem(x, 0, 1.0),
    "iadd": lambda x: operator.iadd(x, 1.0),
    "imul": lambda x: operator.imul(x, 2.0),
    "a product with a Parameter": lambda x: x * nn.Parameter(torch.tensor(2.0)),
    "a product with -1": lambda x: x * -1,
    "a product with a bool": lambda x: x * True,
    "a product with nan": lambda x: x * float("nan"),
    "a quotient by 0": lambda x: x / 0,
    "a second tanh": lambda x: x.tanh().tanh(),
    "a sum after a tanh": lambda x: x.tanh() + torch.ones(7),
    "a sum with what is no bias": lambda x: x + torch.ones(2, 3, 7),
    "a view of shape": lambda x: x.view(-1),
    "a view of shape (7, 6)": lambda x: x.view(7, 6),
    "an index of classes": lambda x: x[torch.ones(2, 3, 7, dtype=torch.bool)],
    "the index": lambda x: x[:, None],
    "the index (": lambda x: x[0, 0, 3],
    "a move to meta": lambda x: x.to("meta"),
    "a move to torch.int64": lambda x: x.to(torch.int64),
    "cross_entropy of logits of shape (2, 3, 7)": lambda x: F.cross_entropy(x, torch.ones(2, 7)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused(name):
    lazy, _ = both()
    with pytest.raises((TypeError, AttributeError)) as caught:
        REFUSED[name](lazy)
    said = str(caught.value)
    assert said.startswith("logits must be left to the loss: after plogq.huggingface.patch")
    assert f"got {name}" in said


def test_part_of_a_head_is_refused():
    """huggingface/trl#6859: outside of the layer's call, ZeRO-3 leaves an empty matrix."""
    lazy, _ = both()
    lazy.terms[0].linear.weight = nn.Parameter(torch.empty(0).double())
    with pytest.raises(ValueError, match=r"the head's weight must be a whole tensor of shape"):
        F.cross_entropy(lazy.flatten(0, 1), torch.arange(6))


def test_what_it_does_not_have_it_does_not_have():
    lazy, _ = both()
    assert not hasattr(lazy, "grad_fn")
    assert not isinstance(lazy, torch.Tensor)
    assert {lazy: 1}[lazy] == 1


MEMORY = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
from plogq.huggingface import patch
from tests.memory import growth
torch.set_num_threads(1)
config = LlamaConfig(vocab_size=32000, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                     num_attention_heads=2, num_key_value_heads=2)
model = LlamaForCausalLM(config).train()
if sys.argv[1] == "patched":
    patch(model)
def step(rows):
    ids = torch.arange(rows).reshape(-1, 256) % 32000
    model(input_ids=ids, labels=ids).loss.backward()
step(256)
print(growth(lambda: step(2048)))
"""


@pytest.mark.slow
def test_logits_are_never_there():
    """Those of 2048 tokens are 262 MB in float32, and a loss of torch holds them three times."""
    grown = {}
    for name in ("patched", "plain"):
        command = [sys.executable, "-c", MEMORY, name]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        grown[name] = int(done.stdout)
    logits = 2048 * 32000 * 4
    assert grown["patched"] < 0.5 * logits
    assert grown["plain"] > 2 * logits
