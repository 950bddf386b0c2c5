"""A step repeated on a copy: the gradient at each layer, and where activations are flat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from plogq.doctor.runtime.pytorch.activations import ActivationMode
from plogq.doctor.runtime.pytorch.copies import copied
from plogq.doctor.runtime.pytorch.steps import Step, check_same
from plogq.doctor.runtime.pytorch.tensors import numbers, square_sum, tensors_in
from plogq.doctor.runtime.training import Activation, LayerGradient, LookedAtStep, NotFinite

# By what a loss is multiplied so that gradients in float16 are seen which would otherwise be 0.
SCALES = (2.0**16, 2.0**8, 1.0)
LEAST_EXPONENT = -24  # of float16: a smaller number than 2⁻²⁵ becomes 0


@dataclass
class _Layer:
    """A module with parameters, and the gradient of its outputs in all its calls."""

    name: str
    kind: str
    square: float = 0.0
    bad: tuple[str, int, int] | None = None
    seen: bool = False
    exponents: Counter[int] = field(default_factory=Counter)  # of a gradient in float16

    def add(self, gradient: Tensor, scale: float) -> None:
        """Add the gradient of a call, which is multiplied by a scale."""
        self.seen = True
        wide = numbers(gradient).double() / scale
        self.square += float((wide * wide).sum())
        self.bad = self.bad or not_finite(gradient, masks=False)
        if gradient.dtype == torch.float16:
            _, exponents = torch.frexp(wide[wide != 0])
            values, counts = torch.unique(exponents, return_counts=True)
            self.exponents.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def clear(self) -> None:
        """Forget the gradient."""
        self.square, self.bad, self.seen = 0.0, None, False
        self.exponents.clear()

    def gradient(self, loss_scale: float) -> LayerGradient:
        """Return the layer as it is kept; `loss_scale` is that of the training."""
        total = self.exponents.total()
        least = LEAST_EXPONENT - math.log2(loss_scale) if loss_scale > 0 else -math.inf
        lost = sum(count for exponent, count in self.exponents.items() if exponent < least)
        return LayerGradient(
            self.name, self.kind, math.sqrt(self.square), lost / total if total else 0.0
        )


@dataclass
class Looked:
    """What one step showed; the scale of its loss is known later."""

    step: Step
    layers: list[_Layer]
    activations: tuple[Activation, ...]
    broken: NotFinite | None
    gradient: float
    unreached: frozenset[str]
    reached: frozenset[str]

    @property
    def record(self) -> LookedAtStep:
        """Return it as it is kept."""
        scale = 1.0 if self.step.scale is None else self.step.scale
        layers = tuple(each.gradient(scale) for each in self.layers if each.seen)
        return LookedAtStep(
            self.step.number, float(self.step.loss), layers, self.activations, scale
        )


def look(model: nn.Module, loss: Any, step: Step) -> Looked:
    """Return what one step shows of each layer, on a copy, and where it is not finite first.

    Raises
    ------
    LookError
        The copy has another loss.
    """
    model, loss = copied(model, loss)
    outputs: list[tuple[_Layer, Tensor]] = []
    broken: list[NotFinite] = []
    with ActivationMode() as activations, _watched(model, activations, outputs, broken, step):
        value, output = step.repeat(model, loss)
    check_same(float(value.detach()), float(step.loss))
    layers = list({id(layer): layer for layer, _ in outputs}.values())
    _backward(value, model, outputs, layers)
    gradients = {name: each.grad for name, each in model.named_parameters() if each.requires_grad}
    square = sum(square_sum(each) for each in gradients.values() if each is not None)
    ran = {layer.name for layer, _ in outputs}
    without = {name for name in ran if _without_gradient(name, gradients)}
    finals = list(tensors_in(output))
    return Looked(
        step, layers, tuple(activations.shares(finals)), _first_broken(broken, layers, step),
        math.sqrt(square), frozenset(without), frozenset(ran - without),
    )  # fmt: skip


def _without_gradient(layer: str, gradients: dict[str, Tensor | None]) -> bool:
    """Return whether the trainable parameters of a layer itself have a gradient that is 0."""
    begin = f"{layer}." if layer else ""
    own = [
        each for name, each in gradients.items()
        if name.startswith(begin) and "." not in name[len(begin) :]
    ]  # fmt: skip
    return bool(own) and all(each is None or not numbers(each).any() for each in own)


def _add(layer: _Layer, scale: float, gradient: Tensor) -> None:
    layer.add(gradient, scale)


def _backward(
    value: Tensor, model: nn.Module, outputs: list[tuple[_Layer, Tensor]], layers: list[_Layer]
) -> None:
    """Give each layer the gradient of its outputs, multiplied where float16 is among them.

    Only the copy's parameters get a gradient: a loss may hold on to other models.
    """
    weights = [each for each in model.parameters() if each.requires_grad]
    halves = any(each.dtype == torch.float16 for _, each in outputs)
    for scale in SCALES if halves else (1.0,):
        hooks = [
            each.register_hook(partial(_add, layer, scale))  # type: ignore[no-untyped-call]
            for layer, each in outputs
        ]
        if value.requires_grad and weights:
            torch.autograd.backward(
                value.float() * scale, retain_graph=scale != 1.0, inputs=weights
            )
        for each in hooks:
            each.remove()
        if scale == 1.0 or not any(layer.bad for layer in layers):
            break
        for layer in layers:
            layer.clear()


@contextmanager
def _watched(
    model: nn.Module, activations: ActivationMode, outputs: list[tuple[_Layer, Tensor]],
    broken: list[NotFinite], step: Step,
) -> Iterator[None]:  # fmt: skip
    """Keep, of each module that runs inside, what it gives."""
    hooks = []

    def watch(name: str, module: nn.Module) -> None:
        own = any(each is not None for each in module._parameters.values())
        layer = _Layer(name, type(module).__name__) if own else None

        def before(module: nn.Module, args: Any) -> None:
            activations.inside.append(name)

        def after(module: nn.Module, args: Any, output: Any) -> None:
            activations.inside.pop()
            _note_broken(name, module, args, output, broken, step)
            for each in tensors_in(output):
                if layer is not None and each.requires_grad:
                    outputs.append((layer, each))

        hooks.append(module.register_forward_pre_hook(before))
        hooks.append(module.register_forward_hook(after))

    for name, module in model.named_modules():
        watch(name, module)
    try:
        yield
    finally:
        for each in hooks:
            each.remove()


def not_finite(x: Tensor, *, masks: bool) -> tuple[str, int, int] | None:
    """Return the first number that is NaN or infinite, how many there are, and of how many.

    With `masks` a −infinity is a masked class, and no such number.
    """
    if not (x.is_floating_point() or x.is_complex()):
        return None
    x = numbers(x)  # apart from the graph, in which a checkpoint counts what is saved
    bad = ~torch.isfinite(x)
    if masks:
        bad &= ~torch.isneginf(x)
    count = int(bad.sum())
    return (str(float(x[bad][0])), count, x.numel()) if count else None


def _note_broken(
    name: str, module: nn.Module, args: Any, output: Any, broken: list[NotFinite], step: Step
) -> None:
    """Note the first module whose outputs are not finite, and whether that came with its inputs."""
    if broken:
        return
    found = next((bad for x in tensors_in(output) if (bad := not_finite(x, masks=True))), None)
    if found is None:
        return
    inputs = next((bad for x in tensors_in(args) if (bad := not_finite(x, masks=False))), None)
    own = next((bad for x in module._parameters.values()
                if x is not None and (bad := not_finite(x, masks=False))), None)  # fmt: skip
    of, (value, count, size) = "outputs", found
    if inputs is not None:
        of, (value, count, size) = "inputs", inputs
    elif own is not None:
        of, (value, count, size) = "parameters", own
    kind = type(module).__name__
    broken.append(NotFinite(step.number, float(step.loss), name, kind, of, value, count, size))


def _first_broken(broken: list[NotFinite], layers: list[_Layer], step: Step) -> NotFinite | None:
    """Return where a step is not finite first; None where its loss and its gradient are finite."""
    loss = float(step.loss)
    if not math.isfinite(loss):
        nowhere = NotFinite(step.number, loss, "", "", "loss", str(loss), 1, 1)
        return broken[0] if broken else nowhere
    for layer in reversed(layers):  # the gradient comes from behind
        if layer.seen and layer.bad is not None:
            value, count, size = layer.bad
            return NotFinite(
                step.number, loss, layer.name, layer.kind, "gradient", value, count, size
            )
    return None
