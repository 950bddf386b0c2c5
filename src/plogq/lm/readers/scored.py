"""A text with the logprobs of its tokens: which tokens count, and how long their text is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from plogq.lm.readers.response import Passage, RecordError, Response, Token
from plogq.lm.readers.spelled import Spelled, spelled

Section = Literal["prompt", "completion", "all"]


class Scored(NamedTuple):
    """A document: log q of each token, None for a first token that has none.

    Attributes
    ----------
    counts
        How many tokens, words, characters and bytes were scored; None where it is not known.
    text
        A hash of the text, including what was not scored of it; None where it is not known.
    section
        Which part of a response it is.
    remarks
        Warnings on how it was read: pairs of a code and a message.
    """

    name: str | None
    logprobs: list[float | None]
    names: list[str] | None  # of the tokens
    counts: dict[str, int | None]
    unscored_bytes: int = 0
    text: int | None = None
    section: Section | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[float, ...], ...] = ()


def score_parts(
    responses: list[Response], part: Section | None, name: str | None = None
) -> list[Scored]:
    """Return the documents of a record: the part that is asked for of each response.

    A prompt that was answered several times is one text. `name` is used in place of the name that
    the server gave.
    """
    found: list[Scored] = []
    seen: list[list[Token]] = []
    for response in responses:
        tokens = [token for passage in response.passages for token in passage.tokens]
        section, start, stop = _range(response, tokens, part)
        prompt = tokens[: response.end] if response.end else []
        again = section != "completion" and prompt in seen
        if again and section == "all":
            raise RecordError(
                "several answers to one prompt, whose tokens would count once for each: choose "
                "with --part prompt or completion"
            )
        if again:
            continue
        seen += [prompt] if prompt else []
        scored = _scored(response, section, tokens, start, stop)
        found.append(scored if name is None else scored._replace(name=name))
    if len(found) == 1:
        return found
    shared = [x for x in found if x.section == "all" and x.logprobs[:2] == found[0].logprobs[:2]]
    if len(shared) > 1 and found[0].logprobs[0] is None:
        remark = ("shared_prompt", "answers begin alike: a prompt that they share counts for each")
        found = [x._replace(remarks=(*x.remarks, remark)) for x in found]
    return [x if x.name is None else x._replace(name=f"{x.name}:{i}") for i, x in enumerate(found)]


def _range(
    response: Response, tokens: list[Token], part: Section | None
) -> tuple[Section, int, int]:
    """Return the part that counts, its first token, and the token after its last."""
    if not tokens:
        raise RecordError(
            "no logprobs: ask the server for logprobs (of what it writes) or prompt_logprobs "
            "(of a given text)"
        )
    n, end = len(tokens), response.end
    if part == "all":
        return "all", 0, n
    if end is None or (part is not None and response.doubt):
        raise RecordError(f"{response.doubt}: score all that is listed with --part all")
    if part is None:
        if 0 < end < n:
            raise RecordError(
                f"logprobs of a prompt ({end} tokens) and of what the model wrote after it "
                f"({n - end}): choose with --part prompt, completion or all"
            )
        part = "prompt" if end else "completion"
    start, stop = (0, end) if part == "prompt" else (end, n)
    if start == stop:
        raise RecordError(f"no logprobs of the {part}")
    return part, start, stop


def _scored(
    response: Response,
    section: Section,
    tokens: list[Token],
    start: int,
    stop: int,
) -> Scored:
    chosen = tokens[start:stop]
    missing = next((i for i, t in enumerate(chosen) if t.logprob is None and i), None)
    if missing is not None:
        raise RecordError(f"token {missing} must have a logprob: only the first may have none")
    texts = list(_texts(response.passages, start, stop))
    counts: dict[str, int | None] = dict.fromkeys(("token", "word", "character", "byte"))
    counts["token"] = sum(token.logprob is not None for token in chosen)
    remarks = [("prompt_end", response.doubt)] if response.doubt and section != "all" else []
    if response.remark:
        remarks.append(("sampler", response.remark))
    whole = None
    unknown = next((text for text in texts if text.text is None), None)
    if unknown is None:
        data = b"".join(text.text or b"" for text in texts)
        counts |= {
            "word": len(data.decode("utf-8", "replace").split()),
            "character": sum((byte & 0xC0) != 0x80 for byte in data),
            "byte": len(data),
        }
        whole = hash(texts[0].unscored + data)
    elif unknown.why:
        remarks.append(("bytes_unknown", unknown.why))
    if mark := next((text.mark for text in texts if text.mark), None):
        remarks.append(
            (
                "marks_in_text",
                f"tokens such as {mark!r} look like marks of a template, and stand in the text: "
                "the bytes of their names are counted",
            )
        )
    if any(text.extra for text in texts):
        remarks.append(
            (
                "tokens_without_text",
                "tokens other than marks are not in the text of the response (a stop sequence, or "
                "thinking that the server cut out): their cost counts, and they have no bytes",
            )
        )
    return Scored(
        response.name,
        [token.logprob for token in chosen],
        [token.name or "" for token in chosen],
        counts,
        len(texts[0].unscored),
        whole,
        section,
        tuple(remarks),
        tuple(token.others for token in chosen if token.others),
    )


def _texts(passages: tuple[Passage, ...], start: int, stop: int) -> list[Spelled]:
    """Return the text of a range of tokens, passage by passage."""
    found, at = [], 0
    for passage in passages:
        first, last = max(start, at) - at, min(stop, at + len(passage.tokens)) - at
        if first < last:
            found.append(spelled(passage, first, last))
        at += len(passage.tokens)
    return found
