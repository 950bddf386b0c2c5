"""The first screen of a result of any command: what it is, the four answers, the warnings."""

from __future__ import annotations

from dataclasses import dataclass

from plogq.compare.many_result import ManyComparison
from plogq.compare.result import Comparison
from plogq.compare.validate import Validation
from plogq.lm.result import TokensResult
from plogq.records import Document
from plogq.reports.findings.compare import findings as of_comparison
from plogq.reports.findings.compare_many import page as of_many
from plogq.reports.findings.finding import QUESTIONS, Finding
from plogq.reports.findings.headline import Answer, headline
from plogq.reports.findings.label_errors import findings as of_labels
from plogq.reports.findings.lm import findings as of_tokens
from plogq.reports.findings.recalibrate import validation
from plogq.reports.findings.source import files
from plogq.reports.findings.words import sentence
from plogq.score.label_noise.result import LabelErrors
from plogq.score.result import Result


@dataclass(frozen=True)
class FirstScreen:
    """What a reader sees first.

    Attributes
    ----------
    title
        The result in a few words, without a full stop.
    read
        Sentences on what was read, and how.
    answers
        Questions that everyone has, and their answers.
    warnings
        What to keep in mind, as sentences.
    """

    title: str
    read: tuple[str, ...]
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]


def first_screen(result: Document) -> FirstScreen:
    """Return the first screen of any result but the doctor's, which has no four answers.

    Examples
    --------
    >>> from plogq.score import score
    >>> first_screen(score({"probs": [[0.5, 0.5], [0.25, 0.75]], "labels": [0, 1]})).title
    '0.7075 bits per row'
    """
    if isinstance(result, Comparison):
        compared = of_comparison(result)
        read = tuple(f"{each.title}: {each.text}".removesuffix(": ")
                     for each in (compared.a, compared.b))  # fmt: skip
        warned = (*compared.doubts, *compared.warnings)
        return _screen(compared.headline, compared.sure, (*read, sentence(compared.paired)), warned)
    if isinstance(result, TokensResult):
        scored = of_tokens(result)
        warned = (*scored.doubts, *scored.warnings)
        read = (f"{scored.source.title}: {scored.source.text}",)
        return _screen(scored.headline, scored.sure, read, warned)
    if isinstance(result, LabelErrors):
        labels = of_labels(result)
        title, against, advice, sure = labels.answers
        found = Finding(title.removesuffix("."), against, advice)
        read = (f"{labels.read.title}: {labels.read.text}",)
        return _screen(found, sure, read, tuple(labels.warnings))
    if isinstance(result, Validation):
        warned = tuple(each.message for each in result.warnings)
        return _screen(validation(result), "", (sentence(files(result.source.paths)),), warned)
    if isinstance(result, ManyComparison):
        head = of_many(result).headline
    else:
        assert isinstance(result, Result)
        head = headline(result)
    return FirstScreen(head.title, (head.read,), head.answers, head.warnings)


def _screen(
    found: Finding, sure: str, read: tuple[str, ...], warned: tuple[str, ...]
) -> FirstScreen:
    # The title is the first answer: it would be said twice.
    texts = ("", found.text, found.advice or "", sure)
    answers = (Answer(*each) for each in zip(QUESTIONS, texts, strict=True))
    return FirstScreen(
        found.title,
        read,
        tuple(each for each in answers if each.text),
        tuple(map(sentence, warned)),
    )
