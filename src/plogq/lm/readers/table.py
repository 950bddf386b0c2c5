"""A table with a row for each token; rows of one document that follow one another are a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.kernels.exact_sum import ExactSums
from plogq.lm.documents import (
    LARGEST_COUNT,
    Block,
    Documents,
    Names,
    Remarks,
    Tokens,
    came_back,
    surprisals,
    wrong_logprobs,
)
from plogq.lm.readers.table_doubts import SEVERAL, TableDoubts
from plogq.tables.arrays import Array, as_numpy, is_null
from plogq.tables.numbers import numbers
from plogq.tables.readers import Part, Table
from plogq.tables.sums.tally import regrouped, totals

COUNTS = {"byte": ("bytes",), "word": ("words",), "character": ("characters", "chars")}
PLURAL = {"byte": "bytes", "word": "words", "character": "characters"}
# Usual names of −log q, or of log q in another base.
NOT_LOGPROBS = ("nll", "loss", "surprisal", "log2prob", "log2_prob", "log10prob", "log10_prob")
OTHER_BASE = re.compile(r"log_?p?(2|10)|base_?(2|10)|bits?(_|$)|hartley")


class DocumentRuns(NamedTuple):
    """Sums over runs of rows of one document each; the last run may go on in the next part."""

    names: list[str]
    sums: ExactSums  # finite surprisals, a sum for each run
    ints: dict[str, Array]  # by run: rows, impossible, unscored, unscored_bytes, and the counts

    def documents(self, end: int) -> Documents:
        """Return the first `end` runs as documents: those that are complete."""
        ints = {name: array[:end] for name, array in self.ints.items()}
        counts = {name: ints[name] for name in ("token", *COUNTS) if name in ints}
        return Documents(
            self.names[:end],
            totals(self.sums)[:end],
            ints["impossible"],
            counts,
            ints["unscored"],
            ints["unscored_bytes"],
        )

    def last(self) -> DocumentRuns:
        """Return the last run."""
        sums = ExactSums()
        sums.limbs[0] = self.sums.limbs[-1]
        return DocumentRuns(self.names[-1:], sums, {name: a[-1:] for name, a in self.ints.items()})

    def after(self, before: DocumentRuns) -> DocumentRuns:
        """Return these runs after another, which is one with the first if of the same document."""
        same = before.names[0] == self.names[0]
        more = 0 if same else 1
        names = [*before.names[:more], *self.names]
        sums = regrouped(self.sums, len(names), np.arange(more, len(names)))
        sums.merge(regrouped(before.sums, len(names), np.array([0])))
        ints = {
            name: np.concatenate([np.zeros(more, np.int64), a]) for name, a in self.ints.items()
        }
        for name, array in before.ints.items():
            ints[name][0] += array[0]
        return DocumentRuns(names, sums, ints)


class TokenTable:
    """A table with a row for each token.

    Parameters
    ----------
    table
        A table, as `plogq.tables.readers.open_table` returns it.
    doc, logprob
        The columns of the document's name and of log q, in nats; null in the first row of a
        document whose first token has none.
    bytes
        The column of how many bytes of text the token stands for. Where it is absent, and not
        asked for by another name than bytes, no figure is per byte.
    """

    def __init__(self, table: Table, doc: str, logprob: str, bytes: str) -> None:
        self._table = table
        self._doc, self._logprob = doc, logprob
        present = table.schema.names
        for option, name in (("doc", doc), ("logprob", logprob)):
            if name not in present:
                _missing(table, option, name)
        if bytes != "bytes" and bytes not in present:
            _missing(table, "bytes", bytes)
        known = COUNTS | {"byte": (bytes,)}
        self._counts = {
            unit: next(name for name in names if name in present)
            for unit, names in known.items()
            if any(name in present for name in names)
        }
        self._token = "token" if "token" in present else None
        kind = table.schema.field(doc).type
        if types.is_nested(kind) or types.is_floating(kind):
            where = f"{table.paths[0]}: column {doc!r}"
            refuse(where, "hold names or numbers of documents", kind, error=TableError)
        for name in (logprob, *self._counts.values()):
            _check_numbers(table, name)
        self.rows = table.rows
        taken = {"doc": doc, "logprob": logprob}
        taken |= {PLURAL[unit]: column for unit, column in self._counts.items()}
        if self._token is not None:
            taken["token"] = self._token
        self.origin: dict[str, Any] = {
            "paths": table.paths,
            "format": table.format,
            "columns": taken,
            "notes": [*table.notes, f"{logprob!r} is taken for natural logarithms."],
        }
        self._doubts = TableDoubts(self._counts.get("byte"))
        self._repeated: set[int] = set()
        self._varies = False
        self.remarks = Remarks()
        if table.warnings:
            self.remarks.add("reading", "; ".join(table.warnings), 0)
        if OTHER_BASE.search(logprob.lower()):
            self.remarks.add(
                "other_base",
                f"column {logprob!r} sounds like logarithms to another base: they must be natural",
                0,
            )

    def blocks(self) -> Iterator[Block]:
        """Yield the documents in blocks; the rows of a document must follow one another."""
        texts = [self._doc, *([self._token] if self._token else [])]
        columns = list(dict.fromkeys([*texts, self._logprob, *self._counts.values()]))
        kinds = {name: pa.float64() for name in columns} | {name: pa.string() for name in texts}
        known, open_run, done = Names(), None, 0
        for part in self._table.parts(columns, kinds):
            runs, tokens = self._read(part, open_run, known)
            done = part.start + part.batch.num_rows
            yield Block(tokens, runs.documents(len(runs.names) - 1), done)
            open_run = runs.last()
        if open_run is None:
            raise TableError(f"{self._table.paths[0]}: no tokens to score")
        if len(self._repeated) > 1:
            column = self._counts["byte"]
            self.remarks.add("repeated_bytes", f"column {column!r} is the same in all rows of a "
                             "document, and another in others: it must count the bytes of each "
                             "token, not of the document", 0)  # fmt: skip
        self._doubts.remark(self.remarks)
        yield Block(Tokens(np.empty(0), _nothing), open_run.documents(1), done)

    def _read(
        self, part: Part, before: DocumentRuns | None, known: Names
    ) -> tuple[DocumentRuns, Tokens]:
        """Return the part's runs, with the run before it, and its scored tokens."""
        start, names = self._runs(part)
        goes_on = before is not None and before.names[0] == names[0]
        for row, name in list(zip(start.tolist(), names, strict=True))[1 if goes_on else 0 :]:
            if not known.add(name):
                raise came_back(f"{part.path}: row {part.row + row}", name)
        run = np.repeat(np.arange(len(start)), np.diff(start, append=part.batch.num_rows))
        first = np.zeros(len(run), bool)
        first[start] = True
        first[0] = not goes_on
        surprisal = self._surprisal(part, first)
        scored = ~np.isnan(surprisal)
        finite = np.isfinite(surprisal)
        sums = ExactSums(len(start))
        sums.add(surprisal[finite], run[finite])
        of_row = {
            "rows": np.ones(len(run), np.int64),
            "impossible": np.isinf(surprisal),
            "unscored": ~scored,
            "unscored_bytes": np.zeros(len(run), np.int64),
            "token": scored,
        }
        bytes_of = None
        for unit, column in self._counts.items():
            count = _whole_numbers(part, column)
            of_row[unit] = np.where(scored, count, 0)
            if unit == "byte":
                bytes_of = count
                self._look_for_repeats(count, start)
                of_row["unscored_bytes"] = np.where(scored, 0, count)
        texts = None if self._token is None else part.batch.column(self._token)
        self._doubts.add(surprisal, start, goes_on, texts, bytes_of)
        ints = {n: np.add.reduceat(a.astype(np.int64), start) for n, a in of_row.items()}
        runs = DocumentRuns(names, sums, ints)
        position = np.arange(len(run)) - start[run]
        if goes_on and before is not None:
            position[run == 0] += before.ints["rows"][0]
        rows = np.flatnonzero(scored)

        def describe(i: int) -> dict[str, Any]:
            row = int(rows[i])
            found = {"doc": names[run[row]], "position": int(position[row])}
            if self._token is not None:
                found["token"] = part.batch.column(self._token)[row].as_py()
            return found

        tokens = Tokens(surprisal[scored], describe)
        return (runs if before is None else runs.after(before)), tokens

    def _look_for_repeats(self, count: Array, start: Array) -> None:
        """Note the counts that are the same in all rows of a document, until one differs."""
        least, most = np.minimum.reduceat(count, start), np.maximum.reduceat(count, start)
        several = np.diff(start, append=len(count)) >= SEVERAL
        if (least != most)[several].any():
            self._repeated, self._varies = set(), True
        elif not self._varies and len(self._repeated) < 2:
            self._repeated |= set(least[several].tolist())

    def _runs(self, part: Part) -> tuple[Array, list[str]]:
        """Return where each run of one document's rows starts, and the document's name."""
        column = part.batch.column(self._doc)
        part.check(self._doc, is_null(column), "name the document of every row", lambda i: "null")
        codes = column if types.is_dictionary(column.type) else column.dictionary_encode()
        code = as_numpy(codes.indices)
        start = np.concatenate([[0], np.flatnonzero(np.diff(code)) + 1])
        return start, [str(x) for x in codes.take(pa.array(start)).to_pylist()]

    def _surprisal(self, part: Part, first: Array) -> Array:
        """Return −log q of each row in nats, (n,); NaN where a document's first token has none."""
        column = part.batch.column(self._logprob)
        null = is_null(column) if column.null_count else np.zeros(len(column), bool)
        part.check(
            self._logprob,
            null & ~first,
            "hold the logprob of every token but a document's first",
            lambda i: "null",
        )
        logprob = as_numpy(column.cast(pa.float64(), safe=False).fill_null(0.0))
        bad, expected = wrong_logprobs(logprob)
        part.check(self._logprob, bad, expected, lambda i: logprob[i])
        return np.where(null, np.nan, surprisals(logprob))


def _nothing(i: int) -> dict[str, Any]:
    raise IndexError(i)


def _whole_numbers(part: Part, column: str) -> Array:
    given = numbers(part, column)
    bad = ~((given >= 0) & (given < LARGEST_COUNT) & (given == np.floor(given)))
    part.check(column, bad, "be a whole number, 0 or more", lambda i: f"{given[i]:g}")
    return given.astype(np.int64)


def _check_numbers(table: Table, name: str) -> None:
    kind = table.schema.field(name).type
    text = table.format == "CSV" and types.is_string(kind)  # its first bad cell is named later
    if not (types.is_floating(kind) or types.is_integer(kind) or types.is_null(kind) or text):
        where = f"{table.paths[0]}: column {name!r}"
        refuse(where, "hold numbers", kind, error=TableError)


def _missing(table: Table, option: str, name: str) -> None:
    present = table.schema.names
    other = [x for x in present if x.lower() in NOT_LOGPROBS] if name == "logprob" else []
    hint = f"; logprob is log q in nats: the negative of a cost, not {other[0]!r}" if other else ""
    shown = ", ".join(present[:20]) + (", …" if len(present) > 20 else "")
    raise TableError(
        f"{table.paths[0]}: no column {name!r} (--{option} names another); its columns are "
        f"{shown}{hint}"
    )
