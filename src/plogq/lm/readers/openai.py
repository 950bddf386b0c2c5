"""Responses of servers that speak OpenAI's protocol, vLLM first of all.

References
----------
vLLM, `vllm/entrypoints/openai/`: `CompletionLogProbs`, `ChatCompletionLogProbsContent`, and the
`prompt_logprobs` of both responses, a map from token id to logprob for each token of the prompt.
"""

from __future__ import annotations

from typing import Any, Literal

from plogq.lm.readers.scored import (
    LineError,
    Scored,
    Token,
    finite_or_impossible,
    logprob_of,
    measured,
)

Section = Literal["prompt", "completion", "all"]
NO_LOGPROB = -9999.0  # what vLLM writes for log 0 and where there is none


def is_response(line: dict[str, Any]) -> bool:
    """Tell a response, by itself or as a batch run wraps it."""
    return "choices" in line or ("response" in line and "custom_id" in line)


def read_response(line: dict[str, Any], part: Section | None) -> list[Scored]:
    """Give a document for each choice."""
    response, name = line, line.get("custom_id") or line.get("id")
    if "choices" not in line:
        wrapped = line["response"] or {}
        response = wrapped.get("body") or {}
        if "choices" not in response:
            raise LineError(f"the response must hold choices; got {str(line.get('error'))[:60]}")
    choices = _list(response["choices"], "choices")
    if not choices:
        raise LineError("the response holds no choice")
    several = len(choices) > 1
    usage = response.get("usage") or {}
    echoed = None if several else usage.get("prompt_tokens")
    found = []
    for i, choice in enumerate(choices):
        tokens, text = _chosen(_object(choice, "a choice"), response, echoed, part)
        known = None if name is None else str(name)
        found.append(measured(f"{known}:{i}" if several and known else known, tokens, text))
    return found


def _chosen(
    choice: dict[str, Any], response: dict[str, Any], echoed: Any, part: Section | None
) -> tuple[list[Token], str | None]:
    """Give the tokens to score, and the text they spell where that is known."""
    given, text = _given(choice)
    prompt = _prompt(choice, response)
    echo = bool(given) and given[0].logprob is None  # a prompt's first token alone has none
    if echo:
        end = len(prompt) or (echoed if isinstance(echoed, int) else None)
        if end is None and part != "all":
            raise LineError(
                "the prompt is echoed, and nothing says where it ends (usage.prompt_tokens): "
                "score all of it with --part all"
            )
        prompt, completion, whole = given[:end], given[end:] if end else [], given
    else:
        completion, whole = given, [*prompt, *given]
    if not whole:
        raise LineError(
            "no logprobs: ask the server for logprobs (of what it writes) or prompt_logprobs "
            "(of a given text)"
        )
    if part is None:
        if prompt and completion:
            raise LineError(
                f"logprobs of a prompt ({len(prompt)} tokens) and of what the model wrote after "
                f"it ({len(completion)}): choose with --part prompt, completion or all"
            )
        part = "prompt" if prompt else "completion"
    tokens = {"prompt": prompt, "completion": completion, "all": whole}[part]
    if not tokens:
        raise LineError(f"no logprobs of the {part}")
    for i, token in enumerate(tokens):
        if token.logprob is None and i:
            raise LineError(f"token {i} must have a logprob: only the first may have none")
    return tokens, text if tokens == given else None  # which is the text of these alone


def _given(choice: dict[str, Any]) -> tuple[list[Token], str | None]:
    """Give the tokens of `logprobs`, in the layout of completions or of chat."""
    logprobs = choice.get("logprobs")
    if logprobs is None:
        return [], None
    logprobs = _object(logprobs, "logprobs")
    if "token_logprobs" in logprobs:
        texts = _list(logprobs.get("tokens"), "logprobs.tokens")
        values = _list(logprobs["token_logprobs"], "logprobs.token_logprobs")
        if len(texts) != len(values):
            raise LineError(
                f"logprobs must have a token for each token_logprob; got {len(texts)} tokens "
                f"and {len(values)} logprobs"
            )
        tokens = [
            Token(str(text), _logprob(value, f"logprobs.token_logprobs[{i}]"))
            for i, (text, value) in enumerate(zip(texts, values, strict=True))
        ]
        text = choice.get("text")
        return tokens, text if isinstance(text, str) else None
    if "content" in logprobs:
        content = _list(logprobs["content"] or [], "logprobs.content")
        tokens = [_chat_token(entry, i) for i, entry in enumerate(content)]
        message = choice.get("message") or {}
        hidden = ("reasoning", "reasoning_content", "tool_calls")  # tokens that are no content
        text = None if any(message.get(key) for key in hidden) else message.get("content")
        return tokens, text if isinstance(text, str) else None
    raise LineError("logprobs must hold token_logprobs (completions) or content (chat)")


def _chat_token(entry: Any, i: int) -> Token:
    where = f"logprobs.content[{i}]"
    entry = _object(entry, where)
    logprob = _logprob(entry.get("logprob"), f"{where}.logprob")
    text, raw = str(entry.get("token", "")), None
    given = entry.get("bytes")
    if given is not None:
        try:
            raw = bytes(given)
        except (TypeError, ValueError):
            raise LineError(f"{where}.bytes must list bytes; got {given!r:.40}") from None
    # A server that has lost the bytes of a part of a character gives those of U+FFFD.
    return Token(text, logprob, None if raw == text.encode("utf-8", "replace") else raw)


def _prompt(choice: dict[str, Any], response: dict[str, Any]) -> list[Token]:
    """Give the tokens of `prompt_logprobs`: of the choice (completions) or the response (chat)."""
    holder = choice if choice.get("prompt_logprobs") is not None else response
    places = holder.get("prompt_logprobs")
    if places is None:
        return []
    ids = holder.get("prompt_token_ids")
    tokens = []
    for i, place in enumerate(_list(places, "prompt_logprobs")):
        where = f"prompt_logprobs[{i}]"
        if place is None:
            tokens.append(Token("", None))
            continue
        place = _object(place, where)
        key = None if ids is None or i >= len(ids) else str(ids[i])
        if key is None and len(place) == 1:
            key = next(iter(place))
        if key is None or key not in place:
            raise LineError(
                f"{where} lists {len(place)} tokens, and nothing says which is the text's: ask "
                "for prompt_logprobs=0, or for return_token_ids"
            )
        entry = _object(place[key], where)
        text = entry.get("decoded_token")
        logprob = _logprob(entry.get("logprob"), f"{where}.logprob")
        tokens.append(Token("\ufffd" if text is None else str(text), logprob))
    return tokens


def _logprob(value: Any, where: str) -> float | None:
    return finite_or_impossible(logprob_of(value, where), NO_LOGPROB)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise LineError(f"{where} must be an object; got {value!r:.40}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise LineError(f"{where} must be a list; got {value!r:.40}")
    return value
