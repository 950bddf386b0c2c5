"""A language model trained without its logits, in a plain loop: `python examples/head_loop.py`.

A small transformer reads Python's standard library word by word. Its loss is computed once from
the logits of all words, and once from the hidden states, by pieces of the logits.
"""

import re
import sysconfig
import time
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import plogq.torch as pt

ROWS, LENGTH = 8, 64


def read_words(most: int = 20_000) -> tuple[Tensor, int]:
    """Give the standard library as numbers of words, and how many words there are."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-m]*.py"))
    text = "".join(path.read_text(errors="replace") for path in files)
    words = re.findall(r"\w+|[^\w ]|\n", text)
    number = {word: i for i, (word, _) in enumerate(Counter(words).most_common(most - 1), 1)}
    return torch.tensor([number.get(word, 0) for word in words]), len(number) + 1


class Reader(nn.Module):
    """A causal transformer over words: `body` gives hidden states, and `head` makes logits."""

    def __init__(self, words: int, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.place = nn.Embedding(LENGTH, width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(width, words)

    def body(self, words: Tensor) -> Tensor:
        """Give the hidden state of each word, (B, T, width)."""
        mask = nn.Transformer.generate_square_subsequent_mask(words.shape[1])
        x = self.embed(words) + self.place(torch.arange(words.shape[1]))
        return self.layers(x, mask=mask, is_causal=True)


def loss_of_logits(model: Reader, words: Tensor) -> Tensor:
    """Give the mean loss of each next word, as everybody computes it."""
    logits = model.head(model.body(words))[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), words[:, 1:].flatten())


def loss_of_hidden_states(model: Reader, words: Tensor) -> Tensor:
    """Give the same, without the logits."""
    head = model.head
    return pt.linear_cross_entropy(
        model.body(words), head.weight, words, linear_bias=head.bias, shift=True
    )


LOSSES = {"logits": loss_of_logits, "hidden states": loss_of_hidden_states}


def train(name: str, steps: int) -> list[float]:
    """Give the loss of each step, in nats."""
    text, words = read_words()
    torch.manual_seed(0)
    model = Reader(words)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        starts = torch.randint(len(text) - LENGTH, (ROWS, 1))
        optimizer.zero_grad()
        loss = LOSSES[name](model, text[starts + torch.arange(LENGTH)])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    for name in LOSSES:
        began = time.perf_counter()
        losses = train(name, steps=20)
        seconds = time.perf_counter() - began
        print(f"loss of {name:>13}: {losses[0]:.4f} -> {losses[-1]:.4f} in {seconds:.1f} s")
