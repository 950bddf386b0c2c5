"""plogq lm: what a language model pays for a text."""

import argparse

from plogq.cli.options import (
    add_gate,
    add_html,
    add_intervals,
    add_json,
    add_part,
    add_text,
    add_unit,
    check_gate,
    check_outputs,
    deliver_guarded,
    given,
)
from plogq.cli.parser import Commands, add_command

READS = """
TOKENS is a table (Parquet, CSV, Arrow; a file, a folder, a URI) with a row for
each token:
  doc         the document's name; its rows follow one another
  logprob     log q of the token, in nats; null in the first row of a document
              whose first token has none
  bytes       how many bytes of text the token stands for
  words, characters, token
              optional: words that end in it, characters, its text

or a log in JSON (.jsonl, .ndjson, .json, .sse; compressed, too; a file or a
folder): a record on each line, indented, in a list, or as a server's events.
Parts of a stream are joined. All records are of one of these:
  OpenAI's protocol (vLLM and others), also as lines of a batch run (custom_id,
              response.body). Read are choices[].logprobs: tokens,
              token_logprobs and text_offset (completions), or content[].token,
              .logprob, .bytes (chat); prompt_logprobs and prompt_token_ids; the
              text or message; usage
  OpenAI's Responses, vLLM's RequestOutput, SGLang's /generate, Text Generation
              Inference, llama.cpp's /completion, Ollama, Gemini, Cohere
  lm-evaluation-harness, samples (--log_samples). Read are doc_id, filter,
              filtered_resps or resps, arguments, word_perplexity,
              byte_perplexity, bits_per_byte; there is one logprob for each
              document, so that no figure is per token

Memory does not grow with tokens; each document takes 8 bytes.
"""

EXAMPLES = """
plogq lm tokens.parquet
plogq lm responses.jsonl --part completion --unit nat
plogq lm tokens.csv --doc file --logprob lp --json figures.json
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "lm",
        _run,
        "say what a language model pays for a text, by token, word, character and byte",
        takes="TOKENS",
        reads=READS,
        examples=EXAMPLES,
    )
    command.add_argument("tokens", metavar="TOKENS", help="a table, or a log in JSON: see below")

    add = command.add_argument_group("input").add_argument
    columns = {
        "doc": "the document that a token is of",
        "logprob": "log q of the token",
        "bytes": "how many bytes it stands for",
    }
    for name, what in columns.items():
        add(f"--{name}", metavar="COL", default=name, help=f"{what} (default: {name})")
    add_part(add)
    add_text(command)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "costs")
    add_intervals(add, "costliest documents and tokens", 20, over=", over documents,")
    add_json(add)
    add_html(add)
    add_gate(command)


def _run(arguments: argparse.Namespace) -> int:
    check_gate(arguments)
    check_outputs(arguments, arguments.tokens)
    from plogq.lm import score_tokens
    from plogq.reports.progress import ProgressBar

    with ProgressBar() as progress:
        result = score_tokens(arguments.tokens, **given(arguments, "tokens"), progress=progress)

    def print_report() -> None:
        from plogq.reports.terminal.lm import print_report

        print_report(result)

    return deliver_guarded(result, arguments, "lm", print_report)
