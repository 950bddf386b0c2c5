"""vLLM without a server: `RequestOutput`, dumped as JSON.

References
----------
vLLM, `vllm/outputs.py` (`RequestOutput`, `CompletionOutput`).
"""

from __future__ import annotations

from typing import Any

from plogq.lm.readers.prompt_logprobs import read_places
from plogq.lm.readers.response import Passage, Response, list_of, object_of, text_of

NAME = "vLLM RequestOutputs"


def recognises(record: dict[str, Any]) -> bool:
    """Return whether a record is a RequestOutput."""
    return "request_id" in record and "outputs" in record


def read(record: dict[str, Any]) -> list[Response]:
    """Return the prompt with each output, or the prompt alone where there is none."""
    name = str(record["request_id"])
    places = record.get("prompt_logprobs")
    prompt = Passage([], None)
    if places is not None:
        tokens = read_places(places, record.get("prompt_token_ids"), "prompt_logprobs")
        prompt = Passage(tokens, text_of(record.get("prompt")))
    found = []
    for i, output in enumerate(list_of(record["outputs"], "outputs") or [{}]):
        output = object_of(output, f"outputs[{i}]")
        written = Passage([], None)
        if output.get("logprobs") is not None:
            where = f"outputs[{i}].logprobs"
            tokens = read_places(output["logprobs"], output.get("token_ids"), where)
            written = Passage(tokens, text_of(output.get("text")))
        found.append(Response(name, (prompt, written), len(prompt.tokens)))
    return found
