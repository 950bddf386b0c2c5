"""From two files or more to a comparison: reading, pairing, sums and figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, overload

from plogq.compare.many import ManyState, summarise_many
from plogq.compare.many_result import ManyComparison
from plogq.compare.many_tokens import compare_many_tokens
from plogq.compare.model import Model
from plogq.compare.order import refuse_other_order
from plogq.compare.pair_differences import letters
from plogq.compare.pairs import by_id, by_order
from plogq.compare.result import Comparison
from plogq.compare.state import State
from plogq.compare.summary import summarise
from plogq.compare.tokens import compare_tokens
from plogq.errors import TableError, check_count, refuse
from plogq.formulas.units import Unit, check_unit
from plogq.lm.kinds import is_log
from plogq.lm.readers.scored import Section
from plogq.lm.score_tokens import open_tokens
from plogq.records import READING, Caution
from plogq.score.figures.all_figures import check_weight
from plogq.tables.columns import find_columns
from plogq.tables.formats.text_options import TextOptions, text_options
from plogq.tables.joined import joined_table
from plogq.tables.predictions import Predictions, refuse_nothing_left
from plogq.tables.readers import Table, open_table
from plogq.tables.sums.bootstrap import check_replicates
from plogq.tables.two_arrays import open_arrays


@overload
def compare(a: Any, b: Any, **options: Any) -> Comparison: ...
@overload
def compare(a: Any, b: Any, c: Any, /, *more: Any, **options: Any) -> ManyComparison: ...
def compare(  # type: ignore[misc]  # the options stand here alone
    a: Any,
    b: Any,
    *more: Any,
    label: str | Sequence[str] | None = None,
    logits: str | Sequence[str] | None = None,
    logprobs: str | Sequence[str] | None = None,
    probs: str | Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    classes: Sequence[str | int] | None = None,
    chosen: str | None = None,
    labels: Any = None,
    on: str | None = None,
    ignore: Sequence[str | int | None] | str | int = (),
    normalise: bool = False,
    annotators: bool = False,
    weight: str | None = None,
    slices: Sequence[str] = (),
    group: str | None = None,
    id: str | None = None,
    part: Section | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    unit: Unit = "bit",
    bootstrap: int = 200,
    top: int = 10,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Comparison | ManyComparison:
    """Return which of two models or more costs less on the same rows, by how much, and where.

    The difference is the mean of −log q_A(y) + log q_B(y) over rows, (N,) → scalar: negative where
    A is better. Its interval is a paired bootstrap: every replicate draws the same rows (or
    clusters, or documents) for both. Of three models or more there is a difference for each pair,
    and all intervals hold together: the largest studentised deviation of each replicate sets how
    far they reach (`plogq.tables.sums.simultaneous`).

    Parameters
    ----------
    a, b, more
        Tables of predictions, as `plogq.score.score` reads them, or pairs of arrays, as in
        compare((y_true, probs), (y_true, others)); or token logprobs, as
        `plogq.lm.score_tokens` does: logs in JSON, or tables with the columns doc and logprob and
        no label. Documents are paired by name, or else by text; costs are per byte.
    label, logits, logprobs, probs, exclude, classes, chosen, ignore, normalise, annotators
        As for `score`, of both tables. Their classes are matched by name.
    labels, on
        As for `score`: a third table, which has the labels of both.
    weight, slices, group
        Columns of A: row weights; values compared apart; clusters that are drawn as one.
    id
        A column of both by which rows are paired. Without it they are paired by their order, unless
        a column of both says that their orders differ. By order the tables stream; by id, the ids
        and the figures of all rows are held.
    part
        Which tokens count in logs of responses: the "prompt", the "completion", or "all".
    encoding, delimiter, decimal, header
        As for `score`, of both tables.
    unit
        "bit", "nat" or "hartley" (a `plogq.Unit`), of every cost.
    bootstrap
        How many replicates the intervals are made of: 0 for no intervals, or 40 or more.
    top
        How many of the rows or documents with the largest differences to list: of two models, each
        way.
    seed
        The seed of the intervals.
    progress
        Called with (rows done, rows in all or None) as work goes on.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([0, 1])
    >>> sure = {"probs": np.array([[0.5, 0.5], [0.25, 0.75]]), "labels": y}
    >>> timid = {"probs": np.array([[0.5, 0.5], [0.5, 0.5]]), "labels": y}
    >>> result = compare(sure, timid)
    >>> round(result.difference, 4), result.wins
    (-0.2925, Wins(a=0.5, b=0.0, tie=0.5))

    References
    ----------
    Efron, Tibshirani (1993), An introduction to the bootstrap, chapter 13.
    """
    check_unit(unit)
    check_replicates(bootstrap)
    for name, count in (("top", top), ("seed", seed)):
        check_count(name, count)
    of_tables = {
        "logits": logits,
        "logprobs": logprobs,
        "probs": probs,
        "exclude": list(exclude) or None,
        "classes": classes,
        "chosen": chosen,
        "labels": labels,
        "on": on,
        "weight": weight,
        "slices": list(slices) or None,
        "group": group,
        "id": id,
    }
    text = text_options(encoding, delimiter, decimal, header)
    sources = (a, b, *more)
    opened = [None if is_log(source) else _open(source, text) for source in sources]
    kinds = [_is_tokens(table, label) for table in opened]
    if len(set(kinds)) > 1:
        tokens, table = (sources[kinds.index(kind)] for kind in (True, False))
        came = f"tokens in {_shown(tokens)} and predictions in {_shown(table)}"
        which = "all" if more else "both"
        expected = f"{which} be predictions or {which} token logprobs"
        refuse("the models" if more else "a and b", expected, came, error=TableError)
    shown: dict[str, Any] = {"unit": unit, "bootstrap": bootstrap, "seed": seed}
    if kinds[0]:
        wrong = next((name for name, value in of_tables.items() if value is not None), None)
        if wrong is not None:
            refuse(wrong, "be left out: these are token logprobs, paired by document",
                   of_tables[wrong])  # fmt: skip
        logs = [open_tokens(source, part=part, text=text) for source in sources]
        if more:
            return compare_many_tokens(logs, **shown, top=top, progress=progress)
        return compare_tokens(*logs, **shown, top=top, progress=progress)
    if part is not None:
        refuse("part", "be left out: these are predictions", repr(part))
    tables = [joined_table(table, labels, on, text) for table in opened if table is not None]
    shared: dict[str, Any] = {
        "label": label,
        "logits": logits,
        "logprobs": logprobs,
        "probs": probs,
        "exclude": exclude,
        "classes": classes,
        "chosen": chosen,
        "ignore": ignore,
        "normalise": normalise,
        "annotators": annotators,
        "id": id,
    }
    of_a = find_columns(tables[0], weight=weight, slices=slices, group=group, **shared)
    first = Model(Predictions(tables[0], of_a))
    others = [
        Model(Predictions(table, find_columns(table, **shared)), first.classes)
        for table in tables[1:]
    ]
    models = [first, *others]
    said = (
        [each for other in others for each in refuse_other_order(first, other)]
        if id is None
        else []
    )
    settings = first.classes, weight is not None, of_a.slices, top, seed
    state = ManyState(len(models), *settings) if more else State(*settings)
    for pairs in (by_order if id is None else by_id)(models):
        state.add(pairs)
        if progress is not None:
            progress(pairs.end, tables[0].rows)
    refuse_nothing_left(first.path, state.rows(), state.left_out)
    check_weight(first.path, float(state.weight.amounts().sum()), state.rows())
    found = _of_reading(models, said, state.rows())
    by = id is not None
    if isinstance(state, ManyState):
        many = summarise_many(state, models, by_id=by, **shown)
        return replace(many, warnings=(*found, *many.warnings))
    result = summarise(state, *models, by_id=by, **shown)
    return replace(result, warnings=(*found, *result.warnings))


def _open(source: Any, text: TextOptions) -> Table:
    """Return a table opened, or a pair of labels and probabilities as one."""
    if isinstance(source, tuple) and len(source) == 2:
        labels, probs = source
        return open_arrays(labels, probs, {})[0]
    return open_table(source, text)


def _of_reading(models: Sequence[Model], said: list[str], rows: int) -> list[Caution]:
    """Return warnings on what may mean something else than it was read as, in any table."""
    found = [Caution(code=READING, message=each.removesuffix("."), rows=rows) for each in said]
    for side, model in zip(letters(len(models)), models, strict=True):
        for warning in model.predictions.warnings(rows):
            found.append(replace(warning, message=f"{side}: {warning.message}"))
    return found


def _is_tokens(table: Table | None, label: str | Sequence[str] | None) -> bool:
    """Return whether these are token logprobs: a log, or columns doc and logprob and no label."""
    if table is None:
        return True
    names = table.schema.names
    labelled = "label" in names or "labels" in names or (label is not None and label in names)
    return "doc" in names and "logprob" in names and not labelled


def _shown(source: Any) -> str:
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else "memory"
