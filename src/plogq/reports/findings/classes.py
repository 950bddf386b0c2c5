"""Which classes the loss falls on, and what they are taken for."""

from __future__ import annotations

from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.words import amount, finite, name, percent, rows
from plogq.reports.surprises import doubtful, listed


def classes(d: Document) -> dict[str, Any] | None:
    """Say on how few classes half of the loss falls."""
    known = [c for c in d["per_class"] if c["share"] is not None]
    endless = [c for c in d["per_class"] if c["bits"] == "inf"]
    if not known and not endless:
        return None
    what = "the finite loss" if endless else "the loss"
    known.sort(key=lambda c: c["share"], reverse=True)
    half, total = 0, 0.0
    for c in known:
        if total >= 0.5:
            break
        half, total = half + 1, total + c["share"]
    if known and len(d["per_class"]) > 2:
        title = f"{half:,} of {len(d['per_class']):,} classes carry {percent(total)} of {what}"
    elif known:
        title = f"{name(known[0]['class'])} carries {percent(known[0]['share'])} of {what}"
    else:
        title = "Every class has a row that costs infinitely much"
    return {"title": title, "text": _dearest(d), "advice": _mistaken(known)}


def _dearest(d: Document) -> str:
    finite_cost = [c for c in d["per_class"] if finite(c["bits"]) is not None]
    if not finite_cost:
        return "Each class by its share of the loss."
    worst = max(finite_cost, key=lambda c: c["bits"])
    return (
        f"Each class by its share of the loss. A row of {name(worst['class'])} costs most: "
        f"{amount(worst['bits'], d['unit'])}."
    )


def _mistaken(known: list[dict[str, Any]]) -> str | None:
    worst = next((c for c in known if c["mistaken_for"]), None)
    if worst is None:
        return None
    other, n, _ = worst["mistaken_for"][0]
    return (
        f"Start with {name(worst['class'])}: {rows(n)} of it {'was' if n == 1 else 'were'} taken "
        f"for {name(other)}."
    )


def confusion(d: Document) -> dict[str, Any] | None:
    """Say what confusion costs most, and how much is paid where the top class is right."""
    cells = d.get("confusion")
    total = finite(d["cross_entropy"])
    if not cells:
        return None
    wrong = [c for c in cells if c["label"] != c["predicted"]]
    right = sum(finite(c["cost"]) or 0.0 for c in cells if c["label"] == c["predicted"])
    text = "What each label costs, by what was predicted."
    if total:
        text += f" {percent(min(1.0, right / total))} of the loss is paid on rows whose top class "
        text += "is right: the model was not sure."
    if not wrong:
        return {"title": "No label is taken for another", "text": text, "advice": None}
    worst = max(wrong, key=lambda c: float(c["cost"]))
    cost = finite(worst["cost"])
    below = "The dearest cells are single rows: look for wrong labels among the surprises below."
    alone = below if doubtful(listed(d["surprises"])) else None
    pair = f"{name(worst['label'])} taken for {name(worst['predicted'])}"
    if cost is None:
        title = f"{pair} costs infinitely much"
    elif total:
        title = f"{pair} costs most: {percent(cost / total)} of the loss"
    else:
        title = f"{pair} costs most"
    return {
        "title": title,
        "text": text,
        "advice": f"Look at these {rows(worst['rows'])} side by side: what tells the two apart?"
        if worst["rows"] > 1
        else alone,
    }
