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
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")  # a module's tests import them
    threads = 1 if torch is None else torch.get_num_threads()
    if torch is not None:
        torch.set_num_threads(1)
    if jax is not None:
        jax.config.update("jax_disable_most_optimizations", True)
    yield
    if torch is not None:
        torch.set_num_threads(threads)
    if jax is not None:
        jax.config.update("jax_disable_most_optimizations", False)
