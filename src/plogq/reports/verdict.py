"""Whether to recalibrate, and by what: the one place that every report reads it from."""

from __future__ import annotations

from typing import Any

LEAVE = "leave the predictions as they are"  # what every report says where `taken` is None


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
