"""How the loss is spread over the rows, and over groups of them."""

from __future__ import annotations

import math
import re
from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.words import amount, figure, finite, name, percent, rows
from plogq.reports.surprises import doubtful, listed


def warnings(d: Document) -> list[str]:
    """Give the warnings as sentences."""
    return [
        f"{w['message'][:1].upper()}{w['message'][1:]} ({rows(w['rows'])})." for w in d["warnings"]
    ]


def surprisal(d: Document) -> dict[str, Any] | None:
    """Say what half of the rows cost at most, and how many are dearer than with no model."""
    found = d.get("histograms", {}).get("surprisal")
    if not found or not any((*found["weight"], found.get("beyond"), found.get("infinite"))):
        return None
    edges, weight, unit = found["edges"], found["weight"], d["unit"]
    total, half = 0.0, math.inf
    for share, edge in zip(weight, edges[1:], strict=True):
        total += share
        if total >= 0.5:
            half = edge
            break
    dear = found.get("beyond", 0.0) + found.get("infinite", 0.0)
    dear += sum(w for w, low in zip(weight, edges, strict=False) if low >= d["label_entropy"])
    title = (
        f"Half of the rows cost less than {amount(half, unit)}"
        if math.isfinite(half)
        else f"Half of the rows cost more than {amount(edges[-1], unit)}"
    )
    return {
        "title": title,
        "text": f"The surprisal −log q(label) of each row. {percent(dear)} of the rows cost more "
        f"than the {amount(d['label_entropy'], unit)} of a label with no model. The upright axis "
        "is a square root, so that rare rows are seen.",
        "advice": "A long tail is a few rows that the model is sure about and wrong: wrong labels, "
        "or inputs of a kind it has not seen.",
    }


def pointwise(d: Document) -> dict[str, Any] | None:
    """Say on what share of the rows the model knows less than the class frequencies."""
    found = d.get("histograms", {}).get("pointwise_information")
    if not found or not any((*found["weight"], found.get("infinite"))):
        return None
    worse = found.get("infinite", 0.0) + sum(
        w for w, high in zip(found["weight"], found["edges"][1:], strict=True) if high <= 0
    )
    return {
        "title": f"On {percent(worse)} of the rows the model is worse than no model",
        "text": "How much more probable the model made each label than its class frequency does: "
        f"log q(label) − log base(label), in {d['unit']}s. The mean is the information gain.",
        "advice": "Look for what the rows below 0 have in common; slices (--slice) find it fast."
        if worse > 0
        else None,
    }


def surprises(d: Document) -> dict[str, Any] | None:
    """Name the most surprising row; None where no row costs anything to speak of."""
    dear = listed(d["surprises"])
    if not dear:
        return None
    suspect = doubtful(dear)
    first = next(item for item in dear if not suspect or item["label"] != item["predicted"])
    dearest = "Most surprising"
    if first is not dear[0]:
        dearest += " of those predicted otherwise"
    which = f"row {first['row']}" if first.get("row") is not None else name(str(first.get("id")))
    q = float(first["q_label"])
    these = "This is the row" if len(dear) == 1 else f"These are the {len(dear):,} rows"
    if not suspect:
        return {
            "title": "The rows that cost most were predicted right",
            "text": f"The dearest is {which}, whose label has a probability of {figure(q)}. "
            f"{these} of the highest cost.",
            "advice": None,
            "rows": dear,
        }
    return {
        "title": f"{dearest}: {which}, labelled {name(first['label'])}, predicted "
        f"{name(first['predicted'])}",
        "text": f"The model gave that label a probability of {figure(q)}. {these} of the highest "
        "cost.",
        "advice": "Look for wrong labels here first: this is where they gather.",
        "rows": dear,
    }


def slices(d: Document) -> list[dict[str, Any]] | None:
    """Say which group of each column costs most."""
    found = [_slice(d, column, groups) for column, groups in d["slices"].items() if groups]
    return found or None


def _slice(d: Document, column: str, groups: dict[str, Any]) -> dict[str, Any]:
    unit = d["unit"]
    costs = {value: finite(g["cross_entropy"]) for value, g in groups.items()}
    known = {value: cost for value, cost in costs.items() if cost is not None}
    text = f"The rows by {name(column)}, each group scored by itself."
    words = {"column": column, "name": re.sub(r"\W+", "-", column)[:40], "text": text}
    if len(known) < 2:
        return words | {"title": f"Groups by {name(column)}", "advice": None}
    worst, best = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return words | {
        "title": f"{name(worst)} costs {amount(known[worst], unit)} per row, {name(best)} "
        f"{figure(known[best])}",
        "advice": f"{name(worst)} has {rows(groups[worst]['rows'])}: compare information gain, not "
        "cost alone, for groups may differ in how hard their labels are.",
    }
