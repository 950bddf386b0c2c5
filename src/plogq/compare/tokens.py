"""Two language models on the same documents."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from plogq.compare.result import Comparison, difference_of, winner_of
from plogq.compare.texts import Texts, paired, path_of, read_texts, renamed
from plogq.errors import TableError
from plogq.formulas.units import Unit, from_nats
from plogq.lm.documents import UNKNOWN, Source
from plogq.lm.state import Corpus
from plogq.lm.summary import all_certain
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import interval, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.products import weighted_sums
from plogq.tables.sums.tally import totals
from plogq.tables.sums.top_k import TopK

TIE = 1e-9  # nats by unit of text: less is rounding


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
    """Compare what two models pay for each byte, or where bytes are not known each token."""
    one, other = read_texts(a, seed, progress), read_texts(b, seed, progress)
    at, pairing = paired(one, other, a, b)
    if pairing == "text":
        other = renamed(other, list(one.place), at, seed)
    per = _unit_of_text(one, other, at, a, b)
    sides = [_own(texts, source, per, unit) for texts, source in ((one, a), (other, b))]
    finite = [_rate(texts, per) for texts in (one, other)]
    both = None if finite[0] is None or finite[1] is None else finite[0] - finite[1]
    impossible = one.corpus.impossible + other.corpus.impossible
    difference = difference_of(
        sides[0][f"cross_entropy_per_{per}"],
        sides[1][f"cross_entropy_per_{per}"],
        None if both is None else float(from_nats(both, unit)),
    )
    ends = None if impossible else _interval(one, other, per, bootstrap, seed)
    wins, largest = _documents(one, other, at, per, top, unit)
    warnings = [
        {
            "code": "zero_probability",
            "message": f"{name} gave probability 0 to tokens that came: its cost is infinite, and "
            "the finite difference is without them",
            "rows": texts.corpus.impossible,
        }
        for name, texts in (("A", one), ("B", other))
        if texts.corpus.impossible
    ]
    scaled = (
        None if ends is None else (float(from_nats(ends[0], unit)), float(from_nats(ends[1], unit)))
    )
    return Comparison(
        kind="tokens",
        pairing=pairing,
        unit=unit,
        per=per,
        rows=len(one.place),
        weight=float(one.corpus.counts[per].sum()),
        a=sides[0],
        b=sides[1],
        difference=difference,
        difference_finite=None if both is None else float(from_nats(both, unit)),
        accuracy_difference=None,
        intervals={} if scaled is None else {"difference_finite": list(scaled)},
        winner=winner_of(scaled, difference),
        wins=wins,
        per_class=[],
        slices={},
        largest=largest,
        warnings=warnings
        + _as_read("A", one, a)
        + _as_read("B", other, b)
        + _few(one, ends)
        + _same_in_another_unit(one, other, at),
    )


def _as_read(who: str, texts: Texts, source: Source) -> list[dict[str, Any]]:
    """Give what there is to say of one of the two, as `plogq lm` says it."""
    found = source.remarks.items()
    if (said := all_certain(texts.corpus)) is not None:
        found.append(("all_certain", said, texts.corpus.certain))
    return [{"code": code, "message": f"{who}: {message}", "rows": n} for code, message, n in found]


def _unit_of_text(one: Texts, other: Texts, at: Array, a: Source, b: Source) -> str:
    """Give byte, or token where bytes are not known; of either, both must have as many."""
    for of in ("byte", "token"):
        mine, theirs = one.whole[of], other.whole[of][at]
        if (mine == UNKNOWN).any() or (theirs == UNKNOWN).any() or not mine.any():
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


def _rate(texts: Texts, per: str) -> float | None:
    count = int(texts.corpus.counts[per].sum())
    return _total(texts.corpus) / count if count else None


def _total(corpus: Corpus) -> float:
    return float(totals(corpus.surprisal, len(corpus.documents))[0])


def _own(texts: Texts, source: Source, per: str, unit: Unit) -> dict[str, Any]:
    corpus = texts.corpus
    nats = math.inf if corpus.impossible else _total(corpus)
    figures: dict[str, Any] = {"source": source.origin}
    for of in dict.fromkeys([per, "byte", "token", "word"]):
        count = 0 if corpus.unknown[of] else int(corpus.counts[of].sum())
        cost = nats / count if count else None
        figures[f"{of}s"] = count or None
        figures[f"cross_entropy_per_{of}"] = None if cost is None else float(from_nats(cost, unit))
        figures[f"perplexity_per_{of}"] = None if cost is None else perplexity_of(cost)
    return figures | {"zero_probability_tokens": corpus.impossible}


def _interval(
    one: Texts, other: Texts, per: str, bootstrap: int, seed: int
) -> tuple[float, float] | None:
    """Resample documents: both models see the same ones in every replicate."""
    if len(one.place) < 2:
        return None
    buckets = len(one.corpus.documents)
    weights = replicate_weights(buckets, bootstrap, seed)
    counts = [weighted_sums(weights, texts.corpus.counts[per]) for texts in (one, other)]
    some = (counts[0] > 0) & (counts[1] > 0)  # a replicate may draw no document
    costs = [
        weighted_sums(weights[some], texts.corpus.surprisal.values()) / count[some]
        for texts, count in zip((one, other), counts, strict=True)
    ]
    return interval(costs[0] - costs[1])


def _few(one: Texts, ends: tuple[float, float] | None) -> list[dict[str, Any]]:
    """Warn of an interval from so few documents that it is too narrow."""
    few = too_few(len(one.place), "documents")
    if ends is None or not few:
        return []
    return [{"code": "few_documents", "message": few, "rows": len(one.place)}]


def _documents(
    one: Texts, other: Texts, at: Array, per: str, top: int, unit: Unit
) -> tuple[dict[str, float | None], dict[str, list[dict[str, Any]]]]:
    """Give the shares of documents that each wins, and those with the largest differences."""
    names = list(one.place)
    with np.errstate(divide="ignore", invalid="ignore"):  # a document of 0 bytes; inf − inf
        mine = one.cost / one.counts[per]
        theirs = other.cost[at] / other.counts[per][at]
        difference = mine - theirs
    counted = (one.counts[per] > 0) & (other.counts[per][at] > 0)
    difference = np.where(counted, difference, np.nan)
    total = int(np.count_nonzero(counted))
    a, b = int((difference < -TIE).sum()), int((difference > TIE).sum())
    wins = {"a": a, "b": b, "tie": total - a - b}

    def describe(i: int) -> dict[str, Any]:
        return {
            "doc": names[i],
            f"{per}s": int(one.counts[per][i]),
            "a": float(from_nats(float(mine[i]), unit)),
            "b": float(from_nats(float(theirs[i]), unit)),
        }

    largest = {"a": TopK(top), "b": TopK(top)}
    largest["a"].add(np.where(difference < -TIE, -difference, np.nan), describe)
    largest["b"].add(np.where(difference > TIE, difference, np.nan), describe)
    return (
        {who: n / total if total else None for who, n in wins.items()},
        {who: top_of.items() for who, top_of in largest.items()},
    )


def _same_in_another_unit(one: Texts, other: Texts, at: Array) -> list[dict[str, Any]]:
    """Warn where one's costs are the other's times ln 2 or ln 10: its logarithms have that base."""
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
                return [{"code": "other_base", "message": message, "rows": int(usable.sum())}]
    return []
