"""Print what `docs/coming-from/liger.md` says of Liger, from its kernels in Triton's interpreter.

It takes `pip install --no-deps liger-kernel==0.8.5` beside plogq[torch] and Triton. A GPU is not
needed, and is not used. The interpreter does not take `softcap` and `weight`: they were read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version

os.environ["TRITON_INTERPRET"] = "1"

import torch
from liger_kernel.transformers import functional as liger
from torch import Tensor

import plogq.torch as pt

torch.manual_seed(0)
ROWS, TARGET = torch.randn(6, 50), torch.tensor([1, 2, -100, 4, 49, 0])
HIDDEN, MATRIX = torch.randn(6, 8), torch.randn(50, 8)


def loss_and_grads(loss: Callable[..., Tensor], *inputs: Tensor) -> tuple[float, list[Tensor]]:
    """Return the loss, and its gradients with respect to the inputs."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    value = loss(*(x * 1 for x in leaves))  # Liger writes the gradient over its input
    value.backward()
    return value.item(), [leaf.grad for leaf in leaves]


def compare(
    name: str, theirs: Callable[..., Tensor], ours: Callable[..., Tensor], *x: Tensor
) -> None:
    """Print both losses, and how far the gradients are apart."""
    (a, of_a), (b, of_b) = loss_and_grads(theirs, *x), loss_and_grads(ours, *x)
    apart = max(float((p - q).abs().max()) for p, q in zip(of_a, of_b, strict=True))
    print(f"{name:34} {a:<10.8g} {b:<10.8g} gradients apart by {apart:.1e}")


def outcome(call: Callable[[], object]) -> str:
    """Return what a call gives, or the type of the error that it raises."""
    try:
        return str(call())
    except (AssertionError, RuntimeError, ValueError, TypeError) as error:
        return type(error).__name__


def both(name: str, call: Callable[[Callable[..., Tensor]], object]) -> None:
    """Print what a call gives with each of the two losses."""
    theirs, ours = (
        outcome(lambda loss=loss: call(loss))
        for loss in (liger.liger_cross_entropy, pt.cross_entropy)
    )
    print(f"{name:34} {theirs:24} {ours}")


def overwritten(loss: Callable[..., Tensor]) -> bool:
    """Tell whether the logits hold something else after the call."""
    x = ROWS.clone().requires_grad_() * 1
    before = x.detach().clone()
    loss(x, TARGET)
    return not torch.equal(x.detach(), before)


def second_derivative(loss: Callable[..., Tensor]) -> str:
    """Take the gradient of a gradient."""
    x = ROWS.clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(x * 1, TARGET), x, create_graph=True)
    grad.square().sum().backward()
    return "taken"


def main() -> None:
    """Print the figures of the page."""
    print(f"liger-kernel {version('liger-kernel')}, torch {version('torch')}\n")
    smooth = {"label_smoothing": 0.1}
    compare(
        "plain",
        lambda x: liger.liger_cross_entropy(x, TARGET),
        lambda x: pt.cross_entropy(x, TARGET),
        ROWS,
    )
    compare(
        "smoothing and z-loss",
        lambda x: liger.liger_cross_entropy(x, TARGET, lse_square_scale=1e-4, **smooth),
        lambda x: pt.cross_entropy(x, TARGET, z_loss=1e-4, **smooth),
        ROWS,
    )
    compare(
        "fused head",
        lambda h, w: liger.liger_fused_linear_cross_entropy(h, w, TARGET),
        lambda h, w: pt.linear_cross_entropy(h, w, TARGET),
        HIDDEN,
        MATRIX,
    )
    masked = ROWS.clone()
    masked[:, 7] = -torch.inf
    print()
    both("all ignored", lambda f: f(ROWS.clone(), torch.full((6,), -100)).item())
    both("bfloat16", lambda f: f"{f(ROWS.bfloat16(), TARGET).item():.7g}")
    both("masked class, smoothing", lambda f: f(masked.clone(), TARGET, **smooth).item())
    both("target 77 of 50", lambda f: f(ROWS.clone(), torch.tensor([1, 2, 3, 4, 5, 77])))
    both("logits (0, -40), class 0", lambda f: f(torch.tensor([[0.0, -40]]), TARGET[-1:]).item())
    both("logits are overwritten", overwritten)
    both("torch.func.grad", lambda f: torch.func.grad(f)(ROWS.clone(), TARGET).shape and "taken")
    both("second derivative", second_derivative)


if __name__ == "__main__":
    main()
