"""Three language models or more on the same documents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from plogq.compare.many import ALL_ROWS, disagreements, spreads
from plogq.compare.many_result import ManyComparison
from plogq.compare.pair_differences import Estimate, best_of, differences, letters
from plogq.compare.result import Pairing
from plogq.compare.texts import Texts, paired, path_of, read_texts, renamed
from plogq.compare.tokens import (
    as_read,
    impossible_tokens,
    own_figures,
    rate_of,
    rates,
    replicates,
    unit_of_text,
)
from plogq.errors import TableError
from plogq.formulas.units import Unit, from_nats
from plogq.lm.documents import Source
from plogq.records import Caution
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import FEWEST, replicate_weights, too_few
from plogq.tables.sums.top_k import TopK


def compare_many_tokens(
    sources: Sequence[Source],
    *,
    unit: Unit,
    bootstrap: int,
    top: int,
    seed: int,
    progress: Callable[[int, int | None], None] | None,
) -> ManyComparison:
    """Return the comparison of costs per byte, or per token where bytes are not known."""
    first, *others = (read_texts(source, seed, progress) for source in sources)
    models, at = [first], [np.arange(len(first.place))]
    pairing: Pairing = "doc"
    for other, source in zip(others, sources[1:], strict=True):
        places, how = paired(first, other, sources[0], source)
        if how == "text":
            pairing = how
            other = renamed(other, list(first.place), places, seed)
        models.append(other)
        at.append(places)
    per = _per(models, at, sources)
    names = letters(len(models))
    finite = [rate_of(texts, per) for texts in models]
    costs = [
        math.inf if texts.corpus.impossible else rate
        for texts, rate in zip(models, finite, strict=True)
    ]
    weights = replicate_weights(len(first.corpus.documents), bootstrap, seed)
    drawn = [
        np.full(len(weights), np.nan) if cost == math.inf else replicates(texts, per, weights)
        for texts, cost in zip(models, costs, strict=True)
    ]
    found = [
        Estimate((costs[i], costs[j]), finite[i] - finite[j], drawn[i] - drawn[j], len(first.place))
        for i, j in combinations(range(len(models)), 2)
    ]
    gaps = differences({ALL_ROWS: found}, names, unit)[ALL_ROWS]
    named = dict(zip(names, models, strict=True))
    return ManyComparison(
        kind="tokens",
        pairing=pairing,
        unit=unit,
        per=per,
        rows=len(first.place),
        weight=float(first.corpus.counts[per].sum()),
        models={
            name: own_figures(texts, source, unit)
            for (name, texts), source in zip(named.items(), sources, strict=True)
        },
        best=best_of(
            {n: float(from_nats(x, unit)) for n, x in zip(names, costs, strict=True)}, gaps
        ),
        differences=gaps,
        per_class={},
        slices={},
        disagreements=disagreements(_largest(models, at, per, top), names, unit),
        warnings=(
            *impossible_tokens(named),
            *(
                warning
                for (name, texts), source in zip(named.items(), sources, strict=True)
                for warning in as_read(name, texts, source)
            ),
            *_few(len(first.place), bootstrap),
        ),
    )


def _per(models: Sequence[Texts], at: Sequence[Array], sources: Sequence[Source]) -> Any:
    """Return byte, or token where bytes are not known, of all models alike."""
    found = [
        unit_of_text(models[0], other, places, sources[0], source)
        for other, places, source in zip(models[1:], at[1:], sources[1:], strict=True)
    ]
    if len(set(found)) > 1:
        lacking = sources[1 + found.index("token")]
        raise TableError(
            f"{path_of(lacking)}: must say how many bytes of text its tokens stand for, as the "
            "other models do: all are compared by the cost per byte"
        )
    return found[0]


def _largest(models: Sequence[Texts], at: Sequence[Array], per: str, top: int) -> TopK:
    """Return the documents on which the models differ by most."""
    costs = np.stack([rates(texts, per, places) for texts, places in zip(models, at, strict=True)])
    names = list(models[0].place)
    largest = TopK(top)
    largest.add(spreads(costs), lambda i: {"doc": names[i], "costs": costs[:, i].tolist()})
    return largest


def _few(documents: int, bootstrap: int) -> list[Caution]:
    if not bootstrap or not too_few(documents, "documents"):
        return []
    message = f"no model is clearly better, for an interval takes {FEWEST} documents or more"
    return [Caution(code="few_documents", message=message, rows=documents)]
