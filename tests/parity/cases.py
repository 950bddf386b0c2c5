"""Every loss that doors share, with every argument that it has, and what `plogq.formulas` gives.

A row of `CASES` is a loss and a kind of target; a new loss is a new row. Arrays are NumPy's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from plogq import formulas as f

C = 5
RNG = np.random.default_rng(0)
_NORMAL, _OTHER = RNG.normal(size=(2, 3, C))
_LABELS = np.array([0, 3, 1])
_TOP = np.eye(C)[_LABELS]
_MASKED = np.eye(C)[[4, 1, 2]] > 0
KINDS = ("normal", "sure", "wrong", "tied", "masked")
X = np.concatenate([
    _NORMAL,
    _NORMAL + 25 * _TOP,
    _NORMAL - 25 * _TOP,
    0 * _NORMAL,
    np.where(_MASKED, -np.inf, _NORMAL),
])  # fmt: skip
N = len(X)
OTHER = np.where(np.isinf(X), -np.inf, np.tile(_OTHER, (len(KINDS), 1)))
Y = np.tile(_LABELS, len(KINDS))
_SHARES = RNG.multinomial(256, np.full(C, 1 / C), N) / 256
SOFT = np.where(np.isinf(X), 0.0, _SHARES) + np.where(np.isinf(X), _SHARES, 0.0)[:, [1, 2, 3, 4, 0]]
W = np.array([0.5, 2.0, 1.0, 0.25, 3.0])
ROW_WEIGHT = np.resize([1.0, 0.5, 0.0, 2.0, 0.25, 1.5, 0.75], N)
MASK = np.arange(N) % 4 != 1
Z = np.where(np.isinf(X), 40.0, X)  # as single logits
PROBS = np.clip(f.sigmoid(Z), 1 / 64, 63 / 64)  # torch holds logarithms at -100
BY_ELEMENT = (np.arange(N)[:, None] + np.arange(C)) % 3 != 1

Found = tuple[np.ndarray, np.ndarray]  # losses, and their gradients with respect to the input


@dataclass(frozen=True, eq=False)
class Case:
    """A loss and its arguments.

    Attributes
    ----------
    name
        Of the loss, as most doors call it.
    formula
        The losses of the input and of `arrays`, and their gradients; takes the loss's own options.
    arrays
        What stands beside the input in a call, in this order.
    own
        A value for each argument that not all losses of its kind have.
    x
        The input.
    place
        Of the input among the arguments.
    """

    name: str
    formula: Callable[..., Any]
    arrays: tuple[np.ndarray, ...] = ()
    own: dict[str, Any] = field(default_factory=dict)
    x: np.ndarray = field(default_factory=lambda: X)
    place: int = 0

    shared: ClassVar[dict[str, Any]] = {}
    dtypes: ClassVar[tuple[str, ...]] = ("float64", "float32", "bfloat16", "float16")

    def options(self) -> dict[str, Any]:
        """Return a value for each argument that the loss may have."""
        return self.shared | self.own

    def arguments(self, x: Any, arrays: Iterable[Any]) -> list[Any]:
        """Return the arguments of a call, by position."""
        found = list(arrays)
        found.insert(self.place, x)
        return found


@dataclass(frozen=True, eq=False)
class Rows(Case):
    """A loss of rows of logits.

    Attributes
    ----------
    others
        How many of its arrays are logits that the softcap is for, too.
    temperature
        Its default.
    weights_divide
        Whether class weights divide the mean of distributions in every door.
    """

    others: int = 0
    temperature: float = 1.0
    weights_divide: bool = False
    shared: ClassVar = {
        "softcap": 2.0,
        "z_loss": 0.3,
        "row_weight": ROW_WEIGHT,
        "mask": MASK,
        "denominator": 7.0,
        "temperature": 1.7,
    }

    def expected(
        self,
        x: np.ndarray,
        *,
        softcap: float | None = None,
        z_loss: float = 0.0,
        row_weight: Any = 1.0,
        mask: Any = True,
        denominator: Any = None,
        **own: Any,
    ) -> Found:
        """Return the losses and gradients of each row."""
        z, *others = (_capped(a, softcap) for a in (x, *self.arrays[: self.others]))
        value, grad = self.formula(z, *others, *self.arrays[self.others :], **own)
        if z_loss:
            temperature = own.get("temperature", self.temperature)
            of_lse = f.z_loss_from_logits(z / temperature)
            value, grad = value + z_loss * of_lse.value, grad + z_loss * of_lse.grad / temperature
        if softcap is not None:
            grad = grad * (1 - np.where(np.isinf(x), 0.0, z / softcap) ** 2)
        counts = np.where(mask, row_weight, 0.0) * np.ones(N)
        return value * counts, grad * counts[:, None]

    def divisor(self, options: dict[str, Any], weights_divide: bool) -> Any:
        """Return what a mean divides by, in a door whose weights divide it, or do not."""
        counts = np.where(options.get("mask", True), options.get("row_weight", 1.0), 0.0)
        counts = counts * np.ones(N)
        weight = options.get("weight")
        if weight is not None:
            target = self.arrays[-1]
            if target.ndim == 1:
                counts = counts * weight[target]
            elif weights_divide or self.weights_divide:
                counts = counts * (target @ weight)
        return options.get("denominator", counts.sum())


# A head's numbers are exact in every dtype of its inputs, and its logits are those of `X`.
MATRIX = np.eye(C) + np.triu(np.full((C, C), 0.25), 1)
BIAS = np.array([0.5, -0.25, 0.0, 1.0, -1.5])
HEARD = np.where(np.isinf(OTHER), 0.0, OTHER)  # a teacher that masks nothing, as the head
HIDDEN = np.linalg.solve(MATRIX, np.where(np.isinf(X), 0.25, X).T).T


@dataclass(frozen=True, eq=False)
class Heads(Rows):
    """A loss of the logits that a linear layer makes of the input; the first array is its matrix.

    Its products are in the dtype of the input, so that half precision has no digits to compare.
    """

    x: np.ndarray = field(default_factory=lambda: HIDDEN)
    dtypes: ClassVar = ("float64", "float32")

    def expected(self, x: np.ndarray, *, linear_bias: Any = 0.0, **options: Any) -> Found:
        """Return the losses of each row, and their gradients in the hidden rows."""
        of_logits = Rows(self.name, self.formula, self.arrays[1:], temperature=self.temperature)
        value, grad = of_logits.expected(x @ MATRIX.T + linear_bias, **options)
        return value, grad @ MATRIX


@dataclass(frozen=True, eq=False)
class Elements(Case):
    """A loss of single numbers."""

    shared: ClassVar = {"weight": ROW_WEIGHT[:, None], "mask": BY_ELEMENT, "denominator": 7.0}

    def expected(
        self,
        x: np.ndarray,
        *,
        weight: Any = 1.0,
        mask: Any = True,
        denominator: Any = None,
        **own: Any,
    ) -> Found:
        """Return the losses and gradients of each element."""
        counts = np.where(mask, weight, 0.0) * np.ones((N, C))
        value, grad = self.formula(x, *self.arrays, **own)
        return value * counts, grad * counts

    def divisor(self, options: dict[str, Any], weights_divide: bool) -> Any:
        """Return what a mean divides by, in a door whose weights divide it, or do not."""
        weight = options.get("weight", 1.0) if weights_divide else 1.0
        counts = np.where(options.get("mask", True), weight, 0.0) * np.ones((N, C))
        return options.get("denominator", counts.sum())


def _capped(x: np.ndarray, softcap: float | None) -> np.ndarray:
    return x if softcap is None else np.where(np.isinf(x), x, softcap * np.tanh(x / softcap))


def _tempered(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Return the formula of x / T, with its gradient in x."""

    def found(x: np.ndarray, *arrays: Any, temperature: float = 1.0, **own: Any) -> Found:
        value, grad = formula(x / temperature, *arrays, **own)
        return value, grad / temperature

    return found


def _cross_entropy(x: np.ndarray, target: np.ndarray, *, gamma: float = 0.0, **own: Any) -> Any:
    if not gamma:
        return f.cross_entropy_from_logits(x, target, **own)
    return f.focal_from_logits(x, target, gamma=gamma, **own)


def _distillation(
    x: np.ndarray,
    teacher: np.ndarray,
    target: np.ndarray | None = None,
    *,
    temperature: float = 2.0,
    alpha: float = 0.5,
    beta: float = 0.0,
) -> Any:
    soft = f.distillation_from_logits(x, teacher, temperature=temperature)
    if beta:
        of_beta = f.js_divergence_from_logits(teacher, x, beta=beta, temperature=temperature)
        soft = [temperature**2 * a for a in of_beta]
    if target is None:
        return soft
    hard = f.cross_entropy_from_logits(x, target)
    return [alpha * a + (1 - alpha) * b for a, b in zip(soft, hard, strict=True)]


def _penalty(x: np.ndarray, *, beta: float = 0.1) -> Found:
    p = f.softmax(x)
    log_p = np.where(np.isinf(x), 0.0, f.log_softmax(x))
    entropy = -(p * log_p).sum(1)
    return -beta * entropy, beta * p * (log_p + entropy[:, None])


def _js(x: np.ndarray, other: np.ndarray, *, beta: float = 0.5, **own: Any) -> Any:
    """Let p, which is the input, trade places with q, in which the formula has the gradient."""
    return f.js_divergence_from_logits(other, x, beta=1 - beta, **own)


def _reverse_kl(x: np.ndarray, other: np.ndarray, **own: Any) -> Any:
    return f.reverse_kl_from_logits(other, x, **own)


def _of_probs(p: np.ndarray, t: np.ndarray, *, label_smoothing: float = 0.0) -> Any:
    smoothed = (1 - label_smoothing) * t + label_smoothing / 2
    return f.binary_cross_entropy_from_probs(p, smoothed)


BENT = {"weight": W, "label_smoothing": 0.2}
FOCAL = BENT | {"gamma": 1.5}
SMOOTHED = {"label_smoothing": 0.2}
ENTROPY = _tempered(_cross_entropy)
GENERALISED = _tempered(f.generalised_cross_entropy_from_logits)
POLY = _tempered(f.poly_from_logits)
BRIER = _tempered(f.squared_error_from_logits)
FOCAL_LOSS = _tempered(
    lambda x, target, gamma=2.0, **own: _cross_entropy(x, target, gamma=gamma, **own)
)

CASES = {
    "labels": Rows("cross_entropy", ENTROPY, (Y,), FOCAL),
    "distributions": Rows("cross_entropy", ENTROPY, (SOFT,), FOCAL),
    "distributions, weights divide": Rows(
        "soft_cross_entropy", ENTROPY, (SOFT,), FOCAL, weights_divide=True
    ),
    "focal": Rows("focal_loss", FOCAL_LOSS, (Y,), FOCAL),
    "focal, distributions": Rows("focal_loss", FOCAL_LOSS, (SOFT,), FOCAL),
    "generalised": Rows("generalised_cross_entropy", GENERALISED, (Y,), BENT | {"q": 0.4}),
    "generalised, distributions": Rows(
        "generalised_cross_entropy", GENERALISED, (SOFT,), BENT | {"q": 1.0}
    ),
    "poly": Rows("poly_loss", POLY, (Y,), BENT | {"epsilon": -0.5}),
    "poly, distributions": Rows("poly_loss", POLY, (SOFT,), BENT | {"epsilon": 1.0}),
    "Brier": Rows("brier_loss", BRIER, (Y,)),
    "Brier, distributions": Rows("brier_loss", BRIER, (SOFT,)),
    "distillation": Rows(
        "distillation_loss", _distillation, (OTHER,), {"alpha": 0.25, "beta": 1}, temperature=2.0
    ),
    "distillation, labels": Rows(
        "distillation_loss", _distillation, (OTHER, Y), {"alpha": 0.25, "beta": 0.3},
        temperature=2.0,
    ),
    "distillation, distributions": Rows(
        "distillation_loss", _distillation, (OTHER, SOFT), {"alpha": 1.0, "beta": 0.5},
        temperature=2.0,
    ),
    "penalty": Rows("confidence_penalty", _tempered(_penalty), (), {"beta": 0.7}),
    "JS": Rows("js_divergence_loss", _js, (OTHER,), {"beta": 0.25}, others=1),
    "JS of 0": Rows("js_divergence_loss", _js, (OTHER,), {"beta": 0}, others=1),
    "JS of 1": Rows("js_divergence_loss", _js, (OTHER,), {"beta": 1}, others=1),
    "reverse KL": Rows("reverse_kl_loss", _reverse_kl, (OTHER,), others=1, place=1),
    "head": Heads("linear_cross_entropy", ENTROPY, (MATRIX, Y), FOCAL | {"linear_bias": BIAS}),
    "head, distributions": Heads(
        "linear_cross_entropy", ENTROPY, (MATRIX, SOFT), FOCAL | {"linear_bias": BIAS}
    ),
    "head, distillation": Heads(
        "linear_distillation_loss", _distillation, (MATRIX, HEARD),
        {"alpha": 0.25, "beta": 1, "linear_bias": BIAS}, temperature=2.0,
    ),
    "head, distillation, labels": Heads(
        "linear_distillation_loss", _distillation, (MATRIX, HEARD, Y),
        {"alpha": 0.25, "beta": 0.3, "linear_bias": BIAS}, temperature=2.0,
    ),
    "binary": Elements(
        "binary_cross_entropy_with_logits", f.binary_cross_entropy_from_logits, (SOFT,),
        SMOOTHED | {"pos_weight": W}, Z,
    ),
    "binary focal": Elements(
        "binary_focal_loss", f.binary_focal_from_logits, (SOFT,),
        SMOOTHED | {"gamma": 1.5, "alpha": 0.25, "pos_weight": W}, Z,
    ),
    "asymmetric": Elements(
        "asymmetric_loss", f.asymmetric_from_logits, (SOFT,),
        SMOOTHED | {"gamma_neg": 1.5, "gamma_pos": 0.5, "margin": 0.25, "pos_weight": W}, Z,
    ),
    "binary, probabilities": Elements("binary_cross_entropy", _of_probs, (SOFT,), SMOOTHED, PROBS),
}  # fmt: skip
