"""Each loss by its formula: the values that `plogq.formulas` has, and the gradients beside them.

A loss is a frozen dataclass, so that equal losses are compiled once. Where no gradient is written
down, JAX derives the values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from plogq.formulas import binary_core, softmax_core
from plogq.formulas.softmax_state import Softmax, softmax_parts
from plogq.formulas.surprisal_costs import Cost, generalised_cost, poly_cost
from plogq.formulas.terms import times

Array = jax.Array


def parts_of(x: Array, temperature: float = 1.0) -> Softmax:
    """Return the parts of a softmax, of which the automatic derivative is as exact as they are."""
    # XLA's argmax on a CPU is a slow loop; of NaN no element is the top, and the parts are NaN.
    position = jnp.arange(x.shape[-1])
    highest = x == jnp.max(x, axis=-1, keepdims=True)
    first = jnp.min(jnp.where(highest, position, x.shape[-1]), axis=-1, keepdims=True)
    return softmax_parts(jnp, x, temperature, jax.lax.stop_gradient, position == first)


class Given(NamedTuple):
    """What a loss of rows is made of.

    Attributes
    ----------
    x
        (…, C) logits, of one arithmetic dtype; −inf is a masked class.
    parts
        Of softmax(x / T).
    temperature
        T.
    u
        (…, C), what each class counts: the loss's own `shares` of the target; None without target.
    other
        (…, C) logits of another model, if the loss is of two.
    """

    x: Array
    parts: Softmax
    temperature: float
    u: Any
    other: Any


class RowLoss:
    """A loss of rows of logits.

    Attributes
    ----------
    caps_other
        Whether the softcap is for the other model's logits, too.
    """

    caps_other: ClassVar[bool] = True

    def shares(self, x: Array, target: Array, weight: Array | None) -> Array:
        """Return what each class counts, (…, C), of targets as distributions."""
        return target

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        raise NotImplementedError

    def gradient(self, given: Given) -> Array | None:
        """Return the gradients (…, C) with respect to x / T; None where JAX derives the values."""
        return None


class ClassCosts(RowLoss):
    """Σ_j u_j cost_j, u the smoothed target times the class weights."""

    label_smoothing: float

    def shares(self, x: Array, target: Array, weight: Array | None) -> Array:
        """Return w_j ((1 − ε) t_j + ε/K)."""
        target = softmax_core.smoothed(jnp, target, x, self.label_smoothing)
        return target if weight is None else weight * target

    def costs(self, parts: Softmax) -> Array:
        """Return the cost of each class, (…, C)."""
        raise NotImplementedError

    def slopes(self, parts: Softmax) -> Array | float:
        """Return s_j, with which Σ_j u_j cost_j has the gradient (Σ v) p − v of v_j = u_j s_j."""
        raise NotImplementedError

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        return jnp.sum(times(jnp, given.u, self.costs(given.parts)), axis=-1)

    def gradient(self, given: Given) -> Array:
        """Return (Σ v) p − v, v the shares times the slopes."""
        v = given.u * self.slopes(given.parts)
        found: Array = softmax_core.softmax_gradient(jnp, given.parts, v)
        return found


@dataclass(frozen=True)
class CrossEntropy(ClassCosts):
    """The cost (1 − p_j)^γ (−log p_j)."""

    label_smoothing: float = 0.0
    gamma: float = 0.0

    def costs(self, parts: Softmax) -> Array:
        """Return the cost of each class, (…, C)."""
        found: Array = softmax_core.class_costs(jnp, parts, self.gamma)
        return found

    def slopes(self, parts: Softmax) -> Array | float:
        """Return 1 without γ, for which all slopes are."""
        found: Array | float = 1.0
        if self.gamma:
            found = softmax_core.class_slopes(jnp, parts, self.gamma)
        return found


class OfSurprisal(ClassCosts):
    """A cost that is a function of the surprisal −log p_j."""

    def cost(self) -> Cost:
        """Return that function, and its derivative."""
        raise NotImplementedError

    def costs(self, parts: Softmax) -> Array:
        """Return the cost of each class, (…, C)."""
        found: Array = self.cost().value(jnp, parts.surprisals(jnp))
        return found

    def slopes(self, parts: Softmax) -> Array:
        """Return the derivative of each cost in its surprisal."""
        found: Array = self.cost().slope(jnp, parts.surprisals(jnp))
        return found


@dataclass(frozen=True)
class GeneralisedCrossEntropy(OfSurprisal):
    """The cost (1 − p_j^q)/q."""

    label_smoothing: float
    q: float

    def cost(self) -> Cost:
        """Return it as a function of the surprisal."""
        return generalised_cost(self.q)


@dataclass(frozen=True)
class Poly(OfSurprisal):
    """The cost −log p_j + ε (1 − p_j)."""

    label_smoothing: float
    epsilon: float

    def cost(self) -> Cost:
        """Return it as a function of the surprisal."""
        return poly_cost(self.epsilon)


@dataclass(frozen=True)
class SquaredError(RowLoss):
    """Σ_j (p_j − t_j)²."""

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        found: Array = softmax_core.squared_error(jnp, given.parts, given.u)
        return found

    def gradient(self, given: Given) -> Array:
        """Return 2 p_k ((p_k − t_k) − Σ_j p_j (p_j − t_j))."""
        found: Array = softmax_core.squared_error_gradient(jnp, given.parts, given.u)
        return found


@dataclass(frozen=True)
class Distillation(RowLoss):
    """α T² D_KL(softmax(other/T) ‖ softmax(x/T)) + (1 − α) cross-entropy of x; without u, α = 1."""

    alpha: float
    caps_other: ClassVar[bool] = False

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        x, model, temperature, _, teacher = given
        truth = parts_of(teacher, temperature)
        kl = softmax_core.kl_divergence(jnp, teacher, x, truth, model, temperature)
        return self._mixed(temperature**2 * kl, given, CrossEntropy().value, 1)

    def gradient(self, given: Given) -> Array:
        """Return α T² (q − p) + (1 − α) T · cross-entropy's."""
        x, model, temperature, _, teacher = given
        truth = parts_of(teacher, temperature)
        of_kl = softmax_core.kl_divergence_gradient(jnp, teacher, x, truth, model, temperature)
        return self._mixed(temperature**2 * of_kl, given, CrossEntropy().gradient, temperature)

    def _mixed(
        self, soft: Array, given: Given, of_labels: Callable[[Given], Array], factor: float
    ) -> Array:
        if given.u is None or self.alpha == 1:
            return soft
        hard = of_labels(given._replace(parts=parts_of(given.x), temperature=1.0))
        return self.alpha * soft + (1 - self.alpha) * factor * hard


@dataclass(frozen=True)
class ConfidencePenalty(RowLoss):
    """−β H(softmax(x / T))."""

    beta: float

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        entropy: Array = softmax_core.entropy(jnp, given.parts)
        return -self.beta * entropy


@dataclass(frozen=True)
class JSDivergence(RowLoss):
    """β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m) of p = softmax(x / T) and q = softmax(other / T)."""

    beta: float

    def value(self, given: Given) -> Array:
        """Return the losses (…), with their gradients to both logits."""
        return _js_divergence(self.beta, given.temperature, given.x, given.other)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _js_divergence(beta: float, temperature: float, a: Array, b: Array) -> Array:
    of = a, b, parts_of(a, temperature), parts_of(b, temperature)
    found = softmax_core.js_divergence(jnp, *of, temperature, beta)
    return jnp.minimum(found, softmax_core.js_limit(beta))


def _js_divergence_jvp(beta: float, temperature: float, primals: Any, tangents: Any) -> Any:
    """Take the written gradients: derived ones lose their digits as β nears 0 or 1."""
    value = _js_divergence(beta, temperature, *primals)
    a, b = primals
    parts = parts_of(a, temperature), parts_of(b, temperature)
    gradients = softmax_core.js_gradients(jnp, a, b, *parts, temperature, beta)
    products = [
        jnp.sum(gradient / temperature * dot, axis=-1)
        for gradient, dot in zip(gradients, tangents, strict=True)
        if not isinstance(dot, SymbolicZero)
    ]
    return value, sum(products, jnp.zeros_like(value))


_js_divergence.defjvp(_js_divergence_jvp, symbolic_zeros=True)


@dataclass(frozen=True)
class ReverseKL(RowLoss):
    """D_KL(q ‖ p) of q = softmax(x / T) and p = softmax(other / T)."""

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        x, model, temperature, _, other = given
        truth = parts_of(other, temperature)
        found: Array = softmax_core.kl_divergence(jnp, x, other, model, truth, temperature)
        return found

    def gradient(self, given: Given) -> Array:
        """Return q_k (log(q_k/p_k) − D_KL(q ‖ p))."""
        x, model, temperature, _, other = given
        truth = parts_of(other, temperature)
        found: Array = softmax_core.reverse_kl_gradient(jnp, other, x, truth, model, temperature)
        return found


@dataclass(frozen=True)
class NegativeLogLikelihood(RowLoss):
    """−Σ_j u_j x_j of log-probabilities x."""

    def shares(self, x: Array, target: Array, weight: Array | None) -> Array:
        """Return w_j t_j."""
        return target if weight is None else weight * target

    def value(self, given: Given) -> Array:
        """Return the losses (…)."""
        return jnp.sum(times(jnp, given.u, -given.x), axis=-1)


class ElementLoss:
    """A loss of single numbers, with their targets t and what a positive counts, w; None for 1."""

    def value(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the losses, like z."""
        raise NotImplementedError

    def gradient(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the gradients with respect to z."""
        raise NotImplementedError


@dataclass(frozen=True)
class BinaryCrossEntropy(ElementLoss):
    """w t softplus(−z) + (1 − t) softplus(z)."""

    def value(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the losses, like z."""
        found: Array = binary_core.cross_entropy(jnp, z, t, 1.0 if w is None else w)
        return found

    def gradient(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return (1 − t) σ(z) − w t σ(−z)."""
        found: Array = binary_core.cross_entropy_gradient(jnp, z, t, 1.0 if w is None else w)
        return found


@dataclass(frozen=True)
class BinaryFocal(ElementLoss):
    """The focal loss of a logit."""

    gamma: float
    alpha: float | None

    def value(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the losses, like z."""
        of = self.gamma, self.alpha, 1.0 if w is None else w
        found: Array = binary_core.focal(jnp, z, t, *of)
        return found

    def gradient(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return their derivatives."""
        of = self.gamma, self.alpha, 1.0 if w is None else w
        found: Array = binary_core.focal_gradient(jnp, z, t, *of)
        return found


@dataclass(frozen=True)
class Asymmetric(ElementLoss):
    """The asymmetric loss of a logit."""

    gamma_neg: float
    gamma_pos: float
    margin: float

    def value(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the losses, like z."""
        of = self.gamma_neg, self.gamma_pos, self.margin, 1.0 if w is None else w
        found: Array = binary_core.asymmetric(jnp, z, t, *of)
        return found

    def gradient(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return their derivatives."""
        of = self.gamma_neg, self.gamma_pos, self.margin, 1.0 if w is None else w
        found: Array = binary_core.asymmetric_gradient(jnp, z, t, *of)
        return found


@dataclass(frozen=True)
class BinaryCrossEntropyOfProbs(ElementLoss):
    """−t log p − (1 − t) log(1 − p) of probabilities z."""

    def value(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return the losses, like z."""
        found: Array = binary_core.cross_entropy_of_probs(jnp, z, t)
        return found

    def gradient(self, z: Array, t: Array, w: Array | None) -> Array:
        """Return (1 − t)/(1 − p) − t/p."""
        found: Array = binary_core.cross_entropy_of_probs_gradient(jnp, z, t)
        return found
