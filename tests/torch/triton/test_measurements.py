"""What is measured on GPUs runs here on tiny shapes; what is compiled for them compiles here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu

RESULTS = Path("benchmarks/results/triton_resources.txt")
TARGETS = ("NVIDIA 9.0",)  # a minute each; benchmarks/triton_resources.py compiles for all four


def test_the_whole_measurement_in_small(monkeypatch):
    """Every table is made, and every contender of this machine is in it."""
    for peers in (gpu.ROW_PEERS, gpu.HEAD_PEERS):
        monkeypatch.delitem(peers, "torch.compile")  # it takes a minute
    monkeypatch.setattr(gpu, "compiled", lambda loss: loss)
    lines = list(gpu.report("cpu", gpu.TINY))
    text = "\n".join(lines)
    for case in ("head, all options", "head, half ignored", "head, frozen", "distillation",
                 "binary", "cross_entropy, all options", "of the copy's", "TFLOP/s"):  # fmt: skip
        assert case in text
    assert len(re.findall(r"\n  plogq .* ms ", text)) == 2 * 4 + 5
    assert "refused" not in text


def test_an_error_ends_the_measurement(monkeypatch):
    right = gpu.pt.cross_entropy
    monkeypatch.setattr(gpu.pt, "explain", lambda *given, **options: "any answers")
    monkeypatch.setattr(
        gpu.pt, "cross_entropy", lambda x, y: right(x, y) * (1 if x.dtype == torch.float64 else 1.1)
    )
    with pytest.raises(SystemExit, match=r"cross_entropy, torch.bfloat16: an error of 0.1, more"):
        list(gpu.checked("cpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == 1
    assert capsys.readouterr().err == (
        "benchmarks/gpu.py needs a GPU that torch sees, and there is none\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_each_kernel_compiles_for_each_target(target):
    """Without spills, in bounds, by 128 bits; and the committed results are what comes out."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    command = [sys.executable, "benchmarks/triton_resources.py", "--target", target, "--jobs", "1"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() in RESULTS.read_text()
