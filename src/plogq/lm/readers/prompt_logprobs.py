"""vLLM's `prompt_logprobs`: for each token of a prompt a map from token ids to logprobs.

References
----------
vLLM, `vllm/logprobs.py` (`PromptLogprobs`, `Logprob`): the map holds the k likeliest tokens, of
ranks 1 to k, and the prompt's own, whatever its rank; the first token has none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from plogq.lm.readers.response import RecordError, Token, list_of, logprob_of, text_of


class Entry(NamedTuple):
    """A token that may stand at a place."""

    token: Token
    rank: int | None


def read_places(places: Any, ids: Any, where: str) -> list[Token]:
    """Return the text's token at each place, which its id or its rank shows.

    TensorRT-LLM may give a number at each place: the logprob of the text's token.
    """
    if isinstance(places, list) and any(isinstance(place, (int, float)) for place in places):
        return [Token(None, logprob_of(x, f"{where}[{i}]")) for i, x in enumerate(places)]
    listed = [_entries(place, f"{where}[{i}]") for i, place in enumerate(list_of(places, where))]
    likeliest = _likeliest(listed)
    tokens = []
    for i, entries in enumerate(listed):
        if entries is None:
            tokens.append(Token(None, None))
            continue
        key = str(ids[i]) if isinstance(ids, list) and i < len(ids) else None
        if key is None:
            key = _own(entries, likeliest)
        if key is None or key not in entries:
            raise RecordError(
                f"{where}[{i}] lists {len(entries)} tokens, and nothing says which is the text's: "
                "ask for prompt_logprobs=0, or for return_token_ids"
            )
        others = [e.token.logprob for e in entries.values() if e.token.logprob is not None]
        tokens.append(entries[key].token._replace(others=tuple(others)))
    return tokens


def _entries(place: Any, where: str) -> dict[str, Entry] | None:
    if place is None:
        return None
    if not isinstance(place, dict):
        raise RecordError(f"{where} must be an object; got {place!r:.40}")
    found = {}
    for key, value in place.items():
        given = value if isinstance(value, dict) else {"logprob": value}
        logprob = logprob_of(given.get("logprob"), f"{where}.logprob")
        rank = given.get("rank")
        name = text_of(given.get("decoded_token"))
        found[key] = Entry(Token(name, logprob), rank if isinstance(rank, int) else None)
    return found


def _likeliest(listed: list[dict[str, Entry] | None]) -> int | None:
    """Return how many of the likeliest tokens each place lists; None where ranks do not show it."""
    for entries in listed:
        if not entries:
            continue
        ranks = [entry.rank for entry in entries.values()]
        if len(entries) == 1:
            return 1  # if more were asked for, more would be listed; if none, there is no choice
        known = [rank for rank in ranks if rank is not None]
        if len(known) == len(entries) and max(known) > len(entries):
            return len(entries) - 1
    return None


def _own(entries: dict[str, Entry], likeliest: int | None) -> str | None:
    """Return the id of the text's token: the only one, or the one beyond the likeliest."""
    if len(entries) == 1:
        return next(iter(entries))
    if likeliest is None or len(entries) != likeliest + 1:
        return None
    beyond = [key for key, e in entries.items() if e.rank is not None and e.rank > likeliest]
    return beyond[0] if len(beyond) == 1 else None
