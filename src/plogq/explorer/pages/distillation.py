"""Distillation: a student learns from a teacher's probabilities, at a temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Names, Number, Numbers, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown

Floats = NDArray[np.float64]

TEMPERATURES = np.geomspace(0.5, 20.0, 61)


def size(grad: Floats) -> Floats:
    """Give the size of a gradient along the last axis: the length of its arrow."""
    length: Floats = np.linalg.norm(grad, axis=-1)
    return length


def compute(state: State) -> Result:
    """Give both distributions at T, the loss with its gradient, and the gradient's size over T."""
    teacher, student = np.array(state["teacher"]), np.array(state["student"])
    temperature, alpha = state["temperature"], state["alpha"]
    label, names = state["label"], state["names"][: len(teacher)]
    soft = plogq.distillation_from_logits(student, teacher, temperature=temperature)
    hard = plogq.cross_entropy_from_logits(student, label)
    mixed = alpha * soft.value + (1 - alpha) * hard.value
    pull = alpha * soft.grad + (1 - alpha) * hard.grad
    wants, says = (plogq.softmax(x, temperature=temperature) for x in (teacher, student))
    # T² · KL(teacher / T, student / T) has the gradient T (q − p) in the student's logits.
    scaled = (x / TEMPERATURES[:, None] for x in (teacher, student))
    sizes = TEMPERATURES * size(plogq.kl_divergence_from_logits(*scaled).grad)
    here = float(size(soft.grad))
    wrong = np.arange(len(names)) != label
    return {
        "classes": [
            {
                "name": name,
                "student": figure(says[j]),
                "teacher": figure(wants[j]),
                "grad": figure(pull[j], 3),
            }
            for j, name in enumerate(names)
        ],
        "wrong": [
            {"name": f"T = {shown(t, 2)}", "parts": _shares(teacher, wrong, t, names)}
            for t in dict.fromkeys((1.0, temperature))
        ],
        "sizes": {
            "with": np.stack([TEMPERATURES, sizes], axis=1),
            "without": np.stack([TEMPERATURES, sizes / TEMPERATURES**2], axis=1),
            "points": [
                {"temperature": temperature, "size": of, "text": shown(of)}
                for of in (here, here / temperature**2)
            ],
        },
        "readouts": [
            readout("T² · KL, the loss from the teacher", soft.value, "nats", "waste"),
            readout("KL at T, without T²", soft.value / temperature**2, "nats", "waste"),
            readout("cross-entropy with the label", hard.value, "nats", "rest"),
            readout("mixed: α · teacher + (1 − α) · label", mixed, "nats", "gain"),
            readout("size of the gradient from the teacher", here, "", "waste"),
            readout("the same without T²", here / temperature**2, "", "rest"),
        ],
        "notice": _notice(teacher, label, temperature, here, names),
        "code": (
            "import plogq, numpy as np\n"
            f"teacher = np.array({python(state['teacher'])})\n"
            f"student = np.array({python(state['student'])})\n"
            "soft = plogq.distillation_from_logits(\n"
            f"    student, teacher, temperature={python(temperature)}).value\n"
            f"hard = plogq.cross_entropy_from_logits(student, {label}).value\n"
            f"{python(alpha)} * soft + (1 - {python(alpha)}) * hard"
        ),
        "answer": mixed,
    }


def among_wrong(teacher: Floats, wrong: NDArray[np.bool_], temperature: float) -> Floats:
    """Give the teacher's probabilities of the wrong classes, given that one of them came."""
    return plogq.softmax(teacher[wrong], temperature=temperature)  # type: ignore[no-any-return]


def _shares(
    teacher: Floats, wrong: NDArray[np.bool_], temperature: float, names: tuple[str, ...]
) -> list[Result]:
    probs = among_wrong(teacher, wrong, temperature)
    return [
        {"name": names[j], **figure(prob)}
        for j, prob in zip(np.flatnonzero(wrong), probs, strict=True)
    ]


def _notice(
    teacher: Floats, label: int, temperature: float, here: float, names: tuple[str, ...]
) -> str:
    wrong = np.arange(len(names)) != label
    given = [float(np.sum(plogq.softmax(teacher / t)[wrong])) for t in (temperature, 1.0)]
    shares = among_wrong(teacher, wrong, temperature)
    most, least = int(np.argmax(shares)), int(np.argmin(shares))
    likely, unlikely = (names[np.flatnonzero(wrong)[j]] for j in (most, least))
    compared = "" if temperature == 1 else f"; at T = 1 it gives them {shown(given[1])}"
    spoken = (
        f"At T = {shown(temperature, 2)} the teacher gives {shown(given[0])} to the classes that "
        f"are not {names[label]}{compared}."
    )
    alike = (
        " It gives each of them the same."
        if shares[most] == shares[least]
        else f" Of that, the share {shown(shares[most])} goes to {likely} and "
        f"{shown(shares[least])} to {unlikely}: the label says nothing of it."
    )
    if here == 0:
        return f"{spoken}{alike} The student agrees with the teacher, so nothing pulls on it."
    return (
        f"{spoken}{alike} With T² the teacher’s gradient has the size {shown(here)}; without it, "
        f"{shown(here / temperature**2)}."
    )


PAGE = Page(
    title="Distillation",
    summary="A teacher's probabilities say more than the label: which wrong answers are nearly "
    "right. A temperature makes them large enough for a student to learn from.",
    words="teacher student knowledge dark knowledge soft targets temperature T squared KL "
    "compression mixing alpha",
    controls={
        "temperature": Number("temperature T", 3.0, 0.5, 20.0, 0.1),
        "teacher": Numbers(
            "teacher’s logits", (8.0, 5.0, 1.0, 0.0), -10, 10, 0.1, least=4, most=4, named="names"
        ),
        "student": Numbers(
            "student’s logits", (3.0, 1.0, 2.0, 0.0), -10, 10, 0.1, least=4, most=4, named="names"
        ),
        "label": Whole("label", 0, 0, 3, within="teacher", named="names"),
        "alpha": Number("α, how much the teacher counts", 0.5, 0.0, 1.0, 0.05),
        "names": Names(within="teacher"),
    },
    compute=compute,
)
