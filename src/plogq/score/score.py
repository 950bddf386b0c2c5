"""The whole way from a table to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from numbers import Real
from types import ModuleType
from typing import Any

from plogq.errors import TableError, check_count, refuse
from plogq.extras import needed_by
from plogq.formulas.units import Unit, check_unit
from plogq.score.figures.all_figures import doubts_of, summarise
from plogq.score.job import Job
from plogq.score.recalibration import check_family
from plogq.score.result import Result
from plogq.score.workers.threads import sum_on_threads
from plogq.tables.formats.stream import is_stream
from plogq.tables.formats.text_options import text_options
from plogq.tables.predictions import Predictions, refuse_nothing_left
from plogq.tables.sums.bootstrap import check_replicates
from plogq.tables.two_arrays import open_columns


def score(
    source: Any,
    predictions: Any = None,
    *,
    label: str | Sequence[str] | None = None,
    logits: Any = None,
    logprobs: Any = None,
    probs: Any = None,
    exclude: Sequence[str] = (),
    classes: Sequence[str | int] | None = None,
    chosen: str | None = None,
    labels: Any = None,
    on: str | None = None,
    ignore: Sequence[str | int | None] | str | int = (),
    normalise: bool = False,
    annotators: bool = False,
    weight: Any = None,
    slices: Sequence[str] = (),
    group: Any = None,
    id: Any = None,
    unit: Unit = "bit",
    floor: float | None = None,
    folds: int = 5,
    family: str | None = None,
    bootstrap: int = 200,
    top: int = 20,
    seed: int = 0,
    code: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    engine: str = "local",
    scheduler: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Result:
    """Return what a table of predictions costs per row, mean −log q(y) in `unit`, and why.

    Parameters
    ----------
    source
        A path or URI of Parquet, CSV, JSON, ARFF, Arrow or NPZ; a folder of them; anything that
        speaks Arrow (pyarrow, pandas, polars) or is a Dataset of datasets; or a mapping of arrays,
        {"logits": (N, C), "labels": (N,)}. Or, where the predictions are an array, the labels. Or
        a generator of batches, each a frame, a mapping, or a pair (logits, labels), read once.
    predictions
        The probabilities that go with these labels, in the order of scikit-learn's metrics,
        score(y_true, probs): (N, C); (N,) or (N, 1), of class 1; (N, T, C) beside labels (N, T);
        or a frame with a column for each class, named after it. `docs/score.md` lists all forms.
    label
        The column of labels: class indices or names; lists that are soft labels; or, with
        `annotators`, lists of labels. "prefix_*" or a list of names stands for a column for each
        class, which holds soft labels or 0 and 1. Without it, the column is found by name: label,
        labels, y_true, target, y, class, truth, gold or true_label, if only one of them is there;
        else columns label_*.
    logits, logprobs, probs
        The predictions: one list column; "prefix_*", a column for each class, named by what
        follows the prefix; a list of such columns; or one column of numbers, of class 1 of the
        classes 0 and 1 unless it is named after class 0. Without any of the three, the columns are
        found by name. Where `source` is an array of labels, this is an array, too, as in
        score(y_true, logits=z).
    exclude
        Columns that are neither labels nor predictions, whatever their names.
    classes
        Names of the classes. Columns that are named after classes are matched with them by name;
        otherwise the names are in the order of the predictions.
    chosen
        Where the predictions are one column of numbers: the column that names the class which each
        of them is the probability of.
    labels, on
        A second table, which has the labels, and the column of both by which rows are joined.
    ignore
        Labels whose rows are left out, such as -100; None (or "null") for missing ones.
    normalise
        Divide the probabilities of each row (and its soft label) by their sum.
    weight, id
        Columns of row weights, and of names for rows; where labels are an array, arrays. So is
        `group`.
    slices
        Columns whose values are reported apart.
    group
        A column whose values say which rows belong together (a patient, a document): these are
        resampled, and held out, as one.
    unit
        "bit", "nat" or "hartley" (a `plogq.Unit`), of every entropy and loss of the result.
    floor
        A probability P: the result also has the cross-entropy with every q(y) below P replaced by
        P, and the number of those rows.
    folds
        How many folds the cross-fit has that tells miscalibration from refinement: at least 2.
    family
        The recalibration to take, by its name in `docs/recalibration.md`. Without it, what each
        costs on held-out rows decides.
    bootstrap
        How many replicates the intervals are made of: 0 for no intervals, or 40 or more.
    top
        How many of the most surprising rows to list.
    seed
        The seed of the folds, of the intervals, and of the sample of rows that stands for a large
        table there.
    code
        Whether to compress the labels with the model, too, and decode them again: two more passes
        over the table, on one thread. Weights do not count there.
    encoding, delimiter, decimal, header
        How a text table is written: its encoding, by a name that Python knows; the character
        between two columns; the decimal mark, "." or ","; and the names of the columns, where the
        first line does not have them. Without them, a look at the head of the file decides. All but
        the names hold for the table of `labels`, too.
    engine
        "local", the threads of this process; or "dask", the workers of a Dask cluster, which read
        the files themselves. The result is the same to the last bit.
    scheduler
        The address of the cluster's scheduler, tcp://host:port. Without it, a cluster is started
        on this machine, a process per core, and closed afterwards; a script must then guard what it
        runs with `if __name__ == "__main__":`, since these processes import it.
    progress
        Called with (rows done, rows in all or None) as work goes on; each pass begins at 0 again.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.
    ConnectionError
        The scheduler does not answer, or has no workers, or its workers die.

    Examples
    --------
    >>> import numpy as np
    >>> result = score({"probs": np.array([[0.5, 0.5], [0.25, 0.75]]), "labels": np.array([0, 1])})
    >>> round(result.cross_entropy, 4), result.label_entropy, result.accuracy
    (0.7075, 1.0, 1.0)
    >>> score([0, 1], [[0.5, 0.5], [0.25, 0.75]]).cross_entropy == result.cross_entropy
    True
    """
    check_unit(unit)
    if floor is not None:
        if not isinstance(floor, Real):
            refuse("floor", "be a number", repr(floor), error=TypeError)
        if not 0 < floor <= 1:
            refuse("floor", "be a probability, above 0", floor)
    check_count("folds", folds, 2)
    check_family(family)
    check_replicates(bootstrap)
    for name, count in (("top", top), ("seed", seed)):
        check_count(name, count)
    if engine not in ("local", "dask"):
        refuse("engine", 'be "local" or "dask"', repr(engine))
    if scheduler is not None and engine != "dask":
        refuse("scheduler", 'go with engine "dask"', f"engine {engine!r}")
    if labels is not None and engine != "local":
        refuse("labels", 'go with engine "local"', f"engine {engine!r}")
    if is_stream(source):
        twice = {"code": code, "labels": labels is not None, "engine": engine != "local"}
        for option in (option for option, given in twice.items() if given):
            expected = "go with a table that can be read again: save the batches to a file"
            refuse(option, expected, "batches that come once", error=TableError)
    asked: dict[str, Any] = {
        "logits": logits, "logprobs": logprobs, "probs": probs,
        "weight": weight, "group": group, "id": id,
    }  # fmt: skip
    text = text_options(encoding, delimiter, decimal, header)
    table, columns = open_columns(
        source,
        predictions,
        asked,
        text,
        labels=labels,
        on=on,
        label=label,
        exclude=exclude,
        classes=classes,
        chosen=chosen,
        ignore=ignore,
        normalise=normalise,
        annotators=annotators,
        slices=slices,
    )
    if code:
        from plogq.score.labels_code import refuse_code  # loads what no other score needs

        refuse_code(columns, engine)
    opened = Predictions(table, columns)
    job = Job(opened.columns, opened.labels, floor, top, seed, table.rows)

    def done(rows: int) -> None:
        if progress is not None:
            progress(rows, table.rows)

    def summed(job: Job) -> Any:
        if engine == "local":
            return sum_on_threads(job, table, done)
        return _dask().sum_on_workers(job, table, scheduler, done)

    state = summed(job)
    if not state.sample.is_whole():  # most rows are impossible, left out, or of weight 0
        state = summed(replace(job, of_rows=None))
    refuse_nothing_left(table.paths[0], state.rows(), state.left_out)
    result = summarise(
        state,
        opened.classes,
        kind=columns.kind,
        unit=unit,
        source=opened.origin(state.left_out),
        folds=folds,
        family=family,
        bootstrap=bootstrap,
        seed=seed,
    )
    doubts = opened.warnings(state.rows(), doubts_of(state, opened.classes))
    result = replace(result, warnings=(*doubts, *result.warnings))
    if not code:
        return result
    from plogq.score.labels_code import code_figures, code_warnings

    coded = code_figures(opened, progress)
    said = (*result.warnings, *code_warnings(coded, state.rows(), columns.weight))
    return replace(result, code=coded, warnings=said)


def _dask() -> ModuleType:
    """Return the module of the engine "dask", which takes a second to load."""
    with needed_by('engine "dask"'):
        return import_module("plogq.score.workers.dask")
