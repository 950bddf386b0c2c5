"""What is said of a result of any command: its first screen, and the page of its sections."""

from __future__ import annotations

from plogq.compare.many_result import ManyComparison
from plogq.compare.result import Comparison
from plogq.compare.validate import Validation
from plogq.doctor import Diagnosis, GradientFlow
from plogq.lm.result import TokensResult
from plogq.records import Document
from plogq.reports.findings import (
    compare_many,
    compare_page,
    doctor_page,
    gradient_page,
    lm_page,
)
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.headline import Headline, headline
from plogq.reports.findings.label_errors import findings as of_labels
from plogq.reports.findings.page import Page, head
from plogq.reports.findings.recalibrate import validation
from plogq.reports.findings.source import files
from plogq.score.label_noise.result import LabelErrors
from plogq.score.result import Result


def first_screen(result: Document) -> Headline:
    """Return the first screen of any result but the doctor's, which has no four answers.

    Examples
    --------
    >>> from plogq.score import score
    >>> first_screen(score({"probs": [[0.5, 0.5], [0.25, 0.75]], "labels": [0, 1]})).title
    '0.7075 bits per row'
    """
    if isinstance(result, Result):
        return headline(result)
    if isinstance(result, LabelErrors):
        labels = of_labels(result)
        title, against, advice, sure = labels.answers
        found = Finding(title.removesuffix("."), against, advice)
        return head(found, sure, [labels.read], labels.warnings)
    if isinstance(result, Validation):
        warned = (each.message for each in result.warnings)
        return head(validation(result), "", [files(result.source.paths)], warned)
    return page_of(result).headline


def page_of(result: Document) -> Page:
    """Return the page of a comparison, of a text's tokens, or of what the doctor says."""
    if isinstance(result, Diagnosis):
        return doctor_page.page(result)
    if isinstance(result, GradientFlow):
        return gradient_page.page(result)
    if isinstance(result, Comparison):
        return compare_page.page(result)
    if isinstance(result, ManyComparison):
        return compare_many.page(result)
    assert isinstance(result, TokensResult)
    return lm_page.page(result)
