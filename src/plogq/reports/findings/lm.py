"""The result of token logprobs in words."""

from __future__ import annotations

from dataclasses import dataclass

from plogq.formulas.units import Unit, from_nats, plural
from plogq.lm.result import TokensResult
from plogq.lm.summary import UNIFORM
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.lists import first_of
from plogq.reports.findings.source import files, read_as
from plogq.reports.findings.warnings import warning_text
from plogq.reports.findings.words import name
from plogq.reports.numbers import amount, count, percent, perplexity_text, said, span
from plogq.tables.sums.bootstrap import FEWEST
from plogq.tables.sums.level import PERCENT

# By part of the text: the fields of how many there are, of what one costs, and of its perplexity.
# The first part whose cost is known stands in the headline.
PARTS = {
    "byte": ("bytes", "cross_entropy_per_byte", "perplexity_per_byte"),
    "token": ("tokens", "cross_entropy_per_token", "perplexity_per_token"),
    "word": ("words", "cross_entropy_per_word", "perplexity_per_word"),
    "character": ("characters", "cross_entropy_per_character", None),
}
FEW = "few_documents"  # the warning that intervals are too narrow
SIZES = "Check first what the columns count: it must be the bytes, characters and words of a token."
LOGARITHMS = "Check first whether the logprobs are natural logarithms."
MASKED = "Leave out the rows that are masked, if they are: a logprob of 0 counts as certain."
# Warnings that the figures may not mean what they seem to, and what to do; the most urgent first.
DOUBTS = {
    "all_certain": "Ask for logprobs of the raw distribution: these measure no model.",
    "other_base": LOGARITHMS,
    "worse_than_uniform": LOGARITHMS,
    "running_sums": "Check first whether each row has the logprob of its own token.",
    "lowest_logprob": "Check first what the lowest logprob stands for: a missing one is null.",
    "zero_firsts": MASKED,
    "masked_tokens": MASKED,
    "bytes_not_of_tokens": SIZES,
    "repeated_bytes": SIZES,
    "more_words_than_text": SIZES,
    "more_characters_than_bytes": SIZES,
    "no_bytes": SIZES,
    "reading": "Check first how the file was read: a warning says what else it may mean.",
}
# What to do about other warnings; the most urgent first.
ADVICE = {
    "zero_probability": "Look first at the tokens of probability 0: they alone make the cost "
    "infinite.",
    "bytes_unknown": "Score a source that gives the bytes of the text: models with different "
    "tokens compare by the cost per byte alone.",
    FEW: f"Score {FEWEST} documents or more.",
}
BY_BYTE = "Compare models by the cost per byte, not per token: other models have other tokens."


@dataclass(frozen=True)
class TokensWords:
    """The words of each section of the report, in its order; None where it has nothing to say."""

    source: Finding  # which file, and how it was read
    doubts: list[str]  # warnings that the figures may not mean what they seem to
    headline: Finding  # how good the model is, against what, and what to do
    sure: str  # how sure the headline is
    parts: Finding
    documents: Finding | None
    tokens: Finding | None
    warnings: list[str]  # all other warnings


def findings(result: TokensResult) -> TokensWords:
    """Return the words of a result."""
    left = [each for each in result.warnings if each.code != FEW]
    return TokensWords(
        source=_source(result),
        doubts=[warning_text(each, "document") for each in left if each.code in DOUBTS],
        headline=Finding(_title(result), _against(result), _advice(result)),
        sure=_sure(result),
        parts=Finding("What a part of the text costs"),
        documents=_documents(result),
        tokens=_tokens(result),
        warnings=[warning_text(each, "document") for each in left if each.code not in DOUBTS],
    )


def by(result: TokensResult) -> str:
    """Return the part of the text by whose cost documents are listed: byte, or else token."""
    return "token" if result.cross_entropy_per_byte is None else "byte"


def _source(result: TokensResult) -> Finding:
    counts = [(result.documents, "document"), (result.tokens, "token"), (result.bytes, "byte")]
    about = ", ".join(count(n, what) for n, what in counts if n is not None)
    read = f"{about}; {read_as(result.source)}."
    return Finding(files(result.source.paths), " ".join([read, *result.source.notes]))


def _headline_part(result: TokensResult) -> tuple[str, float] | None:
    """Return the part of the text that the headline is about, and what one costs."""
    costs = ((of, getattr(result, cost)) for of, (_, cost, _) in PARTS.items())
    return next(((of, cost) for of, cost in costs if cost is not None), None)


def _title(result: TokensResult) -> str:
    if result.zero_probability_tokens:
        return f"Infinite: {count(result.zero_probability_tokens, 'token')} had probability 0"
    found = _headline_part(result)
    if found is None:
        return f"{amount(result.surprisal, result.unit)} in all"
    of, cost = found
    return f"{amount(cost, result.unit)} per {of}"


def _against(result: TokensResult) -> str:
    """Return what the cost compares with: a random byte, or a choice among `perplexity` tokens."""
    if result.zero_probability_tokens:
        rest = amount(result.surprisal_finite, result.unit)
        return f"The tokens that had a probability above 0 cost {rest} in all."
    found = _headline_part(result)
    if found is None:
        return "The source does not say for how many tokens, words or bytes that is."
    of, cost = found
    if of == "byte":
        return _against_chance(cost, result.unit)
    if PARTS[of][2] is None:
        return "Without the number of bytes, there is nothing to compare that with."
    among = perplexity_text(cost, result.unit)
    return f"That is the cost of a choice among {among} equally likely {of}s (perplexity)."


def _against_chance(cost: float, unit: Unit) -> str:
    chance = float(from_nats(UNIFORM, unit))
    random = f"a byte drawn at random costs {amount(chance, unit)}"
    if cost > chance:
        return f"That is more than with no model: {random}."
    return f"With no model, {random}: the model saves {percent(1 - cost / chance)} of it."


def _advice(result: TokensResult) -> str:
    codes = {each.code for each in result.warnings}
    return next((do for code, do in (DOUBTS | ADVICE).items() if code in codes), BY_BYTE)


def _sure(result: TokensResult) -> str:
    over = count(result.documents, "document")
    found = _headline_part(result)
    ends = None if found is None else result.intervals.get(PARTS[found[0]][1])
    if found is not None and ends is not None:
        reach = f"{span(ends)} {plural(result.unit)} per {found[0]}"
        few = "".join(f" But {each.message}." for each in result.warnings if each.code == FEW)
        return f"{PERCENT} interval: {reach}, over {over}.{few}"
    if result.zero_probability_tokens:
        return f"No interval, over {over}: the cost is infinite."
    if result.documents < 2:
        return "No interval: it takes two documents or more."
    return f"No interval was computed over {over}."


def _documents(result: TokensResult) -> Finding | None:
    """Return the words on the costliest documents; the first is to be read if it stands out."""
    worst, of = result.worst_documents, by(result)
    if not worst:
        return None
    key = PARTS[of][1]
    first, whole = getattr(worst[0], key), getattr(result, key)
    advice = None
    if first > whole:
        costs = f"{amount(first, result.unit)} per {of}, the whole text {said(whole)}"
        advice = f"Read {name(worst[0].doc)} first: it costs {costs}."
    title = f"Documents that cost most per {of}{first_of(len(worst), result.documents)}"
    return Finding(title, advice=advice)


def _tokens(result: TokensResult) -> Finding | None:
    if not result.surprises or result.tokens is None:
        return None
    return Finding(f"Tokens that cost most{first_of(len(result.surprises), result.tokens)}")
