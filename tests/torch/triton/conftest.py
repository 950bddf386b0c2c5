"""The Triton engine on a GPU where there is one (TRITON_INTERPRET=0), or else interpreted."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")


@pytest.fixture
def triton_engine(monkeypatch):
    """Let the Triton engine alone answer, on the device that is returned."""
    from plogq.torch import engine
    from plogq.torch.engines.triton.engine import Triton
    from plogq.torch.engines.triton.support import interpreting

    monkeypatch.setattr(Triton, "interprets", True)
    with engine("triton"):
        yield "cpu" if interpreting() else "cuda"
