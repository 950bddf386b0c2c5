"""A step of a training, as it was called, and how to repeat it on a copy of the model."""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from plogq.doctor.runtime.pytorch.tensors import has_reentrant_checkpoint, tensors_in
from plogq.doctor.runtime.pytorch.untouched import RandomState

Way = Callable[[Any], Any]

# What a loop does between the model and the loss: each is tried until one gives the same numbers.
BETWEEN: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x,
    lambda x: x[:, :-1],  # each position of a text is about the next
    lambda x: x[:, -1],
    lambda x: x[:, 0],
    lambda x: x.transpose(1, 2),
    lambda x: x.movedim(1, -1),
    lambda x: x.movedim(-1, 1),
    lambda x: x.transpose(0, 1),
    torch.sigmoid,
    lambda x: x.softmax(-1),
    lambda x: x.log_softmax(-1),
    lambda x: x.softmax(1),
    lambda x: x.log_softmax(1),
    torch.log,
)


class LookError(Exception):
    """Something cannot be looked at; the message says why."""


@dataclass
class Forward:
    """A call of the model."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    training: bool
    autocast: tuple[str, bool, torch.dtype]
    random: RandomState | None
    versions: tuple[int, ...]
    output: Any = None
    earlier: weakref.ref[Tensor] | None = None

    def let_go(self) -> None:
        """Keep the output no longer than the training does: until a later call has its loss."""
        if isinstance(self.output, Tensor):
            self.earlier = weakref.ref(self.output)
        self.output = None

    @property
    def kept(self) -> Tensor | None:
        """The output that was let go, where the training still has it."""
        return None if self.earlier is None else self.earlier()

    @classmethod
    def called(
        cls, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any],
        device: torch.device, random: RandomState | None,
    ) -> Forward:  # fmt: skip
        """Return a call that begins."""
        kind = device.type
        autocast = kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
        return cls(
            args, kwargs, model.training, autocast, random, _versions(args, kwargs)
        )  # fmt: skip

    @property
    def unchanged(self) -> bool:
        """Whether no tensor that the model was given was written into since."""
        return _versions(self.args, self.kwargs) == self.versions


def _versions(args: Any, kwargs: Any) -> tuple[int, ...]:
    """Return how often each tensor was written into; 0 in inference mode, which does not count."""
    return tuple(0 if x.is_inference() else x._version for x in tensors_in((args, kwargs)))


@dataclass
class Step:
    """A call of the loss, after a call of the model.

    Attributes
    ----------
    number
        Which call of the loss, from 1.
    forward
        The call of the model before it.
    args, kwargs
        What the loss was given; empty where the model computes the loss itself.
    loss
        What it returned, without its graph.
    learning
        Whether a gradient can be asked for.
    scale
        By what the loss was multiplied before its gradient was asked for; None before that.
    logits
        Those of a model that computes the loss itself, without their graph.
    reentrant
        Whether a checkpoint hides parameters from all but `backward`; None before it is looked at.
    """

    number: int
    forward: Forward
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loss: Tensor
    learning: bool
    scale: float | None = None
    ways: dict[int | str, Way] = field(default_factory=dict)
    logits: Any = None
    reentrant: bool | None = None

    @property
    def own_loss(self) -> bool:
        """Whether the model computes the loss itself."""
        return not self.args and not self.kwargs

    @property
    def can_be_repeated(self) -> bool:
        """Whether it is known how the loss comes of what the model returns."""
        return self.own_loss or bool(self.ways)

    @property
    def outputs(self) -> Any:
        """What the loss is given of the model; of a model's own loss its logits."""
        if self.own_loss:
            output = self.forward.output
            return self.logits if output is None else entry(output, "logits")
        return self.args[0] if self.args else self.kwargs.get("input")

    @property
    def target(self) -> Any:
        """What the loss compares the outputs with."""
        if self.own_loss:
            named = self.forward.kwargs
            second = self.forward.args[1] if len(self.forward.args) > 1 else None
            return named.get("labels", named.get("targets", second))
        return self.args[1] if len(self.args) > 1 else self.kwargs.get("target")

    def with_target(self, target: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the loss with another target."""
        if len(self.args) > 1:
            return (self.args[0], target, *self.args[2:]), self.kwargs
        return self.args, {**self.kwargs, "target": target}

    def rows(self, most: int) -> Step | None:
        """Return the same step with some rows of its batch, evenly spaced; None if it has no rows.

        What has as many rows as the model's first tensor is cut; what has that many times a whole
        number (tokens, row by row) is cut alike.
        """
        first = next(tensors_in((self.forward.args, self.forward.kwargs)), None)
        if first is None or first.ndim == 0 or not self.forward.unchanged:
            return None
        size = first.shape[0]
        if size <= most:
            return self
        kept = torch.linspace(0, size - 1, most).round().long()

        def cut(given: Any) -> Any:
            if isinstance(given, Tensor) and given.ndim and given.shape[0] % size == 0:
                each = given.shape[0] // size
                rows = given.reshape(size, each, *given.shape[1:])
                return rows[kept.to(given.device)].flatten(0, 1)
            if isinstance(given, Mapping):
                return {name: cut(each) for name, each in given.items()}
            if type(given) in (list, tuple):
                return type(given)(cut(each) for each in given)
            return given

        forward = replace(
            self.forward, args=tuple(map(cut, self.forward.args)), kwargs=cut(self.forward.kwargs)
        )
        forward.versions = _versions(forward.args, forward.kwargs)
        return replace(self, forward=forward, args=tuple(map(cut, self.args)),
                       kwargs=cut(self.kwargs))  # fmt: skip

    def let_go(self) -> None:
        """Keep no tensor but the loss: what is known of the step by then is all."""
        self.forward = replace(self.forward, args=(), kwargs={}, output=None, earlier=None)
        self.args, self.kwargs, self.ways, self.logits = (), {}, {}, None

    def find_ways(self) -> None:
        """Find how each argument of the loss comes of the model's outputs.

        Raises
        ------
        LookError
            One is something else than the model's outputs.
        """
        named: Iterator[tuple[int | str, Any]] = iter([*enumerate(self.args), *self.kwargs.items()])
        for name, given in named:
            way = _way(self.forward.output, given, self.learning)
            if way is not None:
                self.ways[name] = way
        if not self.ways and not self.own_loss:
            raise LookError("what the loss is given is not what the model returns")
        # A graph is not kept for longer than the training keeps it.
        if self.own_loss:
            self.logits = _detached(entry(self.forward.output, "logits"))
        self.args = tuple(_detached(each) for each in self.args)
        self.kwargs = {name: _detached(each) for name, each in self.kwargs.items()}

    def arguments(self, output: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the loss is given where the model returns another output."""
        ways = self.ways
        args = tuple(ways[i](output) if i in ways else x for i, x in enumerate(self.args))
        return args, {k: ways[k](output) if k in ways else x for k, x in self.kwargs.items()}

    def repeat(self, model: nn.Module, loss: Any) -> tuple[Tensor, Any]:
        """Return the loss of a model on the same batch, and its outputs.

        The random generators go where they were when the model was called; the caller keeps them.

        Raises
        ------
        LookError
            The batch was written into since; or a gradient is asked for, and a checkpoint hides it.
        """
        forward, gradient = self.forward, torch.is_grad_enabled() and self.learning
        if not forward.unchanged:
            raise LookError("the batch was written into after the model had read it")
        if forward.random is not None:
            forward.random.restore()
        kind, enabled, dtype = forward.autocast
        with ExitStack() as stack:
            stack.enter_context(torch.set_grad_enabled(self.learning))
            # The cache would keep a copy's weights of half precision beyond their update.
            stack.enter_context(
                torch.autocast(kind, dtype=dtype, enabled=enabled, cache_enabled=False)
            )
            # What came before the model has a graph of its own, which is the training's.
            output = model(*_apart(forward.args), **_apart(forward.kwargs))
        if self.own_loss:
            return self._open(_scalar(entry(output, "loss")), gradient), output
        args, named = self.arguments(output)
        given = dict([*enumerate(self.args), *self.kwargs.items()])
        for name, now in [*enumerate(args), *named.items()]:
            then = given[name]
            if isinstance(now, Tensor) and now.shape[1:] != then.shape[1:]:
                raise LookError("the outputs of a row depend on how many rows there are")
        with torch.set_grad_enabled(self.learning):
            return self._open(_scalar(loss(*args, **named)), gradient), output

    def _open(self, loss: Tensor, gradient: bool) -> Tensor:
        """Refuse a loss whose gradient is asked for, and whose graph hides a part."""
        if gradient and self.reentrant is None:
            self.reentrant = has_reentrant_checkpoint(loss)
        if gradient and self.reentrant:
            raise LookError("a reentrant checkpoint shows parameters to `backward` alone: "
                            "use_reentrant=False shows them")  # fmt: skip
        return loss


def check_same(found: float, loss: float) -> None:
    """Refuse a copy whose loss is not that of the model.

    Raises
    ------
    LookError
        The two differ.
    """
    same = found == loss or not (math.isfinite(found) or math.isfinite(loss))
    if not same and not abs(found - loss) <= 0.01 * max(abs(loss), 0.1):
        raise LookError(
            f"a copy of the model has the loss {found:.4g} where the model has {loss:.4g}"
        )


def _scalar(loss: Tensor) -> Tensor:
    return loss if loss.ndim == 0 else loss.mean()


def entry(output: Any, name: str) -> Any:
    """Return a named part of what a model returned; None where it has none.

    Of a tuple, the loss is its only number, and the logits are its first tensor with rows.
    """
    if isinstance(output, Mapping):
        return output.get(name)
    if type(output) in (tuple, list):
        tensors = [x for x in output if isinstance(x, Tensor) and x.is_floating_point()]
        numbers = [x for x in tensors if x.ndim == 0]
        if name == "loss":
            return numbers[0] if len(numbers) == 1 else None
        return next((x for x in tensors if x.ndim > 1), None)
    return getattr(output, name, None)


def _apart(value: Any) -> Any:
    """Return tensors in nested tuples, lists and mappings without their graphs."""
    if isinstance(value, Tensor):
        return value.detach().requires_grad_(value.requires_grad)
    if type(value) in (tuple, list):
        return type(value)(_apart(each) for each in value)
    if type(value) is dict:
        return {name: _apart(each) for name, each in value.items()}
    return value


def _detached(given: Any) -> Any:
    return given.detach() if isinstance(given, Tensor) else given


def _way(output: Any, given: Any, learning: bool) -> Way | None:
    """Return how something that the loss was given comes of the model's output; None: it does not.

    The way of a tensor is found by its numbers, and so it is the same for other parameters.
    """
    if given is output:
        return lambda x: x
    inner = list(_parts(output))
    for pick, part in inner:
        if given is part:
            return pick
    if not isinstance(given, Tensor) or not given.is_floating_point():
        return None
    if learning and not given.requires_grad:
        return None
    for pick, part in inner:
        if isinstance(part, Tensor) and part.is_floating_point():
            between = _between(part.detach(), given.detach())
            if between is not None:
                return _then(pick, between)
    return None


def _parts(output: Any) -> Iterator[tuple[Way, Any]]:
    """Yield what an output holds, two levels deep, and how to pick it from another output."""
    yield (lambda x: x), output
    for pick, part in _entries(output):
        yield pick, part
        for deeper, inner in _entries(part):
            yield _then(pick, deeper), inner


def _entries(output: Any) -> Iterator[tuple[Way, Any]]:
    if isinstance(output, Mapping):
        for key, part in output.items():
            yield operator.itemgetter(key), part
    elif isinstance(output, (tuple, list)):
        for i, part in enumerate(output):
            yield operator.itemgetter(i), part
    elif not isinstance(output, Tensor):
        for name, part in getattr(output, "__dict__", {}).items():
            yield operator.attrgetter(name), part


def _then(first: Way, second: Way) -> Way:
    return lambda x: second(first(x))


def _between(part: Tensor, given: Tensor) -> Way | None:
    shape, dtype = given.shape, given.dtype
    rest = (-1, *shape[1:])  # a part of the rows goes the same way
    for change in BETWEEN:
        try:
            changed = change(part)
            if changed.numel() != given.numel():
                continue
            if _same(changed.reshape(shape).to(dtype), given):
                as_it_is = changed.shape == shape
                found: Way = change if as_it_is else _then(change, lambda x: x.reshape(rest))
                return _then(found, lambda x: x.to(dtype))
        except (IndexError, RuntimeError):  # too few axes for this change
            continue
    return None


def _same(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors hold the same numbers; NaN is one."""
    return torch.equal(a, b) or torch.equal(a.nan_to_num(), b.nan_to_num())
