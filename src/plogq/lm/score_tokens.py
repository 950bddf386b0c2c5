"""From token logprobs to a result: reading, sums and figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from plogq.errors import check_count, refuse
from plogq.formulas.units import Unit, check_unit
from plogq.lm.documents import Source
from plogq.lm.kinds import kind_of
from plogq.lm.readers.json_log import JsonLog
from plogq.lm.readers.scored import Section
from plogq.lm.readers.table import TokenTable
from plogq.lm.result import TokensResult
from plogq.lm.state import Corpus
from plogq.lm.summary import summarise
from plogq.tables.formats.text_options import TextOptions, text_options
from plogq.tables.readers import open_table
from plogq.tables.sums.bootstrap import check_replicates
from plogq.tables.sums.top_k import TopK


def score_tokens(
    source: Any,
    *,
    doc: str = "doc",
    logprob: str = "logprob",
    bytes: str = "bytes",
    part: Section | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    unit: Unit = "bit",
    bootstrap: int = 200,
    top: int = 20,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> TokensResult:
    """Return what a language model pays for a text: Σ −log q over tokens, words, characters, bytes.

    Every figure is of the whole corpus: the sum of all costs, divided once by the number of all
    tokens, words, characters or bytes, as in cross-entropy = Σ −log q / Σ bytes. The mean of the
    documents' figures is another number. Perplexity is exp of the cross-entropy in nats.

    Parameters
    ----------
    source
        A table, as a path or anything that speaks Arrow: a row for each token with the columns
        `doc`, `logprob` (nats, null for a document's first token where it has none) and, where
        known, `bytes`, `words` (those that end in the token), `characters` and `token` (its
        text). Rows of a document follow one another. Or a file or folder of JSON, in lines or any
        other layout: what servers of language models answer, whole or streamed, or samples of
        lm-evaluation-harness.
    doc, logprob, bytes
        The names of these columns, where they differ.
    part
        Which tokens count in responses with logprobs both of a prompt and of what was written after
        it: those of the "prompt", of the "completion", or "all".
    encoding, delimiter, decimal, header
        How a table is written as text, as for `plogq.score.score`.
    unit
        "bit", "nat" or "hartley" (a `plogq.Unit`), of every cost.
    bootstrap
        How many replicates, over documents, the intervals are made of: 0 for no intervals, or 40
        or more.
    top
        How many of the costliest documents and tokens to list.
    seed
        The seed of the intervals.
    progress
        Called with (rows or lines done, rows in all or None) as work goes on.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.

    Examples
    --------
    >>> import numpy as np
    >>> tokens = {"doc": ["a", "a", "b"], "logprob": np.log([0.5, 0.25, 0.125]), "bytes": [2, 1, 3]}
    >>> import pyarrow as pa
    >>> result = score_tokens(pa.table(tokens))
    >>> result.cross_entropy_per_byte, result.cross_entropy_per_token, result.perplexity_per_token
    (1.0, 2.0, 4.0)

    References
    ----------
    Jelinek, Mercer, Bahl, Baker (1977), Perplexity: a measure of the difficulty of speech
    recognition tasks. Gao et al. (2020), The Pile, section 3.1 (bits per byte).
    """
    check_unit(unit)
    check_replicates(bootstrap)
    for name, count in (("top", top), ("seed", seed)):
        check_count(name, count)
    text = text_options(encoding, delimiter, decimal, header)
    tokens = open_tokens(source, doc=doc, logprob=logprob, bytes=bytes, part=part, text=text)
    return figures_of(tokens, unit=unit, bootstrap=bootstrap, top=top, seed=seed, progress=progress)


def figures_of(
    tokens: Source,
    *,
    unit: Unit,
    bootstrap: int,
    top: int,
    seed: int,
    progress: Callable[[int, int | None], None] | None = None,
) -> TokensResult:
    """Return the figures of a source, whose documents are added up as they come."""
    corpus, surprises = Corpus(top, seed), TopK(top)
    for block in tokens.blocks():
        corpus.add(block)
        surprises.add(
            block.tokens.surprisal,
            lambda i, t=block.tokens: t.describe(i) | {"nats": float(t.surprisal[i])},  # type: ignore[misc]
        )
        if progress is not None:
            progress(block.done, tokens.rows)
    return summarise(corpus, surprises, source=tokens, unit=unit, bootstrap=bootstrap, seed=seed)


def open_tokens(
    source: Any,
    *,
    doc: str = "doc",
    logprob: str = "logprob",
    bytes: str = "bytes",
    part: Section | None = None,
    text: TextOptions | None = None,
) -> Source:
    """Return a table of tokens or a log in JSON, opened."""
    if part not in (None, "prompt", "completion", "all"):
        refuse("part", 'be "prompt", "completion" or "all"', repr(part))
    if kind_of(source, doc, logprob) != "table":
        return JsonLog(os.fspath(source), part, text)
    if part is not None:
        refuse("part", "be left out: this is a table, not a log of responses", repr(part))
    return TokenTable(open_table(source, text), doc, logprob, bytes)
