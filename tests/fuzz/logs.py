"""Logs of language models and tables of tokens, damaged: refused, or the sum of their logprobs.

The plain readers take the logprobs from where the servers' documents say they are, and look at
nothing else. Where a record is not as documented, the sum is "unchecked".
"""

import csv
import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plogq.errors import TableError
from plogq.lm import score_tokens
from plogq.lm.score_tokens import open_tokens
from tests.fuzz.damage import damaged_bytes, damaged_json, damaged_rows
from tests.fuzz.judge import Wrong, check_refusal, same
from tests.fuzz.tables import NUMBER, SCORED_IN_FULL
from tests.lm.records import (
    chat,
    cohere,
    completion,
    gemini,
    llama_cpp,
    ollama,
    request_output,
    responses_api,
    sglang,
    tgi,
)
from tests.lm.test_harness import sample as rolling
from tests.lm.test_streams import STREAMS
from tests.tables.test_questions import sample as question

Found = list[float] | str
NOT_AS_DOCUMENTED = (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError)
WORDS = ("It", " snows", " in", " Bergen", ".", " ü", "\n", " 雪")


def tokens(rng: random.Random) -> list[tuple[str, float]]:
    some = [rng.choice(WORDS) for _ in range(rng.randrange(1, 5))]
    return [(word, -round(rng.expovariate(1), 3)) for word in some]


def judge(path: Path, plain: Callable[[Path], Found], *, in_full: bool) -> str:
    """Give what came of a file."""
    costs: list[float] = []
    try:
        source = open_tokens(path)
        for block in source.blocks():
            costs += [float(x) for x in block.tokens.surprisal]
        if in_full:
            whole = score_tokens(path, bootstrap=0, unit="nat")
            whole.to_json().encode()
            total = math.fsum(x for x in costs if x < math.inf)
            if not same(whole.surprisal_finite, total):
                raise Wrong(f"score_tokens: {whole.surprisal_finite}, its tokens: {total}")
    except TableError as error:
        return check_refusal(error)
    if any(math.isnan(x) or x < 0 for x in costs):
        raise Wrong(f"a cost is no cost: {costs}")
    expected = plain(path)
    if isinstance(expected, str):
        return f"unchecked: {expected}"
    if len(expected) != len(costs):
        raise Wrong(f"{len(costs)} tokens, where a plain reader has {len(expected)}")
    for i, (ours, theirs) in enumerate(zip(costs, expected, strict=True)):
        if not same(ours, max(0.0, -theirs)):
            raise Wrong(f"token {i} costs {ours}, a plain reader says {theirs}")
    return "right"


# Where the servers' documents say the logprobs are


def of_completion(record: Any) -> Any:
    return [x for choice in record["choices"] for x in choice["logprobs"]["token_logprobs"]]


def of_chat(record: Any) -> Any:
    return [t["logprob"] for choice in record["choices"] for t in choice["logprobs"]["content"]]


def of_list(key: str) -> Callable[[Any], Any]:
    return lambda record: [token["logprob"] for token in record[key]]


def of_cohere(record: Any) -> Any:
    return [x for piece in record["logprobs"] for x in piece["logprobs"]]


def of_gemini(record: Any) -> Any:
    return [
        token["logProbability"]
        for candidate in record["candidates"]
        for token in candidate["logprobsResult"]["chosenCandidates"]
    ]


def of_responses(record: Any) -> Any:
    return [
        token["logprob"]
        for item in record["output"]
        for piece in item.get("content", ())
        for token in piece["logprobs"]
    ]


def plain_log(where: Callable[[Any], Any]) -> Callable[[Path], Found]:
    def read(path: Path) -> Found:
        try:
            lines = path.read_bytes().decode().split("\n")
            found = [x for line in lines if line.strip() for x in where(json.loads(line))]
        except NOT_AS_DOCUMENTED as error:
            return f"{type(error).__name__} of a plain reader"
        if not all(type(x) in (int, float) for x in found):
            return "a logprob is no number"
        return [float(x) for x in found]

    return read


def log(make: Callable[[random.Random], Any], where: Callable[[Any], Any] | None) -> Any:
    plain = plain_log(where) if where else lambda path: "no plain reader"

    def one(rng: random.Random, folder: Path) -> str:
        records = [make(rng) for _ in range(rng.randrange(1, 4))]
        if rng.random() < 0.8:
            records = damaged_json(rng, records)
        lines = records if isinstance(records, list) else [records]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        if data and rng.random() < 0.25:
            data = damaged_bytes(rng, data, [data])
        path = folder / "x.jsonl"
        path.write_bytes(data)
        return judge(path, plain, in_full=rng.randrange(SCORED_IN_FULL) == 0)

    return one


def other(rng: random.Random) -> Any:
    """Give a record of a writer whose sums other tests hold: here it must not fail otherwise."""
    asked: list[tuple[str, float | None]] = [("How", None), *tokens(rng)]
    written = tokens(rng)
    kind = rng.randrange(7)
    if kind == 0:
        return request_output(asked, written, str(rng.random()))
    if kind == 1:
        return sglang(asked, written, str(rng.random()))
    if kind == 2:
        return tgi(asked, written)
    if kind == 3:
        return rolling(rng.randrange(9), -3.5, counted=9)
    if kind == 4:
        return question(0, [-1.0, -2.0, -3.0], "1", acc=0.0)
    if kind == 5:
        return {"custom_id": "q", "response": {"body": chat(written, name=str(rng.random()))}}
    return rng.choice(rng.choice(list(STREAMS.values())))


def token_table(rng: random.Random, folder: Path) -> str:
    rows = [["doc", "token", "logprob", "bytes"]]
    for doc in range(3):
        rows += [[f"d{doc}", word.strip() or "_", str(x), str(len(word.encode()))]
                 for word, x in tokens(rng)]  # fmt: skip
    if rng.random() < 0.7:
        rows = damaged_rows(rng, rows)
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    data = file.getvalue().encode(errors="surrogatepass")
    if data and rng.random() < 0.3:
        data = damaged_bytes(rng, data, [data])
    path = folder / "x.csv"
    path.write_bytes(data)
    return judge(path, plain_tokens, in_full=rng.randrange(SCORED_IN_FULL) == 0)


def plain_tokens(path: Path) -> Found:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        return f"{type(error).__name__} of a plain reader"
    rows = [[cell.strip() for cell in row] for row in rows if row]
    if not rows or rows[0].count("logprob") != 1 or {len(row) for row in rows} != {len(rows[0])}:
        return "rows of several lengths"
    cells = [row[rows[0].index("logprob")] for row in rows[1:]]
    if not all(NUMBER.fullmatch(cell) for cell in cells):
        return "a number is not plain"
    return [float(cell) for cell in cells]


def named(make: Callable[..., Any]) -> Callable[[random.Random], Any]:
    return lambda rng: make(tokens(rng), name=f"r{rng.random()}")


def unnamed(make: Callable[..., Any]) -> Callable[[random.Random], Any]:
    return lambda rng: make(tokens(rng))


TARGETS: dict[str, Callable[[random.Random, Path], str]] = {
    "log of completions": log(named(completion), of_completion),
    "log of chats": log(named(chat), of_chat),
    "log of responses": log(named(responses_api), of_responses),
    "log of llama.cpp": log(unnamed(llama_cpp), of_list("completion_probabilities")),
    "log of Ollama": log(unnamed(ollama), of_list("logprobs")),
    "log of Cohere": log(unnamed(cohere), of_cohere),
    "log of Gemini": log(unnamed(gemini), of_gemini),
    "log of another writer": log(other, None),
    "table of tokens": token_table,
}
