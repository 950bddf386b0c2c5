"""The losses and heads of `plogq.torch` on a GPU beside their peers and the floor: one command.

First everything is checked against float64, then measured: the copy's bandwidth and the product's
peak, cross-entropy forward and backward, other losses, linear heads (plain, all options, odd
shapes, half of the rows ignored, a frozen head) and peak memory. Peers are torch, torch.compile,
and those of liger-kernel, quack-kernels and cut-cross-entropy that are installed; one that refuses
a case is shown as "refused". Prints, and writes benchmarks/results/gpu.txt. Without a GPU it says
so and ends with status 1; `--tiny` runs all of it on small shapes wherever it is.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

import plogq.torch as pt

RESULTS = Path(__file__).parent / "results" / "gpu.txt"
Loss = Callable[..., Tensor]


class Sizes(NamedTuple):
    """What is measured: (rows, classes), (rows, width, classes), and how often."""

    rows: tuple[tuple[int, int], ...]
    heads: tuple[tuple[int, int, int], ...]
    copy: int  # bytes
    product: int
    repeats: int
    workspace: int  # bytes


FULL = Sizes(
    ((16384, 4096), (16384, 32000), (16384, 131072), (16384, 32001)),
    ((4096, 4096, 128256), (8192, 4096, 128256), (4093, 4096, 151936), (8192, 4096, 50257)),
    1 << 30, 8192, 20, 1 << 30,
)  # fmt: skip
TINY = Sizes(((7, 33),), ((9, 8, 33),), 1 << 12, 32, 1, 1 << 12)
DTYPES = (torch.bfloat16, torch.float32)
OPTIONS = {"label_smoothing": 0.1, "z_loss": 1e-4, "softcap": 30.0, "temperature": 1.5}


def compiled(loss: Loss) -> Loss:
    """Return a loss that torch.compile has compiled for its first shape."""
    return torch.compile(loss, dynamic=False)


def liger_rows() -> Loss:
    from liger_kernel.transformers.functional import liger_cross_entropy

    return liger_cross_entropy


def liger_head() -> Loss:
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

    return liger_fused_linear_cross_entropy


def quack_rows() -> Loss:
    from quack.cross_entropy import cross_entropy

    return partial(cross_entropy, reduction="mean")


def quack_head() -> Loss:
    from quack.linear_cross_entropy import chunked_linear_cross_entropy

    return chunked_linear_cross_entropy


def cut_head() -> Loss:
    from cut_cross_entropy import linear_cross_entropy

    return linear_cross_entropy


def chunked_head() -> Loss:
    options = torch.nn.LinearCrossEntropyOptions()
    return lambda h, w, y: F.linear_cross_entropy(h, w, y, options=options)


def head_of_all_logits(h: Tensor, w: Tensor, y: Tensor) -> Tensor:
    """Return the mean loss of all logits in float32, as trainers have it."""
    return F.cross_entropy(F.linear(h, w).float(), y)


ROW_PEERS = {
    "torch": lambda: F.cross_entropy,
    "torch.compile": lambda: compiled(F.cross_entropy),
    "liger": liger_rows,
    "quack": quack_rows,
}
HEAD_PEERS = {
    "torch": lambda: head_of_all_logits,
    "torch.compile": lambda: compiled(head_of_all_logits),
    "torch, chunked": chunked_head,
    "liger": liger_head,
    "quack": quack_head,
    "cut-cross-entropy": cut_head,
}


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    """Return D_KL(teacher ‖ student) in torch operations, a mean over the rows."""
    log_q, log_p = student.float().log_softmax(1), teacher.float().log_softmax(1)
    return F.kl_div(log_q, log_p, log_target=True, reduction="batchmean")


def binary(z: Tensor, other: Tensor) -> Tensor:
    """Return binary cross-entropy in torch operations, with targets of another's logits."""
    return F.binary_cross_entropy_with_logits(z, other)


def installed(peers: dict[str, Callable[[], Loss]]) -> dict[str, Loss | str]:
    """Return the peers, or why one is not there."""
    found: dict[str, Loss | str] = {}
    for name, load in peers.items():
        try:
            found[name] = load()
        except (ImportError, AttributeError):
            found[name] = "not installed"
    return found


def milliseconds(run: Callable[[], object], device: str, repeats: int) -> float:
    """Return the median time of a run whose data is not in the cache."""
    run()
    if device == "cpu":
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            run()
            times.append((time.perf_counter() - begin) * 1e3)
        return statistics.median(times)
    cache = torch.empty(256 << 20, dtype=torch.int8, device=device)
    events = []
    for _ in range(repeats):
        cache.zero_()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        events.append((begin, end))
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in events)


def peak_bytes(run: Callable[[], object], device: str) -> int:
    """Return the bytes a run needs beyond what was there; 0 where that is not known."""
    if device == "cpu":
        return 0
    run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def steps(loss: Loss, leaves: list[Tensor], *given: Tensor) -> Callable[[], None]:
    """Return forward and backward of a mean loss."""

    def run() -> None:
        loss(*leaves, *given).backward()
        for leaf in leaves:
            leaf.grad = None

    return run


def tried(measure: Callable[[], float]) -> float | str:
    """Return what is measured, or that the contender refuses the case."""
    try:
        return measure()
    except Exception as error:  # a peer may raise anything
        return f"refused: {type(error).__name__}"


def inputs(device: str, dtype: torch.dtype, *shape: int, size: float = 1.0) -> Tensor:
    """Return normal numbers that want a gradient."""
    return (torch.randn(shape, device=device) * size).to(dtype).requires_grad_()


def checked(device: str) -> Iterator[str]:
    """Compare losses and gradients with float64, on small shapes; raise where one is off."""
    for dtype in DTYPES:
        h, w = inputs(device, dtype, 65, 32), inputs(device, dtype, 1003, 32, size=0.2)
        y = torch.randint(1003, (65,), device=device)
        y[::4] = -100
        teacher = inputs(device, dtype, 65, 1003).detach()
        losses: dict[str, tuple[Loss, list[Tensor], tuple[Tensor, ...]]] = {
            "cross_entropy": (pt.cross_entropy, [inputs(device, dtype, 65, 1003)], (y,)),
            "all options": (
                partial(pt.cross_entropy, **OPTIONS), [inputs(device, dtype, 65, 1003)], (y,)),
            "distillation_loss": (
                pt.distillation_loss, [inputs(device, dtype, 65, 1003)], (teacher,)),
            "head": (partial(pt.linear_cross_entropy, workspace=1 << 17), [h, w], (y,)),
            "head, all options": (
                partial(pt.linear_cross_entropy, workspace=1 << 17, **OPTIONS), [h, w], (y,)),
        }  # fmt: skip
        for name, (loss, leaves, given) in losses.items():
            engine = pt.explain(loss, *leaves, *given).split()[0]
            found = loss(*leaves, *given)
            gradients = torch.autograd.grad(found, leaves)
            exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
            with pt.engine("materialised" if "head" in name else "formula"):
                truth = loss(*exact, *(g.double() if g.is_floating_point() else g for g in given))
            true_gradients = torch.autograd.grad(truth, exact)
            worst = max(
                float((g.double() - t).abs().max() / t.abs().max())
                for g, t in zip((found.detach(), *gradients), (truth.detach(), *true_gradients),
                                strict=True)
            )  # fmt: skip
            limit = 0.02 if dtype == torch.bfloat16 else 1e-2 if "head" in name else 1e-4
            if not worst <= limit:
                raise SystemExit(f"{name}, {dtype}: an error of {worst:.2g}, more than {limit:g}")
            yield f"{name:24}{str(dtype)[6:]:10}{engine:14}error {worst:.1e} of the largest"


def floor(device: str, sizes: Sizes) -> tuple[float, float]:
    """Return the copy's bandwidth in GB/s, both ways, and the product's peak in TFLOP/s."""
    a = torch.empty(sizes.copy, dtype=torch.int8, device=device)
    b = torch.empty_like(a)
    copy = 2 * sizes.copy / milliseconds(lambda: b.copy_(a), device, sizes.repeats) / 1e6
    n = sizes.product
    x, z = (torch.randn(n, n, device=device).bfloat16() for _ in range(2))
    peak = 2 * n**3 / milliseconds(lambda: x @ z, device, sizes.repeats) / 1e9
    return copy, peak


def line(name: str, found: float | str, figures: Callable[[float], str]) -> str:
    """Return a line of a table."""
    return f"  {name:30}" + (found if isinstance(found, str) else figures(found))


def of_bytes(moved: float, copy: float, ms: float) -> str:
    """Return a time as the bandwidth of what must be moved."""
    rate = moved / ms / 1e6
    return f"{ms:9.3f} ms {rate:8.0f} GB/s{rate / copy:7.2f} of the copy's"


def of_operations(useful: float, peak: float, memory: int, ms: float) -> str:
    """Return a time as useful operations, and the memory that a run needs."""
    rate = useful / ms / 1e9
    return (
        f"{ms:9.3f} ms {rate:8.0f} TFLOP/s{rate / peak:7.2f} of the product's {memory >> 20:8} MiB"
    )


def rows_table(device: str, sizes: Sizes, copy: float) -> Iterator[str]:
    """Measure losses of logits; the floor reads them once and writes their gradient."""
    losses: dict[str, dict[str, Callable[[], Loss]]] = {
        "cross_entropy": {"plogq": lambda: pt.cross_entropy, **ROW_PEERS},
        "cross_entropy, all options": {"plogq": lambda: partial(pt.cross_entropy, **OPTIONS)},
        "distillation": {
            "plogq": lambda: partial(pt.distillation_loss, temperature=1.0),
            "torch": lambda: kl, "torch.compile": lambda: compiled(kl)},
        "binary": {
            "plogq": lambda: pt.binary_cross_entropy_with_logits,
            "torch": lambda: binary, "torch.compile": lambda: compiled(binary)},
    }  # fmt: skip
    for dtype in DTYPES:
        for rows, classes in sizes.rows:
            x = inputs(device, dtype, rows, classes)
            for case, contenders in losses.items():
                if case in ("distillation", "binary"):
                    given, moved = torch.rand_like(x.detach()), 3 * x.nbytes
                else:
                    given, moved = torch.randint(classes, (rows,), device=device), 2 * x.nbytes
                yield f"{case}, {rows} x {classes} {str(dtype)[6:]}"
                for name, loss in installed(contenders).items():
                    found: float | str = loss
                    if not isinstance(loss, str):
                        run = steps(loss, [x], given)
                        found = tried(partial(milliseconds, run, device, sizes.repeats))
                    yield line(name, found, partial(of_bytes, moved, copy))
                torch.compiler.reset()
            del x


def of_frozen(loss: Loss, w: Tensor, h: Tensor, y: Tensor) -> Tensor:
    """Return a head's loss whose matrix wants no gradient."""
    return loss(h, w, y)


def heads_table(device: str, sizes: Sizes, peak: float) -> Iterator[str]:
    """Measure linear heads in bfloat16; useful operations are 6 for each token, width and class."""
    plain = partial(pt.linear_cross_entropy, workspace=sizes.workspace)
    for rows, width, classes in sizes.heads:
        h = inputs(device, torch.bfloat16, rows, width)
        w = inputs(device, torch.bfloat16, classes, width, size=width**-0.5)
        y = torch.randint(classes, (rows,), device=device)
        half = y.clone()
        half[::2] = -100
        flops = 6 * rows * width * classes
        cases: dict[str, tuple[dict[str, Loss | str], list[Tensor], Tensor, float]] = {
            "plain": ({"plogq": plain, **installed(HEAD_PEERS)}, [h, w], y, flops),
            "all options": ({"plogq": partial(plain, **OPTIONS)}, [h, w], y, flops),
            "half ignored": ({"plogq": plain, **installed(HEAD_PEERS)}, [h, w], half, flops),
            "half ignored, number known": (
                {"plogq": partial(plain, valid=int((half >= 0).sum()))}, [h, w], half, flops),
            "frozen head": (
                {"plogq": partial(of_frozen, plain, w.detach())}, [h], y, flops * 2 / 3),
        }  # fmt: skip
        for case, (contenders, leaves, target, useful) in cases.items():
            yield f"head, {case}, {rows} x {width} x {classes} bfloat16"
            for name, loss in contenders.items():
                run = steps(loss, leaves, target) if not isinstance(loss, str) else None
                found: float | str = loss if run is None else tried(
                    partial(milliseconds, run, device, sizes.repeats))  # fmt: skip
                memory = 0 if run is None or isinstance(found, str) else peak_bytes(run, device)
                yield line(name, found, partial(of_operations, useful, peak, memory))
            torch.compiler.reset()
        gradients = 4 * (h.numel() + w.numel())
        shares = f"{gradients >> 20} MiB are gradients, {sizes.workspace >> 20} the workspace"
        yield f"  of that, {shares}"
        del h, w


def report(device: str, sizes: Sizes) -> Iterator[str]:
    """Return the lines of the report as they come."""
    card = torch.cuda.get_device_name() if device != "cpu" else "no GPU: figures mean nothing"
    yield f"{card}; torch {torch.__version__}"
    yield from checked(device)
    copy, peak = floor(device, sizes)
    yield f"copy {copy:.0f} GB/s, read and written; product of bfloat16 {peak:.0f} TFLOP/s"
    yield from rows_table(device, sizes, copy)
    yield from heads_table(device, sizes, peak)


def main() -> int:
    """Run all of it on the GPU, or say that there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small shapes, nothing written")
    tiny = parser.parse_args().tiny
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not tiny:
        print("benchmarks/gpu.py needs a GPU that torch sees, and there is none", file=sys.stderr)
        return 1
    torch.manual_seed(0)
    kept = []
    for text in report(device, TINY if tiny else FULL):
        print(text, flush=True)
        kept.append(text)
    if not tiny:
        RESULTS.write_text("\n".join(kept) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
