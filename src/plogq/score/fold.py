"""The whole way from a table to a result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from numbers import Real
from queue import SimpleQueue
from typing import Any

import numpy as np

from plogq.formulas._check import refuse
from plogq.formulas.units import NATS_PER_UNIT, Unit
from plogq.kernels.cpu import default_threads
from plogq.score.batch import classes_of, to_batch
from plogq.score.columns import find_columns
from plogq.score.errors import TableError
from plogq.score.labels import Labels
from plogq.score.readers import Part, open_table
from plogq.score.result import Result
from plogq.score.rows import figures
from plogq.score.state import State
from plogq.score.summary import summarise

STATE_BYTES = 256 << 20  # of all states together, if one is not larger by itself


def score(
    source: Any,
    *,
    label: str = "label",
    logits: str | None = None,
    logprobs: str | None = None,
    probs: str | None = None,
    classes: Sequence[str] | None = None,
    annotators: bool = False,
    weight: str | None = None,
    slices: Sequence[str] = (),
    group: str | None = None,
    id: str | None = None,
    unit: Unit = "bit",
    floor: float | None = None,
    folds: int = 5,
    bootstrap: int = 200,
    top: int = 20,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Result:
    """Say what a table of predictions costs, and why: mean −log q(y), and what it is made of.

    Parameters
    ----------
    source
        A path or URI of Parquet, CSV, Arrow or NPZ; a folder of them; anything that speaks Arrow
        (pyarrow, pandas, polars); or a mapping of arrays, {"logits": (N, C), "labels": (N,)}.
    label
        The column of class indices or names; of lists that are soft labels; or, with
        `annotators`, of lists of labels.
    logits, logprobs, probs
        The predictions: one list column; "prefix_*", a column for each class, named by what
        follows the prefix; or one column of numbers, about class 1 of 0 and 1. Without any of the
        three, found by name.
    classes
        Names of the classes in the order of the predictions, where the table does not say.
    weight, id
        Columns of row weights, and of names for rows.
    slices
        Columns whose values are reported apart.
    group
        A column whose values tell which rows belong together (a patient, a document): they are
        resampled, and held out, as one.
    unit
        "bit", "nat" or "hartley", of every entropy and loss of the result.
    floor
        P: also give the cross-entropy with every q(y) below P replaced by P, and count those rows.
    folds
        Of the cross-fit that tells miscalibration from refinement: at least 2.
    bootstrap
        How many replicates the 95 % intervals are made of; 0 for none.
    top
        How many of the most surprising rows to list.
    seed
        Of the folds, the intervals, and the sample of rows that they are fitted on where a table
        is large.
    progress
        Called with (rows done, rows in all or None) as work goes on.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.

    Examples
    --------
    >>> import numpy as np
    >>> result = score({"probs": np.array([[0.5, 0.5], [0.25, 0.75]]), "labels": np.array([0, 1])})
    >>> round(result.cross_entropy, 4), result.label_entropy, result.accuracy
    (0.7075, 1.0, 1.0)
    """
    if unit not in NATS_PER_UNIT:
        refuse("unit", 'be "nat", "bit" or "hartley"', repr(unit))
    if floor is not None:
        if not isinstance(floor, Real):
            refuse("floor", "be a number", repr(floor), error=TypeError)
        if not 0 < floor <= 1:
            refuse("floor", "be a probability, above 0", floor)
    counts = {"folds": (folds, 2), "bootstrap": (bootstrap, 0), "top": (top, 0), "seed": (seed, 0)}
    for name, (count, least) in counts.items():
        if not isinstance(count, (int, np.integer)):
            refuse(name, "be an integer", repr(count), error=TypeError)
        if not least <= count < 2**64:
            refuse(name, f"be at least {least}" if count < least else "be below 2**64", count)
    table = open_table(source)
    columns = find_columns(
        table,
        label=label,
        predictions={"logits": logits, "logprobs": logprobs, "probs": probs},
        classes=classes,
        annotators=annotators,
        weight=weight,
        slices=slices,
        group=group,
        id=id,
    )
    parts = table.parts(columns.read(), columns.types())
    first = next(parts, None)
    if first is None:
        raise TableError(f"{table.paths[0]}: no rows to score")
    names = classes_of(first, columns)
    labels = Labels(names, columns)
    new_state = partial(
        State,
        len(names),
        weighted=weight is not None,
        soft=columns.labels != "class",
        slices=columns.slices,
        floor=floor,
        top=top,
        seed=seed,
    )
    # Any number of states gives the same bits: each thread may have its own, as far as they fit.
    threads = default_threads()
    states = [new_state()]
    fit = STATE_BYTES // states[0].most_bytes()
    states += [new_state() for _ in range(1, min(threads, fit))]

    def work(part: Part, free: SimpleQueue[State]) -> int:
        batch = to_batch(part, columns, labels)
        rows = figures(batch, columns)
        state = free.get()
        try:
            state.update(batch, rows)
        finally:
            free.put(state)
        return part.start + len(batch.target)

    for done in _fold(work, chain([first], parts), states, threads):
        if progress is not None:
            progress(done, table.rows)
    state = states.pop()
    for other in states:
        state.merge(other)
    origin = {
        "paths": table.paths,
        "format": table.format,
        "rows": state.rows(),
        "columns": columns.taken(),
    }
    return summarise(state, names, kind=columns.kind, unit=unit, source=origin)


def _fold(
    work: Callable[[Part, SimpleQueue[State]], int],
    parts: Iterable[Part],
    states: list[State],
    threads: int,
) -> Iterator[int]:
    """Let the threads take the parts, and give what `work` gives, in order.

    In order, so that of several bad rows it is the first that is reported.
    """
    free: SimpleQueue[State] = SimpleQueue()
    for state in states:
        free.put(state)

    # glibc returns to the system what is freed above twice its largest freed block: after this
    # one, the arrays of a batch are reused by the next and not asked for, and cleared, again.
    np.empty(31 << 20, np.uint8)

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[int]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part, free))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
