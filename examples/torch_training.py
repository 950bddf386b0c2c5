"""The same training with F.cross_entropy and with ours: `python examples/torch_training.py`.

A classifier of handwritten digits, and a small transformer that reads Python's standard library
character by character. A third run has torch's own loss in float64: where training in float32 goes
on so long that it parts from itself, it shows how far. `benchmarks/training.py` measures all.
"""

import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import plogq.torch as pt

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {
    "torch": F.cross_entropy,
    "plogq": pt.cross_entropy,
    "torch, loss in float64": lambda x, y: F.cross_entropy(x.double(), y).float(),
}
CONTEXT = 64


class Reader(nn.Module):
    """A causal transformer over characters."""

    def __init__(self, characters: int, width: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(characters, width)
        self.place = nn.Embedding(CONTEXT, width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(width, characters)

    def forward(self, text: Tensor) -> Tensor:
        """Give the logits of each next character."""
        length = text.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        x = self.embed(text) + self.place(torch.arange(length))
        return self.head(self.body(x, mask=mask, is_causal=True))


def digits() -> tuple[nn.Module, Iterator[tuple[Tensor, Tensor]]]:
    """Give a classifier of 8×8 images, and batches of them without end."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = torch.tensor(data.data / 16).float(), torch.tensor(data.target)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            rows = torch.randint(len(images), (128,))
            yield images[rows], labels[rows]

    return model, batches()


def characters() -> tuple[nn.Module, Iterator[tuple[Tensor, Tensor]]]:
    """Give a reader of source code, and batches of its text without end."""
    library = Path(sysconfig.get_paths()["stdlib"])
    text = "".join((library / name).read_text("utf-8") for name in ("argparse.py", "typing.py"))
    alphabet = sorted(set(text))
    code = torch.tensor([alphabet.index(c) for c in text])

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            starts = torch.randint(len(code) - CONTEXT, (16, 1))
            window = code[starts + torch.arange(CONTEXT + 1)]
            yield window[:, :-1], window[:, 1:]

    return Reader(len(alphabet)), batches()


TASKS = {"digits": digits, "characters": characters}


def train(task: str, loss_of: Loss, steps: int) -> tuple[list[float], list[float]]:
    """Train with Adam from one seed, and give the loss and the seconds of every step."""
    torch.manual_seed(0)
    model, batches = TASKS[task]()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses, seconds = [], []
    for _, (x, y) in zip(range(steps), batches, strict=False):
        start = time.perf_counter()
        logits = model(x)
        loss = loss_of(logits.reshape(-1, logits.shape[-1]), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return losses, seconds


def main() -> None:
    """Train with each loss, and print where its curve begins and ends."""
    for task in TASKS:
        for name, loss in LOSSES.items():
            first, *_, last = train(task, loss, 100)[0]
            print(f"{task}, {name}: loss {first:.6f} to {last:.6f}")


if __name__ == "__main__":
    main()
