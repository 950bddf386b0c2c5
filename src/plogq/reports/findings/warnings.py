"""A warning of a result as a report shows it."""

from plogq.records import Caution
from plogq.reports.numbers import count

# The warnings that count tokens.
OF_TOKENS = (
    "zero_probability",
    "unscored_tokens",
    "all_certain",
    "bytes_not_of_tokens",
    "lowest_logprob",
    "running_sums",
)


def warning_text(warning: Caution, what: str) -> str:
    """Return a warning and how many rows, documents or tokens it is about, where that is known.

    Examples
    --------
    >>> warning_text(Caution(code="all_certain", message="a logprob is 0", rows=3), "document")
    'a logprob is 0 (3 tokens)'
    """
    of = "token" if what == "document" and warning.code in OF_TOKENS else what
    return warning.message + (f" ({count(warning.rows, of)})" if warning.rows else "")
