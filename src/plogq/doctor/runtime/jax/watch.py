"""Watches a loss of JAX: it keeps what the loss is given, and computes it again."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from plogq.doctor.finding import Diagnosis
from plogq.doctor.runtime.diagnose import diagnose
from plogq.doctor.runtime.forms import Forms
from plogq.doctor.runtime.functional import overfit, shuffled_labels, split_batch
from plogq.doctor.runtime.jax.graph import is_floating
from plogq.doctor.runtime.jax.look import JaxLoss, Leaves, is_array, looked_at
from plogq.doctor.runtime.jax.loss_name import LABELS, named, of_labels_outside
from plogq.doctor.runtime.looking import LookError, Looking, curve_of, labels_of
from plogq.doctor.runtime.squared_error import squared_error
from plogq.doctor.runtime.training import HalfPrecisionLoss, LookedAtStep, NotFinite, Training
from plogq.doctor.values import Values

HALVES = ("float16", "bfloat16")
WHY = "a loss of JAX does not show it"
UNSEEN = dict.fromkeys(("PQ205", "PQ209", "PQ211", "PQ214", "PQ215"), WHY)


class Watch(Forms):
    """A loss of JAX that is watched.

    Attributes
    ----------
    loss
        The loss function, called in its place: under `jit`, `grad`, `vmap` and `scan`, too.
    """

    def __init__(
        self, loss_fn: Callable[..., Any], has_aux: bool, steps: int, probes: bool,
        untrained: bool, select: Sequence[str] | None, ignore: Sequence[str] | None,
    ) -> None:  # fmt: skip
        self._function, self._has_aux = loss_fn, has_aux
        self._steps, self._probes = steps, probes
        self._options: dict[str, Any] = {"untrained": untrained, "select": select, "ignore": ignore}
        self._name = getattr(loss_fn, "__name__", type(loss_fn).__name__)
        self._looking = Looking()
        self._values: list[tuple[int, Values]] = []
        self._looked: list[LookedAtStep] = []
        self._losses: list[Any] = []
        self._labels: Counter[int] = Counter()
        self._plain = True
        self._calls, self._running = 0, False
        self._waiting: list[tuple[int, Any, Any, float]] = []
        self._made: dict[Any, JaxLoss] = {}

        @functools.wraps(loss_fn)
        def loss(*args: Any, **kwargs: Any) -> Any:
            return self._called(*args, **kwargs)

        self.loss: Callable[..., Any] = loss

    def start(self) -> Self:
        """Begin to watch."""
        self._running = True
        return self

    def stop(self) -> None:
        """End to watch; what a compiled function sends from now on is not kept."""
        if self._running:
            self._look_at_waiting()
        self._running = False

    def look(self, params: Any, *batch: Any, **named: Any) -> None:
        """Look at one step: what the loss function is about to be given.

        Parameters
        ----------
        params, batch, named
            The arguments of the loss function, outside of any transformation.
        """
        if not self._running:
            return
        self._calls += 1
        if self._calls > self._steps:
            return
        with self._looking.safe("the loss"):
            leaves = jax.tree_util.tree_leaves((params, batch, named))
            if any(isinstance(each, jax.core.Tracer) for each in leaves):
                raise LookError("inside of a transformation, call loss in its place")
            self._look(self._calls, params, (batch, named), None)

    def add_loss(self, loss: Any) -> None:
        """Keep the loss of a step, which may still be computed: it is not waited for."""
        if self._running:
            self._losses.append(loss)

    # --- a loss that is called in a transformation

    def _called(self, *args: Any, **kwargs: Any) -> Any:
        out = self._function(*args, **kwargs)
        if self._running:
            with self._looking.safe("the loss"):
                self._send(out[0] if self._has_aux else out, args, kwargs)
        return out

    def _send(self, loss: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Have what the loss is given brought here, whenever it is computed."""
        if jnp.shape(loss) != ():
            raise LookError(f"it must be one number; got shape {jnp.shape(loss)}")
        leaves = Leaves.of((args, kwargs), is_array)
        keys = [jnp.issubdtype(each.dtype, jax.dtypes.prng_key) for each in leaves.arrays]
        kinds = [str(jax.random.key_impl(each)) if key else "" for each, key in zip(
            leaves.arrays, keys, strict=True)]  # fmt: skip
        sent = [jax.random.key_data(each) if key else each for each, key in zip(
            leaves.arrays, keys, strict=True)]  # fmt: skip
        empty = Leaves(leaves.paths, [], leaves.rest, leaves.structure)
        jax.debug.callback(functools.partial(self._received, empty, kinds), sent, loss)

    def _received(self, leaves: Leaves, kinds: list[str], arrays: list[Any], loss: Any) -> None:
        if not self._running:
            return
        self._calls += 1
        self._losses.append(float(np.asarray(loss)))
        if self._calls <= self._steps:  # JAX must not be called from here
            kept = [np.array(each) for each in arrays]
            self._waiting.append((self._calls, leaves, (kinds, kept), self._losses[-1]))

    def _look_at_waiting(self) -> None:
        with self._looking.safe("the loss"):
            jax.effects_barrier()  # type: ignore[no-untyped-call]
        waiting, self._waiting = self._waiting, []
        for number, leaves, (kinds, kept), loss in waiting:
            with self._looking.safe("the loss"):
                arrays = [
                    jax.random.wrap_key_data(jnp.asarray(each), impl=kind) if kind else each
                    for each, kind in zip(kept, kinds, strict=True)
                ]
                args, kwargs = leaves.tree(arrays)
                self._look(number, args[0] if args else {}, (args[1:], kwargs), loss)

    # --- what one step shows

    def _look(self, number: int, params: Any, rest: Any, seen: float | None) -> None:
        weights, batch = Leaves.of(params, is_floating), Leaves.of(rest, is_array)
        if not weights.arrays:
            raise LookError("its first argument must hold the weights; got no array of numbers")
        key = weights.structure, batch.structure
        if key not in self._made:
            self._made[key] = JaxLoss(self._function, self._has_aux, weights, batch)
        loss = self._made[key]
        shape = jax.eval_shape(loss, weights.arrays, batch.arrays)
        if shape.shape != () or not is_floating(shape):
            raise LookError(f"it must be one number; got shape {shape.shape} of {shape.dtype}")
        step, broken, arrays = looked_at(loss, weights, batch.arrays, number, seen)
        self._looked.append(step)
        if broken is not None:
            self._looking.found.setdefault("not_finite", broken)
        with self._looking.safe("what the loss is given"):
            self._name_loss(loss, number, step.loss, arrays, batch.arrays)
        if "split" not in self._looking.found and len(self._looked) == 1 and broken is None:
            self._ask(loss, weights.arrays, batch.arrays, str(shape.dtype))

    def _name_loss(
        self, loss: JaxLoss, number: int, value: float, arrays: list[Any], batch: list[Any]
    ) -> None:
        """Find what the loss is given, and look at it."""
        tell = named if math.isfinite(value) else lambda x, y, _: of_labels_outside(x, y)
        known = tell(arrays, batch, value)
        loss.known = loss.known or known
        if known is None:
            self._plain = False
            return
        values = known.values(arrays[known.outputs], batch[known.target], at_start=number == 1)
        self._values.append((number, values))
        labels = labels_of(values) if known.name == LABELS else None
        self._plain = self._plain and labels is not None
        if labels is not None:
            self._labels.update(labels.tolist())
        if known.name == "squared_error" and known.reduction == "mean":
            found = squared_error(values.outputs, values.target)
            if found is not None:
                self._looking.found.setdefault("squared", found)

    def _ask(self, loss: JaxLoss, weights: list[Any], batch: list[Any], dtype: str) -> None:
        """Ask what one batch can answer."""
        ask, known, whole = self._looking.ask, loss.known, self._looked[0].loss
        target = _labels_of(batch) if known is None else known.target
        if known is not None and dtype in HALVES and self._values:
            scored = self._values[0][1].scored
            if scored is not None and known.reduction == "mean":
                exact = float(scored.losses.mean())
                self._looking.found["half"] = HalfPrecisionLoss(dtype, self._looked[0].loss, exact)
        if not self._probes or target is None:
            return
        if known is None or not known.shift:
            ask("shuffled", "the labels' order",
                lambda: shuffled_labels(loss, weights, batch, target))  # fmt: skip
        ask("split", "the halves of a batch",
            lambda: split_batch(loss, weights, batch, target, whole, use_seen=False))  # fmt: skip
        if known is not None:
            ask("overfit", "a batch learnt by heart",
                lambda: overfit(loss, weights, batch, target))  # fmt: skip

    # --- what was found

    def _training(self) -> Training:
        found = dict(self._looking.found)
        with self._looking.safe("the losses"):
            losses = [float(np.asarray(each)) for each in self._losses]
            if self._plain:
                found["curve"] = curve_of(losses, self._labels)
            bad = next((i for i, each in enumerate(losses, 1) if not math.isfinite(each)), 0)
            if bad > self._steps and "not_finite" not in found:
                found["not_finite"] = NotFinite(bad, losses[bad - 1], "", "", "later", "", 1, 1)
        if self._calls == 0:
            self._looking.note(
                "the loss", "was not seen: call look(params, …) in the loop, or loss in its place"
            )
        return Training(steps=tuple(self._looked), **found)

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found until now."""
        if self._running:
            self._look_at_waiting()
        training = self._training()
        calls = f"{self._calls:,} call{'' if self._calls == 1 else 's'}"
        looked_at = f"{calls} of the loss {self._name}, {len(self._looked)} of them repeated"
        return diagnose(training, self._values, looked_at, unread=self._looking.unread,
                        unseen=UNSEEN, **self._options)  # fmt: skip


def _labels_of(batch: list[Any]) -> int | None:
    """Return which array of a batch are its labels, where only one can be; None otherwise.

    There is one row of whole numbers, and beside it an array of as many rows of other numbers.
    """
    whole = [i for i, each in enumerate(batch)
             if jnp.ndim(each) == 1 and jnp.issubdtype(each.dtype, jnp.integer)]  # fmt: skip
    if len(whole) != 1:
        return None
    rows = len(batch[whole[0]])
    others = [each for each in batch if is_floating(each) and jnp.shape(each)[:1] == (rows,)]
    return whole[0] if others and rows > 2 else None
