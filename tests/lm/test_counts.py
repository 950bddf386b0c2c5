"""Counts in a table that cannot be, or that are of whole documents, are warned of."""

import pyarrow as pa
import pytest

from plogq.lm import score_tokens
from tests.lm.records import codes


def table(counts, **more):
    docs = [f"d{i}" for i, column in enumerate(counts) for _ in column]
    counted = [n for column in counts for n in column]
    return pa.table({"doc": docs, "logprob": [-1.0] * len(docs), "bytes": counted} | more)


@pytest.mark.parametrize(
    ("counts", "warned"),
    [
        ([[9] * 3, [14] * 5], True),
        ([[9] * 3, [14] * 5, [4]], True),
        ([[9] * 3, [14] * 5, [4, 5, 6]], False),
        ([[3, 3, 4], [5] * 5], False),
        ([[1] * 9, [1] * 4], False),  # a model of bytes
        ([[9, 9], [4, 4]], False),
        ([[9] * 3], False),
    ],
)
def test_bytes_of_documents_in_each_row(counts, warned):
    result = score_tokens(table(counts))
    assert ("repeated_bytes" in codes(result)) == warned


def test_more_characters_than_bytes():
    assert "more_characters_than_bytes" in codes(score_tokens(table([[3, 1]], characters=[3, 2])))
    assert codes(score_tokens(table([[3, 1]], characters=[3, 1]))) == []
