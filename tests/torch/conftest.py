"""What the torch tests share."""

import contextlib

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(params=["kernel", "formula"])
def route(request):
    """Run a test through whichever engine is first, and again through torch operations alone."""
    from plogq.torch import engine

    with engine("formula") if request.param == "formula" else contextlib.nullcontext():
        yield request.param
