"""Records as their writers make them, of tokens given as (text, logprob)."""

import json

from plogq.lm import score_tokens

WRITTEN = [("It", -0.5), (" snows", -2.0), (" in", -0.25), (" Bergen", -1.5)]  # 4.25 nats, 18 bytes
ASKED = [("How", None), (" is", -0.75), (" it", -1.25)]  # 2 nats over 6 bytes, after 3


def spell(tokens):
    return "".join(text for text, _ in tokens)


def chat_tokens(tokens):
    return [
        {"token": t, "logprob": x, "bytes": list(t.encode()), "top_logprobs": []} for t, x in tokens
    ]


def places(tokens, first=100):
    """vLLM's maps from ids to logprobs."""
    return [
        None if x is None else {str(first + i): {"logprob": x, "rank": 1, "decoded_token": t}}
        for i, (t, x) in enumerate(tokens)
    ]


def completion(tokens, *, text=None, usage=None, name="cmpl-1", **more):
    logprobs = {"tokens": [t for t, _ in tokens], "token_logprobs": [x for _, x in tokens]}
    choice = {"index": 0, "text": spell(tokens) if text is None else text, "logprobs": logprobs}
    return {"id": name, "choices": [choice | more], "usage": usage}


def chat(tokens, *, content=None, name="chatcmpl-1", **message):
    text = spell(tokens) if content is None else content
    choice = {"index": 0, "message": {"role": "assistant", "content": text} | message}
    return {"id": name, "choices": [choice | {"logprobs": {"content": chat_tokens(tokens)}}]}


def responses_api(tokens, name="resp-1"):
    piece = {"type": "output_text", "text": spell(tokens), "logprobs": chat_tokens(tokens)}
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [piece]},
    ]
    return {"id": name, "object": "response", "status": "completed", "output": output}


def request_output(prompt, written, name="0"):
    output = {
        "index": 0,
        "text": spell(written),
        "token_ids": [200 + i for i in range(len(written))],
    }
    return {
        "request_id": name,
        "prompt": spell(prompt),
        "prompt_token_ids": [100 + i for i in range(len(prompt))],
        "prompt_logprobs": places(prompt),
        "outputs": [output | {"logprobs": places(written, 200)}],
    }


def sglang(prompt, written, name="a1"):
    def entries(tokens):
        return [[x, 100 + i, t] for i, (t, x) in enumerate(tokens)]

    info = {
        "id": name,
        "finish_reason": {"type": "length", "length": len(written)},
        "input_token_logprobs": entries(prompt),
        "output_token_logprobs": entries(written),
    }
    return {"text": spell(written), "meta_info": info}


def tgi(prompt, written):
    def entries(tokens, **more):
        return [{"id": i, "text": t, "logprob": x} | more for i, (t, x) in enumerate(tokens)]

    end = {"id": 2, "text": "</s>", "logprob": -0.125, "special": True}
    details = {
        "finish_reason": "eos_token",
        "generated_tokens": len(written) + 1,
        "prefill": entries(prompt),
        "tokens": [*entries(written, special=False), end],
    }
    return {"generated_text": spell(written), "details": details}


def llama_cpp(tokens, key="completion_probabilities"):
    return {"content": spell(tokens), "stop": True, key: chat_tokens(tokens)}


def ollama(tokens):
    return {"model": "m", "response": spell(tokens), "done": True, "logprobs": chat_tokens(tokens)}


def gemini(tokens, *, python=False):
    """One answer of Gemini's; in Python's names, or in those of JSON."""
    chosen = [{"token": t, "tokenId": i, "logProbability": x} for i, (t, x) in enumerate(tokens)]
    held = {
        "chosenCandidates": chosen,
        "topCandidates": [{"candidates": [each]} for each in chosen],
    }
    content = {"parts": [{"text": spell(tokens)}], "role": "model"}
    record = {
        "candidates": [{"content": content, "logprobsResult": held}],
        "responseId": "r1",
    }
    if not python:
        return record
    text = json.dumps(record)
    for name in ("chosenCandidates", "topCandidates", "logprobsResult", "logProbability",
                 "responseId"):  # fmt: skip
        text = text.replace(name, "".join(f"_{c.lower()}" if c.isupper() else c for c in name))
    return json.loads(text)


def cohere(tokens, *, whole=False):
    """One answer of Cohere's: a piece of text for each token, or one of all."""
    pieces = [{"text": t, "token_ids": [i], "logprobs": [x]} for i, (t, x) in enumerate(tokens)]
    if whole:
        ids = list(range(len(tokens)))
        pieces = [{"text": spell(tokens), "token_ids": ids, "logprobs": [x for _, x in tokens]}]
    message = {"role": "assistant", "content": [{"type": "text", "text": spell(tokens)}]}
    return {"id": "c1", "finish_reason": "COMPLETE", "message": message, "logprobs": pieces}


def numbered(tokens):
    """A completion whose tokens are numbers, as those of mlx-lm."""
    record = completion(tokens)
    record["choices"][0]["logprobs"]["tokens"] = list(range(len(tokens)))
    return record


def bare(tokens):
    """A RequestOutput with a number at each place, as TensorRT-LLM's."""
    record = request_output([], tokens) | {"prompt_logprobs": None}
    record["outputs"][0]["logprobs"] = [x for _, x in tokens]
    return record


def together(prompt, written):
    """A chat whose prompt is listed by itself, as Together AI's with echo."""
    logprobs = completion(prompt)["choices"][0]["logprobs"]
    return chat(written) | {"prompt": [{"text": spell(prompt), "logprobs": logprobs}]}


def write(path, *records, name="x.jsonl"):
    file = path / name
    file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    return file


def score_records(path, *records, **options):
    """Score records, in nats."""
    return score_tokens(write(path, *records), **({"unit": "nat", "bootstrap": 0} | options))


def codes(result):
    return [warning.code for warning in result.warnings]
