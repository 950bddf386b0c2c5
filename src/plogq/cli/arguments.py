"""Types of arguments that several commands have."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def count(text: str) -> int:
    """Read a number of things."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0, 1, 2, …, not {text!r}")
    return int(text)


def names(text: str) -> list[str]:
    """Read names with commas between them."""
    return text.split(",")
