"""From a corpus's exact sums to the figures of a result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plogq.formulas.units import Unit, from_nats
from plogq.lm.documents import UNITS, Remarks
from plogq.lm.result import TokensResult
from plogq.lm.state import Corpus
from plogq.tables.sums.bootstrap import of_means, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import totals
from plogq.tables.sums.top_k import TopK

NEARLY_ALL = 0.95  # a model that is sure of half of its own tokens is a usual one
UNIFORM = math.log(256)  # nats a byte, of a model that knows nothing


def summarise(
    corpus: Corpus,
    surprises: TopK,
    *,
    source: dict[str, Any],
    remarks: Remarks,
    unit: Unit,
    bootstrap: int,
    seed: int,
) -> TokensResult:
    """Divide the sums, once, and say how sure the quotients are."""
    finite = float(totals(corpus.surprisal, len(corpus.documents))[0])
    nats = math.inf if corpus.impossible else finite
    count = {u: None if corpus.unknown[u] else int(corpus.counts[u].sum()) for u in UNITS}
    cost = {u: nats / n if n else None for u, n in count.items()}
    documents = int(corpus.documents.sum())
    first = {
        "documents": corpus.unscored_documents,
        "tokens": corpus.unscored,
        "bytes": corpus.unscored_bytes,
    }

    def rate(unit_of_text: str) -> float | None:
        x = cost[unit_of_text]
        return None if x is None else float(from_nats(x, unit))

    intervals = _intervals(corpus, cost, unit, bootstrap, seed)
    return TokensResult(
        source=source,
        unit=unit,
        documents=documents,
        tokens=count["token"],
        words=count["word"],
        characters=count["character"],
        bytes=count["byte"],
        unscored=first,
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
        surprises=[
            {k: v for k, v in item.items() if k != "nats"}
            | {"surprisal": float(from_nats(item["nats"], unit))}
            for item in ([] if count["token"] is None else surprises.items())
        ],
        warnings=_warnings(corpus, count, cost, documents, remarks, intervals=bool(intervals)),
    )


def all_certain(corpus: Corpus) -> str | None:
    """Say that nearly all tokens cost nothing, where they do: that is no figure of a model."""
    if not corpus.certain or corpus.certain < NEARLY_ALL * corpus.scored:
        return None
    share = "all" if corpus.certain == corpus.scored else f"{corpus.certain / corpus.scored:.1%} of"
    return (
        f"{share} logprobs are exactly 0: what is left after greedy sampling or top-k 1 measures "
        "no model (ask for logprobs of the raw distribution)"
    )


def _perplexity(nats: float | None) -> float | None:
    return None if nats is None else perplexity_of(nats)


def _intervals(
    corpus: Corpus, cost: dict[str, float | None], unit: Unit, bootstrap: int, seed: int
) -> dict[str, list[float]]:
    """Resample documents: quotients of sums over buckets, weighted at random."""
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
            found[f"cross_entropy_per_{of}"] = [float(from_nats(end, unit)) for end in ends]
            if of != "character":
                found[f"perplexity_per_{of}"] = [_perplexity(end) or math.inf for end in ends]
    return found


def _documents(corpus: Corpus, by: str, unit: Unit) -> list[dict[str, Any]]:
    """Give the costliest documents, by what a byte or a token of them costs."""
    found = []
    for item in corpus.worst[by].items():
        counts, nats = item["counts"], item["nats"]
        found.append(
            {
                "doc": item["doc"],
                "tokens": counts.get("token"),
                "bytes": counts.get("byte"),
                "surprisal": float(from_nats(nats, unit)),
                f"cross_entropy_per_{by}": float(from_nats(nats / counts[by], unit)),
            }
        )
    return found


def _warnings(
    corpus: Corpus,
    count: dict[str, int | None],
    cost: dict[str, float | None],
    documents: int,
    remarks: Remarks,
    *,
    intervals: bool,
) -> list[dict[str, Any]]:
    found = [item for item in remarks.items() if item[0] != "bytes_unknown"]
    if (said := all_certain(corpus)) is not None:
        found.append(("all_certain", said, corpus.certain))
    if corpus.impossible:
        found.append(
            (
                "zero_probability",
                "the model gave probability 0 to tokens that came: the cost is infinite, "
                "whatever the others say (-9999 in a response stands for log 0)",
                corpus.impossible,
            )
        )
    if corpus.unscored:
        found.append(
            (
                "unscored_tokens",
                "first tokens of documents have no logprob: "
                + (
                    f"neither they nor their {corpus.unscored_bytes:,} bytes are counted"
                    if corpus.unscored_bytes
                    else "they are not counted"
                ),
                corpus.unscored,
            )
        )
    if count["byte"] is None:
        why = remarks.message("bytes_unknown")
        found.append(
            (
                "bytes_unknown",
                "documents do not say how many bytes were scored"
                + (f" ({why})" if why else "")
                + ": without bits per byte, models with different tokens cannot be compared (a "
                "response with the text, as by echo, or a column bytes in a table says it)",
                corpus.unknown["byte"],
            )
        )
    elif count["byte"] == 0:
        found.append(("no_bytes", "the bytes of all tokens are 0: nothing is per byte", documents))
    if cost["byte"] is not None and math.isfinite(cost["byte"]) and cost["byte"] > UNIFORM:
        found.append(
            (
                "worse_than_uniform",
                "a byte costs more than its 8 bits: are the logprobs in nats, and are bytes those "
                "of the tokens?",
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
    letters, size = count["character"], count["byte"]
    if letters is not None and size is not None and letters > size:
        found.append(
            (
                "more_characters_than_bytes",
                "there are more characters than bytes, of which each has one at least: the columns "
                "must count what each token has",
                documents,
            )
        )
    if intervals and (few := too_few(documents, "documents")):
        found.append(("few_documents", few, documents))
    return [{"code": code, "message": message, "rows": rows} for code, message, rows in found]
