"""Quiz: two sets of eight questions, with numbers and about ideas; each wrong choice explained."""

from __future__ import annotations

from typing import Any

from plogq.explorer.controls import Choice, State, Whole, Words
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.pages.quiz_questions import LETTERS, Question, questions, score

QUESTIONS = 8
PASSED = 6
ABOUT = {
    "numbers": "Each wrong choice is what one common mistake makes of the same numbers: nats for "
    "bits, p and q exchanged, softmax taken twice.",
    "ideas": "Each wrong choice is something that people often believe.",
}


def compute(state: State) -> Result:
    """Give the questions; of those that have been answered also which choice is right."""
    about, seed, answers = state["about"], state["seed"], list(state["answers"])
    right, answered = score(seed, answers, about), sum(map(bool, answers))
    return {
        "questions": [_asked(*pair) for pair in zip(questions(seed, about), answers, strict=True)],
        "done": answered == QUESTIONS,
        "passed": right >= PASSED,
        "readouts": [
            readout("right", right, f"of {QUESTIONS}", "gain", 0),
            readout("answered", answered, f"of {QUESTIONS}", digits=0),
        ],
        "notice": _notice(about, right, answered),
        "code": (
            "from plogq.explorer.pages.quiz_questions import score\n"
            f'score({seed}, {python(answers)}, "{about}")'
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


def _notice(about: str, right: int, answered: int) -> str:
    needed = f"{PASSED} right answers of {QUESTIONS} pass."
    if answered == 0:
        return f"{ABOUT[about]} {needed}"
    if answered < QUESTIONS:
        return f"{right} of {answered} right so far. {needed}"
    if right == QUESTIONS:
        return f"Passed: all {QUESTIONS} right. New numbers make a new quiz."
    if right >= PASSED:
        return f"Passed: {right} of {QUESTIONS} right. New numbers make a new quiz."
    return (
        f"Not passed yet: {right} of {QUESTIONS} right, and {PASSED} are needed. Read where the "
        "wrong choices come from, and try again with new numbers."
    )


PAGE = Page(
    title="Quiz",
    summary="Two sets of eight questions, one with numbers and one about ideas. The numbers and "
    "the order of the choices are drawn anew each time.",
    words="test exam questions exercise practice score mistakes nats bits ideas concepts",
    controls={
        "about": Choice(
            "questions", "numbers", {"numbers": "with numbers", "ideas": "about ideas"}
        ),
        "seed": Whole("seed of the numbers", 0, 0, 99_999),
        "answers": Words(
            "answers", ("",) * QUESTIONS, LETTERS, longest=1, least=QUESTIONS, most=QUESTIONS
        ),
    },
    compute=compute,
)
