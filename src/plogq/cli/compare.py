"""plogq compare: two models or more on the same rows or documents."""

import argparse

from plogq.cli.options import (
    add_gate,
    add_html,
    add_intervals,
    add_json,
    add_labels,
    add_part,
    add_predictions,
    add_rows,
    add_second_table,
    add_text,
    add_unit,
    check_gate,
    check_outputs,
    deliver_guarded,
    given,
)
from plogq.cli.parser import Commands, add_command

READS = """
Models are tables of predictions, as plogq score reads them; or token logprobs,
as plogq lm does: logs in JSON, or tables with the columns doc and logprob and
no label. Multiple-choice samples of lm-evaluation-harness are predictions.

Rows are paired by --id, or else by their order; labels must agree, and classes
are matched by name. By order both tables stream; with --id the ids and the
figures of all rows are held, about 300 bytes a row. Documents are paired by
name, or by text where a server has named them at random; each takes about 300
bytes.

Of three models or more every pair is compared, and all intervals hold
together: so many comparisons make none clear by chance. Each pair takes about
the memory of a comparison of two.
"""

EXAMPLES = """
plogq compare a.parquet b.parquet --id id
plogq compare a.csv b.csv --label y --probs 'p_*' --slice site --group patient
plogq compare old.parquet new.parquet third.parquet --slice site
plogq compare base.parquet new.parquet --fail-if 'worse by 0.002 bits'
plogq compare old.jsonl new.jsonl --part completion
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "compare",
        _run,
        "say which of two models or more costs less on the same rows, by how much, and where",
        takes="A B [C ...]",
        reads=READS,
        examples=EXAMPLES,
    )
    command.add_argument("a", metavar="A", help="a table of predictions or of tokens: see below")
    command.add_argument("b", metavar="B", help="another, of the same rows or documents")
    command.add_argument("more", metavar="C", nargs="*", help="and any number of others")

    add = command.add_argument_group("columns of all").add_argument
    add_labels(add)
    add_predictions(add)
    add_second_table(add)
    add("--id", metavar="COL", help="names of the rows, to pair them by")

    add = command.add_argument_group("columns of A").add_argument
    add_rows(add, "compare", "resampled")

    add_text(command)

    add_part(command.add_argument_group("token logprobs").add_argument)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "costs")
    add_intervals(add, "largest differences, each way,", 10)
    add_json(add)
    add_html(add)
    add_gate(command)


def _run(arguments: argparse.Namespace) -> int:
    check_gate(arguments)
    models = arguments.a, arguments.b, *arguments.more
    check_outputs(arguments, *models)
    from plogq.compare import ManyComparison, compare
    from plogq.reports.progress import ProgressBar

    with ProgressBar() as progress:
        result = compare(*models, **given(arguments, "a", "b", "more"), progress=progress)

    def print_report() -> None:
        if isinstance(result, ManyComparison):
            from plogq.reports.findings.compare_many import page
            from plogq.reports.terminal.page import print_page

            print_page(page(result))
        else:
            from plogq.reports.terminal.compare import print_report

            print_report(result)

    return deliver_guarded(result, arguments, "compare", print_report)
