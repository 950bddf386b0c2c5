"""The ratios of a benchmark, read from what it printed: a reader for each benchmark that has peers.

Every ratio is cost of the other / cost of plogq: above 1 plogq costs less. Where a table prints
times, the ratio is taken of them, for a printed ratio is rounded once more.
"""

import re
from collections.abc import Callable, Iterator

Ratios = Iterator[tuple[str, float]]
Row = tuple[str, list[str]]
Block = list[str]  # the lines between two empty lines

HEAD = re.compile(r"(processor|cores of this process|OMP_NUM_THREADS): (.*)")


def machine(text: str) -> dict[str, str]:
    """Return what a result says of its machine: processor, cores and threads."""
    found = dict(HEAD.findall(text))
    if "processor" not in found:
        raise ValueError("a result must begin with its machine, and no line says `processor: …`")
    return {
        "processor": found["processor"].strip(),
        "cores": found.get("cores of this process", "?").strip(),
        "threads": found.get("OMP_NUM_THREADS", "?").strip(),
    }


def ratios(benchmark: str, text: str) -> dict[str, float]:
    """Return the ratios of a printed result by name; none where the benchmark has no peers."""
    reader = READERS.get(benchmark)
    if reader is None:
        return {}
    blocks = [block.splitlines() for block in re.split(r"\n\s*\n", text)]
    found: dict[str, float] = {}
    for block in blocks:
        for name, value in reader(block):
            if name in found:
                raise ValueError(f"{benchmark}: two ratios are named {name!r}")
            found[name] = value
    return found


def cells(line: str) -> list[str]:
    """Split a line of a table where two spaces or more part its cells."""
    return re.split(r"\s{2,}", line.strip())


def numbers(line: str) -> list[float]:
    """Return the numbers that stand alone at the end of a line."""
    found = []
    for word in reversed(line.split()):
        if not re.fullmatch(r"-?[\d,]*\.?\d+", word):
            break
        found.append(float(word.replace(",", "")))
    return found[::-1]


def named(line: str) -> str:
    """Return the name at the beginning of a row."""
    return cells(line)[0]


def cross_entropy(block: Block) -> Ratios:
    """Columns: theirs, plogq, x, then theirs and three ways of plogq, each with its x."""
    title = block[0].partition(", milliseconds")
    if not title[1]:
        return
    for line in block[3:]:
        theirs, forward, _, both, fresh, _, buffer, _, in_place, *_ = numbers(line)
        task = f"{title[0]}: {named(line)}"
        yield f"{task}, forward", theirs / forward
        for way, ours in (("fresh", fresh), ("buffer", buffer), ("in place", in_place)):
            yield f"{task}, gradient, {way}", both / ours


def torch_losses(block: Block) -> Ratios:
    """Rows of milliseconds under two settings; columns are contenders."""
    for line in block[1:]:
        setting, unit, _ = line.partition(", ms")
        if not unit or setting == "jax":
            continue
        times = dict(zip(cells(block[1]), numbers(line), strict=True))
        for peer in ("torch", "compiled"):
            yield f"{block[0]}: {peer}, {setting}", times[peer] / times["plogq"]


def by_framework(block: Block) -> Ratios:
    """Columns ms, peer / it, MB; rows are contenders, the peer's first of them."""
    if len(block) < 3 or " / it" not in block[1]:
        return
    times = {named(line): numbers(line)[0] for line in block[2:] if len(numbers(line)) > 1}
    peer = block[1].split()[1]
    for name, ms in times.items():
        if "plogq" in name or "swapped" in name or "engine" in name:
            yield f"{block[0]}: {peer} / {name}", times[peer] / ms


def linear_heads(block: Block) -> Ratios:
    """One row of milliseconds; columns are contenders."""
    for line in block[2:]:
        if line.startswith("ms "):
            times = dict(zip(cells(block[-3]), numbers(line), strict=True))
            for peer in ("products", "all logits", "torch", "torch, chunked"):
                yield f"{block[0]}: {peer}", times[peer] / times["plogq"]


def parallel_losses(block: Block) -> Ratios:
    """Compare a rank of eight with one process of all, then contenders in two processes."""
    for at, line in enumerate(block):
        if line.startswith("ms "):
            times = dict(zip(cells(block[at - 1]), numbers(line), strict=True))
            for peer in ("loss_parallel", "Megatron"):
                yield f"two processes: {peer}", times[peer] / times["plogq"]
        elif len(numbers(line)) == 5 and "sums" in "".join(block):
            sums, merge, gradient, one_process, _ = numbers(line)
            work = sums + merge + gradient
            yield f"one rank of 8: one process, {named(line)}", one_process / work


def training(block: Block) -> Ratios:
    """Tasks with a line for each contender, the peer's first."""
    task, peer = "", 0.0
    for line in block:
        found = re.match(r"  (.+?)\s+([\d.]+) ms a step", line)
        if not found:
            task, peer = line.partition(":")[0], 0.0
        elif not peer:
            peer = float(found[2])
        elif found[1] == "plogq":
            yield task, peer / float(found[2])


def score(block: Block) -> Ratios:
    """Rows of whole processes: seconds, fastest, × floor, peak MiB."""
    rows = {named(line): numbers(line) for line in block if len(numbers(line)) == 4}
    if "plogq score --json" in rows:
        ours = rows.pop("plogq score --json")
        for name, row in rows.items():
            yield name, row[0] / ours[0]
            yield f"{name}, peak memory", row[3] / ours[3]


def score_size(block: Block) -> Ratios:
    """Rows: seconds, CPU s, peak MiB, …; that of plogq ends with a percentage."""
    task = block[0].partition(", median")[0]
    rows = {
        named(line): _seconds(line) for line in block if re.match(r"(pyarrow,|plogq .*--)", line)
    }
    for name, seconds in rows.items():
        if name.startswith("pyarrow"):
            yield f"{task}: {name}", seconds / rows["plogq score --json"]


def _seconds(line: str) -> float:
    """Return the first number of a row that has a point in it."""
    return float(next(word for word in line.split() if re.fullmatch(r"[\d,]+\.\d+", word)))


def scaling(block: Block) -> Ratios:
    """How much faster two are than one: columns summing, fastest, M rows/s, speedup, the rest."""
    times = {named(line): numbers(line)[0] for line in block if len(numbers(line)) == 5}
    for name, seconds in times.items():
        if name != "dask, 1 worker":
            task = block[0].partition(", row groups")[0]
            yield f"{task}: {name}", times["dask, 1 worker"] / seconds


def watch(block: Block) -> Ratios:
    """Compare a training step alone with a watched one."""
    for line in block[1:]:
        if len(numbers(line)) == 4:
            alone, watched, *_ = numbers(line)
            yield f"{named(line)}: alone", alone / watched


def codes(block: Block) -> Ratios:
    """Rates of plogq and of constriction, there and back."""
    rates = {}
    for line in block:
        found = re.match(r"(plogq|constriction) (\w+)\s+([\d.]+) M", line)
        if found:
            way = {"compress": "encode", "decompress": "decode"}.get(found[2], found[2])
            rates[found[1], way] = float(found[3])
    for way in ("encode", "decode"):
        if ("plogq", way) in rates:
            task = block[0]
            yield f"{task}: constriction, {way}", rates["plogq", way] / rates["constriction", way]


READERS: dict[str, Callable[[Block], Ratios]] = {
    "codes": codes,
    "cross_entropy": cross_entropy,
    "jax_losses": by_framework,
    "keras_losses": by_framework,
    "linear_heads": linear_heads,
    "parallel_losses": parallel_losses,
    "scaling": scaling,
    "score": score,
    "score_size": score_size,
    "torch_losses": torch_losses,
    "training": training,
    "watch": watch,
}
