"""Quiz: eight questions with numbers drawn anew, and what each wrong choice comes from."""

from __future__ import annotations

from typing import Any

from plogq.explorer.controls import State, Whole, Words
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.pages.quiz_questions import LETTERS, Question, questions, score

QUESTIONS = 8
PASSED = 6


def compute(state: State) -> Result:
    """Give the questions; which choice is right only of those that have been answered."""
    seed, answers = state["seed"], list(state["answers"])
    right, answered = score(seed, answers), sum(map(bool, answers))
    return {
        "questions": [_asked(*pair) for pair in zip(questions(seed), answers, strict=True)],
        "done": answered == QUESTIONS,
        "passed": right >= PASSED,
        "readouts": [
            readout("right", right, f"of {QUESTIONS}", "gain", 0),
            readout("answered", answered, f"of {QUESTIONS}", digits=0),
        ],
        "notice": _notice(right, answered),
        "code": (
            "from plogq.explorer.pages.quiz_questions import score\n"
            f"score({seed}, {python(answers)})"
        ),
        "answer": right,
    }  # fmt: skip


def _asked(question: Question, answer: str) -> dict[str, Any]:
    """Give what may be known of a question before it is answered, and after."""
    known = {"page": question.page, "ask": question.ask, "unit": question.unit}
    choices = [
        {"letter": letter, "text": choice.text}
        for letter, choice in zip(LETTERS, question.choices, strict=True)
    ]
    if not answer:
        return {**known, "answer": "", "choices": choices}
    explained = [
        {**shown, "why": choice.why}
        for shown, choice in zip(choices, question.choices, strict=True)
    ]
    return {
        **known,
        "answer": answer,
        "choices": explained,
        "right": question.right,
        "code": question.code,
    }


def _notice(right: int, answered: int) -> str:
    if answered == 0:
        return (
            "Each wrong choice is what one common mistake makes of the same numbers: nats for "
            f"bits, p and q exchanged, a softmax too many. {PASSED} of {QUESTIONS} pass."
        )
    if answered < QUESTIONS:
        return f"{right} of {answered} right so far. {PASSED} of {QUESTIONS} pass."
    if right == QUESTIONS:
        return f"Passed: all {QUESTIONS} right. New numbers make a new quiz."
    if right >= PASSED:
        return f"Passed: {right} of {QUESTIONS} right. New numbers make a new quiz."
    return (
        f"Not passed yet: {right} of {QUESTIONS} right, and {PASSED} are needed. Read what the "
        "choices came from, and try it with new numbers."
    )


PAGE = Page(
    title="Quiz",
    summary="Eight questions along the chain, from the surprise of one event to a gradient. The "
    "numbers are drawn anew each time.",
    words="test exam questions exercise practice score mistakes nats bits",
    controls={
        "seed": Whole("seed of the numbers", 0, 0, 99_999),
        "answers": Words(
            "answers", ("",) * QUESTIONS, LETTERS, longest=1, least=QUESTIONS, most=QUESTIONS
        ),
    },
    compute=compute,
)
