"""A text as the tokens of a model, and the bytes, characters and words that each stands for."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from plogq.errors import TableError, refuse
from plogq.lm.documents import Remarks
from plogq.tables.arrays import Array

BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")  # what a vocabulary of SentencePiece calls a byte
BLANK = "▁"  # what a vocabulary of SentencePiece calls a blank
PART = "\ufffd"  # the text of a token that is a part of a character
SPACES = np.array([c for c in range(0x3001) if chr(c).isspace()], np.uint32)
PROBE = "a"  # any text at all, which shows what a tokenizer puts around it


class Encoded(NamedTuple):
    """A document as n tokens."""

    name: str
    ids: Array  # (n,) int64
    bytes: Array  # (n,) int64, of the text that it was, as UTF-8
    characters: Array  # (n,) int64: those that end in the token
    words: Array  # (n,) int64: those that end in the token
    texts: list[str]  # (n,): the text of each token


class Encoder:
    """A tokenizer, and what is to be said of the texts that it was given.

    Parameters
    ----------
    tokenizer
        A tokenizer of transformers.
    vocabulary
        How many tokens the model knows; None where it does not say so.
    remarks
        Where warnings are added.
    """

    def __init__(self, tokenizer: Any, vocabulary: int | None, remarks: Remarks) -> None:
        self._tokenizer, self._vocabulary, self._remarks = tokenizer, vocabulary, remarks
        self._has_offsets = bool(getattr(tokenizer, "is_fast", False))
        self._unknown = getattr(tokenizer, "unk_token_id", None)
        self._marks = np.array(sorted(getattr(tokenizer, "all_special_ids", ())), np.int64)

    def around(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the tokens that the tokenizer itself puts before a text, and behind it."""
        inside, whole = self._ids(PROBE, marks=False), self._ids(PROBE, marks=True)
        for i in range(len(whole) - len(inside) + 1):
            if whole[i : i + len(inside)] == inside:
                return tuple(whole[:i]), tuple(whole[i + len(inside) :])
        return (), ()

    def _ids(self, text: str, *, marks: bool) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=marks, verbose=False)["input_ids"])

    def encode(self, name: str, text: str) -> Encoded:
        """Return the tokens of a document, without any that are put around it."""
        ends, starts, ids = self._tokens(name, text)
        self._check(name, ids)
        if not len(ids):
            self._remarks.add("no_tokens", "documents are left out: the tokenizer makes no token "
                              "of their text")  # fmt: skip
            return Encoded(name, ids, ids, ids, ids, [])
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        size = np.concatenate(
            [[0], np.cumsum(1 + (codes > 0x7F) + (codes > 0x7FF) + (codes > 0xFFFF))]
        )
        space = np.isin(codes, SPACES)
        word_ends = ~space & np.append(space[1:], True)
        word = np.concatenate([[0], np.cumsum(word_ends)])
        # A token's text begins where that of the one before ended: what a tokenizer drops (blanks,
        # a mark that it cannot write) is of the next token, and of the last one at the end.
        stop = np.maximum.accumulate(ends)
        stop[-1] = len(text)
        begin = np.concatenate([[0], stop[:-1]])
        texts = [text[a:b] for a, b in zip(begin.tolist(), stop.tolist(), strict=True)]
        found = Encoded(name, ids, size[stop] - size[begin], stop - begin, word[stop] - word[begin],
                        texts)  # fmt: skip
        inside = np.flatnonzero(starts[1:] < stop[:-1])  # token i + 1 begins inside token i's text
        for group in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1):
            if len(group):
                self._share(found, int(group[0]), int(group[-1]) + 2)
        self._remark(found, text)
        return found

    def _share(self, found: Encoded, first: int, end: int) -> None:
        """Share out the characters that several tokens, `first` to `end`, are parts of.

        Each has as many bytes as its name says, if these add up, and a blank that SentencePiece
        puts before a text has none; otherwise the last one has all. A character, and a word, is of
        the token that completes it.
        """
        names = self._tokenizer.convert_ids_to_tokens(found.ids[first:end].tolist())
        whole = int(found.bytes[first:end].sum())
        each = [1 if BYTE.fullmatch(name) else 0 if name == BLANK else len(name) for name in names]
        if sum(each) != whole:
            each = [0] * (len(names) - 1) + [whole]
        part = PART if sum(map(bool, each)) > 1 else "".join(found.texts[first:end])
        found.bytes[first:end] = each
        for count in (found.characters, found.words):
            total = count[first:end].sum()
            count[first:end] = 0
            count[end - 1] = total
        found.texts[first:end] = [part if size else "" for size in each]

    def _tokens(self, name: str, text: str) -> tuple[Array, Array, Array]:
        """Return where in the text each token ends and begins, (n,), and its number."""
        if self._has_offsets:
            found = self._tokenizer(
                text, add_special_tokens=False, return_offsets_mapping=True, truncation=False,
                verbose=False,
            )  # fmt: skip
            places = np.array(found["offset_mapping"], np.int64).reshape(-1, 2)
            ids = np.array(found["input_ids"], np.int64)
            return places[:, 1].copy(), places[:, 0].copy(), ids
        listed = self._ids(text, marks=False)
        pieces = [self._decoded([each]) for each in listed]
        if "".join(pieces) != text:
            refuse("tokenizer", "say which part of a text a token is, as a fast one does, or have "
                   "tokens that decode to their texts one by one",
                   f"{type(self._tokenizer).__name__}, for document {name!r}",
                   error=TableError)  # fmt: skip
        ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
        return ends, np.concatenate([[0], ends[:-1]]), np.array(listed, np.int64)

    def _decoded(self, ids: list[int]) -> str:
        options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
        return str(self._tokenizer.decode(ids, **options))

    def _check(self, name: str, ids: Array) -> None:
        """Refuse what the model cannot read."""
        if self._vocabulary is not None and (odd := ids >= self._vocabulary).any():
            expected = f"fit the model, whose vocabulary has {self._vocabulary:,} tokens"
            came = f"token {ids[odd][0]} in document {name!r}: is it the model's own tokenizer?"
            refuse("tokenizer", expected, came, error=TableError)

    def _remark(self, found: Encoded, text: str) -> None:
        """Remark on what the tokenizer changes."""
        special = np.flatnonzero(np.isin(found.ids, self._marks))
        named = getattr(self._tokenizer, "unk_token", None)
        unknown = [i for i in special[found.ids[special] == self._unknown].tolist()
                   if found.texts[i].strip() != named]  # fmt: skip
        marks = len(special) - len(unknown)
        if unknown:
            self._remarks.add(
                "unknown_tokens",
                "tokens stand for text that the vocabulary lacks: each costs what any unknown text "
                "does, so that the figures are too low",
                len(unknown),
            )
        elif self._decoded(found.ids.tolist()) != text:
            self._remarks.add(
                "lossy_tokenizer",
                f"documents do not come back from their tokens as they are (first {found.name!r}): "
                "the model was given another text than the one whose bytes are counted",
            )
        if marks:
            self._remarks.add(
                "marks_in_text",
                "places of the text name a special token, such as an end of text, and were given "
                "to the model as that token; their bytes count as text",
                marks,
            )
