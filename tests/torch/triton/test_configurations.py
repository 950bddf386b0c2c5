"""One table says what the kernels take: dispatcher, tests, measurements and results agree."""

from pathlib import Path

import pytest
import torch

import plogq.torch as pt
from plogq.torch.engines.triton import support
from plogq.torch.engines.triton.configurations import (
    ROW_DTYPES,
    VARIANTS,
    WIDTHS,
    Variant,
    row_tile,
)
from plogq.torch.engines.triton.engine import Triton
from plogq.torch.engines.triton.rows import unknown, variant_of
from plogq.torch.softmax import question

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")
ALL_DTYPES = (*ROW_DTYPES, torch.float64)
RESULTS = Path("benchmarks/results/triton_resources.txt")


def asked(variant, dtype=torch.float32):
    """Return logits and a question that needs this variant of the kernel."""
    x = torch.zeros(2, 4, dtype=dtype)
    target = torch.full((2, 4), 0.25, dtype=dtype) if variant.soft else torch.zeros(2).long()
    return question(
        x, target, weight=torch.ones(4) if variant.weight else None, ignore_index=-100,
        reduction="mean", label_smoothing=0.1 if variant.smooth else 0.0,
        options={"gamma": 2.0 if variant.focal else 0.0, "return_stats": variant.moment},
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ALL_DTYPES)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_dispatcher_takes_what_is_in_the_table(name, dtype, monkeypatch):
    monkeypatch.setattr(Triton, "interprets", True)
    x, rows = asked(VARIANTS[name], dtype)
    assert (Triton().refusal(x, rows) == "") == (dtype in ROW_DTYPES)
    variant = variant_of(
        rows, gradient=VARIANTS[name].gradient, figures=rows.statistics, cap=VARIANTS[name].cap
    )
    assert variant == VARIANTS[name]


def test_what_the_table_refuses_the_dispatcher_refuses():
    for variant in (Variant(soft=True, focal=True), Variant(smooth=True, focal=True)):
        assert variant.refusal() == unknown(asked(variant)[1]) != ""


def test_each_option_is_in_a_variant():
    """A new option of the kernel is compiled and measured, or this fails."""
    for name in Variant._fields:
        assert {getattr(variant, name) for variant in VARIANTS.values()} == {True, False}


@pytest.mark.parametrize("itemsize", [2, 4])
@pytest.mark.parametrize("sums", sorted({variant.sums for variant in VARIANTS.values()}))
def test_every_row_has_a_tile(itemsize, sums):
    for classes in (*range(1, 70), *WIDTHS, 8191, 8192, 8193, 2**31 - 1):
        tile = row_tile(classes, itemsize, sums=sums)
        assert tile.whole == (tile.block >= classes)
        assert tile.block & (tile.block - 1) == tile.rows & (tile.rows - 1) == 0
        assert tile.threads % 64 == 0
        assert tile.rows * tile.block // tile.threads <= 16


def test_the_committed_results_are_of_this_table():
    """`benchmarks/triton_resources.py` compiles each variant at each width for each target."""
    text = RESULTS.read_text()
    for target in ("NVIDIA 8.0", "NVIDIA 9.0", "NVIDIA 10.0", "AMD gfx942"):
        assert target in text
    for name in VARIANTS:
        assert f"\n{name} " in text
    for classes in WIDTHS:
        assert f" {classes} " in text


def test_why_there_is_no_kernel(monkeypatch):
    """No GPU, no Triton, an old card, a dtype: one sentence each."""
    x = torch.zeros(2, 3)
    assert Triton().refusal(x, asked(VARIANTS["plain"])[1]) == "no GPU: the tensors are on cpu"
    with pt.engine("triton"), pytest.raises(NotImplementedError, match="triton: no GPU: the tens"):
        pt.cross_entropy(x, torch.tensor([0, 1]))

    class OnGPU:
        is_cuda, is_cpu, dtype = True, False, torch.float64
        device = torch.device("cuda", 0)

    monkeypatch.setattr(support, "is_new_enough", lambda index: False)
    assert support.no_triton(OnGPU, interprets=False) == (
        "no Triton kernel for tensors of torch.float64"
    )
    OnGPU.dtype = torch.bfloat16
    assert support.no_triton(OnGPU, interprets=False) == (
        "Triton needs an NVIDIA card of capability 8.0, or an AMD card"
    )
    monkeypatch.setattr(support, "is_new_enough", lambda index: True)
    assert support.no_triton(OnGPU, interprets=False) == ""
    monkeypatch.setattr(support, "_installed", lambda: False)
    assert support.no_triton(OnGPU, interprets=False) == (
        "Triton is not installed: pip install triton"
    )
