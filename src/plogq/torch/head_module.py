"""A linear layer with its loss as one module."""

from __future__ import annotations

import math
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from plogq.torch.head import linear_cross_entropy
from plogq.torch.options import SoftmaxOptions, refuse_unknown

_KNOWN = frozenset(get_type_hints(SoftmaxOptions)) | {
    "shift",
    "lora",
    "workspace",
    "compact",
    "options",
}
# An older torch has no such module; then this one is of no class of torch's.
_Base: Any = getattr(nn, "LinearCrossEntropyLoss", nn.Module)


class LinearCrossEntropyLoss(_Base):  # type: ignore[misc]
    """`plogq.torch.linear_cross_entropy` as `torch.nn.LinearCrossEntropyLoss`, with its layer.

    Parameters
    ----------
    in_features, num_classes, out_features, bias, device, dtype
        Of the layer, `linear`, whose weight may be tied to another's. `out_features` are the
        positions (d1, …) of K-dimensional logits.
    weight, reduction, ignore_index, label_smoothing, workspace, **options
        As for the function; a call may give them anew, and what comes with each batch.

    Raises
    ------
    TypeError
        An option that the function has not.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> head = LinearCrossEntropyLoss(4, 10, z_loss=1e-4)
    >>> head(torch.zeros(2, 4), torch.tensor([3, 7]))
    tensor(2.3031, grad_fn=<HeadLossBackward>)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        workspace: int | None = None,
        **options: Any,
    ) -> None:
        nn.Module.__init__(self)
        for name in options:
            if name not in _KNOWN:
                refuse_unknown(name, sorted(_KNOWN))
        self.num_classes, self.out_features = num_classes, out_features
        count = math.prod(out_features, start=num_classes)
        self.linear = nn.Linear(in_features, count, bias, device, dtype)
        self.register_buffer("weight", weight)
        self.reduction, self.ignore_index = reduction, ignore_index
        self.label_smoothing, self.workspace = label_smoothing, workspace
        self.more = options

    def forward(self, input: Tensor, target: Tensor, **options: Any) -> Any:
        """Return the loss of a batch, as the function does."""
        settings = {
            "weight": self.weight, "reduction": self.reduction, "ignore_index": self.ignore_index,
            "label_smoothing": self.label_smoothing, "workspace": self.workspace, **self.more,
        }  # fmt: skip
        given = settings | options
        matrix: Tensor = self.linear.weight
        bias: Tensor | None = self.linear.bias
        if self.out_features:
            shape = self.num_classes, *self.out_features
            matrix = matrix.reshape(*shape, -1)
            bias = None if bias is None else bias.reshape(shape)
        return linear_cross_entropy(input, matrix, target, linear_bias=bias, **given)

    def extra_repr(self) -> str:
        """List the settings beside the layer's."""
        settings = {"reduction": self.reduction, "ignore_index": self.ignore_index,
                    "label_smoothing": self.label_smoothing, **self.more}  # fmt: skip
        return ", ".join(f"{name}={value!r}" for name, value in settings.items())
