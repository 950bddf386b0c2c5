"""Two language models on the same documents."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from plogq.compare.result import (
    TIE,
    Comparison,
    DocumentPair,
    Largest,
    TokenFigures,
    Wins,
    difference_of,
    winner_of,
)
from plogq.compare.texts import Texts, paired, path_of, read_texts, renamed
from plogq.errors import TableError
from plogq.formulas.units import Unit, from_nats
from plogq.lm.documents import UNKNOWN, Source
from plogq.lm.state import Corpus
from plogq.lm.summary import all_certain, cautions, source_of
from plogq.records import Caution
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import interval, means, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import totals
from plogq.tables.sums.top_k import TopK


def compare_tokens(
    a: Source,
    b: Source,
    *,
    unit: Unit,
    bootstrap: int,
    top: int,
    seed: int,
    progress: Callable[[int, int | None], None] | None,
) -> Comparison:
    """Return the comparison of costs per byte, or per token where bytes are not known."""
    one, other = read_texts(a, seed, progress), read_texts(b, seed, progress)
    at, pairing = paired(one, other, a, b)
    if pairing == "text":
        other = renamed(other, list(one.place), at, seed)
    per = unit_of_text(one, other, at, a, b)
    mine, theirs = rates(one, per), rates(other, per, at)
    of_a, of_b = (own_figures(texts, source, unit) for texts, source in ((one, a), (other, b)))
    finite = [rate_of(texts, per) for texts in (one, other)]
    of_possible = float(from_nats(finite[0] - finite[1], unit))
    costs = [
        math.inf if texts.corpus.impossible else rate
        for texts, rate in zip((one, other), finite, strict=True)
    ]
    difference = difference_of(costs[0], costs[1], of_possible)
    ends = None
    if not (one.corpus.impossible or other.corpus.impossible):
        ends = _interval(one, other, per, bootstrap, seed, unit)
    return Comparison(
        kind="tokens",
        pairing=pairing,
        unit=unit,
        per=per,
        rows=len(one.place),
        weight=float(one.corpus.counts[per].sum()),
        a=of_a,
        b=of_b,
        difference=difference,
        difference_finite=of_possible,
        accuracy_difference=None,
        intervals={} if ends is None else {"difference_finite": ends},
        winner=winner_of(ends, difference, len(one.place)),
        wins=_wins(mine, theirs),
        per_class={},
        slices={},
        largest=_largest(one, mine, theirs, per, top, unit),
        warnings=(
            *impossible_tokens({"A": one, "B": other}),
            *as_read("A", one, a),
            *as_read("B", other, b),
            *_few(one, ends),
            *_same_in_another_unit(one, other, at),
        ),
    )


def impossible_tokens(models: dict[str, Texts]) -> list[Caution]:
    """Return the warnings that tokens had probability 0 under a model, by its name."""
    return [
        Caution(
            code="zero_probability",
            message=f"{name} gave probability 0 to tokens of the text: its cost is infinite, and "
            "the finite difference leaves them out",
            rows=texts.corpus.impossible,
        )
        for name, texts in models.items()
        if texts.corpus.impossible
    ]


def as_read(who: str, texts: Texts, source: Source) -> tuple[Caution, ...]:
    """Return the warnings of one of the models, as `plogq lm` gives them."""
    found = source.remarks.items()
    if (said := all_certain(texts.corpus)) is not None:
        found.append(("all_certain", said, texts.corpus.certain))
    return cautions(found, f"{who}: ")


def unit_of_text(
    one: Texts, other: Texts, at: Array, a: Source, b: Source
) -> Literal["byte", "token"]:
    """Return byte, or token where bytes are not known; both models must count as many of them."""
    units: tuple[Literal["byte", "token"], ...] = ("byte", "token")
    for of in units:
        mine, theirs = one.whole[of], other.whole[of][at]
        unknown = (mine == UNKNOWN).any() or (theirs == UNKNOWN).any()
        if unknown or not (one.counts[of].any() and other.counts[of].any()):
            continue
        if (mine != theirs).any():
            i = int(np.argmax(mine != theirs))
            name = list(one.place)[i]
            raise TableError(
                f"{path_of(b)}: document {name!r} must be the same text as in {path_of(a)}, of "
                f"{mine[i]:,} {of}s; got {theirs[i]:,}"
            )
        return of
    why = a.remarks.message("bytes_unknown") or b.remarks.message("bytes_unknown")
    raise TableError(
        f"{path_of(b)}: must say how many bytes of text its tokens stand for, as {path_of(a)} "
        "must: tokens alone cannot be compared" + (f" ({why})" if why else "")
    )


def rate_of(texts: Texts, per: str) -> float:
    """Return the nats per byte or token, without the tokens of probability 0."""
    return _total(texts.corpus) / int(texts.corpus.counts[per].sum())


def _total(corpus: Corpus) -> float:
    return float(totals(corpus.surprisal, len(corpus.documents))[0])


def own_figures(texts: Texts, source: Source, unit: Unit) -> TokenFigures:
    """Return a model's own figures."""
    corpus = texts.corpus
    nats = math.inf if corpus.impossible else _total(corpus)
    figures: dict[str, Any] = {}
    for of in ("byte", "token", "word"):
        count = 0 if corpus.unknown[of] else int(corpus.counts[of].sum())
        cost = nats / count if count else None
        figures[f"{of}s"] = count or None
        figures[f"cross_entropy_per_{of}"] = None if cost is None else float(from_nats(cost, unit))
        figures[f"perplexity_per_{of}"] = None if cost is None else perplexity_of(cost)
    return TokenFigures(source_of(source), **figures, zero_probability_tokens=corpus.impossible)


def _interval(
    one: Texts, other: Texts, per: str, bootstrap: int, seed: int, unit: Unit
) -> tuple[float, float] | None:
    """Return the interval of A − B: every replicate draws the same documents for both models."""
    if len(one.place) < 2:
        return None
    buckets = len(one.corpus.documents)
    weights = replicate_weights(buckets, bootstrap, seed)
    gap = replicates(one, per, weights) - replicates(other, per, weights)
    return interval(from_nats(gap[~np.isnan(gap)], unit))


def replicates(texts: Texts, per: str, weights: Array) -> Array:
    """Return a model's nats per byte or token in each replicate, (replicates,).

    It is NaN where a replicate draws no document.
    """
    corpus = texts.corpus
    return means(weights, corpus.surprisal.values(), corpus.counts[per])


def _few(one: Texts, ends: tuple[float, float] | None) -> list[Caution]:
    """Return the warning that an interval is from too few documents, where there is one."""
    few = too_few(len(one.place), "documents")
    if ends is None or not few:
        return []
    return [Caution(code="few_documents", message=few, rows=len(one.place))]


def rates(texts: Texts, per: str, at: Array | slice = slice(None)) -> Array:
    """Return what each document costs, nats per byte or token; NaN where it has none."""
    count = texts.counts[per][at].astype(np.float64)
    count[count <= 0] = np.nan
    rates: Array = texts.cost[at] / count
    return rates


def _difference(mine: Array, theirs: Array) -> Array:
    with np.errstate(invalid="ignore"):  # inf − inf is NaN: neither is better
        return np.subtract(mine, theirs)


def _wins(mine: Array, theirs: Array) -> Wins | None:
    """Return the shares of documents by who predicts them better, of those that have a cost."""
    total = int(np.count_nonzero(~(np.isnan(mine) | np.isnan(theirs))))
    if not total:
        return None
    gaps = _difference(mine, theirs)
    a, b = int((gaps < -TIE).sum()), int((gaps > TIE).sum())
    return Wins(a / total, b / total, (total - a - b) / total)


def _largest(one: Texts, mine: Array, theirs: Array, per: str, top: int, unit: Unit) -> Largest:
    """Return the documents of the largest differences, by who predicts them better."""
    names = list(one.place)
    gaps = _difference(mine, theirs)

    def described(i: int) -> dict[str, Any]:
        return {
            "doc": names[i],
            "a": float(from_nats(mine[i], unit)),
            "b": float(from_nats(theirs[i], unit)),
            f"{per}s": int(one.counts[per][i]),
        }

    def largest(gains: Array) -> tuple[DocumentPair, ...]:
        found = TopK(top)
        found.add(np.where(gains > TIE, gains, np.nan), described)
        return tuple(DocumentPair(**item) for item in found.items())

    return Largest(largest(-gaps), largest(gaps))


def _same_in_another_unit(one: Texts, other: Texts, at: Array) -> list[Caution]:
    """Return the warning that one model's logarithms have base 2 or 10.

    Its costs are then the other's divided by ln 2 or ln 10, in every document.
    """
    mine, theirs = one.cost, other.cost[at]
    usable = np.isfinite(mine) & np.isfinite(theirs) & (mine > 0) & (theirs > 0)
    if not usable.any():
        return []
    ratio = mine[usable] / theirs[usable]
    for base, name in ((2.0, "2"), (10.0, "10")):
        for factor, who in ((1 / math.log(base), "A"), (math.log(base), "B")):
            if np.allclose(ratio, factor, rtol=1e-4):
                message = (
                    f"every cost of {who} is the other's divided by ln {name}: are its logprobs "
                    f"logarithms to base {name}? They must be natural"
                )
                return [Caution(code="other_base", message=message, rows=int(usable.sum()))]
    return []
