"""From a model and a text to a result: its tokens are scored, and then added up as any others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plogq.errors import check_count, check_exponent, refuse
from plogq.extras import needed_by
from plogq.formulas.units import Unit, check_unit
from plogq.lm.from_model.source import Bos, ModelTokens
from plogq.lm.from_model.texts import Texts, texts_of
from plogq.lm.result import TokensResult
from plogq.lm.score_tokens import figures_of
from plogq.tables.sums.bootstrap import check_replicates

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def score_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Any,
    *,
    column: str = "text",
    doc: str = "doc",
    context: int | None = None,
    stride: int | None = None,
    bos: Bos = "auto",
    batch_tokens: int = 8192,
    save: str | os.PathLike[str] | None = None,
    save_every: float = 20.0,
    unit: Unit = "bit",
    bootstrap: int = 200,
    top: int = 20,
    seed: int = 0,
    progress: Callable[[int, int | None], None] | None = None,
) -> TokensResult:
    """Return what a model pays for a text: Σ −log q over its tokens, each of them scored once.

    A document of more tokens than the context is cut into windows, of which each begins `stride`
    tokens after the one before; a token is scored in the first that reaches it, with at least
    context − stride tokens before it. Bytes are those of the text as it was given, in UTF-8.

    Parameters
    ----------
    model, tokenizer
        A causal language model of transformers, and its tokenizer.
    texts
        A list of texts, each a document; a mapping of names to texts; a frame; or files of text or
        tables, as one `pathlib.Path` or a list of them.
    column, doc
        In a table or frame: the column of texts, and that of their names. Without the latter,
        documents are called by their rows.
    context
        The most tokens that the model sees at a time; by default as many as it can.
    stride
        The most tokens that a window scores, but for the first; by default half the context.
    bos
        "auto": documents begin with what the tokenizer puts before a text, in each window; "yes":
        with BOS, or EOS where there is none; "first": in a document's first window alone, as
        lm-evaluation-harness has it; "no": with nothing. Without it the first token of a document
        has no context: it is not scored, and the result says how many there are.
    batch_tokens
        The most tokens that go through the model at a time, in windows of like length.
    save
        A Parquet file to write: a row for each token, which `score_tokens` and `compare` read. A
        run that was stopped goes on from its parts, which lie in a folder beside it until then.
    save_every
        The seconds of work that a run may lose when it is stopped.
    unit, bootstrap, top, seed
        As in `score_tokens`.
    progress
        Called with (bytes of text done, bytes in all) as work goes on.

    Raises
    ------
    ValueError
        The model has no head or is not causal, the tokenizer is not the model's, an argument does
        not fit the model, or there is no text; the message says which, and what to do.

    References
    ----------
    Hugging Face, Perplexity of fixed-length models (windows with a stride).
    """
    with needed_by("plogq.lm.score_model"):
        import torch
        import transformers  # noqa: F401
    check_unit(unit)
    check_replicates(bootstrap)
    for name, count in (("top", top), ("seed", seed)):
        check_count(name, count)
    check_count("batch_tokens", batch_tokens, 1)
    check_exponent("save_every", save_every)
    _check_model(model)
    source = texts if isinstance(texts, Texts) else texts_of(texts, column=column, doc=doc)
    asked: Any = model
    training = asked.training
    asked.eval()
    try:
        with torch.no_grad():
            tokens = ModelTokens(
                asked, tokenizer, source, context=context, stride=stride, bos=bos,
                batch_tokens=batch_tokens, save=None if save is None else Path(save),
                save_every=save_every, progress=progress,
            )  # fmt: skip
            return figures_of(tokens, unit=unit, bootstrap=bootstrap, top=top, seed=seed)
    finally:
        asked.train(training)


def _check_model(model: Any) -> None:
    if not (callable(model) and hasattr(model, "parameters") and hasattr(model, "config")):
        refuse("model", "be a causal language model of transformers (load_model reads one)",
               type(model).__name__, error=TypeError)  # fmt: skip
    if getattr(model.config, "is_encoder_decoder", False):
        refuse("model", "be one that continues a text (a decoder alone)",
               f"{type(model).__name__}, an encoder and a decoder")  # fmt: skip
