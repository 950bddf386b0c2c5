"""A language model's head in parts, one on each of two processes, beside the whole head.

Every process has all tokens and the rows of the matrix that belong to its part of the vocabulary.
Run it: `python examples/parallel_head.py`; with torchrun, `init_process_group()` alone would do.
"""

import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.functional import one_hot

import plogq.torch as pt
from plogq.torch import parallel

RANKS, VOCABULARY, WIDTH, STEPS = 2, 101, 16, 20
OWN = [slice(0, 51), slice(51, VOCABULARY)]  # parts may differ in size


def batch() -> tuple[Tensor, Tensor]:
    """Give tokens (8, 12) that a model can learn, and their one-hot rows."""
    start, step = torch.arange(8)[:, None] * 12, torch.arange(12)
    tokens = (start + 7 * step) % VOCABULARY
    return tokens, one_hot(tokens, VOCABULARY).float()


def train(rank: int | None) -> list[float]:
    """Give the loss of each step, of the part of this rank, or without one of the whole head."""
    torch.manual_seed(0)
    tokens, inputs = batch()
    body, matrix = nn.Linear(VOCABULARY, WIDTH), torch.randn(VOCABULARY, WIDTH) / 4
    matrix = nn.Parameter(matrix if rank is None else matrix[OWN[rank]])
    optimizer = torch.optim.SGD([*body.parameters(), matrix], lr=2.0)
    losses = []
    for _ in range(STEPS):
        head = pt.linear_cross_entropy if rank is None else parallel.linear_cross_entropy
        loss = head(torch.tanh(body(inputs)), matrix, tokens, shift=True, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def work(rank: int, address: str) -> None:
    """Train in one of the processes; the first prints the losses."""
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=RANKS)
    losses = train(rank)
    if rank == 0:
        print("step   in parts      whole")
        for i, (part, whole) in enumerate(zip(losses, train(None), strict=True)):
            if i % 5 == 0 or i == STEPS - 1:
                print(f"{i:4}{part:11.5f}{whole:11.5f}")
        assert torch.allclose(torch.tensor(losses), torch.tensor(train(None)), rtol=1e-4)
    dist.destroy_process_group()


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(work, (f"tcp://127.0.0.1:{port}",), nprocs=RANKS)
