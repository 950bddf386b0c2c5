"""The corpus of code is read, and never imported; trainings are small, and compiled in no time."""

import sys
from collections.abc import Iterator

import pytest

collect_ignore = ["corpus/code"]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Have torch compute by one thread, and XLA compile without most of what it does for speed.

    Threads of many tests at a time would wait for each other.
    """
    import torch

    jax = sys.modules.get("jax")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    if jax is not None:
        jax.config.update("jax_disable_most_optimizations", True)
    yield
    torch.set_num_threads(threads)
    if jax is not None:
        jax.config.update("jax_disable_most_optimizations", False)
