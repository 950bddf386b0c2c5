"""A model whose training loss comes from its hidden states: the logits are never computed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

from plogq.adapters.lazy_logits import LazyLogits
from plogq.adapters.trl_head import fused_output, is_of_sft
from plogq.errors import refuse

_ASIDE = "_plogq_aside"  # the attribute that keeps the forward of TRL's SFTTrainer

M = TypeVar("M", bound=nn.Module)


def patch(model: M) -> M:
    """Let a model compute its training loss from its hidden states: loss = H(labels, head(hidden)).

    In training, when it is given labels, the model's own code runs up to the loss, but its head
    gives `LazyLogits`, which note what is done to them (a scale, a softcap, LoRA, a shift), and
    the loss is `plogq.torch.linear_cross_entropy`. Loss and gradient are the same, and so are
    `num_items_in_batch`, `shift_labels` and auxiliary losses, for they are the model's own code.
    Without labels, and in evaluation and generation, nothing changes.

    Parameters
    ----------
    model
        A model of transformers with a linear head, or a PEFT model of one. Patch it before DDP,
        FSDP or torch.compile wrap it; and TRL's SFTTrainer, which brings a head of its own, before
        it trains: `patch(trainer.model)`. Only this instance changes.

    Returns
    -------
    nn.Module
        The same model.

    Raises
    ------
    TypeError
        It is no model with a linear head, or its forward was replaced: by an earlier patch,
        or by another library. In training: something else than a loss reads the logits.

    Notes
    -----
    Differs from transformers: a batch with no label left has loss 0 and gradient 0, where a mean
    of none is NaN.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> sizes = dict(hidden_size=8, intermediate_size=16, num_hidden_layers=1)
    >>> config = LlamaConfig(vocab_size=50, num_attention_heads=2, **sizes)
    >>> model = patch(LlamaForCausalLM(config).train())
    >>> ids = torch.arange(12).reshape(2, 6)
    >>> out = model(input_ids=ids, labels=ids)
    >>> out.loss.shape, out.logits.shape, type(out.logits).__name__
    (torch.Size([]), torch.Size([2, 6, 50]), 'LazyLogits')
    >>> type(unpatch(model)(input_ids=ids, labels=ids).logits).__name__
    'Tensor'
    """
    base = _base(model)
    kind = type(base)
    if _is_patched(base):
        _refuse("be patched once", f"a {kind.__name__} that plogq patched before")
    if getattr(base, "_compiled_call_impl", None) is not None:
        _refuse("be patched before it is compiled", f"a compiled {kind.__name__}")
    trl = "forward" in vars(base) and is_of_sft(vars(base)["forward"])
    if (owner := _owner_of_forward(base)) is not None and not trl:
        _refuse("have its own forward, not one that another library put there", f"one of {owner}")
    if "labels" not in inspect.signature(kind.forward).parameters:
        _refuse("take labels and give a loss", kind.__name__)
    _linears(base)
    if trl:
        vars(base)[_ASIDE] = vars(base).pop("forward")
    base.__class__ = _patched(kind)  # type: ignore[arg-type]
    return model


def unpatch(model: M) -> M:
    """Take `patch` off: the model is of its own class again.

    Raises
    ------
    TypeError
        The model is not patched.
    """
    base = _base(model)
    if "_plogq_patched" not in vars(type(base)):  # on a patched class, FSDP2 puts one of its own
        _refuse("be one that plogq.huggingface.patch was given", type(base).__name__)
    base.__class__ = type(base).__mro__[1]
    if _ASIDE in vars(base):
        vars(base)["forward"] = vars(base).pop(_ASIDE)
    return model


def _is_patched(model: nn.Module) -> bool:
    return getattr(model, "_plogq_patched", False) is True


@functools.cache
def _patched(kind: Any) -> Any:
    """Return the class of patched models of a class, with its name, for files are named by it."""
    signature = inspect.signature(kind.forward)

    # Of a patched model the layers are compiled, and what this function does is not.
    @torch.compiler.disable(recursive=False)  # type: ignore[untyped-decorator, no-untyped-call]
    @functools.wraps(kind.forward)
    def forward(self: PreTrainedModel, *args: Any, **kwargs: Any) -> Any:
        # accelerate keeps this function in a wrapper of its own, even after `unpatch`.
        if not _is_patched(self):
            return kind.forward(self, *args, **kwargs)
        if kwargs.get("fused_lm_head") and _ASIDE in vars(self):
            del kwargs["fused_lm_head"]
            weight = getattr(self.config.get_text_config(), "router_aux_loss_coef", 0.0)
            with _lazy_head(self):
                return fused_output(functools.partial(kind.forward, self, *args), weight, **kwargs)
        labels = kwargs.get("labels")
        if labels is None and args:
            labels = signature.bind_partial(self, *args, **kwargs).arguments.get("labels")
        if labels is None or not self.training:
            return kind.forward(self, *args, **kwargs)
        with _lazy_head(self):
            output = kind.forward(self, *args, **kwargs)
        parts = output.values() if isinstance(output, dict) else output
        if not any(isinstance(part, LazyLogits) for part in parts):
            _refuse("give the logits of its head", f"others from {kind.__name__}")
        return output

    def reduce(self: PreTrainedModel, protocol: Any) -> tuple[Any, ...]:
        return _empty, (kind,), vars(self)

    body = {
        "forward": forward,
        "__reduce_ex__": reduce,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "_plogq_patched": True,
    }
    return type(kind)(kind.__name__, (kind,), body)


def _empty(kind: type[PreTrainedModel]) -> PreTrainedModel:
    """Return a patched model without its state, which copy and pickle then set."""
    model: PreTrainedModel = object.__new__(_patched(kind))  # type: ignore[arg-type]
    return model


@contextmanager
def _lazy_head(model: PreTrainedModel) -> Iterator[None]:
    """Let the linear layers of the head give `LazyLogits`."""
    linears = _linears(model)
    for linear in linears:
        vars(linear)["forward"] = functools.partial(LazyLogits.of, linear)
    try:
        yield
    finally:
        for linear in linears:
            del vars(linear)["forward"]


def _linears(model: PreTrainedModel) -> list[nn.Linear]:
    """Return the linear layers that give logits: of the head, of LoRA beside it, of its copies."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    name = type(model).__name__
    if not isinstance(head, nn.Module):
        _refuse("have a head over the vocabulary", f"{name}, which has none")
    found = [each for each in head.modules() if isinstance(each, nn.Linear)]
    if not found:
        _refuse("have a head that is an nn.Linear", f"a {type(head).__name__} in {name}")
    wide = [each for each in found if each.out_features == found[0].out_features]
    for each in wide:
        if type(each).forward is not nn.Linear.forward or "forward" in vars(each):
            came = f"a {type(each).__name__} in {name} with a forward of its own"
            _refuse("have a head that is a plain nn.Linear", came)
    return wide


def _base(model: nn.Module) -> PreTrainedModel:
    """Return the model of transformers that a PEFT model holds, or the model."""
    get_base_model = getattr(model, "get_base_model", None)
    inner = model if get_base_model is None else get_base_model()
    if not isinstance(inner, PreTrainedModel):
        expected = "be a model of transformers, before DDP, FSDP or torch.compile wrap it"
        _refuse(expected, type(model).__name__)
    return inner


def _owner_of_forward(model: PreTrainedModel) -> str | None:
    """Return the module that replaced the forward of a model, or of its class; None if none did."""
    if "forward" in vars(model):
        function = vars(model)["forward"]
        while (inner := getattr(function, "func", getattr(function, "__func__", None))) is not None:
            function = inner
        # What wraps a function bears its name, so that the globals tell where it was written.
        return str(getattr(function, "__globals__", {}).get("__name__", type(function).__module__))
    kind = next(each for each in type(model).__mro__ if "forward" in vars(each))
    owner = str(inspect.unwrap(vars(kind)["forward"]).__module__)
    return None if owner == kind.__module__ else owner


def _refuse(expected: str, came: str) -> NoReturn:
    refuse("model", expected, came, error=TypeError)
