"""The code of the labels, on the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from plogq.reports.numbers import figure, rows
from plogq.reports.terminal.text import table
from plogq.score.parts import LabelsCode


def code_table(code: LabelsCode) -> Table:
    """Return a table of the bytes and their parts, from the exact cross-entropy on."""
    out = table("", ("right", "bits per row"), "")

    def row(name: str, value: float | None, meaning: str) -> None:
        if value is not None:
            out.add_row(name, figure(value), Text(meaning, style="dim"))

    row("as coded", code.bits_per_row, f"{code.bytes:,} bytes")
    row("exact", code.exact_bits_per_row, "the mean of −log₂ q(label)")
    quantised, exact = code.quantised_bits_per_row, code.exact_bits_per_row
    if code.escaped_rows:
        row("quantised", quantised, f"with {rows(code.escaped_rows)} at 24 bits each")
    elif quantised is not None and exact is not None:
        expected = f"q in units of 2⁻²⁴; expected {figure(code.quantisation_kl)}"
        row("+ quantisation", quantised - exact, expected)
    row("+ coder", code.coder_bits_per_row, "what it rounds and ends with")
    row("+ framing", code.framing_bits_per_row, "counts, digest, checksums")
    return out
