"""The result of token logprobs: plain records with the names of its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plogq.formulas.units import Unit
from plogq.kinds import Count, Interval, Number, Text
from plogq.records import Caution, Document, Source


@dataclass(frozen=True)
class Unscored:
    """First tokens of documents, to which the model gave no logprob: no figure counts them."""

    documents: Count
    """The number of documents that begin with such a token."""

    tokens: Count
    """The number of such tokens."""

    bytes: Count
    """The bytes of text that these tokens stand for."""


@dataclass(frozen=True)
class DocumentCost:
    """What one document costs."""

    doc: Text
    """The name of the document."""

    tokens: Count | None
    """The number of tokens scored; null where the source does not say it."""

    bytes: Count | None
    """The bytes of text scored; null where the source does not say it."""

    surprisal: Number
    """The sum of −log q over the document's tokens, in the result's unit."""

    cross_entropy_per_token: Number | None
    """The surprisal divided by the tokens."""

    cross_entropy_per_byte: Number | None
    """The surprisal divided by the bytes."""


@dataclass(frozen=True)
class TokenCost:
    """What one token costs."""

    doc: Text
    """The name of the token's document."""

    position: Count
    """The number of the token in its document, from 0."""

    surprisal: Number
    """−log q of the token, in the result's unit."""

    token: Text | None = None
    """The text of the token; null where the source does not give it."""


@dataclass(frozen=True)
class TokensResult(Document):
    """The figures of a corpus: sums over all of it, divided once; costs are in `unit`."""

    COMMAND: ClassVar[str] = "plogq lm"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"

    source: Source
    """Which files were read, and how."""

    unit: Unit
    """The unit of every cost."""

    documents: Count
    """The number of documents."""

    tokens: Count | None
    """The number of tokens scored; null, as below, where the source does not say it."""

    words: Count | None
    """The number of words scored."""

    characters: Count | None
    """The number of characters scored."""

    bytes: Count | None
    """The number of bytes of UTF-8 scored."""

    unscored: Unscored
    """First tokens of documents that have no logprob."""

    zero_probability_tokens: Count
    """The number of tokens that had probability 0; they make every cost infinite."""

    surprisal: Number
    """The sum of −log q over all tokens."""

    surprisal_finite: Number
    """The sum of −log q over the tokens that had a probability above 0."""

    cross_entropy_per_token: Number | None
    """The surprisal divided by the tokens; null, as below, where there is nothing to divide by."""

    cross_entropy_per_word: Number | None
    """The surprisal divided by the words."""

    cross_entropy_per_character: Number | None
    """The surprisal divided by the characters."""

    cross_entropy_per_byte: Number | None
    """The surprisal divided by the bytes."""

    perplexity_per_token: Number | None
    """exp of the cross-entropy per token in nats; infinite where a float64 cannot hold it."""

    perplexity_per_word: Number | None
    """exp of the cross-entropy per word in nats; infinite where a float64 cannot hold it."""

    perplexity_per_byte: Number | None
    """exp of the cross-entropy per byte in nats; infinite where a float64 cannot hold it."""

    intervals: dict[Text, Interval]
    """The ends of intervals over documents, by the names of the fields that they are of."""

    worst_documents: tuple[DocumentCost, ...]
    """The documents that cost most per byte, or else per token; the costliest first."""

    surprises: tuple[TokenCost, ...]
    """The tokens that cost most; the costliest first."""

    warnings: tuple[Caution, ...]
    """What to keep in mind when reading the figures; `rows` counts tokens or documents, 0: all."""
