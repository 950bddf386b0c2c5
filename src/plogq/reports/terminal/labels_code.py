"""The code of the labels, on the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from plogq.reports.numbers import figure, rows
from plogq.reports.terminal.text import table


def code_table(code: dict[str, Any]) -> Table:
    """Give the bytes, and how they come about from the exact cross-entropy."""
    out = table("", ("right", "bits per row"), "")

    def row(name: str, value: float, meaning: str) -> None:
        out.add_row(name, figure(value), Text(meaning, style="dim"))

    what = f"{code['bytes']:,} bytes, decoded again: every label the same"
    row("as coded", code["bits_per_row"], what)
    row("exact", code["exact_bits_per_row"], "the mean of -log2 q(label)")
    if code["escaped_rows"]:
        row("quantised", code["quantised_bits_per_row"], _escaped(code["escaped_rows"]))
    else:
        rounding = code["quantised_bits_per_row"] - code["exact_bits_per_row"]
        expected = f"q in units of 2^-24; expected {code['quantisation_kl']:.1e}"
        row("+ quantisation", rounding, expected)
    row("+ coder", code["coder_bits_per_row"], "what it rounds and ends with")
    row("+ framing", code["framing_bits_per_row"], "counts, digest, checksums")
    return out


def _escaped(number: int) -> str:
    return f"with {rows(number)} of probability 0 at 24 bits each"
