"""Two language models on the same documents."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from plogq.compare.result import Comparison, Pairing, difference_of, winner_of
from plogq.errors import TableError
from plogq.formulas.units import Unit, from_nats, perplexity_of
from plogq.lm.documents import UNKNOWN, Block, Documents, Source, Tokens
from plogq.lm.state import Corpus
from plogq.lm.summary import all_certain
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import interval, replicate_weights, too_few
from plogq.tables.sums.products import weighted_sums
from plogq.tables.sums.tally import totals
from plogq.tables.sums.top_k import TopK

TIE = 1e-9  # nats by unit of text: less is rounding


class Texts(NamedTuple):
    """All documents of one model, d of them."""

    place: dict[str, int]  # by name
    cost: Array  # (d,) nats, inf where an impossible event happened
    counts: dict[str, Array]  # "byte", "token": (d,) what was scored; UNKNOWN where not known
    whole: dict[str, Array]  # with what was not scored
    spelled: list[int | None]  # hashes of the texts, where they are known
    corpus: Corpus
    documents: list[Documents]


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
    one, other = _read(a, seed, progress), _read(b, seed, progress)
    at, pairing = _paired(one, other, a, b)
    if pairing == "text":
        other = _renamed(other, list(one.place), at, seed)
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


def _read(source: Source, seed: int, progress: Callable[[int, int | None], None] | None) -> Texts:
    corpus, parts = Corpus(0, seed), []
    for block in source.blocks():
        corpus.add(block)
        parts.append(block.documents)
        if progress is not None:
            progress(block.done, source.rows)
    names = [name for part in parts for name in part.names]
    cost = np.concatenate([np.where(p.impossible > 0, np.inf, p.surprisal) for p in parts])
    unscored = {"byte": "unscored_bytes", "token": "unscored"}
    counts = {of: np.concatenate([_counts(p, of) for p in parts]) for of in unscored}
    whole = {
        of: np.where(
            counts[of] == UNKNOWN,
            UNKNOWN,
            counts[of] + np.concatenate([getattr(p, name) for p in parts]),
        )
        for of, name in unscored.items()
    }
    spelled = [text for p in parts for text in p.texts or [None] * len(p.names)]
    place = {name: i for i, name in enumerate(names)}
    return Texts(place, cost, counts, whole, spelled, corpus, parts)


def _counts(part: Documents, of: str) -> Array:
    return part.counts.get(of, np.full(len(part.names), UNKNOWN))


def _paired(one: Texts, other: Texts, a: Source, b: Source) -> tuple[Array, Pairing]:
    """Give where each document of A is in B: by name, or else by text.

    A server names each response at random; documents of one name are the same text.
    """
    lacking = None
    for mine, theirs, source, of in ((one, other, b, a), (other, one, a, b)):
        name = next((name for name in mine.place if name not in theirs.place), None)
        if name is not None and lacking is None:
            lacking = (
                f"{_path(source)}: must have the documents of {_path(of)}; got none of the name "
                f"{name!r} ({len(theirs.place):,} documents against {len(mine.place):,})"
            )
    if lacking is None:
        at = np.array([other.place[name] for name in one.place])
        pairs = zip(one.place, one.spelled, [other.spelled[i] for i in at], strict=True)
        unlike = next((name for name, x, y in pairs if None not in (x, y) and x != y), None)
        if unlike is None:
            return at, "doc"
        lacking = f"{_path(b)}: document {unlike!r} must be the same text as in {_path(a)}"
    place = {text: i for i, text in enumerate(other.spelled)}
    if None in place or None in one.spelled:
        why = ""
    elif len(place) < len(other.spelled) or len(set(one.spelled)) < len(one.spelled):
        why = "; by text they cannot be paired, for a text is there twice"
    elif place.keys() != set(one.spelled):
        why = "; their texts differ, too"
    else:
        return np.array([place[text] for text in one.spelled]), "text"
    logs = all(str(source.origin["format"]).startswith("JSON") for source in (a, b))
    remedy = " (a field custom_id in each record names it)" if logs else ""
    raise TableError(f"{lacking}{why}{remedy}")


def _renamed(texts: Texts, names: list[str], at: Array, seed: int) -> Texts:
    """Give documents the names of those they are paired with, by which the buckets are made."""
    of = dict(zip(at.tolist(), names, strict=True))
    corpus, start = Corpus(0, seed), 0
    for part in texts.documents:
        stop = start + len(part.names)
        renamed = part._replace(names=[of[i] for i in range(start, stop)])
        corpus.add(Block(Tokens(np.empty(0), lambda i: {}), renamed, stop))
        start = stop
    corpus.scored, corpus.certain = texts.corpus.scored, texts.corpus.certain
    return texts._replace(place={of[i]: i for i in range(start)}, corpus=corpus)


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
                f"{_path(b)}: document {name!r} must be the same text as in {_path(a)}, of "
                f"{mine[i]:,} {of}s; got {theirs[i]:,}"
            )
        return of
    why = a.remarks.message("bytes_unknown") or b.remarks.message("bytes_unknown")
    raise TableError(
        f"{_path(b)}: must say how many bytes of text its tokens stand for, as {_path(a)} must: "
        "tokens alone cannot be compared" + (f" ({why})" if why else "")
    )


def _path(source: Source) -> str:
    return str(source.origin["paths"][0])


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
