"""The corpus of code is read, and never imported; trainings are small, and have one thread."""

from collections.abc import Iterator

import pytest

collect_ignore = ["corpus/code"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Have torch compute by one thread: many tests at a time would else wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
