"""plogq lm: what a language model pays for a text."""

import argparse
import sys
from pathlib import Path

from plogq.cli.arguments import Commands, count

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
    add("--part", choices=["prompt", "completion", "all"],
        help="of responses with logprobs of both a prompt and what followed it")  # fmt: skip

    add = command.add_argument_group("figures").add_argument
    add("--unit", choices=["bit", "nat", "hartley"], default="bit",
        help="unit of costs (default: bit)")  # fmt: skip
    add("--bootstrap", metavar="N", type=count, default=200,
        help="replicates, over documents, of the 95 %% intervals (default: 200)")  # fmt: skip
    add("--top", metavar="N", type=count, default=20,
        help="how many of the costliest documents and tokens to list (default: 20)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0, help="of the intervals (default: 0)")
    add("--json", metavar="FILE", type=Path, help="write every figure; - for standard output")


def _run(arguments: argparse.Namespace) -> None:
    from plogq.lm import score_tokens
    from plogq.reports.files import write_whole
    from plogq.reports.progress import ProgressBar

    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("run", "tokens", "json")
    }
    with ProgressBar() as progress:
        result = score_tokens(arguments.tokens, **options, progress=progress)
    if arguments.json == Path("-"):
        sys.stdout.write(result.to_json() + "\n")
        return
    from plogq.reports.terminal.lm import print_report

    print_report(result)
    if arguments.json is not None:
        write_whole(arguments.json, (result.to_json() + "\n").encode())
