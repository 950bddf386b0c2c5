"""Where the unseen trainings are gathered, and what they share.

They were written by someone who had read what `watch` is for, and none of its checks. Each is a
loop as people write it, so they share little on purpose.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from tests.doctor.corpus.case import Case

Given = Callable[[], dict[str, Any]]
CASES: list[Case] = []


def sick(*codes: str, also: Iterable[str] = ()) -> Callable[[Given], Given]:
    """Add a training in which these checks are to find something; `also` is true, and may be."""

    def add(given: Given) -> Given:
        CASES.append(Case(given.__name__, "sick", frozenset(codes), given, frozenset(also)))
        return given

    return add


def healthy(given: Given) -> Given:
    """Add a training in which nothing is to be found."""
    CASES.append(Case(given.__name__, "healthy", frozenset(), given))
    return given


def digits(rows: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scikit-learn's images of digits, 8 by 8 and between 0 and 1, and their classes."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.tensor(bunch.images[:rows], dtype=torch.float32) / 16
    return images[:, None], torch.tensor(bunch.target[:rows])


class ConvNet(nn.Module):
    """Take images of digits to ten logits."""

    def __init__(self, dropout: float = 0.25) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(32 * 16, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = self.dropout(torch.flatten(x, 1))
        return self.fc2(torch.relu(self.fc1(x)))
