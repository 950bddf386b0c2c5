"""Responses of servers that speak OpenAI's protocol, vLLM first of all.

References
----------
vLLM, `vllm/entrypoints/openai/`: `CompletionLogProbs`, `ChatCompletionLogProbsContent`, and the
`prompt_logprobs` of both responses.
"""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.prompt_logprobs import read_places
from plogq.lm.readers.response import (
    Passage,
    RecordError,
    Response,
    Token,
    chat_token,
    count_of,
    list_of,
    logprob_of,
    number_of,
    object_of,
    text_of,
)

NAME = "OpenAI responses"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a response; choices that are not objects are a table's column."""
    choices = record.get("choices")
    return isinstance(choices, list) and all(isinstance(choice, dict) for choice in choices)


def read(record: dict[str, Any]) -> list[Response]:
    """Return what each choice holds."""
    choices = [object_of(c, "a choice") for c in list_of(record["choices"], "choices")]
    if not choices:
        raise RecordError("the response holds no choice")
    given = [_passage(choice) for choice in choices]
    asked, written = _usage(record, [0 if p is None else len(p.tokens) for p in given])
    return [
        _response(choice, passage, record, asked, written)
        for choice, passage in zip(choices, given, strict=True)
    ]


def _usage(record: dict[str, Any], listed: list[int]) -> tuple[int | None, int | None]:
    """Return how many tokens the prompt and the answer have; None where it is not known.

    Of several answers only the sum is known. If more tokens are listed than that allows, the prompt
    is echoed in each: 0 for the answer then says that the end of the prompt is not known.
    """
    usage = record.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    asked, written = (count_of(usage.get(f"{of}_tokens")) for of in ("prompt", "completion"))
    total = count_of(usage.get("total_tokens"))
    if written is None and asked is not None and total is not None:
        written = total - asked
    if len(listed) == 1:
        return asked, written
    more = written is not None and sum(listed) > written + len(listed)
    return None, 0 if more else None


def _response(
    choice: dict[str, Any],
    given: Passage | None,
    record: dict[str, Any],
    asked: int | None,
    written: int | None,
) -> Response:
    name = record.get("id")
    name = None if name is None else str(name)
    prompt = _prompt(choice, record)
    if given is None or "message" in choice:
        both = (prompt, given or Passage([], None))
        return Response(name, both, len(prompt.tokens))
    listed, before = ([t.logprob for t in passage.tokens] for passage in (given, prompt))
    echoed = bool(listed) and listed[0] is None
    if echoed and before and listed[: len(before)] == before:
        return Response(name, (given,), len(before))
    end, doubt = _prompt_end(len(listed), echoed=echoed, asked=asked, written=written)
    if end == 0 and doubt is None:
        return Response(name, (prompt, given), len(before))
    return Response(name, (given,), end, doubt)


def _prompt_end(
    n: int, *, echoed: bool, asked: int | None, written: int | None
) -> tuple[int | None, str | None]:
    """Return how many of n listed tokens are an echoed prompt's, and why it may be another number.

    Only a prompt's first token has no logprob, unless a server puts a mark before it. The counts of
    `usage` decide the rest, where they agree with what is listed.
    """
    if asked is None or written is None:
        if not echoed and (written is None or n <= written + 1):
            return 0, None
        if echoed and asked is not None:
            return min(asked, n), None
        return None, "the prompt is echoed, and nothing says where it ends (usage.prompt_tokens)"
    if n == asked + written and (echoed or written < n):
        return asked, None
    if echoed and n == asked and written <= 1:
        # Where max_tokens is 0, vLLM counts a token all the same. With a mark before the prompt
        # that is counted and not listed, the numbers are the same.
        doubt = (
            f"usage counts {asked} tokens of the prompt and {written} after it, and {n} are "
            "listed: all of them are the prompt's if max_tokens was 0, and the last is the "
            "model's own if the server put a mark before the prompt"
        )
        return n, doubt if written else None
    if not echoed and n <= written + 1:
        return 0, None
    doubt = (
        f"usage counts {asked} tokens of the prompt and {written} after it, and {n} are listed: "
        "nothing says where the prompt ends"
    )
    return None, doubt


def _passage(choice: dict[str, Any]) -> Passage | None:
    """Return the tokens of `logprobs`, in the layout of completions or of chat."""
    logprobs = choice.get("logprobs")
    if logprobs is None:
        return None
    logprobs = object_of(logprobs, "logprobs")
    if "token_logprobs" in logprobs:
        return _completion(logprobs, choice)
    if "content" in logprobs:
        content = list_of(logprobs["content"] or [], "logprobs.content")
        tokens = [chat_token(entry, f"logprobs.content[{i}]") for i, entry in enumerate(content)]
        return Passage(tokens, _written(choice))
    raise RecordError("logprobs must hold token_logprobs (completions) or content (chat)")


def _completion(logprobs: dict[str, Any], choice: dict[str, Any]) -> Passage:
    names = list_of(logprobs.get("tokens"), "logprobs.tokens")
    values = list_of(logprobs["token_logprobs"], "logprobs.token_logprobs")
    if len(names) != len(values):
        raise RecordError(
            f"logprobs must have a token for each token_logprob; got {len(names)} tokens "
            f"and {len(values)} logprobs"
        )
    tops = logprobs.get("top_logprobs")
    tops = tops if isinstance(tops, list) and len(tops) == len(values) else [None] * len(values)
    tokens = [
        Token(
            text_of(name),  # or a number alone
            logprob_of(value, f"logprobs.token_logprobs[{i}]"),
            others=tuple(number_of(x, "top_logprobs") for x in likely.values() if x is not None)
            if isinstance(likely, dict)
            else (),
        )
        for i, (name, value, likely) in enumerate(zip(names, values, tops, strict=True))
    ]
    offsets = logprobs.get("text_offset")
    return Passage(tokens, _written(choice), offsets if isinstance(offsets, list) else None)


def _written(choice: dict[str, Any]) -> str | None:
    """Return a message's text, its reasoning first; None for a call of a tool."""
    message = choice.get("message", {"content": choice.get("text")})
    message = message if isinstance(message, dict) else {}
    if message.get("tool_calls"):
        return None
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    content = message.get("content")
    content = "" if content is None and thought else content  # it was cut short while thinking
    if not isinstance(thought, str) or not isinstance(content, str):
        return None
    return thought + content


def _prompt(choice: dict[str, Any], record: dict[str, Any]) -> Passage:
    """Return `prompt_logprobs`, those of the choice (completions) or of the response (chat)."""
    holder = choice if choice.get("prompt_logprobs") is not None else record
    places = holder.get("prompt_logprobs")
    if places is None:
        return _echoed(record.get("prompt"))
    return Passage(read_places(places, holder.get("prompt_token_ids"), "prompt_logprobs"), None)


def _echoed(prompt: Any) -> Passage:
    """Return a prompt that the server lists apart, as Together AI does with `echo`."""
    listed = [each for each in prompt if isinstance(each, dict)] if isinstance(prompt, list) else []
    listed = [each for each in listed if isinstance(each.get("logprobs"), dict)]
    if len(listed) > 1:
        raise RecordError("several prompts, and nothing says which answer is whose")
    if not listed or "token_logprobs" not in listed[0]["logprobs"]:
        return Passage([], None)
    return _completion(listed[0]["logprobs"], listed[0])
