"""Doubts about a table of tokens: signs that its columns are not what they are called."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from plogq.lm.documents import Remarks
from plogq.lm.readers.spelled import MARK, REPLACEMENT, VOCABULARY
from plogq.tables.arrays import Array, as_numpy

SEVERAL = 3  # so many equal rows are hardly chance
MANY = 8  # so many costs rise without a fall only where they are running sums
MOST_TEXTS = 1 << 17  # tokens whose texts are looked at, which takes longer than scoring them
HIGH = 9.0  # nats; a cost of at least this may be a code for a missing one: 9, 99, 999
ZERO_FIRSTS = (
    "the first logprob of every document is exactly 0: does it stand for none? Then it must be "
    "null, or its bytes are counted and its cost is not"
)


class TableDoubts:
    """Signs in all rows of a table as it streams, and the warnings that follow from them.

    Parameters
    ----------
    bytes
        The column of bytes, if there is one.
    """

    def __init__(self, bytes: str | None) -> None:
        self._bytes = bytes
        self._in_vocabulary = False  # tokens are called as in a vocabulary: "Ġname"
        self._looked_at = self._unlike = 0
        self._example = ""
        self._highest, self._at_highest, self._varied = -np.inf, 0, False
        self._falls, self._rises = False, 0
        self._firsts = self._zero_firsts = 0
        self._certain = True
        self._documents = {"begin": 0, "end": 0}
        self._masked = {"begin": 0, "end": 0}

    def add(
        self,
        surprisal: Array,
        start: Array,
        goes_on: bool,
        tokens: pa.Array | None,
        count: Array | None,
    ) -> None:
        """Add rows: −log q (n,), where runs of one document start, their texts and bytes (n,).

        The first run goes on from the rows before if it `goes_on`; the last may go on after.
        """
        if tokens is not None and count is not None and self._looked_at < MOST_TEXTS:
            self._look_at_bytes(tokens, count)
        finite = surprisal[np.isfinite(surprisal)]
        if len(finite):
            self._look_at_highest(finite)
        inside = np.ones(len(surprisal), bool)
        inside[start] = False
        before, after = surprisal[:-1][inside[1:]], surprisal[1:][inside[1:]]
        self._falls |= bool((after < before).any())
        self._rises += int(np.count_nonzero(after > before))
        zero = surprisal == 0
        first = zero[start[goes_on:]]
        self._firsts += len(first)
        self._zero_firsts += int(np.count_nonzero(first))
        self._certain &= bool(zero.all())
        self._look_for_masks(zero, start, goes_on)

    def _look_at_bytes(self, tokens: pa.Array, count: Array) -> None:
        from pyarrow import compute as pc  # it takes long to load

        self._looked_at += len(tokens)
        texts = tokens.cast(pa.string()).fill_null("")
        if pc.any(pc.match_substring_regex(texts, VOCABULARY.pattern)).as_py():
            self._in_vocabulary = True
            return
        odd = pc.match_substring_regex(texts, rf"^(?:{MARK.pattern})$|{REPLACEMENT}|\\|^\s*$")
        size = as_numpy(pc.binary_length(texts)).astype(np.int64)
        plain = ~as_numpy(odd.cast(pa.int8())).astype(bool)
        # The text in the table may have lost the blank before a word.
        unlike = plain & ((count < size) | (count > size + 1))
        if unlike.any() and not self._unlike:
            i = int(np.argmax(unlike))
            self._example = f"{texts[i].as_py()!r} is {size[i]}, and {count[i]} are counted"
        self._unlike += int(np.count_nonzero(unlike))

    def _look_at_highest(self, costs: Array) -> None:
        highest = float(costs.max())
        self._varied |= bool((costs != costs[0]).any())
        if highest > self._highest:
            self._highest, self._at_highest = highest, 0
        if highest == self._highest:
            self._at_highest += int(np.count_nonzero(costs == highest))

    def _look_for_masks(self, zero: Array, start: Array, goes_on: bool) -> None:
        end = np.append(start[1:], len(zero))
        long = (end - start >= 2 * SEVERAL) & (np.add.reduceat(~zero, start) > 0)
        for where in ("begin", "end"):
            chosen = long.copy()
            if where == "begin" and goes_on:
                chosen[0] = False
            if where == "end":
                chosen[-1] = False
            edge = start[chosen] if where == "begin" else end[chosen] - SEVERAL
            self._documents[where] += len(edge)
            self._masked[where] += int(
                np.count_nonzero(zero[edge[:, None] + np.arange(SEVERAL)].all(axis=1))
            )

    def remark(self, remarks: Remarks) -> None:
        """Add warnings on what the rows may be."""
        if self._unlike and not self._in_vocabulary:
            remarks.add(
                "bytes_not_of_tokens",
                f"column {self._bytes!r} does not count the bytes that tokens spell in UTF-8 "
                f"({self._example}): it must, of each token",
                self._unlike,
            )
        if self._at_highest >= SEVERAL and self._highest >= HIGH and self._varied:
            remarks.add(
                "lowest_logprob",
                f"no logprob is below {-self._highest:g}, and {self._at_highest} are just that: "
                "does it stand for a missing one, or for all that is lower? A missing one is null, "
                "and a document's first",
                self._at_highest,
            )
        if self._rises >= MANY and not self._falls:
            remarks.add(
                "running_sums",
                "within documents no logprob is above the one before: are these running sums? Each "
                "row must have that of its own token",
                self._rises,
            )
        if self._firsts == self._zero_firsts >= 2 and not self._certain:
            remarks.add("zero_firsts", ZERO_FIRSTS, self._firsts)
        for where, masked in self._masked.items():
            if masked > 1 and 2 * masked >= self._documents[where]:
                remarks.add(
                    "masked_tokens",
                    f"documents {where} with logprobs that are exactly 0: are these rows masked "
                    "out? Then leave them out, for here they count as certain",
                    masked,
                )
