"""plogq explore: every formula to try out, in the browser."""

import argparse

from plogq.cli.options import count, given
from plogq.cli.parser import Commands, add_command
from plogq.cli.score import add_scoring, check_scoring

EXAMPLES = """
plogq explore
plogq explore predictions.parquet --label y --slice site
plogq explore figures.json      # what plogq score --json wrote
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "explore",
        _run,
        "open the explorer: every formula to try out, in the browser",
        takes="[FILE]",
        more="It is served on 127.0.0.1, to this machine alone, and fetches nothing from "
        "elsewhere. A table is scored as plogq score would, with its options.",
        examples=EXAMPLES,
    )
    add = command.add_argument
    add("file", metavar="FILE", nargs="?",
        help="a table as for plogq score, or its JSON: open it as a report")  # fmt: skip
    add("--port", metavar="N", type=_port, default=0, help="the port (default: a free one)")
    add("--no-browser", action="store_true", help="only print the address")
    add_scoring(command)
    command.set_defaults(turned=command.turned)


def _port(text: str) -> int:
    number = count(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"must be at most 65535, not {number}")
    return number


def _run(arguments: argparse.Namespace) -> None:
    of_table = arguments.turned(arguments) - {"--port", "--no-browser"}
    if arguments.file is None and of_table:
        arguments.usage_error(f"{min(of_table)} goes with FILE")
    check_scoring(arguments)
    from plogq.explorer.pages.predictions_report import Report, report_of_file
    from plogq.explorer.server.serve import serve
    from plogq.reports.progress import ProgressBar

    def bring() -> Report:
        options = given(arguments, "file", "port", "no_browser", "turned")
        with ProgressBar() as progress:
            return report_of_file(arguments.file, arguments.file, **options, progress=progress)

    without = arguments.file is None
    serve(arguments.port, browser=not arguments.no_browser, bring=None if without else bring)
