"""plogq explore: every formula, touchable, in the browser."""

import argparse

from plogq.cli.options import Commands, count


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "open the explorer: every formula, touchable, in the browser"
    command = commands.add_parser(
        "explore",
        help=what,
        description=f"{what.capitalize()}. It is served on 127.0.0.1, to this machine alone, and "
        "fetches nothing from elsewhere.",
    )
    command.set_defaults(run=_run)
    add = command.add_argument
    add("file", metavar="FILE", nargs="?",
        help="a table as for plogq score, or its JSON: open it as a report")  # fmt: skip
    add("--label", metavar="COL", help="of the table (default: found by name)")
    add("--port", metavar="N", type=_port, default=0, help="to listen on (default: a free one)")
    add("--no-browser", action="store_true", help="only print the address")


def _port(text: str) -> int:
    number = count(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"must be at most 65535, not {number}")
    return number


def _run(arguments: argparse.Namespace) -> None:
    from plogq.explorer.pages.predictions_report import report_of_file
    from plogq.explorer.server.serve import serve

    brought = None
    if arguments.file is not None:
        brought = report_of_file(arguments.file, arguments.file, label=arguments.label)
    serve(arguments.port, browser=not arguments.no_browser, brought=brought)
