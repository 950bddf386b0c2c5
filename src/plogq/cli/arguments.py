"""Types of arguments that several commands have."""

import argparse
import math
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def count(text: str) -> int:
    """Read a number of things."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0, 1, 2, …, not {text!r}")
    if int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"must be below 2**64, not {text}")
    return int(text)


def folds(text: str) -> int:
    """Read into how many parts rows are dealt, each of which is held out once."""
    if not text.isdecimal() or not 2 <= int(text) < 2**64:
        raise argparse.ArgumentTypeError(f"must be 2, 3, 4, …, not {text!r}")
    return int(text)


def probability(text: str) -> float:
    """Read a probability that is not 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be a probability, above 0, not {text!r}")
    return value


def names(text: str) -> list[str]:
    """Read names with commas between them."""
    return text.split(",")
