"""What token logprobs say of a model: a plain record with the names of the JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from plogq.formulas.units import Unit
from plogq.records import to_json

SCHEMA = 1


@dataclass(frozen=True)
class TokensResult:
    """The figures of a corpus: sums over all of it, divided once; costs are in `unit`."""

    source: dict[str, Any]
    unit: Unit
    documents: int
    # How many were scored; None where the source does not say.
    tokens: int | None
    words: int | None
    characters: int | None
    bytes: int | None
    unscored: dict[str, int]  # first tokens without logprob: documents, tokens, bytes
    zero_probability_tokens: int
    surprisal: float  # Σ −log q; inf where an impossible event happened
    surprisal_finite: float  # of the tokens with q > 0
    cross_entropy_per_token: float | None
    cross_entropy_per_word: float | None
    cross_entropy_per_character: float | None
    cross_entropy_per_byte: float | None
    perplexity_per_token: float | None
    perplexity_per_word: float | None
    perplexity_per_byte: float | None
    intervals: dict[str, list[float]]  # of `plogq.tables.sums.level`, over documents
    worst_documents: list[dict[str, Any]]
    surprises: list[dict[str, Any]]
    warnings: list[dict[str, Any]]

    def to_json(self) -> str:
        """Give the result as JSON text; infinities, which JSON lacks, as "inf" and "-inf"."""
        return to_json({"schema": SCHEMA} | asdict(self))
