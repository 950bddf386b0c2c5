"""A model and texts as a source of tokens, like a table or a log of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.lm.documents import Block, Remarks
from plogq.lm.from_model.encoding import Encoder
from plogq.lm.from_model.head import Scorer
from plogq.lm.from_model.rows import chunks, longest, rows_of, scored
from plogq.lm.from_model.saved import Saved
from plogq.lm.from_model.texts import Survey, Texts
from plogq.lm.from_model.windows import Plan, plan
from plogq.lm.readers.table import TokenTable
from plogq.tables.readers import open_table

Bos = Literal["auto", "yes", "first", "no"]
BOS = ("auto", "yes", "first", "no")
WITHOUT_LIMIT = 2048  # the context of a model that sees any number of tokens


class ModelTokens:
    """The tokens of texts, as a model scores them: a source like a table or a log of them."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        texts: Texts,
        *,
        context: int | None,
        stride: int | None,
        bos: Bos,
        batch_tokens: int,
        save: Path | None,
        save_every: float,
        progress: Callable[[int, int | None], None] | None,
    ) -> None:
        self.remarks = Remarks()
        self.rows: int | None = None
        self._model, self._texts, self._most = model, texts, batch_tokens
        self._encoder = Encoder(tokenizer, _vocabulary(model), self.remarks)
        prefix, behind = self._encoder.around()
        prefix = _prefix(tokenizer, bos, prefix)
        self._plan = plan(
            context, stride, positions=positions_of(model), without_limit=WITHOUT_LIMIT,
            prefix=prefix, every=bos != "first",
        )  # fmt: skip
        self._survey = Survey.of(texts, self.remarks)
        self._kind = pa.float64() if _dtype(model) == "float64" else pa.float32()
        self._saved = None if save is None else Saved(save, self._settings(tokenizer))
        self._save_every, self._progress = save_every, progress
        self._done = 0
        self.origin: dict[str, Any] = {
            "paths": texts.paths,
            "format": f"{texts.format}, scored by {_called(model)} ({_dtype(model)})",
            "columns": {},
            "notes": _notes(self._plan, tokenizer, behind),
        }

    def blocks(self) -> Iterator[Block]:
        """Yield the documents in order, as they are scored.

        What a table of tokens doubts is what its columns are; those of this one are known.
        """
        table = TokenTable(open_table(self._batches()), "doc", "logprob", "bytes")
        yield from table.blocks()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        saved = self._saved
        if saved is not None:
            for batch in saved.batches():
                self._tell(sum(batch.column("bytes").to_pylist()))
                yield batch
            if saved.complete:  # what is to be said of the texts is said again
                for name, text in self._texts.read():
                    if text:
                        self._encoder.encode(name, text)
                return
        scorer = Scorer(self._model)
        checked = False
        fresh: list[pa.RecordBatch] = []
        since = time.monotonic()
        skipped = 0 if saved is None else saved.rows
        rows = skipped
        try:
            for chunk in chunks(self._texts, self._encoder, self._plan, self._most, skipped):
                if not checked and (ids := longest(chunk, self._plan)) is not None:
                    self._look_at(scorer, ids)
                    checked = True
                padded = not _depends_on_length(self._model)
                logprobs = scored(
                    chunk, scorer, self._plan, self._most, padded=padded, done=self._tell
                )  # fmt: skip
                batch = rows_of(chunk, logprobs, self._kind)
                rows += batch.num_rows
                yield batch
                if saved is None:
                    continue
                fresh.append(batch)
                if time.monotonic() - since >= self._save_every:
                    part, fresh, since = fresh, [], time.monotonic()
                    saved.add(part)
        finally:  # a run that is stopped, by Ctrl-C as well, keeps its rows
            if saved is not None and fresh:
                saved.add(fresh)
        if not rows:
            raise TableError(f"{self._texts.paths[0]}: the tokenizer makes no token of any text")
        if saved is not None:
            saved.finish()

    def _tell(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, self._survey.bytes)

    def _look_at(self, scorer: Scorer, ids: Any) -> None:
        import torch

        scorer.check(torch.from_numpy(ids))
        if not scorer.by_pieces:
            self.origin["notes"].append(
                "The head of this model does not run on pieces: whole batches of logits are held."
            )

    def _settings(self, tokenizer: Any) -> dict[str, Any]:
        """Return all that the rows depend on, as JSON holds it."""
        return {
            "texts": self._survey.digest,
            "model": _digest(self._model),
            "tokenizer": _tokenizer_digest(tokenizer),
            "dtype": _dtype(self._model),
            "context": self._plan.context,
            "stride": self._plan.stride,
            "prefix": list(self._plan.prefix),
            "every": self._plan.every,
        }


def positions_of(model: Any) -> int | None:
    """Return how many tokens a model can see at a time; None where there is no limit."""
    config = model.config
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "context_length"):
        found = getattr(config, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return None


def _prefix(tokenizer: Any, bos: Bos, own: tuple[int, ...]) -> tuple[int, ...]:
    if bos not in BOS:
        refuse("bos", f"be one of {', '.join(BOS)}", repr(bos))
    if bos == "no":
        return ()
    if own or bos == "auto":
        return own
    for mark in ("bos_token_id", "eos_token_id"):
        if (found := getattr(tokenizer, mark, None)) is not None:
            return (int(found),)
    return refuse("bos", 'be "auto" or "no" for this tokenizer, which has neither BOS nor EOS',
                  repr(bos))  # fmt: skip


def _notes(cut: Plan, tokenizer: Any, behind: tuple[int, ...]) -> list[str]:
    said = [
        f"Windows of {cut.context:,} tokens; each scores up to {cut.stride:,} that none before it "
        f"did, with {cut.context - cut.stride:,} or more before them where there are as many."
    ]
    if cut.prefix:
        names = " ".join(map(str, tokenizer.convert_ids_to_tokens(list(cut.prefix))))
        what = "Each window begins" if cut.every else "The first window of a document begins"
        said.append(f"{what} with {names}, which is not scored.")
    else:
        said.append("Nothing stands before a document.")
    if behind:
        names = " ".join(map(str, tokenizer.convert_ids_to_tokens(list(behind))))
        said.append(f"The tokenizer's {names} behind a text is left out.")
    return said


def _vocabulary(model: Any) -> int | None:
    embeddings = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    return getattr(embeddings, "num_embeddings", None)


def _depends_on_length(model: Any) -> bool:
    """Return whether a rotary embedding changes with the longest window of a batch."""
    return any(
        f'"{kind}"' in str(model.config.to_json_string()) for kind in ("dynamic", "longrope")
    )


def _dtype(model: Any) -> str:
    return str(next(model.parameters()).dtype).removeprefix("torch.")


def _called(model: Any) -> str:
    return str(getattr(model.config, "_name_or_path", "") or type(model).__name__)


def _digest(model: Any) -> str:
    """Return a hash of a model: of its settings, and of some numbers of each of its weights."""
    found = hashlib.sha256(type(model).__name__.encode())
    config = model.config.to_diff_dict()
    config = {name: x for name, x in config.items() if name not in ("_name_or_path", "dtype")}
    found.update(json.dumps(config, sort_keys=True, default=str).encode())
    for name, weight in model.named_parameters():
        some = weight.detach().flatten()
        some = some[:: max(1, len(some) // 64)].double().cpu().numpy()
        found.update(f"{name} {tuple(weight.shape)}".encode() + some.tobytes())
    return found.hexdigest()


def _tokenizer_digest(tokenizer: Any) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    said = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(said.encode()).hexdigest()
