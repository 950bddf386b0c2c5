"""plogq lm: what a language model pays for a text."""

import argparse
import sys
from pathlib import Path
from typing import Any

from plogq.cli.options import (
    TEXT,
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
    positive,
)
from plogq.cli.parser import Commands, Parser, add_command

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

With --model, TEXT is what the model is to score: files of text, each a
document (any file that is no table, a folder of them, a URI), or a table (JSON
lines, Parquet, CSV, ...) with a column of documents.

Memory does not grow with tokens; each document takes 8 bytes.
"""

EXAMPLES = """
plogq lm tokens.parquet
plogq lm responses.jsonl --part completion --unit nat
plogq lm tokens.csv --doc file --logprob lp --json figures.json
plogq lm --model ./my-model held-out.jsonl --save tokens.parquet
plogq lm --model hf://openai-community/gpt2 book.txt --bos yes
"""

OF_TOKENS = ("--logprob", "--bytes", "--part")
OF_MODELS = {
    "--column": "column",
    "--context": "context",
    "--stride": "stride",
    "--bos": "bos",
    "--batch-tokens": "batch_tokens",
    "--device": "device",
    "--dtype": "dtype",
    "--save": "save",
    "--trust-remote-code": "trust_remote_code",
}


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "lm",
        _run,
        "say what a language model pays for a text, by token, word, character and byte",
        takes="TOKENS | --model DIR TEXT...",
        reads=READS,
        examples=EXAMPLES,
    )
    command.set_defaults(turned=command.turned)
    command.add_argument("tokens", metavar="TOKENS|TEXT", nargs="+",
        help="a table, or a log in JSON; with --model texts: see below")  # fmt: skip

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
    _add_model(command)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "costs")
    add_intervals(add, "costliest documents and tokens", 20, over=", over documents,")
    add_json(add)
    add_html(add)
    add_gate(command)


def _add_model(command: Parser) -> None:
    add = command.add_argument_group("tokens from a model (needs plogq[hf])").add_argument
    add("--model", metavar="DIR_OR_NAME",
        help="a causal model of transformers: a folder, the name of one that is on this machine, "
        "or hf://NAME to download it from the Hugging Face Hub")  # fmt: skip
    add("--column", metavar="COL", default="text",
        help="in tables: the column of documents (default: text)")  # fmt: skip
    add("--context", metavar="N", type=positive,
        help="tokens that the model sees at a time (default: as many as it can)")  # fmt: skip
    add("--stride", metavar="N", type=positive,
        help="tokens that each further window of a document scores; the rest of it is context "
        "(default: half the context)")  # fmt: skip
    add("--bos", choices=["auto", "yes", "first", "no"], default="auto",
        help="begin each window with BOS: auto: as the tokenizer does; yes: with EOS where there "
        "is no BOS; first: a document's first window alone (default: auto)")  # fmt: skip
    add("--batch-tokens", metavar="N", type=positive, default=8192,
        help="tokens that go through the model at a time (default: 8192)")  # fmt: skip
    add("--device", metavar="NAME", help="such as cpu or cuda:1 (default: a GPU if there is one)")
    add("--dtype", choices=["auto", "float32", "bfloat16", "float16", "float64"], default="auto",
        help="the type of the weights (default: auto, as they are saved)")  # fmt: skip
    add("--save", metavar="FILE", type=Path,
        help="write the tokens as Parquet, which lm and compare read; a run that was stopped "
        "goes on where it was")  # fmt: skip
    add("--trust-remote-code", action="store_true",
        help="run Python code that comes with the model")  # fmt: skip


def _check(arguments: argparse.Namespace, turned: set[str]) -> None:
    """Refuse options that do not go together."""
    if arguments.model is None:
        if len(arguments.tokens) > 1:
            said = f"{arguments.tokens[1]}: one argument too many (several texts go with --model)"
            arguments.usage_error(said)
        for option in OF_MODELS:
            if option in turned:
                arguments.usage_error(f"{option} goes with --model")
    else:
        for option in OF_TOKENS:
            if option in turned:
                arguments.usage_error(f"{option} does not go with --model, which reads texts")


def _run(arguments: argparse.Namespace) -> int:
    check_gate(arguments)
    _check(arguments, arguments.turned(arguments))
    check_outputs(arguments, *arguments.tokens)
    result = _of_tokens(arguments) if arguments.model is None else _of_model(arguments)

    def print_report() -> None:
        from plogq.reports.terminal.lm import print_report

        print_report(result)

    return deliver_guarded(result, arguments, "lm", print_report)


def _of_tokens(arguments: argparse.Namespace) -> Any:
    from plogq.lm import score_tokens
    from plogq.reports.progress import ProgressBar

    options = given(arguments, "tokens", "model", *OF_MODELS.values())
    with ProgressBar() as progress:
        return score_tokens(arguments.tokens[0], **options, progress=progress)


def _of_model(arguments: argparse.Namespace) -> Any:
    from plogq.lm import load_model, score_model
    from plogq.lm.from_model.saved import check_ending
    from plogq.lm.from_model.texts import files_of
    from plogq.reports.progress import ProgressBar
    from plogq.tables.formats.text_options import text_options

    options = given(arguments, "tokens", "model", "logprob", "bytes", "part")
    text = text_options(*(options.pop(name) for name in TEXT))
    if arguments.save is not None:
        check_ending(arguments.save)
    texts = files_of(
        arguments.tokens, column=options.pop("column"), doc=options.pop("doc"), text=text
    )
    names = ("device", "dtype", "trust_remote_code")
    model, tokenizer = load_model(arguments.model, **{name: options.pop(name) for name in names})
    try:
        with ProgressBar(unit="bytes") as progress:
            return score_model(model, tokenizer, texts, **options, progress=progress)
    except KeyboardInterrupt:
        if arguments.save is not None:
            print("plogq lm: stopped; the same command goes on where it was", file=sys.stderr)
        raise
