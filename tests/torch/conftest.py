"""What the torch tests share."""

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(params=["kernel", "formula"])
def route(request, monkeypatch):
    """Run a test through the native kernel, and again through torch operations alone."""
    if request.param == "formula":
        monkeypatch.setattr("plogq.torch._kernel.takes", lambda *_: False)
        monkeypatch.setattr("plogq.torch._slopes.takes", lambda *_: False)
        monkeypatch.setattr("plogq.torch._binary_kernel.takes", lambda *_: False)
    return request.param
