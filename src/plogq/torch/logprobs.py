"""Log-probabilities of tokens under a linear layer, without all logits at once."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from plogq.errors import check_count, refuse
from plogq.torch.engines.head_logprobs import logprobs
from plogq.torch.head import WORKSPACE, LowRank, asked_of_layer
from plogq.torch.options import SoftmaxOptions
from plogq.torch.questions import Head


class Logprobs(NamedTuple):
    """Of each row, in nats.

    Attributes
    ----------
    logprob
        (…), log p of the row's own token; 0 for a row that is left out.
    entropy
        (…), −Σ_j p_j log p_j; 0 for a row that is left out.
    top_logprobs, top_tokens
        (…, k), the largest log-probabilities, the largest first, and their tokens; −inf and −1 for
        a row that is left out. They have no gradient.
    """

    logprob: Tensor
    entropy: Tensor
    top_logprobs: Tensor
    top_tokens: Tensor


def linear_logprobs(
    input: Tensor,
    linear_weight: Tensor,
    tokens: Tensor,
    *,
    linear_bias: Tensor | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    top_k: int = 0,
    ignore_index: int = -100,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int = WORKSPACE,
) -> Logprobs:
    """log softmax((input · linear_weightᵀ + bias) / T) of each row's token, and the row's entropy.

    Only some rows of the logits exist at a time; the gradient computes them once more. Both the
    log-probability and the entropy have gradients, as policy gradients with a bonus of entropy
    need them.

    Parameters
    ----------
    input, linear_weight, linear_bias, shift, lora, workspace
        As for `linear_cross_entropy`.
    tokens : (…)
        Class indices, any integer dtype.
    temperature, softcap
        As for `cross_entropy`.
    top_k
        How many of the largest log-probabilities of each row to return.
    ignore_index
        Rows with this token are left out.

    Returns
    -------
    Logprobs
        (logprob, entropy, top_logprobs, top_tokens), float32 of half precision.

    Raises
    ------
    ValueError, TypeError
        A token that is no class, with its row; shapes and dtypes that do not fit; a workspace too
        small for one row; more than C of the top.

    Examples
    --------
    >>> import torch
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> found = linear_logprobs(hidden, matrix, torch.tensor([0, 1]), top_k=1)
    >>> found.logprob, found.entropy
    (tensor([-0.3064, -0.5514]), tensor([0.7520, 0.9753]))
    >>> found.top_tokens.tolist()
    [[0], [1]]
    """
    options: SoftmaxOptions = {"temperature": temperature, "softcap": softcap}
    layer, rows = asked_of_layer(
        input, linear_weight, tokens, linear_bias, lora, shift,
        weight=None, ignore_index=ignore_index, reduction="none",
        label_smoothing=0.0, options=options,
    )  # fmt: skip
    if rows.soft:
        refuse("tokens", f"have shape {tuple(input.shape[:-1])}", tuple(tokens.shape))
    check_count("workspace", workspace, 1)
    check_count("top_k", top_k)
    if top_k > layer.classes:
        refuse("top_k", f"be at most the {layer.classes} classes", top_k)
    found = logprobs(Head(rows, layer, softcap, workspace), top_k)
    lead = input.shape[:-1]
    return Logprobs(
        -found.surprisal.reshape(lead),
        found.entropy.reshape(lead),
        found.top.reshape(*lead, top_k),
        found.top_labels.reshape(*lead, top_k),
    )
