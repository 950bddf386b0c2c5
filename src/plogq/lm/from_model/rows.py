"""From documents to rows of tokens with their logprobs, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.errors import TableError
from plogq.lm.from_model.batches import batches
from plogq.lm.from_model.encoding import Encoded, Encoder
from plogq.lm.from_model.head import SKIPPED, Scorer
from plogq.lm.from_model.texts import Texts
from plogq.lm.from_model.windows import Plan, Window
from plogq.tables.arrays import Array

BATCHES = 8  # of a chunk: so many are sorted by length together


class Piece(NamedTuple):
    """A window of a document, with the rows that come of it: its scored tokens, and the first."""

    document: Encoded
    window: Window

    @property
    def row(self) -> int:
        """The first token that is a row of this piece: one without a logprob goes before."""
        return 0 if self.window.start == 0 and self.window.first == 1 else self.window.first


class Chunk(NamedTuple):
    """Pieces that follow one another, and how many bytes of text they end."""

    pieces: list[Piece]
    bytes: int


def chunks(texts: Texts, encoder: Encoder, plan: Plan, most: int, skipped: int) -> Iterator[Chunk]:
    """Yield all windows in order, in chunks of about `BATCHES` batches of `most` tokens.

    The first `skipped` rows are left out. Where a chunk ends depends on the windows in it alone:
    a run that goes on behind a chunk sees the same batches as one that was never stopped.
    """
    pieces: list[Piece] = []
    tokens = size = 0
    for name, text in texts.read():
        if not text:
            continue
        document = encoder.encode(name, text)
        if not len(document.ids):
            continue
        listed = list(plan.windows(len(document.ids))) or [Window(0, 1, 1, False)]  # no context
        for window in listed:
            piece = Piece(document, window)
            rows = window.end - piece.row
            size += int(document.bytes[piece.row : window.end].sum())
            if skipped:
                skipped -= rows
                if skipped < 0:
                    raise TableError("the saved rows end inside a window: they are of another run")
                continue
            pieces.append(piece)
            tokens += plan.inputs(window)
            if tokens >= BATCHES * most:
                yield Chunk(pieces, size)
                pieces, tokens, size = [], 0, 0
    if pieces:
        yield Chunk(pieces, size)


def scored(
    chunk: Chunk,
    scorer: Scorer,
    plan: Plan,
    most: int,
    *,
    padded: bool,
    done: Callable[[int], None],
) -> list[Array]:
    """Return the logprobs of each piece's scored tokens; `done` is told the bytes of each batch."""
    import torch

    asked = [i for i, p in enumerate(chunk.pieces) if p.window.first < p.window.end]
    lengths = [plan.inputs(chunk.pieces[i].window) for i in asked]
    found: list[Array] = [np.empty(0)] * len(chunk.pieces)
    done(sum(map(_bytes, chunk.pieces)) - sum(_bytes(chunk.pieces[i]) for i in asked))
    for together in batches(lengths, most, padded=padded):
        chosen = [asked[i] for i in together]
        ids = np.zeros((len(chosen), lengths[together[0]]), np.int64)
        targets = np.full(ids.shape, SKIPPED, np.int64)
        for row, i in enumerate(chosen):
            _fill(ids[row], targets[row], chunk.pieces[i], plan)
        costs = scorer.costs(*(torch.from_numpy(x).to(scorer.device) for x in (ids, targets)))
        each = costs.double().cpu().numpy()
        ends = np.cumsum([_scored(chunk.pieces[i]) for i in chosen])
        for i, part in zip(chosen, np.split(-each, ends[:-1]), strict=True):
            _check(chunk.pieces[i], part)
            found[i] = part
        done(sum(_bytes(chunk.pieces[i]) for i in chosen))
    return found


def longest(chunk: Chunk, plan: Plan) -> Array | None:
    """Return what the model sees of the longest window of a chunk, (T,); None where it is empty."""
    piece = max(chunk.pieces, key=lambda p: plan.inputs(p.window))
    size = plan.inputs(piece.window)
    if size < 1:
        return None
    ids = np.zeros(size, np.int64)
    _fill(ids, np.empty(size, np.int64), piece, plan)
    return ids


def rows_of(chunk: Chunk, logprobs: list[Array], kind: pa.DataType) -> pa.RecordBatch:
    """Return a chunk's tokens as rows of a table."""
    columns: dict[str, list[Any]] = {name: [] for name in schema(kind).names}
    for piece, found in zip(chunk.pieces, logprobs, strict=True):
        document, rows = piece.document, slice(piece.row, piece.window.end)
        first = np.full(piece.window.end - piece.row - len(found), np.nan)  # without a logprob
        columns["doc"] += [document.name] * (piece.window.end - piece.row)
        columns["token"] += document.texts[rows]
        columns["token_id"].append(document.ids[rows])
        columns["logprob"].append(np.concatenate([first, found]))
        columns["bytes"].append(document.bytes[rows])
        columns["characters"].append(document.characters[rows])
        columns["words"].append(document.words[rows])
    arrays = []
    for each in schema(kind):
        values = columns[each.name]
        if each.name in ("doc", "token"):
            arrays.append(pa.array(values, each.type))
            continue
        numbers = np.concatenate(values)
        array = pa.array(numbers, from_pandas=each.name == "logprob")  # NaN is null
        arrays.append(array.cast(each.type, safe=False))
    return pa.RecordBatch.from_arrays(arrays, schema=schema(kind))


def schema(kind: pa.DataType) -> pa.Schema:
    """Return the columns of the table of tokens, with logprobs of a type."""
    counts = [(name, pa.int32()) for name in ("bytes", "characters", "words")]
    return pa.schema([("doc", pa.string()), ("token", pa.string()), ("token_id", pa.int32()),
                      ("logprob", kind), *counts])  # fmt: skip


def _scored(piece: Piece) -> int:
    return piece.window.end - piece.window.first


def _bytes(piece: Piece) -> int:
    return int(piece.document.bytes[piece.row : piece.window.end].sum())


def _fill(ids: Array, targets: Array, piece: Piece, plan: Plan) -> None:
    """Write what the model sees of a window into `ids`, and what follows into `targets`."""
    start, first, end, prefixed = piece.window
    before = len(plan.prefix) if prefixed else 0
    ids[:before] = plan.prefix[:before]
    ids[before : before + end - 1 - start] = piece.document.ids[start : end - 1]
    place = before + first - 1 - start  # that says what `first` costs
    targets[place : place + end - first] = piece.document.ids[first:end]


def _check(piece: Piece, logprobs: Array) -> None:
    if (odd := np.isnan(logprobs)).any():
        token = piece.window.first + int(np.argmax(odd))
        raise TableError(
            f"document {piece.document.name!r}: the model gives NaN for token {token} (float16 "
            "overflows in some models: --dtype float32)"
        )
