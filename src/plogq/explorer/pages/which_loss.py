"""Which loss: from a few questions to the loss, its call, and the mistake people make there."""

from __future__ import annotations

from typing import Any

import numpy as np

import plogq
from plogq.doctor.choices import QUESTIONS, asked, call, checks, expects, form, whole_call
from plogq.doctor.choices_table import EXAMPLES, IMPORTS, ROWS
from plogq.explorer.controls import Choice, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import shown

Arrays = dict[str, Any]


def compute(state: State) -> Result:
    """Give the loss that fits, how it is called, and its number beside that of a mistake."""
    kind, imbalance = form(state)
    row = ROWS[kind, imbalance]
    mine, wrong = values(kind, imbalance, example(state))
    unit = "" if kind == "number" else "nats"
    return {
        "loss": row.loss,
        "why": row.why,
        "call": whole_call(state, state["framework"]),
        "expects": expects(state),
        "asks": asked(state),
        "checks": checks(state),
        "bars": [
            {"name": "this loss", "value": mine, "color": "gain"},
            {"name": row.wrong, "value": wrong, "color": "waste"},
        ],
        "readouts": [
            readout("this loss, on a small example", mine, unit, "gain"),
            readout(f"{row.wrong}, on the same", wrong, unit, "waste"),
        ],
        "notice": f"{row.mistake} On a small example: {shown(wrong)} instead of {shown(mine)}.",
        "code": _code(state),
        "answer": mine,
    }


def example(state: State) -> Arrays:
    """Give a small batch: what the call reads, as NumPy arrays."""
    kind, _ = form(state)
    given = {name: np.array(value) for name, value in _given(state).items()}
    if kind == "number" or state["output"] == "logits":
        return given
    x = given.pop("logits")
    if kind in ("binary", "several"):
        made = {"probs": plogq.sigmoid(x), "log_probs": -np.log1p(np.exp(-x))}
    else:
        made = {"probs": plogq.softmax(x), "log_probs": plogq.log_softmax(x)}
    return {state["output"]: made[state["output"]], **given}


def _given(state: State) -> Arrays:
    """Give the parts of the task's example that the call reads, with logits as the output."""
    kind, imbalance = form(state)
    whole = EXAMPLES["one" if state["task"] == "soft" else state["task"]]
    names = {
        "classes": ["logits", "onehot" if state["labels"] == "onehot" else "labels"],
        "soft": ["logits", "target"],
        "binary": ["logits", "onehot" if state["labels"] == "onehot" else "target"],
        "several": ["logits", "target"],
        "token": ["logits", "labels"],
        "number": ["prediction", "target"],
    }[kind]
    if imbalance == "some":
        names.append("weight" if kind == "classes" else "pos_weight")
    given = {name: whole[name] for name in names}
    if kind == "binary" and state["labels"] == "probabilities":
        given["target"] = whole["soft"]
    return given


def _code(state: State) -> str:
    """Give the call of plogq in NumPy, with the example before it."""
    kind, _ = form(state)
    binary = kind in ("binary", "several")
    made = {
        "probs": "plogq.sigmoid({})" if binary else "plogq.softmax({})",
        "log_probs": "-np.log1p(np.exp(-{}))" if binary else "plogq.log_softmax({})",
    }
    lines = [IMPORTS["plogq_numpy"]]
    for name, value in _given(state).items():
        if name == "logits" and state["output"] in made:
            name, text = state["output"], made[state["output"]].format(_array(value))
        else:
            text = _array(value)
        lines.append(f"{name} = {text}")
    return "\n".join([*lines, call(state, "plogq_numpy")])


def _array(value: Any) -> str:
    if not isinstance(value, list):
        return python(value)
    text = python(value)
    return f"np.array(\n    {text})" if len(text) > 40 else f"np.array({text})"


def values(kind: str, imbalance: str, given: Arrays) -> tuple[float, float]:
    """Give the loss of an example, and what the mistake makes of it."""
    if kind == "number":
        x, t = given["prediction"], given["target"]
        return _mean((x - t) ** 2), _mean((x[:, np.newaxis] - t) ** 2)
    if kind in ("binary", "several"):
        return _binary(kind, imbalance, _logits(given, softmax=False), given)
    x = _logits(given, softmax=True)
    if kind == "soft":
        t = given["target"]
        right = plogq.cross_entropy_from_logits(x, t)
        return _mean(right.value), _mean(plogq.cross_entropy_from_logits(x, t.argmax(-1)).value)
    y = given["labels"] if "labels" in given else given["onehot"].argmax(-1)
    if kind == "token":
        kept = y != -100
        loss = plogq.cross_entropy_from_logits(x, np.where(kept, y, 0)).value
        return _mean(loss[kept]), _mean(loss)
    loss = plogq.cross_entropy_from_logits(x, y).value
    if imbalance == "some":
        weighted = given["weight"][y] * loss
        return float(weighted.sum() / given["weight"][y].sum()), _mean(weighted)
    if imbalance == "heavy":
        focal = _mean(plogq.focal_from_logits(x, y, gamma=2.0).value)
        return focal, 0.25 * focal
    return _mean(loss), _mean(plogq.cross_entropy_from_logits(plogq.softmax(x), y).value)


def _binary(kind: str, imbalance: str, z: Any, given: Arrays) -> tuple[float, float]:
    t = given["target"] if "target" in given else given["onehot"][:, 1]
    if imbalance == "heavy":
        focal = (plogq.binary_focal_from_logits(z, t, gamma=2.0, alpha=a) for a in (None, 0.25))
        right, wrong = (_mean(found.value) for found in focal)
        return right, wrong
    if imbalance == "some":
        w = given["pos_weight"]
        weighted = (plogq.binary_cross_entropy_from_logits(z, t, pos_weight=v) for v in (w, 1 / w))
        right, wrong = (_mean(found.value) for found in weighted)
        return right, wrong
    right = _mean(plogq.binary_cross_entropy_from_logits(z, t).value)
    if kind == "several":
        return right, _mean(plogq.binary_cross_entropy_from_probs(plogq.softmax(z), t).value)
    return right, _mean(plogq.binary_cross_entropy_from_logits(plogq.sigmoid(z), t).value)


def _logits(given: Arrays, *, softmax: bool) -> Any:
    """Give the logits, from what the model gives."""
    if "logits" in given:
        return given["logits"]
    if "log_probs" in given:
        q = given["log_probs"]
        return q if softmax else q - np.log(-np.expm1(q))
    q = given["probs"]
    return np.log(q) if softmax else np.log(q) - np.log1p(-q)


def _mean(rows: Any) -> float:
    return float(np.mean(rows))


PAGE = Page(
    title="Which loss?",
    summary="A few questions about the task lead to its loss: the call, what it expects, and the "
    "mistake that people make there.",
    words="choose guide PyTorch Keras JAX optax imbalance class weights focal multilabel language "
    "model regression one-hot from_logits",
    controls={
        name: Choice(question.ask, next(iter(question.options)), question.options)
        for name, question in QUESTIONS.items()
    },
    compute=compute,
)  # fmt: skip
