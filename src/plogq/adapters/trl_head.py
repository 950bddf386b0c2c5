"""The fused head of TRL's SFTTrainer, answered from `LazyLogits`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from plogq.adapters.lazy_logits import LazyLogits
from plogq.torch import Statistics

# What SFTTrainer, and no other trainer of TRL, asks of its head: figures without a gradient, but
# for the log-probabilities.
ASKED = {
    "outputs": ("log_probs", "entropy", "is_top1"),
    "temperature": 1.0,
    "cast_lm_head_to_fp32": False,
}


def is_of_sft(forward: Callable[..., Any]) -> bool:
    """Tell whether this is the forward that SFTTrainer puts on a model."""
    function = getattr(forward, "__func__", forward)
    code = getattr(function, "__code__", None)
    if code is None or not code.co_filename.replace("\\", "/").endswith("trl/trainer/utils.py"):
        return False
    found = inspect.getclosurevars(function).nonlocals
    return all(found.get(name) == value for name, value in ASKED.items())


def fused_output(forward: Callable[..., Any], aux_weight: float, **inputs: Any) -> Any:
    """Return what TRL's head gives: the log-probability of each next token, and what is logged.

    Parameters
    ----------
    forward
        The model's own forward, whose logits are lazy.
    aux_weight
        The factor of the auxiliary loss in `loss`.
    inputs
        Of the forward, with `labels` or `shift_labels` (B, T).

    Returns
    -------
    trl.trainer.utils.FusedCausalLMOutput
        By token (B, T − 1), or (B, T) with `shift_labels`; 0 where a label is −100.
    """
    from trl.trainer.utils import FusedCausalLMOutput

    labels, shifted = inputs.pop("labels", None), inputs.pop("shift_labels", None)
    count = inputs.pop("num_items_in_batch", None)
    output = forward(**inputs | {"use_cache": False})
    logits: LazyLogits = output.logits
    if shifted is None:
        logits, shifted = logits[:, :-1], labels[:, 1:]
    kept = shifted != -100
    losses, found = logits.flatten(0, 1).cross_entropy(
        shifted.reshape(-1).to(logits.device), reduction="none", return_stats=True
    )
    stats: Statistics = found
    log_probs, entropy = -losses.view_as(kept), stats.entropy.detach().view_as(kept)
    divisor = kept.sum().clamp(min=1) if count is None else count
    loss, aux = -log_probs.sum() / divisor, output.get("aux_loss")
    loss = loss if aux is None else loss + aux_weight * aux
    return FusedCausalLMOutput(
        loss=loss,
        log_probs=log_probs,
        entropy=entropy,
        is_top1=(stats.argmax.view_as(kept) == shifted) & kept,
        label_mask=kept,
        aux_loss=aux,
    )
