"""The report of plogq code, on the terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.codes.files.bytes_file import BytesReport
from plogq.codes.files.labels_file import LabelsReport
from plogq.errors import printable
from plogq.reports.findings.source import and_more
from plogq.reports.numbers import UNKNOWN, count, figure, percent
from plogq.reports.terminal.text import notes, print_sections, table


def print_report(report: BytesReport | LabelsReport, console: Console | None = None) -> None:
    """Print the report of a code."""
    if isinstance(report, BytesReport):
        print_bytes(report, console)
    else:
        print_labels(report, console)


def print_bytes(report: BytesReport, console: Console | None = None) -> None:
    """Print how far the bytes of a file can be compressed, and how long their code is."""
    found, coded = report.found, len(report.data)
    share = f", {percent(coded / report.size)} of them" if report.size else ""
    about = count(report.size, "byte")
    if found.size < report.size:
        about += f"; the statistics are those of the first {found.size:,}"
    print_sections(
        [
            [
                Text(printable(report.path), style="bold"),
                Text(about, style="dim"),
                Text(),
                Text.assemble(
                    (f"{coded:,} bytes at order {report.order}", "bold green"),
                    share,
                    "; decoded again",
                ),
            ],
            [
                Text("What the previous k bytes tell about the next, bits per byte", style="bold"),
                _orders(report),
            ],
            [Text("Beside other coders", style="bold"), _contenders(report)],
        ],
        console,
    )


def _orders(report: BytesReport) -> Table:
    found = report.found
    out = table(("right", "k"), ("right", "entropy"), ("right", "as coded"), ("right", "bytes"), "")
    for k, (entropy, size) in enumerate(zip(found.empirical, found.adaptive, strict=True)):
        meaning = {
            0: "entropy: given k bytes, if all counts were known",
            1: "as coded: by a model that learns them on the way",
        }.get(k, "")
        if k == found.best_order and k > 1:
            meaning = "the best order"
        bits = found.bits_per_byte(size)
        cells = (str(k), figure(entropy), figure(bits), f"{size:,}")
        out.add_row(*cells, Text(meaning, style="dim"))
    return out


def _contenders(report: BytesReport) -> Table:
    found = report.found
    out = table("", ("right", "bits per byte"), ("right", "bytes"), "")
    best = found.best_order
    order = f"plogq, order {best}"
    contenders = [(order, found.adaptive[best], "a model that learns, a range coder")]
    contenders.append(("Huffman", found.huffman, "the best word for each byte"))
    contenders += [(name, size, "") for name, size in found.others]
    for name, size, meaning in sorted(contenders, key=lambda item: item[1]):
        bits = figure(found.bits_per_byte(size))
        out.add_row(name, bits, f"{size:,}", Text(meaning, style="dim"))
    meaning = "at most: what it pays in the second half"
    out.add_row("entropy rate", figure(found.entropy_rate), "", Text(meaning, style="dim"))
    return out


def print_labels(report: LabelsReport, console: Console | None = None) -> None:
    """Print what labels cost under a model and without, and where the bytes went."""
    length, classes = report.length, len(report.counts)
    where = printable(report.paths[0]) + and_more(len(report.paths))
    taken = ", ".join(f"{what} {printable(str(name))}" for what, name in report.taken.items())
    fixed = length.rows * math.log2(classes)
    out = table("", ("right", "bytes"), ("right", "bits per row"), "")

    def row(name: str, bits: float, meaning: str) -> None:
        size = UNKNOWN if math.isinf(bits) else f"{math.ceil(bits / 8 - 1e-9):,}"
        out.add_row(name, size, figure(bits / length.rows), Text(meaning, style="dim"))

    row("no model", fixed, f"log2 {classes:,} for each label")
    row("frequencies", report.frequency_bits, "labels as frequent as those before them")
    row("the model", length.exact_bits, "sum of -log2 q(label): the cross-entropy")
    if length.escaped_rows:
        what = f"without {count(length.escaped_rows, 'row')} of probability 0, at 24 bits each"
        row("  where possible", length.exact_bits_finite, what)
    else:
        what = f"q in units of 2^-24; expected {figure(length.quantisation_kl)}"
        row("  + quantisation", length.quantised_bits - length.exact_bits, what)
    row("  + coder", length.coder_bits, "what it rounds, and ends with")
    row("  + frame", 8 * length.framing_bytes, "counts, digest, checksums")
    row("as coded", 8 * length.bytes, "decoded again: every label the same")
    over = (
        "" if length.overhead is None else f", {percent(length.overhead)} above the cross-entropy"
    )
    print_sections(
        [
            [
                Text(where, style="bold"),
                Text(f"{count(length.rows, 'row')}, {classes:,} classes; {taken}", style="dim"),
                *notes({"notes": report.notes}),
                *(Text(f"! {said}", style="yellow") for said in report.warnings),
                Text(),
                Text.assemble((f"{length.bytes:,} bytes", "bold green"), over),
            ],
            [Text("What the labels cost", style="bold"), out],
        ],
        console,
    )
