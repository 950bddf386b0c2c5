"""What a model says of each next token, without the logits of a whole batch.

A causal model of transformers is a body, which turns tokens into hidden states, and behind it a
head, with whatever the model does to its logits (a scale, a softcap). The body runs once for a
batch; its output is caught, and the model runs again on pieces of it, with a body that returns the
piece. So the head is the model's own, whatever its architecture. That this gives what the model
gives in one run is looked at once, on the first window.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plogq.errors import TableError, refuse

if TYPE_CHECKING:
    from torch import Tensor

PIECE_BYTES = 64 << 20  # of the logits that are held at a time
FEWEST_ROWS = 16  # of a piece, however many tokens the vocabulary has
CHECKED = 256  # tokens of the first window, fewer where the vocabulary is large
TOLERANCE = 1e-5  # nats, where no logit is beyond ±1
SKIPPED = -1  # the target of a place that is not scored


class Scorer:
    """A model that is asked what the next tokens cost.

    Parameters
    ----------
    model
        A causal language model: `model(input_ids=…)` has `.logits`.

    Attributes
    ----------
    by_pieces
        Whether the head runs on pieces; otherwise the logits of a whole batch are held.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._options = _options(model)
        self._bodies = _bodies_of(model)
        self._body = self._bodies[0] if self._bodies else None
        self.by_pieces = self._body is not None
        self._rows = 0  # of a piece; known once a logit was seen
        self.device = next(model.parameters()).device

    def costs(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Return −log q of each target that is not SKIPPED, in their order, (n,) nats.

        Parameters
        ----------
        ids
            The tokens that the model sees, (B, T).
        targets
            The token that follows each, (B, T), or SKIPPED.
        """
        from plogq.torch import cross_entropy

        scored = targets != SKIPPED
        wanted = targets[scored]
        if not self.by_pieces:
            whole: Tensor = cross_entropy(self._logits(ids)[scored], wanted, reduction="none")
            return whole
        output = self._caught(ids)
        hidden = _hidden(output)[scored]
        found = []
        while len(hidden):
            rows = self._rows or FEWEST_ROWS
            logits = self._of_piece(output, ids, hidden[:rows])
            size = logits.shape[-1] * logits.element_size()
            self._rows = self._rows or max(FEWEST_ROWS, PIECE_BYTES // size)
            found.append(cross_entropy(logits, wanted[:rows], reduction="none"))
            hidden, wanted = hidden[rows:], wanted[rows:]
        return _joined(found)

    def check(self, ids: Tensor) -> None:
        """Compare the pieces with the model's own logits, on one window (T,); once per model.

        Where they differ, or a piece cannot be computed alone, whole logits are used from then on.

        Raises
        ------
        TableError
            The output has no logits for each token; it is not a number; or what the model says of
            a token depends on later ones, or on what pads a batch.
        """
        import torch

        from plogq.torch import cross_entropy

        ids = ids.to(self.device)[None]
        first = self._logits(ids[:, :1])
        fitting = PIECE_BYTES // (2 * first.shape[-1] * first.element_size())
        ids = ids[:, : max(FEWEST_ROWS, min(CHECKED, fitting))]
        targets = torch.cat([ids[:, 1:], ids[:, :1]], 1)
        logits = self._logits(ids)
        if logits.ndim != 3 or logits.shape[:2] != ids.shape:
            more = logits.shape[1] - ids.shape[1] if logits.ndim == 3 else 0
            prompt = f", {more} places more than tokens (a learnt prompt?)" if more > 0 else ""
            refuse("model", f"give logits (1, {ids.shape[1]}, vocabulary) of {ids.shape[1]} tokens",
                   f"{tuple(logits.shape)}{prompt}", error=TableError)  # fmt: skip
        if (targets >= logits.shape[-1]).any():
            refuse("tokenizer", f"fit the model, which has logits of {logits.shape[-1]:,} tokens",
                   f"token {int(targets.max())}", error=TableError)  # fmt: skip
        if torch.isnan(logits).any():
            refuse("model", "give numbers (float16 overflows in some models: --dtype float32)",
                   "NaN as a logit", error=TableError)  # fmt: skip
        peak = float(logits.nan_to_num(0, 0, 0).abs_().max())
        within = max(TOLERANCE, 4 * torch.finfo(logits.dtype).eps) * max(1.0, peak)
        whole = cross_entropy(logits[0], targets[0], reduction="none")
        rows = max(1, ids.shape[1] // 3)  # several pieces, however short the window
        self._body = next(
            (x for x in self._bodies if self._runs_on(x, ids, targets, rows, whole, within)), None
        )
        self.by_pieces, self._rows = self._body is not None, 0
        kept = ids.shape[1] // 2
        if kept:
            # The second half becomes another one, as if a shorter window had been padded.
            other = torch.cat([ids[:, :kept], torch.zeros_like(ids[:, kept:])], 1)
            other[:, kept:][ids[:, kept:] == 0] = min(1, logits.shape[-1] - 1)
            again = self._logits(torch.cat([ids, other]))[1, : kept - 1]
            if not _agree(cross_entropy(again, targets[0, : kept - 1], reduction="none"),
                          whole[: kept - 1], within):  # fmt: skip
                refuse("model", "say the same of a token whatever follows it (a causal model)",
                       f"{type(self._model).__name__}, whose logits change with later tokens (an "
                       "encoder such as BERT needs is_decoder=True)", error=TableError)  # fmt: skip

    def _runs_on(
        self, body: Any, ids: Tensor, targets: Tensor, rows: int, whole: Tensor, within: float
    ) -> bool:
        """Return whether pieces of a module's output, of so many rows, give the whole's costs."""
        self._body, self.by_pieces, self._rows = body, True, rows
        try:
            return _agree(self.costs(ids, targets), whole, within)
        except (AttributeError, IndexError, KeyError, TypeError, RuntimeError, ValueError):
            return False

    def _logits(self, ids: Tensor) -> Any:
        output = self._model(input_ids=ids, **self._options)
        logits = getattr(output, "logits", None)
        if logits is None:
            refuse("model", "have a head that gives the logits of the next token, as "
                   "AutoModelForCausalLM loads it", type(self._model).__name__,
                   error=TableError)  # fmt: skip
        return logits

    def _caught(self, ids: Tensor) -> Any:
        """Return the output of the body; the head sees its last place alone."""
        caught: list[Any] = []

        def body(run: Callable[..., Any], *given: Any, **named: Any) -> Any:
            caught.append(run(*given, **named))
            return _with_hidden(caught[-1], _hidden(caught[-1])[:, -1:])

        with self._body_as(body):
            self._model(input_ids=ids, **self._options)
        return caught[-1]

    def _of_piece(self, output: Any, ids: Tensor, hidden: Tensor) -> Any:
        """Return the logits of some hidden states, (n, D), as the model makes them, (n, C)."""
        piece = _with_hidden(output, hidden[None])
        with self._body_as(lambda run, *given, **named: piece):
            told = ids[:1, :1].expand(1, len(hidden))
            return self._model(input_ids=told, **self._options).logits[0]

    @contextmanager
    def _body_as(self, body: Callable[..., Any]) -> Iterator[None]:
        """Put a function in the place of the body's forward, for a while."""
        assert self._body is not None
        there = vars(self._body)
        own, run = there.get("forward"), self._body.forward
        self._body.forward = lambda *given, **named: body(run, *given, **named)
        try:
            yield
        finally:
            if own is None:
                del self._body.forward
            else:
                self._body.forward = own


def _bodies_of(model: Any) -> list[Any]:
    """Return the modules that may give hidden states to the model's head, the likeliest first."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model  # inside PEFT's
    found = [getattr(inner, "base_model", None)]
    if hasattr(inner, "get_decoder"):
        found.append(inner.get_decoder())
    return [each for each in found if each is not None and each is not inner]


def _options(model: Any) -> dict[str, Any]:
    """Return what keeps a model from remembering its input."""
    named = inspect.signature(model.forward).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in named.values())
    return {"use_cache": False} if "use_cache" in named or takes_any else {}


def _hidden(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output.last_hidden_state


def _with_hidden(output: Any, hidden: Any) -> Any:
    """Return the output of a body with other hidden states, and all else as it is."""
    if isinstance(output, tuple):
        return (hidden, *output[1:])
    other = copy.copy(output)
    other["last_hidden_state"] = hidden
    return other


def _agree(a: Tensor, b: Tensor, within: float) -> bool:
    same = a.double().sub(b.double()).abs() <= within
    return bool((same | (a == b)).all())  # two infinities are equal


def _joined(parts: list[Tensor]) -> Tensor:
    import torch

    return torch.cat(parts) if parts else torch.empty(0)
