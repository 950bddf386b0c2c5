"""What a watched training costs after its first steps: a small network and a small transformer.

`python benchmarks/watch.py`. Steps with and without the doctor take turns, in one process.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from _side_by_side import machine, print_and_keep
from torch import nn

from plogq.doctor import watch

RESULTS = Path(__file__).parent / "results" / "watch.txt"
ROUNDS, BLOCK = 20, 20  # turns, and steps of each
MOST = 1.05


def small() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a network of three layers, and a batch of 128 rows of 64 numbers."""
    net = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    return net, torch.randn(128, 64), torch.arange(128) % 10


class Transformer(nn.Module):
    """Two layers over characters."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(64, 64)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(64, 64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (N, C, T)."""
        return self.head(self.body(self.tokens(x))).transpose(1, 2)


def transformer() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return the transformer, and 8 texts of 32 characters."""
    tokens = torch.randint(64, (8, 33))
    return Transformer(), tokens[:, :-1], tokens[:, 1:]


def measured(make: Callable[[], tuple[nn.Module, torch.Tensor, torch.Tensor]], rounds: int) -> str:
    """Return the milliseconds of a step, alone and watched, and of the first steps."""
    runs = []
    for watched in (False, True):
        torch.manual_seed(0)
        model, x, y = make()
        criterion = nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters())

        def steps(count: int, model=model, criterion=criterion, optimizer=optimizer, x=x, y=y):
            begin = time.perf_counter()
            for _ in range(count):
                optimizer.zero_grad()
                criterion(model(x), y).backward()
                optimizer.step()
            return (time.perf_counter() - begin) * 1e3 / count

        doctor = watch(model, criterion).start() if watched else None
        first = steps(3)
        runs.append((steps, first, doctor))
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for which, (steps, _, _) in enumerate(runs):
            times[which].append(steps(BLOCK))
    runs[1][2].stop()
    alone, watched_ = map(statistics.median, times)
    return (f"{alone:10.3f}{watched_:12.3f}{watched_ / alone:10.3f}"
            f"{3 * (runs[1][1] - runs[0][1]):16.0f}")  # fmt: skip


def report(rounds: int) -> Iterator[str]:
    """Yield the lines of the table."""
    torch.set_num_threads(1)
    yield machine("torch")
    yield f"\n{'ms per step':14}{'alone':>10}{'watched':>12}{'ratio':>10}{'first 3, more':>16}"
    for name, make in (("small network", small), ("transformer", transformer)):
        yield f"{name:14}{measured(make, rounds)}"
    yield f"\nThe ratio is to be below {MOST}; the last column is milliseconds, once."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing written")
    quick = parser.parse_args().quick
    print_and_keep(report(4 if quick else ROUNDS), None if quick else RESULTS)
    sys.exit(0)
