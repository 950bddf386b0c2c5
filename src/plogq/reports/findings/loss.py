"""The loss: how much of the labels' entropy the model saves, and what the rest is made of."""

from __future__ import annotations

import math
from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.words import (
    REFINEMENT,
    amount,
    figure,
    file_name,
    finite,
    name,
    number,
    percent,
    rows,
)
from plogq.reports.verdict import untried
from plogq.tables.sums.level import PERCENT

WORTH_RECALIBRATING = 0.05  # miscalibration of a larger share is worth a step of its own


def headline(d: Document) -> dict[str, Any]:
    """Say the number, and of what table it is."""
    loss, labels, unit = float(d["cross_entropy"]), d["label_entropy"], d["unit"]
    paths = d["source"]["paths"]
    where = name(file_name(paths[0])) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    about = f"{where}: {rows(d['rows'])}, {len(d['classes']):,} classes, read as {d['kind']}."
    about += "".join(f" {note}" for note in d["source"].get("notes", []))
    interval = d.get("intervals", {}).get("cross_entropy")
    if interval and all(finite(end) is not None for end in interval):
        low, high = (f"{float(end):.4f}" for end in interval)
        about += f" {PERCENT} interval of the cross-entropy {low} to {high}."
    if math.isinf(loss):
        return {"title": f"Infinite: {_impossible(d)}", "text": about}
    title = f"{loss:.4f} {unit}s per row, where the labels alone would cost {labels:.4f}"
    return {"title": title, "text": about}


def loss(d: Document) -> dict[str, Any]:
    """Say what part of the label entropy is saved, and what the rest is made of."""
    loss, unit = float(d["cross_entropy"]), d["unit"]
    labels, gain, explained = d["label_entropy"], float(d["information_gain"]), d["explained"]
    if math.isinf(loss):
        at = finite(d["cross_entropy_finite"])
        title = "What was called impossible happened"
        text = f"The model gave probability 0 to the label of {rows(d['zero_probability_rows'])}."
        if at is not None:
            text += f" Over all others the loss is {amount(at, unit)} per row."
        advice: str | None = (
            "Look at those rows first: wrong labels, or probabilities that were rounded or "
            "clipped to 0. Score the logits or log-probabilities if there are any; --floor shows "
            "what a least probability would cost."
        )
    elif gain < 0:
        title = f"The model costs {amount(-gain, unit)} per row more than no model"
        text = (
            f"Guessing by the frequency of each class costs {amount(labels, unit)} per row; "
            f"this model costs {figure(loss)}."
        )
        advice = (
            "Check first that the columns are in the order of the classes, and that logits are "
            "read as logits."
        )
    else:
        share = "" if explained is None else f"{percent(float(explained))} of "
        title = f"The model explains {share}what the labels cost"
        text = (
            f"A label costs {amount(labels, unit)} with no model and {figure(loss)} with this "
            f"one: it knows {amount(gain, unit)} about each label."
        )
        advice = _advice(d, loss)
    return {"title": title, "text": text, "advice": advice, "parts": _parts(d, loss)}


def _impossible(d: Document) -> str:
    n = d["zero_probability_rows"]
    return f"{rows(n)} had a label of probability 0"


def _advice(d: Document, loss: float) -> str | None:
    waste, fit = finite(d.get("miscalibration")), d.get("recalibration")
    if waste is None or loss <= 0 or (fit and untried(fit)):
        return None
    share = percent(max(0.0, waste) / loss)
    if waste / loss > WORTH_RECALIBRATING:
        return f"{share} of the loss is miscalibration: recalibrating saves it, without training."
    return (
        f"Only {share} of the loss is miscalibration: what remains takes better inputs, a better "
        "model, or cleaner labels."
    )


def _parts(d: Document, loss: float) -> list[dict[str, Any]]:
    """Give the parts of the loss; those that are drawn stand end to end from 0 to the loss."""
    gain = _part("information gain", d["information_gain"], "gain", "what the model saves")
    stays, waste = finite(d.get("refinement")), number(d.get("miscalibration"))
    floor, kl = finite(d["entropy_floor"]), finite(d["kl"])
    if stays is None or waste is None:
        parts = [] if floor is None or kl is None else _soft(floor, kl)
    elif floor is not None and kl is not None and kl >= waste >= 0:
        parts = [
            _part("entropy floor", floor, "rest", "the labels' own doubt: no model can save it"),
            _part("beyond the floor", kl - waste, "keep", "a better model could save it"),
            _part("miscalibration", waste, "waste", "recalibrating saves it"),
        ]
    else:
        parts = [
            _part("refinement", stays, "keep", REFINEMENT),
            _part("miscalibration", d["miscalibration"], "waste", "what it saves"),
        ]
    drawn = math.isfinite(loss) and all((finite(part["value"]) or 0.0) >= 0 for part in parts)
    return [part | {"drawn": drawn} for part in parts] + [gain | {"drawn": False}]


def _soft(floor: float, kl: float) -> list[dict[str, Any]]:
    return [
        _part("entropy floor", floor, "rest", "the labels' own doubt: no model can save it"),
        _part("divergence (KL)", kl, "waste", "a better model could save it"),
    ]


def _part(name: str, value: Any, color: str, text: str) -> dict[str, Any]:
    return {"name": name, "value": value, "color": color, "text": text}
