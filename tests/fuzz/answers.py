"""Results that are read back, bodies that the explorer is sent, and code files: damaged."""

import asyncio
import functools
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plogq.compare import compare
from plogq.explorer.pages import PAGES
from plogq.explorer.server.app import application
from plogq.lm import score_tokens
from plogq.records import Document
from plogq.reports.findings.of_result import first_screen
from plogq.reports.html import report_html
from plogq.score import LabelErrors, label_errors, score
from tests.codes.fuzz import run as damaged_codes
from tests.fuzz.damage import damaged_bytes, damaged_json
from tests.fuzz.judge import Wrong, check_refusal

# Results


def arrays(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    q = rng.dirichlet([1, 2, 3], 60)
    return {"probs": q, "labels": rng.integers(0, 3, 60)}


@functools.cache
def documents() -> list[tuple[type[Document], Any]]:
    """Give a result of each command, as JSON."""
    path = Path(__file__).parent / "corpus" / "tokens.jsonl"
    a, b = arrays(1), arrays(2)
    found = [
        score(a, bootstrap=40, top=3),
        score_tokens(path, bootstrap=0),
        compare({**a}, {"probs": b["probs"], "labels": a["labels"]}, bootstrap=40),
        label_errors(a),
    ]
    return [(type(each), json.loads(each.to_json())) for each in found]


def leaves(value: Any, at: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(value, dict) and value:
        return {k: v for key, x in value.items() for k, v in leaves(x, (*at, key)).items()}
    if isinstance(value, list) and value:
        return {k: v for i, x in enumerate(value) for k, v in leaves(x, (*at, i)).items()}
    return {at: value}


def is_same(said: Any, given: Any) -> bool:
    """Tell whether a value was kept: numbers as float64, infinities as text; null is absent."""
    if given is None or said == given or (given in (math.inf, -math.inf) and said == str(given)):
        return True
    return type(given) is int and type(said) is float and float(given) == said


def result(rng: random.Random, folder: Path) -> str:
    kind, document = rng.choice(documents())
    damaged = damaged_json(rng, document)
    try:
        found = kind.read(damaged)
    except ValueError as error:
        return check_refusal(error)
    said = leaves(json.loads(found.to_json()))
    for at, value in leaves(damaged).items():
        if at in said and not is_same(said[at], value):
            raise Wrong(f"{at}: {value!r} is read as {said[at]!r}")
    try:
        (first_screen if isinstance(found, LabelErrors) else report_html)(found)
    except ValueError as error:
        return check_refusal(error)
    return "right"


# The explorer's server


@functools.cache
def server() -> Any:
    return application()


async def ask(path: str, query: str, body: bytes, kind: str) -> tuple[int, bytes]:
    """Send one request to the application, without a socket."""
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode("latin-1"), "root_path": "",
        "headers": [(b"host", b"127.0.0.1:80"), (b"content-type", kind.encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    said: list[Any] = []
    left = [body]

    async def receive() -> Any:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    await server()(scope, receive, send)
    content = b"".join(each.get("body", b"") for each in said)
    return said[0]["status"], content


def no_constant(name: str) -> Any:
    raise Wrong(f"an answer holds {name}, which is no JSON")


def check_answer(status: int, content: bytes) -> str:
    if status == 500:
        raise Wrong("the server failed")
    found = json.loads(content, parse_constant=no_constant)
    if status == 200:
        return "right"
    if set(found) != {"error"} or not found["error"].strip() or "\n" in found["error"]:
        raise Wrong(f"a refusal is to be one sentence: {found}")
    return "refused"


QUICK = ("softmax", "cross_entropy", "binary", "surprisal", "squared_error", "likelihood",
         "decomposition", "losses", "errata", "which_loss", "history")  # fmt: skip


@functools.cache
def state_of(name: str) -> Any:
    return json.loads(json.dumps(PAGES[name].answer({})["state"]))


def state(rng: random.Random, folder: Path) -> str:
    name = rng.choice([page for page in QUICK if page in PAGES])
    body = json.dumps(damaged_json(rng, state_of(name))).encode()
    if rng.random() < 0.3:
        body = damaged_bytes(rng, body, [body])
    (folder / "x.json").write_bytes(body)
    query = rng.choice(("", "", "part", "part=1&x=%ff"))
    return check_answer(*asyncio.run(ask(f"/api/page/{name}", query, body, "application/json")))


def uploaded(rng: random.Random, folder: Path) -> str:
    if rng.random() < 0.5:
        _, document = documents()[0]
        body = json.dumps(damaged_json(rng, document)).encode()
        name = "x.json"
    else:
        rows = "".join(f"{i % 2},{0.25 + i / 50}\n" for i in range(9))
        body, name = f"label,prob\n{rows}".encode(), rng.choice(("x.csv", "x.npz", "x.txt", "x.gz"))
    if rng.random() < 0.6:
        body = damaged_bytes(rng, body, [body])
    (folder / name).write_bytes(body)
    query = f"name={name}" + rng.choice(("", "", "&label=label", "&unit=nat", "&id=%00", "&unit=x"))
    kind = "application/octet-stream"
    return check_answer(*asyncio.run(ask("/api/predictions", query, body, kind)))


# Codes


def code_file(rng: random.Random, folder: Path) -> str:
    """Damage one file of each of plogq's codes; `tests/codes/fuzz.py` says what may come of it."""
    outcome = damaged_codes(1, rng.randrange(1 << 40))
    if outcome["wrong"]:
        raise Wrong(str(outcome["wrong"][0]))
    return "refused" if outcome["refused"] else "right"


TARGETS: dict[str, Callable[[random.Random, Path], str]] = {
    "result read back": result,
    "state of a page": state,
    "upload": uploaded,
    "code file": code_file,
}
