"""The losses as modules: built once, then moved, printed and pickled like torch's.

Each calls the function that its class names; the function's docstring says what it computes, takes
and raises. The constructor takes the function's arguments after the tensors of a batch, by the same
names and in the same order; for the modules of `torch.nn` they are torch's own. What comes with
each batch (`row_weight`, `mask`, `denominator`) may be given to the call, and overrides what the
constructor was given. Tensors move with the module; as in torch, only the class weights are state.

`torch.jit.script` cannot compile them: it has no keyword arguments of any name. `torch.compile`
can.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, get_args, get_type_hints

from torch import Tensor, nn

from plogq.torch.binary_losses import (
    asymmetric_loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_focal_loss,
)
from plogq.torch.distillation import distillation_loss
from plogq.torch.divergences import (
    gaussian_kl,
    js_divergence_loss,
    kl_div,
    nll_loss,
    reverse_kl_loss,
)
from plogq.torch.private import legacy_reduction
from plogq.torch.softmax_losses import (
    brier_loss,
    confidence_penalty,
    cross_entropy,
    focal_loss,
    soft_cross_entropy,
)
from plogq.torch.surprisal_losses import generalised_cross_entropy, poly_loss

_NO_DEFAULT = object()


class _Loss(nn.Module):
    _function: ClassVar[Callable[..., Any]]
    _known: ClassVar[inspect.Signature]  # of the constructor, without the options
    _options: ClassVar[frozenset[str]]

    def __init_subclass__(
        cls, function: Callable[..., Any] | None = None, batch: int = 2, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if function is None:  # a subclass of one of the losses
            return
        parameters = list(inspect.signature(function).parameters.values())[batch:]
        cls._function = staticmethod(function)
        cls._known = inspect.Signature(parameters)
        cls.__signature__ = cls._known  # type: ignore[attr-defined]  # help() shows it
        options = get_type_hints(function).get("options")
        cls._options = frozenset(get_args(options)[0].__annotations__ if options else ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nn.Module.__init__(self)
        try:
            bound = self._known.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        bound.apply_defaults()
        settings = bound.arguments
        options = settings.pop("options", {})
        if unknown := options.keys() - self._options:
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        flags = settings.pop("size_average", None), settings.pop("reduce", None)
        if flags != (None, None):
            settings["reduction"] = legacy_reduction(*flags)
        self._names = (*settings, *options)
        for name, value in (settings | options).items():
            in_state = name in ("weight", "pos_weight")
            if in_state or isinstance(value, Tensor):
                self.register_buffer(name, value, persistent=in_state)
            else:
                setattr(self, name, value)

    def forward(self, *batch: Tensor, **options: Any) -> Any:
        """Give the loss of a batch, as the function does."""
        settings = {name: getattr(self, name) for name in self._names}
        return self._function(*batch, **(settings | options))

    def extra_repr(self) -> str:
        """List the settings that differ from their defaults."""
        defaults = {name: p.default for name, p in self._known.parameters.items()}
        buffers = dict(self.named_buffers(recurse=False))
        settings = {name: getattr(self, name) for name in self._names if name not in buffers}
        changed = {name: v for name, v in settings.items() if v != defaults.get(name, _NO_DEFAULT)}
        return ", ".join(f"{name}={v!r}" for name, v in changed.items())


class CrossEntropyLoss(_Loss, nn.CrossEntropyLoss, function=cross_entropy):
    """`plogq.torch.cross_entropy` as `torch.nn.CrossEntropyLoss`.

    Examples
    --------
    >>> CrossEntropyLoss(label_smoothing=0.1, z_loss=1e-4)
    CrossEntropyLoss(label_smoothing=0.1, z_loss=0.0001)
    """


class SoftCrossEntropyLoss(_Loss, function=soft_cross_entropy):
    """`plogq.torch.soft_cross_entropy` as a module."""


class FocalLoss(_Loss, function=focal_loss):
    """`plogq.torch.focal_loss` as a module."""


class GeneralisedCrossEntropyLoss(_Loss, function=generalised_cross_entropy):
    """`plogq.torch.generalised_cross_entropy` as a module."""


class PolyLoss(_Loss, function=poly_loss):
    """`plogq.torch.poly_loss` as a module."""


class BrierLoss(_Loss, function=brier_loss):
    """`plogq.torch.brier_loss` as a module."""


class DistillationLoss(_Loss, function=distillation_loss, batch=3):
    """`plogq.torch.distillation_loss` as a module."""


class ConfidencePenalty(_Loss, function=confidence_penalty, batch=1):
    """`plogq.torch.confidence_penalty` as a module."""


class BCEWithLogitsLoss(_Loss, nn.BCEWithLogitsLoss, function=binary_cross_entropy_with_logits):
    """`plogq.torch.binary_cross_entropy_with_logits` as `torch.nn.BCEWithLogitsLoss`."""


class BCELoss(_Loss, nn.BCELoss, function=binary_cross_entropy):
    """`plogq.torch.binary_cross_entropy` as `torch.nn.BCELoss`."""


class BinaryFocalLoss(_Loss, function=binary_focal_loss):
    """`plogq.torch.binary_focal_loss` as a module."""


class AsymmetricLoss(_Loss, function=asymmetric_loss):
    """`plogq.torch.asymmetric_loss` as a module."""


class NLLLoss(_Loss, nn.NLLLoss, function=nll_loss):
    """`plogq.torch.nll_loss` as `torch.nn.NLLLoss`."""


class KLDivLoss(_Loss, nn.KLDivLoss, function=kl_div):
    """`plogq.torch.kl_div` as `torch.nn.KLDivLoss`."""


class JSDivergenceLoss(_Loss, function=js_divergence_loss):
    """`plogq.torch.js_divergence_loss` as a module."""


class ReverseKLLoss(_Loss, function=reverse_kl_loss):
    """`plogq.torch.reverse_kl_loss` as a module."""


class GaussianKL(_Loss, function=gaussian_kl, batch=4):
    """`plogq.torch.gaussian_kl` as a module."""
