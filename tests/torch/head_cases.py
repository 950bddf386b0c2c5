"""A linear head's inputs, its options, and its loss from all of its logits in float64."""

import torch

import plogq.torch as pt

R, D, C = 37, 6, 11
_GENERATOR = torch.Generator().manual_seed(17)


def _normal(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=_GENERATOR)


HIDDEN, MATRIX, BIAS = _normal(R, D), _normal(C, D), _normal(C)
LABELS = torch.arange(R) * 7 % C
LABELS[::5] = -100
SOFT = _normal(R, C).softmax(1)
WEIGHT = torch.linspace(0.25, 2, C, dtype=torch.float64)
PLACES = torch.linspace(0, 2, R, dtype=torch.float64)
MASK = torch.arange(R) % 3 != 1
UPSTREAM = _normal(R)
LOW = _normal(2, D), _normal(C, 2), 0.5

OPTIONS = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "class weights": {"weight": WEIGHT},
    "class weights and smoothing": {"weight": WEIGHT, "label_smoothing": 0.2},
    "ignored class": {"target": LABELS.clamp(min=0), "ignore_index": 3},
    "gamma": {"gamma": 1.5},
    "temperature": {"temperature": 0.5},
    "z-loss": {"z_loss": 0.01},
    "softcap": {"softcap": 3.0},
    "softcap, then temperature": {"softcap": 3.0, "temperature": 2.0},
    "row weights": {"row_weight": PLACES},
    "mask": {"mask": MASK},
    "denominator": {"denominator": 7.5},
    "denominator in a tensor": {"denominator": torch.tensor(7)},
    "all": {
        "weight": WEIGHT, "label_smoothing": 0.1, "temperature": 2.0, "z_loss": 0.01,
        "softcap": 5.0, "mask": MASK, "row_weight": PLACES,
    },
    "distributions": {"target": SOFT},
    "distributions with all": {
        "target": SOFT, "weight": WEIGHT, "label_smoothing": 0.1, "temperature": 2.0,
        "z_loss": 0.01, "mask": MASK, "row_weight": PLACES, "softcap": 5.0,
    },
    "focal loss of distributions": {"target": SOFT, "gamma": 2.0, "label_smoothing": 0.1},
}  # fmt: skip
SMALL = 5 * (C + 2 * (D + 2)) * 8  # bytes of workspace: a few rows, of which 37 are no multiple


def leaves(*tensors, dtype=torch.float64):
    """Return copies that want a gradient."""
    return [t.detach().to(dtype).clone().requires_grad_() for t in tensors]


def of_all_logits(hidden, matrix, bias=None, target=LABELS, lora=None, **options):
    """Return the loss of all logits by the formula."""
    z = hidden @ matrix.T
    if bias is not None:
        z = z + bias
    if lora is not None:
        a, b, scale = lora
        z = z + scale * (hidden @ a.T) @ b.T
    options.pop("workspace", None), options.pop("compact", None)
    with pt.engine("formula"):
        return pt.cross_entropy(z, target, **options)


def of_head(hidden, matrix, bias=None, target=LABELS, **options):
    """Return the loss of the head, by pieces of a few rows unless `workspace` says otherwise."""
    options = {"workspace": 40 * SMALL if "engine" in options else SMALL, **options}
    return pt.linear_cross_entropy(hidden, matrix, target, linear_bias=bias, **options)


def value_and_gradients(loss, tensors, **options):
    """Return the loss and the gradients of its sum, or of Σ UPSTREAM · loss by row."""
    found = loss(*tensors, **options)
    upstream = UPSTREAM.to(found.dtype)[: found.numel()].reshape(found.shape) if found.ndim else 3.0
    wanted = [t for t in tensors if t.requires_grad]
    return found.detach(), *torch.autograd.grad((found * upstream).sum(), wanted)
