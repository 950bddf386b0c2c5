"""How long the text of tokens is: the name of a token may differ from the text it stands for.

A vocabulary writes " name" as "▁name" or "Ġname", a byte as "<0xE2>", the inside of a word as
"##ing"; a server may know a token by its number alone, and a mark such as "<|im_end|>" has no
text. A name is therefore taken for text only where the text of the response confirms it. If there
is no such text, a name is taken for text unless it looks like something else; otherwise the bytes
are not known.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import NamedTuple

from plogq.lm.readers.response import Passage, Token

REPLACEMENT = "\ufffd"  # the result of decoding a token that is only a part of a character
STOP_TOKENS = 4  # at most so many a server cuts off behind the text; more, it hides on purpose
MARK = re.compile(r"<[^<>\s]*>|\[[A-Z][A-Z0-9_]*\]")
NUMBER = re.compile(r"token_id:\d+")
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
ESCAPED = re.compile(r"bytes:((?:\\x[0-9A-Fa-f]{2})+)")
# Marks of models and chat templates; other texts of MARK's shape may be HTML.
SPECIAL = re.compile(r"<[|｜].*[|｜]>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>")
# Scripts without spaces between words: of South-East Asia, kana, Chinese characters, their marks.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u9fff\uff00-\uffef\U00020000-\U0003ffff]"
)
VOCABULARY = re.compile(r"[▁ĠĊ]|^##\S|^<0x[0-9A-Fa-f]{2}>$|^bytes:(?:\\x[0-9A-Fa-f]{2})+$")


class Spelled(NamedTuple):
    """The text of some tokens.

    Attributes
    ----------
    text
        The bytes of the text, or None where they are not known.
    why
        Why they are not known.
    unscored
        The bytes of a first token without logprob, which are not in `text`.
    extra
        How many of the tokens, other than marks, are not in the text.
    mark
        The name of a token that looks like a mark, though it stands in the text.
    """

    text: bytes | None
    why: str = ""
    unscored: bytes = b""
    extra: int = 0
    mark: str | None = None


def spelled(passage: Passage, start: int, stop: int) -> Spelled:
    """Return the text of the tokens from `start` to `stop`."""
    tokens = passage.tokens
    first = start + (start < stop and tokens[start].logprob is None)
    if passage.text is None:
        return _by_names(tokens[first:stop], tokens[start:first])
    text = _utf8(passage.text)
    ends = _ends(tokens, text, passage.offsets)
    if isinstance(ends, str):
        return Spelled(None, ends)
    a, b, c = ends[start], ends[first], ends[stop]
    if b is None or c is None:
        unknown = next(t for t in tokens if not _spellings(t) or _is_nameless(t))
        return Spelled(None, f"{_shown(unknown)} does not say what it spells")
    extra = sum(
        ends[i] == ends[i + 1] and not _is_mark(token) and not (token.name or "").isspace()
        for i, token in enumerate(tokens[first:stop], first)
        if ends[i] is not None
    )
    extra += _is_cut(tokens, ends, len(text), range(first, stop))
    if extra > STOP_TOKENS:
        return Spelled(None, f"{extra} tokens are not in the text of the response", extra=extra)
    shown = (tokens[i].name for i in range(first, stop) if ends[i] != ends[i + 1])
    mark = next((name for name in shown if name and SPECIAL.fullmatch(name)), None)
    return Spelled(text[b:c], "", b"" if a is None else text[a:b], extra, mark)


def _is_cut(tokens: list[Token], ends: list[int | None], size: int, chosen: range) -> bool:
    """Return whether the text ends inside the text of a token."""
    for i in reversed(chosen):
        a, b = ends[i], ends[i + 1]
        if a is None or b is None:
            return False
        if a < b:
            spellings = _spellings(tokens[i])
            return b == size and all(len(s.strip()) > b - a for s in spellings)
    return False


def _by_names(tokens: list[Token], before: list[Token]) -> Spelled:
    """Return the names of tokens as their text, unless there is a sign that they are not.

    One sign is that no name begins with a space, though words follow each other: a server that
    decodes each token alone may lose the spaces. `before` is a first token that is not scored; the
    end of its text is not known where it has no name.
    """
    for token in tokens:
        if not _spellings(token):
            return Spelled(None, f"{_shown(token)} does not say what it spells")
        if token.raw is None and token.name is not None:
            if VOCABULARY.search(token.name):
                return Spelled(None, f"{_shown(token)} is a name in a vocabulary, not a text")
            if MARK.fullmatch(token.name):
                return Spelled(None, f"{_shown(token)} may be a mark, not a text")
    names = [token.name or "" for token in tokens]
    spaced = any(name[:1] == " " and not name.isspace() for name in names)
    pairs = pairwise([*(token.name or "?" for token in before), *names])
    if not spaced and any(_meet(a, b) for a, b in pairs):
        return Spelled(None, "no token begins with a space: the server may have cut them off")
    return Spelled(b"".join(_spellings(token)[0] for token in tokens))


def _meet(a: str, b: str) -> bool:
    """Return whether a space may have been lost between two names."""
    ends = a[-1:], b[:1]
    return not any(c == "" or c.isspace() or UNSPACED.match(c) for c in ends)


def _ends(tokens: list[Token], text: bytes, offsets: list[object] | None) -> list[int | None] | str:
    """Return where each token ends in the text, after a 0 (None: not known); or why not."""
    plain = [_utf8(t.name or "") if t.raw is None else t.raw for t in tokens]
    if b"".join(plain) == text:
        return [0, *accumulate(map(len, plain))]
    left = _from_left(tokens, text)
    if isinstance(left, str):
        return left
    if len(left) == len(tokens) + 1:
        return [*left] if left[-1] == len(text) else "the tokens spell less than the text"
    right = _from_right(tokens, text, len(left) - 1, left[-1])
    if isinstance(right, str):
        return right
    between: list[int | None] = [None] * (len(tokens) + 1 - len(left) - len(right))
    ends = [*left, *between, *right]
    return ends if offsets is None else _with_offsets(ends, tokens, text, offsets)


def _from_left(tokens: list[Token], text: bytes) -> list[int] | str:
    """Return ends of tokens from the first on, up to one whose text is not known; or why not."""
    at, ends = 0, [0]
    for token in tokens:
        spellings = _spellings(token)
        rest = len(text) - at
        if rest and (not spellings or (_is_nameless(token) and text[at : at + 1] == b" ")):
            break
        if rest:
            size = next((len(s) for s in spellings if text.startswith(s, at)), None)
            if size is None:
                # A server may cut off blanks around the answer, and around thinking.
                cut = (f(s) for f in (bytes.rstrip, bytes.lstrip, bytes.strip) for s in spellings)
                size = next((len(s) for s in cut if text.startswith(s, at)), None)
            if size is None and any(s.startswith(text[at:]) for s in spellings):
                size = rest  # the text ends within the token: a stop sequence is cut off
            if size is None and _is_mark(token):
                size = 0
            if size is None:
                return f"{_shown(token)} is not in the text of the response"
            at += size
        ends.append(at)
    return ends


def _from_right(tokens: list[Token], text: bytes, first: int, least: int) -> list[int | None] | str:
    """Return ends of tokens back from the last, down to one whose text is not known; or why not."""
    at = len(text)
    ends: list[int | None] = [at]
    for i in range(len(tokens) - 1, first, -1):
        token = tokens[i]
        spellings = _spellings(token)
        if not spellings or (_is_nameless(token) and text[least:at][-1:] == b" "):
            return ends[::-1]
        sizes = [len(s) for s in spellings if text.endswith(s, least, at)]
        sizes += [0] if not sizes and _is_mark(token) else []
        if not sizes:
            return f"{_shown(token)} is not in the text of the response"
        # Among several spellings, one is taken before which the previous token can end.
        before = tokens[i - 1]
        size = next((n for n in sizes if _may_end(before, text[least : at - n])), sizes[0])
        at -= size
        # A space before it may belong to it, or to the previous token, whose spelling is not known.
        unclear = not _spellings(before) or _is_nameless(before)
        ends.append(None if unclear and len(set(sizes)) > 1 else at)
    return ends[::-1]


def _may_end(token: Token, text: bytes) -> bool:
    """Return whether a text may end with a token."""
    spellings = _spellings(token)
    return not spellings or _is_mark(token) or any(map(text.endswith, spellings))


def _with_offsets(
    ends: list[int | None], tokens: list[Token], text: bytes, offsets: list[object]
) -> list[int | None]:
    """Return the ends, completed by a server's offsets unless these only count names' lengths."""
    whole = text.decode("utf-8", "replace")
    starts = [x for x in offsets if isinstance(x, int) and 0 <= x <= len(whole)]
    if len(starts) != len(tokens) or starts != sorted(starts) or not any(starts):
        return ends
    counted = [0]
    for token in tokens[:-1]:
        counted.append(counted[-1] + len(token.name or ""))
    bytes_of = [len(_utf8(whole[:x])) for x in starts]
    fits = all(e is None or e == b for e, b in zip(ends[:-1], bytes_of, strict=True))
    if starts == counted or not fits:
        return ends
    return [b if e is None else e for e, b in zip(ends, [*bytes_of, len(text)], strict=True)]


def _spellings(token: Token) -> list[bytes]:
    """Return the texts a token may stand for, likeliest first; [] where its name shows none."""
    if token.raw is not None:
        return [token.raw]
    name = token.name
    if name is None or REPLACEMENT in name or NUMBER.fullmatch(name):
        return []
    plain = _utf8(name)
    found = [plain]
    if match := BYTE.fullmatch(name):
        found.append(bytes.fromhex(match[1]))
    elif match := ESCAPED.fullmatch(name):
        found.append(bytes.fromhex(match[1].replace("\\x", "")))
    if "▁" in name:
        found.append(_utf8(name.replace("▁", " ")))
    if all(c in BYTE_OF for c in name):
        found.append(bytes(BYTE_OF[c] for c in name))
    inside = plain.removeprefix(b"##")
    return [*found, inside, b" " + inside]  # decoding a token alone may lose its space


def _byte_names() -> dict[str, int]:
    """Return which byte each letter of a byte-level vocabulary stands for.

    References
    ----------
    Radford et al. (2019), Language models are unsupervised multitask learners: GPT-2's encoder
    names a byte that is a printable Latin-1 letter by that letter, the others from U+0100 on.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


BYTE_OF = _byte_names()


def _is_nameless(token: Token) -> bool:
    """Return whether a token may be a mark, or a space that was lost when it was decoded alone."""
    return token.raw is None and not token.name


def _is_mark(token: Token) -> bool:
    return token.raw == b"" or not token.name or bool(MARK.fullmatch(token.name))


def _shown(token: Token) -> str:
    return "a token without a name" if token.name is None else f"token {token.name!r:.40}"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
