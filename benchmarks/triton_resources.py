"""What the Triton kernels need of each GPU: compiled ahead of time, which takes no GPU.

Every kernel of `plogq.torch`'s Triton engine is compiled for each target, in the tiles and variants
of its table of configurations, with the arguments that the engine itself would pass. Per thread:
registers and spilled bytes; per program: shared memory; and how many loads and stores in the
assembly move 128 bits. Fails if something spills, or if long rows are not moved by 128 bits.
Prints, and writes benchmarks/results/triton_resources.txt.
"""

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

os.environ.pop("TRITON_INTERPRET", None)  # Triton reads it when it is imported

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

import plogq.torch as pt
from plogq.torch.engines.triton import elements, pairs, rows
from plogq.torch.engines.triton.configurations import (
    PAIR_WIDTHS,
    ROW_DTYPES,
    VARIANTS,
    WIDTHS,
    Variant,
)
from plogq.torch.engines.triton.launch import options_of
from plogq.torch.softmax import question

RESULTS = Path(__file__).parent / "results" / "triton_resources.txt"
TARGETS = {
    "NVIDIA 8.0": GPUTarget("cuda", 80, 32),
    "NVIDIA 9.0": GPUTarget("cuda", 90, 32),
    "NVIDIA 10.0": GPUTarget("cuda", 100, 32),
    "AMD gfx942": GPUTarget("hip", "gfx942", 64),
}
TYPES = {
    torch.float32: "fp32", torch.float64: "fp64", torch.bfloat16: "bf16", torch.float16: "fp16",
    torch.int64: "i64", torch.bool: "i1",
}  # fmt: skip
ROWS = 16
LONG = 1000  # classes, from which on rows must be moved by 128 bits, if all of them can be
VECTOR = 16  # bytes
MOST_SHARED = 48 << 10  # bytes, which every GPU gives without being asked
HEADER = f"{'kernel':28}{'classes':>8}  {'dtype':9}{'threads':>8}{'registers':>10}{'spilled':>8}\
{'shared':>7}{'loads':>6}{'of 128':>7}{'stores':>7}{'of 128':>7}"


class Launch(NamedTuple):
    """A kernel and what it is called with."""

    kernel: Any
    threads: int
    arguments: tuple[Any, ...]
    flags: dict[str, Any]


class Case(NamedTuple):
    """A name, the shape and dtype of the logits, and how the kernel is called."""

    name: str
    classes: int
    dtype: torch.dtype
    launch: Launch


class Needs(NamedTuple):
    """What a compiled kernel needs."""

    registers: int
    spilled: int
    shared: int
    loads: int
    wide_loads: int
    stores: int
    wide_stores: int


def row_cases() -> Iterator[Case]:
    """Return the row kernel in all variants, widths and dtypes; float16 is cut as bfloat16 is."""
    for (name, variant), classes, dtype in itertools.product(VARIANTS.items(), WIDTHS, ROW_DTYPES):
        if dtype == torch.float16 and name != "plain":
            continue
        yield Case(name, classes, dtype, row_launch(variant, classes, dtype))


def row_launch(variant: Variant, classes: int, dtype: torch.dtype) -> Launch:
    x = torch.empty(ROWS, classes, dtype=dtype)
    target = torch.empty_like(x) if variant.soft else torch.zeros(ROWS).long()
    _, asked = question(
        x, target, weight=torch.ones(classes) if variant.weight else None, ignore_index=-100,
        reduction="mean", label_smoothing=0.1 if variant.smooth else 0.0,
        options={"gamma": 2.0 if variant.focal else 0.0},
    )  # fmt: skip
    return recorded(
        rows,
        lambda: rows.run_rows(
            x, asked, scale=torch.ones(ROWS), divisor=torch.ones(()),
            gradient=torch.empty_like(x) if variant.gradient else None, figures=variant.moment,
            softcap=30.0 if variant.cap else None,
        ),
    )  # fmt: skip


def other_row_cases() -> Iterator[Case]:
    """Return the row kernel on a map with a mask, and as a head calls it on a piece of logits."""
    everything = VARIANTS["labels, all options"]
    for dtype in ROW_DTYPES[:2]:
        x = torch.empty(2, 21, 40, 40, dtype=dtype)
        kept = torch.ones(2, 40, 40, dtype=torch.bool)
        logits, asked = question(
            x, torch.zeros(2, 40, 40).long(), weight=torch.ones(21), ignore_index=-100,
            reduction="mean", label_smoothing=0.1, options={"mask": kept},
        )  # fmt: skip
        yield Case("a map, all options", 21, dtype, recorded(rows, partial(
            rows.run_rows, logits, asked, gradient=torch.empty_like(logits),
            figures=everything.moment, softcap=30.0,
        )))  # fmt: skip
        for classes, softcap in itertools.product((50257, 128256), (None, 30.0)):
            step = -(-classes // 16) * 16
            piece = torch.empty(ROWS, step, dtype=dtype)[:, :classes]
            _, asked = question(
                piece, torch.zeros(ROWS).long(), weight=None, ignore_index=-100,
                reduction="none", label_smoothing=0.0, options={},
            )  # fmt: skip
            name = "a head's piece" + (", softcap" if softcap else "")
            yield Case(name, classes, dtype, recorded(rows, partial(
                rows.run_rows, piece, asked, scale=torch.ones(ROWS, dtype=torch.float64),
                gradient=piece, softcap=softcap,
            )))  # fmt: skip


def pair_cases() -> Iterator[Case]:
    """Return the kernel of pairs: each divergence, and distillation with labels."""
    y = torch.zeros(ROWS).long()
    losses = {
        "distillation": lambda a, b: pt.distillation_loss(a, b),
        "distillation with labels": lambda a, b: pt.distillation_loss(a, b, y),
        "reverse KL": lambda a, b: pt.reverse_kl_loss(b, a),
        "JS": lambda a, b: pt.js_divergence_loss(b, a),
    }
    for (name, loss), classes, dtype in itertools.product(losses.items(), PAIR_WIDTHS, ROW_DTYPES):
        if dtype == torch.float16 and name != "distillation":
            continue
        a = torch.empty(ROWS, classes, dtype=dtype).requires_grad_()
        b = torch.empty(ROWS, classes, dtype=dtype)
        yield Case(name, classes, dtype, recorded(pairs, lambda: through_triton(loss, a, b)))  # noqa: B023


def element_cases() -> Iterator[Case]:
    """Return the kernel of elements, plain and with all weights."""
    for dtype in ROW_DTYPES:
        for name, weight in (("binary", None), ("binary, all weights", torch.ones(ROWS, 1))):
            z = torch.empty(ROWS, 4096, dtype=dtype).requires_grad_()
            t = torch.empty(ROWS, 4096, dtype=dtype)
            positive = None if weight is None else torch.ones(4096)
            loss = pt.binary_cross_entropy_with_logits
            yield Case(name, 4096, dtype, recorded(elements, lambda: through_triton(
                loss, z, t, weight, pos_weight=positive)))  # fmt: skip  # noqa: B023

        g = torch.empty(ROWS, 4096, dtype=dtype)
        launch = recorded(elements, partial(elements.multiplied_by_kernel, g, torch.ones(())))
        yield Case("times upstream", 4096, dtype, launch)


def through_triton(loss: Any, *given: Any, **options: Any) -> None:
    """Call a loss on the Triton engine, whose launches are recorded."""
    from plogq.torch.engines.triton import engine, support

    before = engine.Triton.interprets, engine.interpreting
    engine.Triton.interprets, engine.interpreting = True, lambda: True
    try:
        with pt.engine("triton"):
            loss(*given, **options)
    finally:
        engine.Triton.interprets, engine.interpreting = before
    assert support.interpreting() is False


def recorded(module: Any, call: Any) -> Launch:
    """Return what a module of the engine would launch first."""
    launches: list[Launch] = []
    whole = module.launched
    module.launched = lambda kernel, programs, threads, *arguments, **flags: launches.append(
        Launch(kernel, threads, arguments, flags)
    )
    try:
        call()
    finally:
        module.launched = whole
    return launches[0]


def source(launch: Launch) -> ASTSource:
    """Return a kernel specialised as Triton does it for these arguments."""
    names = launch.kernel.arg_names
    signature, constants, known = {}, {}, {}
    for i, (name, value) in enumerate(zip(names, launch.arguments, strict=False)):
        if isinstance(value, torch.Tensor):
            signature[name] = "*" + TYPES[value.dtype]
            known[(i,)] = [["tt.divisibility", 16]]
        elif isinstance(value, float):
            signature[name] = "fp32"
        elif value is None or value == 1:
            signature[name] = "constexpr"
            constants[(i,)] = value
        else:
            signature[name] = "i64" if abs(value) >> 31 else "i32"
            if value % 16 == 0:
                known[(i,)] = [["tt.divisibility", 16]]
    for name, value in launch.flags.items():
        signature[name] = "constexpr"
        constants[(names.index(name),)] = value
    return ASTSource(fn=launch.kernel, signature=signature, constexprs=constants, attrs=known)


def needs(launch: Launch, target: GPUTarget) -> Needs:
    """Compile a kernel, and read what it needs from its assembly."""
    options = options_of(launch.threads, target.warp_size)
    compiled = triton.compile(source(launch), target=target, options=options)
    shared = compiled.metadata.shared
    if target.backend == "hip":
        text = compiled.asm["amdgcn"]
        counts = {k: int(v) for k, v in re.findall(r"\.(\w+_(?:count|size)): +(\d+)", text)}
        loads = re.findall(r"\b(?:global|buffer)_load_\w+", text)
        stores = re.findall(r"\b(?:global|buffer)_store_\w+", text)
        wide = re.compile(r"dwordx4|b128")
        return Needs(
            counts["vgpr_count"], counts["private_segment_fixed_size"], shared,
            len(loads), len([a for a in loads if wide.search(a)]),
            len(stores), len([a for a in stores if wide.search(a)]),
        )  # fmt: skip
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(compiled.asm["cubin"])
        use, assembly = (dumped(option, file.name) for option in ("-res-usage", "-sass"))
    loads, stores = (re.findall(rf"\b{op}\.E[.\w]*", assembly) for op in ("LDG", "STG"))
    registers, stack = re.search(r"REG:(\d+) STACK:(\d+)", use).groups()
    return Needs(
        int(registers), int(stack), shared,
        len(loads), len([a for a in loads if "128" in a]),
        len(stores), len([a for a in stores if "128" in a]),
    )  # fmt: skip


def dumped(option: str, cubin: str) -> str:
    """Return what the tool that comes with Triton says of a compiled kernel."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    command = [str(tool), option, cubin]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fault(case: Case, found: Needs) -> str:
    """Say what a kernel must not need; an empty text if all is well."""
    if found.spilled:
        return "spills"
    if found.shared > MOST_SHARED:
        return "takes more shared memory than every GPU gives"
    odd_pair = case.launch.kernel.__name__ == "pair_kernel" and case.classes % 8
    flags, threads = case.launch.flags, case.launch.threads
    by_thread = flags.get("ROWS", 1) * flags["BLOCK"] // threads * case.dtype.itemsize
    if case.classes < LONG or odd_pair or by_thread < VECTOR:
        return ""
    if not found.wide_loads:
        return "loads nothing by 128 bits"
    return "" if found.wide_stores or not writes(case) else "stores nothing by 128 bits"


def writes(case: Case) -> bool:
    """Tell whether a gradient is written."""
    return bool(case.launch.flags.get("GRADIENT", True))


def every_case() -> Iterator[Case]:
    """Return all that is compiled."""
    yield from row_cases()
    yield from other_row_cases()
    yield from pair_cases()
    yield from element_cases()


def section(target: str) -> tuple[list[str], list[str]]:
    """Return the lines of a target, and its faults."""
    lines, faults, known = [f"{target}", HEADER], [], {}
    for case in every_case():
        launch = case.launch
        key = str((source(launch).hash(), launch.threads))  # many widths are cut alike
        found = known.get(key) or needs(launch, TARGETS[target])
        known[key] = found
        kind = str(case.dtype).removeprefix("torch.")
        lines.append(
            f"{case.name:28} {case.classes:7}  {kind:9}{launch.threads:8}{found.registers:10}"
            f"{found.spilled:8}{found.shared:7}{found.loads:6}{found.wide_loads:7}"
            f"{found.stores:7}{found.wide_stores:7}"
        )
        if reason := fault(case, found):
            faults.append(f"{target}, {case.name}, {case.classes}, {kind}: {reason}")
    return lines, faults


def main() -> int:
    """Compile for the targets, print, and write the results of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=TARGETS, help="one alone; nothing is written")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    targets = [args.target] if args.target else list(TARGETS)
    with ProcessPoolExecutor(args.jobs) as pool:
        found = list(pool.map(section, targets))
    text = "\n\n".join("\n".join(lines) for lines, _ in found) + "\n"
    print(text, end="")
    faults = [line for _, lines in found for line in lines]
    print("\n".join(faults), file=sys.stderr)
    if not args.target and not faults:
        RESULTS.write_text(f"triton {triton.__version__}\n\n{text}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
