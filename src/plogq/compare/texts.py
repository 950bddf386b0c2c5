"""The documents of two language models, and which of them are the same text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from plogq.compare.result import Pairing
from plogq.errors import TableError
from plogq.lm.documents import UNKNOWN, Block, Documents, Source, Tokens
from plogq.lm.state import Corpus
from plogq.tables.arrays import Array


class Texts(NamedTuple):
    """All documents of one model, d of them."""

    place: dict[str, int]  # by name
    cost: Array  # (d,) nats, inf where a token had probability 0
    counts: dict[str, Array]  # by "byte" and "token": (d,) how many were scored, or UNKNOWN
    whole: dict[str, Array]  # by "byte" and "token": (d,) how many there are, scored or not
    spelled: list[int | None]  # hash of each text, None where the text is not known
    corpus: Corpus
    documents: list[Documents]


def read_texts(
    source: Source, seed: int, progress: Callable[[int, int | None], None] | None
) -> Texts:
    """Return all documents of a model, with their sums."""
    corpus, parts = Corpus(0, seed), []
    for block in source.blocks():
        corpus.add(block)
        parts.append(block.documents)
        if progress is not None:
            progress(block.done, source.rows)
    names = [name for part in parts for name in part.names]
    cost = np.concatenate([np.where(p.impossible > 0, np.inf, p.surprisal) for p in parts])
    unscored = {"byte": "unscored_bytes", "token": "unscored"}
    counts = {of: np.concatenate([_counts(p, of) for p in parts]) for of in unscored}
    whole = {
        of: np.where(
            counts[of] == UNKNOWN,
            UNKNOWN,
            counts[of] + np.concatenate([getattr(p, name) for p in parts]),
        )
        for of, name in unscored.items()
    }
    spelled = [text for p in parts for text in p.texts or [None] * len(p.names)]
    place = {name: i for i, name in enumerate(names)}
    return Texts(place, cost, counts, whole, spelled, corpus, parts)


def paired(one: Texts, other: Texts, a: Source, b: Source) -> tuple[Array, Pairing]:
    """Return the place in B of each of A's documents, (d,), and by what they were paired.

    They are paired by name, or else by text, since a server may name responses at random. Documents
    of one name must have the same text.
    """
    lacking = None
    for mine, theirs, source, of in ((one, other, b, a), (other, one, a, b)):
        name = next((name for name in mine.place if name not in theirs.place), None)
        if name is not None and lacking is None:
            lacking = (
                f"{path_of(source)}: must have the documents of {path_of(of)}; got none of the "
                f"name {name!r} ({len(theirs.place):,} documents against {len(mine.place):,})"
            )
    if lacking is None:
        at = np.array([other.place[name] for name in one.place])
        pairs = zip(one.place, one.spelled, [other.spelled[i] for i in at], strict=True)
        unlike = next((name for name, x, y in pairs if None not in (x, y) and x != y), None)
        if unlike is None:
            return at, "doc"
        lacking = f"{path_of(b)}: document {unlike!r} must be the same text as in {path_of(a)}"
    place = {text: i for i, text in enumerate(other.spelled)}
    if None in place or None in one.spelled:
        why = ""
    elif len(place) < len(other.spelled) or len(set(one.spelled)) < len(one.spelled):
        why = "; by text they cannot be paired, for a text is there twice"
    elif place.keys() != set(one.spelled):
        why = "; their texts differ, too"
    else:
        return np.array([place[text] for text in one.spelled]), "text"
    logs = all(str(source.origin["format"]).startswith("JSON") for source in (a, b))
    remedy = " (a field custom_id in each record names it)" if logs else ""
    raise TableError(f"{lacking}{why}{remedy}")


def renamed(texts: Texts, names: list[str], at: Array, seed: int) -> Texts:
    """Return documents with the names of their pairs in A, since names decide the buckets."""
    of = dict(zip(at.tolist(), names, strict=True))
    corpus, start = Corpus(0, seed), 0
    for part in texts.documents:
        stop = start + len(part.names)
        renamed = part._replace(names=[of[i] for i in range(start, stop)])
        corpus.add(Block(Tokens(np.empty(0), lambda i: {}), renamed, stop))
        start = stop
    corpus.scored, corpus.certain = texts.corpus.scored, texts.corpus.certain
    return texts._replace(place={of[i]: i for i in range(start)}, corpus=corpus)


def path_of(source: Source) -> str:
    """Return the first file of a model, by which messages name it."""
    return str(source.origin["paths"][0])


def _counts(part: Documents, of: str) -> Array:
    return part.counts.get(of, np.full(len(part.names), UNKNOWN))
