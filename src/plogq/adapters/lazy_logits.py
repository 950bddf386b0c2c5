"""The logits of a linear head, not computed: what is done to them is noted until a loss asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from plogq.errors import refuse
from plogq.torch.head import layer_cross_entropy
from plogq.torch.options import SoftmaxOptions

Number = float  # which a method below is named as
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Term:
    """One product of the logits: factor · linear(input)."""

    input: Tensor  # (…, D)
    linear: nn.Linear
    factor: Number = 1.0


@dataclass(frozen=True, eq=False)
class LazyLogits:
    """Logits (…, V) that are not computed: outer · tanh(scale · z), or scale · z without the tanh.

    z is the sum of the terms and of the biases: one term is a linear head, two are a head and its
    LoRA. Rows can be chosen and reshaped, and logits scaled, squashed and cast, for all that is
    noted and left to the linear head of `plogq.torch`; anything else is refused, so that no loss is
    computed of other logits than the model's.
    """

    terms: tuple[Term, ...]
    biases: tuple[tuple[Tensor, Number], ...] = ()  # each (V,), and its factor
    classes: slice | None = None  # of the V rows of the head; None for all
    scale: Number = 1.0
    outer: Number | None = None  # a number once there was a tanh
    dtype: torch.dtype = torch.float32

    @classmethod
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def of(cls, linear: nn.Linear, input: Tensor) -> LazyLogits:
        """Return what `linear(input)` would be."""
        device = input.device.type
        autocast = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if autocast else input.dtype
        return cls((Term(input, linear),), dtype=dtype)

    # What a loss, or whoever wraps a model, asks of logits without reading them.

    @property
    def shape(self) -> torch.Size:
        """Shape (…, V)."""
        first = self.terms[0]
        width = first.linear.out_features
        if self.classes is not None:
            width = len(range(width)[self.classes])
        return torch.Size([*first.input.shape[:-1], width])

    @property
    def device(self) -> torch.device:
        """Device of the hidden states."""
        return self.terms[0].input.device

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.terms[0].input.ndim

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self.ndim

    def size(self, dim: int | None = None) -> torch.Size | int:
        """Return the shape, or one number of it."""
        return self.shape if dim is None else self.shape[dim]

    # The rows.

    def view(self, *sizes: Any) -> LazyLogits:
        """Return the rows in another shape; the last dimension stays the classes."""
        wanted = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
        shape = torch.empty(self.shape, device="meta").view(wanted).shape
        if shape[-1:] != self.shape[-1:]:
            _refuse(f"a view of shape {tuple(shape)}, which cuts rows of {self.shape[-1]} classes")
        return self._rows(lambda rows: rows.reshape(*shape[:-1], rows.shape[-1]))

    reshape = view

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> LazyLogits:
        """Return the rows with a range of dimensions, not the classes', made one."""
        return self.view(torch.empty(self.shape, device="meta").flatten(start_dim, end_dim).shape)

    def contiguous(self) -> LazyLogits:
        """Return the same."""
        return self

    def __getitem__(self, index: Any) -> LazyLogits:
        """Return chosen rows, and of the classes a slice."""
        if isinstance(index, Tensor):
            if index.ndim >= self.ndim:
                _refuse("an index of classes")
            return self._rows(lambda rows: rows[index])
        indices = index if isinstance(index, tuple) else (index,)
        if not all(each is ... or isinstance(each, int | slice) for each in indices):
            _refuse(f"the index {index}")
        if ... in indices:
            at = indices.index(...)
            every = (slice(None),) * (self.ndim - len(indices) + 1)
            indices = (*indices[:at], *every, *indices[at + 1 :])
        rows, classes = indices[: self.ndim - 1], indices[self.ndim - 1 :]
        chosen = self._rows(lambda each: each[rows]) if rows else self
        if classes in ((), (slice(None),)):
            return chosen
        if len(classes) > 1 or not isinstance(classes[0], slice) or self.classes is not None:
            _refuse(f"the index {index}")
        return replace(chosen, classes=classes[0])

    # The numbers.

    def __mul__(self, factor: object) -> LazyLogits:
        """Return the logits times a number."""
        factor = _positive(factor, "a product with")
        if self.outer is None:
            return replace(self, scale=self.scale * factor)
        return replace(self, outer=self.outer * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> LazyLogits:
        """Return the logits over a number."""
        return self * (1 / _positive(divisor, "a quotient by"))

    def tanh(self) -> LazyLogits:
        """Return the hyperbolic tangent of the logits."""
        if self.outer is not None:
            _refuse("a second tanh")
        return replace(self, outer=1.0)

    def __add__(self, other: object) -> LazyLogits:
        """Return the sum with the product of another linear layer, or with a bias."""
        if self.outer is not None or self.classes is not None:
            _refuse("a sum after a tanh or a choice of classes")
        if isinstance(other, LazyLogits):
            if other.shape != self.shape or other.outer is not None:
                _refuse(f"a sum with logits of shape {tuple(other.shape)}")
            terms, biases = self._scaled(self.scale), other._scaled(other.scale)
            return LazyLogits(terms[0] + biases[0], terms[1] + biases[1], dtype=self.dtype)
        width = self.shape[-1]
        if not isinstance(other, Tensor) or other.numel() != width or other.shape[-1:] != (width,):
            _refuse("a sum with what is no bias of the classes")
        terms_, biases_ = self._scaled(self.scale)
        return LazyLogits(terms_, (*biases_, (other.reshape(width), 1.0)), dtype=self.dtype)

    __radd__ = __add__

    def to(self, *args: Any, **kwargs: Any) -> LazyLogits:
        """Return the logits in another dtype; the loss is computed in float32 or better anyway."""
        for each in (*args, *kwargs.values()):
            if isinstance(each, torch.dtype) and each in FLOATS:
                return replace(self, dtype=each)
            if isinstance(each, torch.device | str) and torch.device(each) == self.device:
                continue
            if not isinstance(each, bool):
                _refuse(f"a move to {each}")
        return self

    def float(self) -> LazyLogits:
        """Return the logits in float32."""
        return self.to(torch.float32)

    # The ends.

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def cross_entropy(
        self,
        target: Tensor,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
        label_smoothing: Number = 0.0,
        *,
        return_stats: bool = False,
    ) -> Any:
        """Return the loss of the rows (N, V) by their labels (N,), without the logits.

        The arguments are those of torch; with `return_stats`, it is (loss, Statistics).
        """
        if self.ndim != 2 or size_average is not None or reduce is not None:
            _refuse(f"cross_entropy of logits of shape {tuple(self.shape)}")
        options: SoftmaxOptions = {"return_stats": True} if return_stats else {}
        if self.outer is not None:
            options["softcap"] = 1 / self.scale
        whole = self.scale * (1.0 if self.outer is None else self.outer)
        if abs(whole - 1) > 1e-12:  # more than two roundings in 30 · (1/30)
            options["temperature"] = 1 / whole
        terms = [(_times(term.input, term.factor), self._matrix(term)) for term in self.terms]
        return layer_cross_entropy(
            terms, self._bias(), target,
            weight=weight, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=label_smoothing, options=options,
        )  # fmt: skip

    def compute(self) -> Tensor:
        """Return the logits after all, (…, V)."""
        products = [F.linear(_times(t.input, t.factor), self._matrix(t)) for t in self.terms]
        if (bias := self._bias()) is not None:
            products.append(bias)
        z = sum(products[1:], start=products[0]).to(self.dtype) * self.scale
        return z if self.outer is None else torch.tanh(z) * self.outer

    @classmethod
    def __torch_function__(
        cls,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Answer the few functions of torch that need no logits, and refuse the others."""
        method = {F.cross_entropy: cls.cross_entropy, torch.tanh: cls.tanh}.get(function)
        if method is None or not args or not isinstance(args[0], cls):
            _refuse(getattr(function, "__name__", repr(function)))
        return method(*args, **kwargs or {})

    def __getattr__(self, name: str) -> NoReturn:
        _refuse(name, AttributeError)

    def _rows(self, change: Callable[[Tensor], Tensor]) -> LazyLogits:
        terms = tuple(replace(term, input=change(term.input)) for term in self.terms)
        return replace(self, terms=terms)

    def _scaled(self, k: Number) -> tuple[tuple[Term, ...], tuple[tuple[Tensor, Number], ...]]:
        terms = tuple(replace(term, factor=term.factor * k) for term in self.terms)
        return terms, tuple((bias, factor * k) for bias, factor in self.biases)

    def _matrix(self, term: Term) -> Tensor:
        """Return the matrix of a term, (V, D), as it is when the loss is due."""
        matrix, shape = term.linear.weight, (term.linear.out_features, term.linear.in_features)
        if matrix.shape != shape or hasattr(matrix, "full_tensor"):
            expected = (
                f"be a whole tensor of shape {shape} on each rank (with FSDP2: shard the layers "
                "and the model, but not the head by itself)"
            )
            refuse("the head's weight", expected, "a part of it, or a DTensor")
        return matrix if self.classes is None else matrix[self.classes]

    def _bias(self) -> Tensor | None:
        """Return the sum of all biases, (V,)."""
        found = [_times(*each) for each in self.biases]
        for term in self.terms:
            if term.linear.bias is not None:
                found.append(_times(term.linear.bias, term.factor))
        if not found:
            return None
        total = sum(found[1:], start=found[0])
        return total if self.classes is None else total[self.classes]


def _times(x: Tensor, factor: float) -> Tensor:
    return x if factor == 1 else x * factor


def _positive(number: object, what: str) -> float:
    """Return a number above 0, of which a temperature can be made; a tensor might be learnt."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        _refuse(f"{what} a {type(number).__name__} (a number above 0 is noted)")
    if not 0 < number < math.inf:
        _refuse(f"{what} {number} (a number above 0 is noted)")
    return number


def _refuse(what: str, error: type[Exception] = TypeError) -> NoReturn:
    expected = (
        "be left to the loss: after plogq.huggingface.patch they are not computed in training "
        "(logits.compute(), model.eval() or unpatch(model) gives them)"
    )
    refuse("logits", expected, what, error=error)


def _refused(name: str) -> Callable[..., NoReturn]:
    def method(self: LazyLogits, *args: object) -> NoReturn:
        _refuse(name)

    return method


# Without these, Python would answer them by identity, or by an error that does not say why.
for _name in (
    "eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "iter", "contains", "setitem", "array",
    "float", "int", "neg", "abs", "sub", "rsub", "rtruediv", "pow", "matmul", "rmatmul", "invert",
    "iadd", "isub", "imul", "itruediv", "and", "or",
):  # fmt: skip
    setattr(LazyLogits, f"__{_name}__", _refused(_name))
