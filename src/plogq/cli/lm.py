"""plogq lm: what a language model pays for a text."""

import argparse

from plogq.cli.options import (
    Commands,
    add_intervals,
    add_json,
    add_part,
    add_text,
    add_unit,
    deliver,
    given,
)

READS = """
TOKENS is a table (Parquet, CSV, Arrow; a file, a folder, a URI), a row a token:
  doc         the document's name; its rows follow one another
  logprob     log q of the token, in nats; null in the first row of a document
              whose first token has none
  bytes       how many bytes of text the token stands for
  words, characters, token
              optional: words that end in it, characters, its text

or JSON lines (.jsonl, .ndjson; .gz, .bz2, .zst), a line each:
  a response of vLLM and its like, or a line of a batch run (custom_id,
              response.body). Read are choices[].logprobs: tokens and
              token_logprobs (completions), or content[].token, .logprob,
              .bytes (chat); prompt_logprobs and prompt_token_ids; the text
              or message; usage.prompt_tokens
  a sample that lm-evaluation-harness logged (--log_samples). Read are doc_id,
              filtered_resps or resps, arguments, word_perplexity,
              byte_perplexity, bits_per_byte; it has one logprob for each
              document, so that nothing is per token

Memory does not grow with tokens; each document takes 8 bytes.
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "say what a language model pays for a text, by token, word, character and byte"
    command = commands.add_parser(
        "lm",
        help=what,
        description=f"{what.capitalize()}.",
        epilog=READS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_run)
    command.add_argument("tokens", metavar="TOKENS", help="a table, or JSON lines: see below")

    add = command.add_argument_group("input").add_argument
    for name in ("doc", "logprob", "bytes"):
        add(f"--{name}", metavar="COL", default=name, help=f"default: {name}")
    add_part(add)
    add_text(command)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "costs")
    add_intervals(add, "costliest documents and tokens", 20, over=", over documents,")
    add_json(add)


def _run(arguments: argparse.Namespace) -> None:
    from plogq.lm import score_tokens
    from plogq.reports.progress import ProgressBar

    with ProgressBar() as progress:
        result = score_tokens(arguments.tokens, **given(arguments, "tokens"), progress=progress)

    def print_report() -> None:
        from plogq.reports.terminal.lm import print_report

        print_report(result)

    deliver(result, arguments.json, print_report)
