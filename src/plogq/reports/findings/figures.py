"""All figures in a table, and the labels as compressed bytes."""

from __future__ import annotations

from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.words import REFINEMENT, figure, finite, percent
from plogq.tables.sums.level import PERCENT

PER_ROW = {
    "cross_entropy": ("cross-entropy", "what a label costs, given the model"),
    "cross_entropy_finite": ("  where possible", "without rows whose label had probability 0"),
    "label_entropy": ("label entropy", "what it costs with no model"),
    "information_gain": ("information gain", "the difference: what the model knows"),
    "refinement": ("refinement", REFINEMENT),
    "miscalibration": ("miscalibration", "what it saves"),
    "resolution": ("resolution", "label entropy less refinement"),
    "prediction_entropy": ("prediction entropy", "what the model expects to pay"),
    "overconfidence": ("overconfidence", "what it pays beyond that; 0 if calibrated"),
    "entropy_floor": ("entropy floor", "what no model can save: the labels' own doubt"),
    "kl": ("divergence (KL)", "the rest: what a better model could save"),
}
CODER = {"coder": "coder_bits_per_row", "framing": "framing_bits_per_row"}
PLAIN = {
    "explained": ("explained", "share of the label entropy that the model saves"),
    "perplexity": ("perplexity", "as if choosing among so many classes"),
    "accuracy": ("accuracy", "share of the rows whose top class is right"),
    "brier": ("Brier score", "squared error of the probabilities"),
}


def figures(d: Document) -> dict[str, Any]:
    """Give every figure with its interval, unit and meaning."""
    intervals = d.get("intervals", {})

    def row(key: str, label: str, unit: str, text: str) -> dict[str, Any]:
        low, high = intervals.get(key) or (None, None)
        return {
            "name": label.strip(),
            "value": d[key],
            "low": low,
            "high": high,
            "unit": unit,
            "text": text,
        }

    each = f"{d['unit']}s per row"
    hidden = {"cross_entropy_finite"} if not d["zero_probability_rows"] else set()
    found = [
        row(key, label, each, text)
        for key, (label, text) in PER_ROW.items()
        if d.get(key) is not None and key not in hidden
    ]
    found += [
        row(key, label, "", text) for key, (label, text) in PLAIN.items() if d.get(key) is not None
    ]
    fit = d["temperature"]
    if fit is not None:
        low, high = fit["interval"] or (None, None)
        found.append({
            "name": "temperature", "value": fit["value"], "low": low, "high": high, "unit": "",
            "text": "that fits best" if fit["identified"] else "not identified: at a bound",
        })  # fmt: skip
    if d.get("floor"):
        floor = d["floor"]
        found.append({
            "name": "floored cross-entropy", "value": floor["cross_entropy"], "low": None,
            "high": None, "unit": each,
            "text": f"q(label) of {floor['rows']:,} rows raised to {figure(float(floor['p']))}",
        })  # fmt: skip
    resampled = any(item["low"] is not None for item in found)
    text = f"Intervals hold {PERCENT}, by resampling the rows." if resampled else None
    if d["entropy_floor"] is None:
        doubt = (
            "How much of the cost no model could save, hard labels cannot tell: that takes soft "
            "labels, or several annotators' labels."
        )
        text = doubt if text is None else f"{text} {doubt}"
    said = {"title": "All figures", "text": text, "advice": None}
    return said | {"figures": found, "level": PERCENT}


def code(d: Document) -> dict[str, Any] | None:
    """Say what the labels came to as bytes, and what that costs beyond the cross-entropy."""
    found = d.get("code")
    if not found:
        return None
    overhead = finite(found["overhead"])
    text = (
        "The labels were really compressed with the model's probabilities, and decoded again. "
        "What the bytes cost beyond the cross-entropy is the coder's rounding of the probabilities "
        "and the counts and checksums around them."
    )
    if overhead is not None:
        text += f" That is {percent(overhead)} here."
    return {
        "title": f"The labels fit into {found['bytes']:,} bytes",
        "text": text,
        "advice": None,
        "parts": [
            {"name": "compressed", "value": found["bits_per_row"], "color": "keep"},
            {"name": "cross-entropy", "value": found["exact_bits_per_row"], "color": "gain"},
            {"name": "rounding (KL)", "value": found["quantisation_kl"], "color": "waste"},
            *(
                {"name": name, "value": found[key], "color": "rest"}
                for name, key in CODER.items()
                if key in found
            ),
        ],
    }
