"""Data and loops for the cases of trainings."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from plogq.doctor import watch
from tests.doctor.corpus.case import Case

Given = Callable[[], dict[str, Any]]


def sick(cases: list[Case], *codes: str, also: Iterable[str] = ()) -> Callable[[Given], Given]:
    """Add a training in which these checks are to find something; `also` is true, and may be."""

    def add(given: Given) -> Given:
        case = Case(given.__name__, "sick", frozenset(codes), given, frozenset(also))
        cases.append(case)
        return given

    return add


def seed(number: int) -> None:
    torch.manual_seed(number)


def clusters(rows: int = 64, inputs: int = 16, classes: int = 4, spread: float = 1.0) -> Any:
    """Return rows around a centre for each class, and their classes, in a random order."""
    centres = 2 * torch.randn(classes, inputs)
    y = torch.randperm(rows) % classes
    return centres[y] + spread * torch.randn(rows, inputs), y


def mlp(*sizes: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    parts: list[nn.Module] = []
    for a, b in pairwise(sizes):
        parts += [nn.Linear(a, b), act()]
    return nn.Sequential(*parts[:-1])


def scaled(model: nn.Module, by: float) -> nn.Module:
    """Multiply the weights of all linear layers."""
    with torch.no_grad():
        for each in model.modules():
            if isinstance(each, nn.Linear):
                each.weight *= by
    return model


def train(
    model: nn.Module, loss: Any, x: Any, y: Tensor, *, updates: int = 4, lr: float = 0.05,
    optimizer: Any = None, zero: bool = True, after: Callable[[Tensor], Tensor] = lambda out: out,
    times: float = 1.0, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Train on one batch, again and again, and return what the doctor says."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=lr)
    with watch(model, loss, **options) as d:
        for _ in range(updates):
            if zero:
                optimizer.zero_grad()
            (d.loss(after(model(x)), y) * times).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


def accumulate(model: nn.Module, loss: Any, parts: Any, scales: Iterable[float]) -> dict[str, Any]:
    """Add the gradients of several batches before each update."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    scales = list(scales)
    with watch(model, loss) as d:
        for _ in range(3):
            optimizer.zero_grad()
            for (x, y), scale in zip(parts, scales, strict=True):
                (d.loss(model(x), y) * scale).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
