"""From a corpus's exact sums to the figures of a result."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from plogq.formulas.units import Unit, from_nats
from plogq.kinds import Interval
from plogq.lm.documents import UNITS, Remarks, Source
from plogq.lm.result import DocumentCost, TokenCost, TokensResult, Unscored
from plogq.lm.state import Corpus
from plogq.records import Caution
from plogq.records import Source as Record
from plogq.tables.sums.bootstrap import of_means, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import totals
from plogq.tables.sums.top_k import TopK

NEARLY_ALL = 0.95  # a share of tokens that cost exactly 0; in usual logs it is at most a half
UNIFORM = math.log(256)  # nats per byte: the cost of a byte drawn at random


def summarise(
    corpus: Corpus,
    surprises: TopK,
    *,
    source: Source,
    unit: Unit,
    bootstrap: int,
    seed: int,
) -> TokensResult:
    """Return the figures: each sum divided once, with intervals and warnings."""
    finite = float(totals(corpus.surprisal, len(corpus.documents))[0])
    nats = math.inf if corpus.impossible else finite
    count = {u: None if corpus.unknown[u] else int(corpus.counts[u].sum()) for u in UNITS}
    cost = {u: nats / n if n else None for u, n in count.items()}
    documents = int(corpus.documents.sum())
    unscored = Unscored(corpus.unscored_documents, corpus.unscored, corpus.unscored_bytes)

    def rate(unit_of_text: str) -> float | None:
        x = cost[unit_of_text]
        return None if x is None else float(from_nats(x, unit))

    intervals = _intervals(corpus, cost, unit, bootstrap, seed)
    return TokensResult(
        source=source_of(source),
        unit=unit,
        documents=documents,
        tokens=count["token"],
        words=count["word"],
        characters=count["character"],
        bytes=count["byte"],
        unscored=unscored,
        zero_probability_tokens=corpus.impossible,
        surprisal=float(from_nats(nats, unit)),
        surprisal_finite=float(from_nats(finite, unit)),
        cross_entropy_per_token=rate("token"),
        cross_entropy_per_word=rate("word"),
        cross_entropy_per_character=rate("character"),
        cross_entropy_per_byte=rate("byte"),
        perplexity_per_token=_perplexity(cost["token"]),
        perplexity_per_word=_perplexity(cost["word"]),
        perplexity_per_byte=_perplexity(cost["byte"]),
        intervals=intervals,
        worst_documents=_documents(corpus, "token" if cost["byte"] is None else "byte", unit),
        surprises=() if count["token"] is None else _surprises(surprises, unit),
        warnings=_warnings(
            corpus, count, cost, documents, source.remarks, intervals=bool(intervals)
        ),
    )


def source_of(source: Source) -> Record:
    """Return which files were read, and how, once all blocks were given."""
    origin = source.origin
    return Record(
        paths=tuple(origin["paths"]),
        format=origin["format"],
        columns=origin["columns"],
        notes=tuple(origin.get("notes", ())),
        part=origin.get("part"),
        left_out=tuple(origin.get("left_out", ())),
    )


def cautions(found: Iterable[tuple[str, str, int]], who: str = "") -> tuple[Caution, ...]:
    """Return warnings, given as codes, messages and counts; `who` stands before each message."""
    return tuple(
        Caution(code=code, message=f"{who}{message}", rows=rows) for code, message, rows in found
    )


def all_certain(corpus: Corpus) -> str | None:
    """Return the warning that nearly all tokens cost 0, which does not measure a model; or None."""
    if not corpus.certain or corpus.certain < NEARLY_ALL * corpus.scored:
        return None
    share = "all" if corpus.certain == corpus.scored else f"{corpus.certain:,} of {corpus.scored:,}"
    return (
        f"{share} logprobs are exactly 0: logprobs taken after greedy sampling or top-k 1 "
        "measure no model (ask for logprobs of the raw distribution)"
    )


def _perplexity(nats: float | None) -> float | None:
    return None if nats is None else perplexity_of(nats)


def _intervals(
    corpus: Corpus, cost: dict[str, float | None], unit: Unit, bootstrap: int, seed: int
) -> dict[str, Interval]:
    """Return intervals by the names of fields: a bootstrap over the buckets of documents."""
    if corpus.impossible or np.count_nonzero(corpus.documents) < 2:
        return {}
    weights = replicate_weights(len(corpus.documents), bootstrap, seed)
    surprisal = corpus.surprisal.values()
    found = {}
    for of, x in cost.items():
        if x is None:
            continue
        ends = of_means(weights, surprisal, corpus.counts[of])
        if ends is not None:
            low, high = (float(from_nats(end, unit)) for end in ends)
            found[f"cross_entropy_per_{of}"] = low, high
            if of != "character":
                found[f"perplexity_per_{of}"] = perplexity_of(ends[0]), perplexity_of(ends[1])
    return found


def _documents(corpus: Corpus, by: str, unit: Unit) -> tuple[DocumentCost, ...]:
    """Return the documents that cost most per byte or per token, the costliest first."""

    def described(item: dict[str, Any]) -> DocumentCost:
        tokens, size = (item["counts"].get(of) for of in ("token", "byte"))
        cost = float(from_nats(item["nats"], unit))
        each = [cost / count if count else None for count in (tokens, size)]
        return DocumentCost(item["doc"], tokens, size, cost, *each)

    return tuple(described(item) for item in corpus.worst[by].items())


def _surprises(surprises: TopK, unit: Unit) -> tuple[TokenCost, ...]:
    """Return the tokens that cost most, the costliest first."""
    return tuple(
        TokenCost(
            item["doc"],
            item["position"],
            float(from_nats(item["nats"], unit)),
            None if item.get("token") is None else str(item["token"]),
        )
        for item in surprises.items()
    )


def _warnings(
    corpus: Corpus,
    count: dict[str, int | None],
    cost: dict[str, float | None],
    documents: int,
    remarks: Remarks,
    *,
    intervals: bool,
) -> tuple[Caution, ...]:
    """Return the warnings: how the source was read, what was not counted, and doubts."""
    found = [item for item in remarks.items() if item[0] != "bytes_unknown"]
    if (said := all_certain(corpus)) is not None:
        found.append(("all_certain", said, corpus.certain))
    if corpus.impossible:
        found.append(
            (
                "zero_probability",
                "the model gave probability 0 to tokens of the text: the cost is infinite (-9999 "
                "in a response stands for log 0)",
                corpus.impossible,
            )
        )
    if corpus.unscored:
        size = f", nor is their text (bytes: {corpus.unscored_bytes:,})"
        found.append(
            (
                "unscored_tokens",
                "first tokens of documents have no logprob: they are not counted"
                + (size if corpus.unscored_bytes else ""),
                corpus.unscored,
            )
        )
    if count["byte"] is None:
        why = remarks.message("bytes_unknown")
        found.append(
            (
                "bytes_unknown",
                "the source does not say how many bytes were scored"
                + (f" ({why})" if why else "")
                + ": models with different tokens compare by bits per byte alone (a response with "
                "its text, as with echo, or a column bytes in a table gives the bytes)",
                corpus.unknown["byte"],
            )
        )
    elif count["byte"] == 0:
        found.append(("no_bytes", "the bytes of all tokens are 0: nothing is per byte", documents))
    if cost["byte"] is not None and math.isfinite(cost["byte"]) and cost["byte"] > UNIFORM:
        found.append(
            (
                "worse_than_uniform",
                "a byte costs more than 8 bits: are the logprobs natural logarithms, and are the "
                "bytes those of each token? Of a model: is the tokenizer its own?",
                documents,
            )
        )
    words, characters = count["word"], count["character"] or count["byte"]
    if words is not None and characters is not None and words > characters:
        found.append(
            (
                "more_words_than_text",
                "there are more words than characters: the column must say how many words end in "
                "each token, not how many the document has",
                documents,
            )
        )
    letters, size_of_all = count["character"], count["byte"]
    if letters is not None and size_of_all is not None and letters > size_of_all:
        found.append(
            (
                "more_characters_than_bytes",
                "there are more characters than bytes, but each character has a byte or more: the "
                "columns must count those of each token",
                documents,
            )
        )
    if intervals and (few := too_few(documents, "documents")):
        found.append(("few_documents", few, documents))
    return cautions(found)
