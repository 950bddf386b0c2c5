"""Which loss: from a few answers about a task to the loss, its call, and the mistake made there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from plogq.doctor.check import codes_of
from plogq.doctor.choices_table import (
    CALLS,
    EXPECTS,
    EXPECTS_HERE,
    FRAMEWORKS,
    IMPORTS,
    MODULE,
    ROWS,
    TO_LOGITS,
)
from plogq.errors import refuse
from plogq.kinds import Text
from plogq.records import Document


@dataclass(frozen=True)
class Question:
    """A question about a task.

    Attributes
    ----------
    ask
        The question, as a reader sees it.
    options
        The answers, and how a reader sees each; the first is the default.
    """

    ask: str
    options: dict[str, str]


QUESTIONS = {
    "task": Question("What is to be predicted?", {
        "one": "one of several classes", "yes": "yes or no",
        "several": "several labels at once", "token": "the next token",
        "soft": "a distribution, such as a teacher’s",
        "number": "a number",
    }),
    "labels": Question("How are the labels given?", {
        "index": "as class numbers", "onehot": "one-hot", "probabilities": "as probabilities",
    }),
    "output": Question("What does the model give?", {
        "logits": "logits", "log_probs": "log-probabilities", "probs": "probabilities",
    }),
    "imbalance": Question("Are some classes rare?", {
        "none": "no", "some": "some are", "heavy": "most rows are easy ones of one class",
    }),
    "framework": Question("In which framework?", FRAMEWORKS),
}  # fmt: skip

Answers = Mapping[str, str]  # an answer to each of QUESTIONS


@dataclass(frozen=True)
class Choice(Document):
    """The loss of a task."""

    COMMAND: ClassVar[str] = "plogq choose"

    loss: Text
    """Its name."""

    why: Text
    """What it measures, and when it fits."""

    call: Text
    """Lines of Python that compute it, in the framework that was asked for."""

    plogq: Text
    """The same with plogq, in the same framework."""

    expects: Text
    """What the call takes."""

    mistake: Text
    """What goes wrong there."""

    found_by: tuple[Text, ...]
    """The codes of the checks of the doctor that find it."""


def choose(
    task: str = "one",
    labels: str = "index",
    output: str = "logits",
    imbalance: str = "none",
    framework: str = "torch",
) -> Choice:
    """Return the loss that fits a task, and how it is called.

    Parameters
    ----------
    task
        What is to be predicted: "one" of several classes; "yes" or no; "several" labels at once;
        the next "token"; a "soft" target, which is a distribution; a "number".
    labels
        How they are given: "index", "onehot", "probabilities".
    output
        What the model gives: "logits", "log_probs", "probs".
    imbalance
        How rare some classes are: "none", "some", "heavy".
    framework
        Of the call: "torch", "keras", "jax", or "plogq_torch", "plogq_keras", "plogq_jax",
        "plogq_numpy".

    Raises
    ------
    ValueError
        An answer that its question does not have.

    Examples
    --------
    >>> choice = choose("token", framework="torch")
    >>> choice.loss
    'Cross-entropy, token by token'
    >>> print(choice.plogq)
    import torch
    import plogq.torch
    rows, classes = labels.reshape(-1), logits.shape[-1]
    plogq.torch.cross_entropy(logits.reshape(-1, classes), rows)
    """
    answers = {
        "task": task, "labels": labels, "output": output, "imbalance": imbalance,
        "framework": framework,
    }  # fmt: skip
    for name, answer in answers.items():
        if answer not in QUESTIONS[name].options:
            refuse(name, f"be one of {', '.join(QUESTIONS[name].options)}", repr(answer))
    row = ROWS[form(answers)]
    ours = framework if framework.startswith("plogq_") else f"plogq_{framework}"
    return Choice(
        row.loss, row.why, whole_call(answers, framework), whole_call(answers, ours),
        expects(answers), row.mistake, checks(answers),
    )  # fmt: skip


def form(answers: Answers) -> tuple[str, str]:
    """Return the table's row for the answers; a question that a task does not ask has no effect."""
    task = answers["task"]
    if task == "one" and answers["labels"] != "probabilities":
        return "classes", answers["imbalance"]
    if task in ("one", "soft"):
        return "soft", "none"
    if task == "yes":
        return "binary", "none" if answers["labels"] == "probabilities" else answers["imbalance"]
    return task, answers["imbalance"] if task == "several" else "none"


def checks(answers: Answers) -> tuple[str, ...]:
    """Return the codes of the checks that find the mistake which people make there."""
    name = ROWS[form(answers)].check
    return codes_of(name) if name else ()


def asked(answers: Answers) -> list[str]:
    """Return the names of the questions that this task asks."""
    task, labels = answers["task"], answers["labels"]
    names = ["task"]
    if task in ("one", "yes"):
        names.append("labels")
    if task != "number":
        names.append("output")
    if task == "several" or (task in ("one", "yes") and labels != "probabilities"):
        names.append("imbalance")
    return [*names, "framework"]


def whole_call(answers: Answers, framework: str) -> str:
    """Return the call with the lines that import what it needs."""
    return f"{IMPORTS[framework]}\n{call(answers, framework)}"


def call(answers: Answers, framework: str) -> str:
    """Return the call in a framework, on arrays named as in the example of its task."""
    kind, imbalance = form(answers)
    module = MODULE[framework]
    lines = []
    if kind != "number" and answers["output"] != "logits":
        softmax = kind in ("classes", "soft", "token")
        lines.append(TO_LOGITS[softmax, answers["output"]].format(m=module))
    if answers["labels"] == "onehot":
        if kind == "classes":
            lines.append(f"labels = {module}.argmax(onehot, -1)")
        elif kind == "binary":
            lines.append("target = onehot[:, 1]")
    kind = "binary" if kind == "several" else kind
    return "\n".join([*lines, CALLS[kind, imbalance][framework]])


def expects(answers: Answers) -> str:
    """Return what the call takes, and what happens to the output that the model gives."""
    kind, imbalance = form(answers)
    framework = answers["framework"]
    takes = {"token": "classes", "several": "binary"}.get(kind, kind)
    general = EXPECTS[framework][takes]
    said = EXPECTS_HERE.get((framework, takes, imbalance), general)
    return f"{said} {_of_output(answers)}".strip()


def _of_output(answers: Answers) -> str:
    if answers["task"] == "number":
        return ""
    return {
        "logits": "",
        "log_probs": "Log-probabilities lose no digits: they are turned into logits.",
        "probs": "A probability that has been rounded to 0 or 1 cannot be turned back into a "
        "logit: better let the model give its logits.",
    }[answers["output"]]
