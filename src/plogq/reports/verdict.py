"""Whether to recalibrate, and by what: the one place that every report reads it from."""

from __future__ import annotations

from typing import Any

LEAVE = "leave the predictions as they are"  # what every report says where `taken` is None


HOW = {
    "temperature": "dividing the logits by one temperature",
    "temperature+base": "one temperature and a share of the class frequencies",
    "vector": "a scale and a shift for each class's logit",
    "isotonic": "an isotonic map of the probabilities",
}


def how(family: str) -> str:
    """Say what a family of recalibrations does."""
    return HOW.get(family, family)


def taken(recalibration: dict[str, Any] | None) -> str | None:
    """Give the family to recalibrate by; None where predictions are best left as they are."""
    if recalibration is None or recalibration["family"] == "identity":
        return None
    return str(recalibration["family"])


def untried(recalibration: dict[str, Any]) -> str | None:
    """Say why no family was tried; None where one was."""
    if len(recalibration["cross_entropy"]) > 1:
        return None
    return str(recalibration.get("aside", {}).get("temperature", "too few rows"))
