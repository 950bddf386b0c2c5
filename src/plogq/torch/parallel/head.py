"""A linear layer whose classes are in parts, one on each rank, and the loss of its logits."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from torch import Tensor

from plogq.errors import check_count
from plogq.torch.checks import check_tensors
from plogq.torch.head import LowRank, asked_of_layer, workspace_of
from plogq.torch.options import SoftmaxOptions
from plogq.torch.parallel.asking import asked_of, not_compiled, widened
from plogq.torch.parallel.exchange import Heading, fail_at_the_first_call
from plogq.torch.parallel.focal import Focus
from plogq.torch.parallel.found import Found, together
from plogq.torch.parallel.head_part import HeadPart
from plogq.torch.parallel.losses import token_logprobs, upstream_of, values_of
from plogq.torch.parallel.parts import Asked, Part
from plogq.torch.parallel.ranks import Group, part_of, ranks_of, replicated
from plogq.torch.parallel.sums import PartSums
from plogq.torch.questions import Layer, Rows, TokenLogprobs, wants_gradient, without_autocast


@not_compiled
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    group: Group = None,
    vocab: int | None = None,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int | None = None,
    compact: bool = True,
    **options: Unpack[SoftmaxOptions],
) -> Any:
    """`plogq.torch.linear_cross_entropy` of a layer of which each rank has some classes.

    The gradient of `input` is the sum over the ranks, and is the same on each.

    Parameters
    ----------
    input : (…, D)
        The hidden rows, all of them on every rank.
    linear_weight : (C_r, D)
        This rank's rows of the matrix, in the order of the ranks; parts may differ in size. Or a
        DTensor that is sharded over its classes.
    target : (…) or (…, C_r)
        Class indices of all classes, the same on every rank; or this part of distributions.
    group, vocab, weight
        As for `plogq.torch.parallel.cross_entropy`.
    linear_bias : (C_r,)
        This part of the bias.
    lora
        (A, B, scale): A is whole on every rank, and B is this part, (C_r, r).
    workspace
        Bytes for the logits that exist at once; None as for `plogq.torch.linear_cross_entropy`.
        Logits of all rows that fit are kept for the backward; others are computed there once more.
    reduction, ignore_index, label_smoothing, shift, compact, **options
        As for `plogq.torch.linear_cross_entropy`.

    Returns
    -------
    Tensor, or (Tensor, Statistics) with `return_stats`
        In nats, the same on every rank.

    Raises
    ------
    ValueError, TypeError
        As `plogq.torch.linear_cross_entropy` and `plogq.torch.parallel.cross_entropy`.

    Notes
    -----
    One call of all ranks in the forward, and one in the backward: the sum of the gradient of
    `input`, in float32 for half precision.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> linear_cross_entropy(hidden, matrix, torch.tensor([0, 1]), reduction="none")
    tensor([0.3064, 0.5514])
    >>> dist.destroy_process_group()
    """
    found, values = _answer(
        input, linear_weight, target, group, vocab, linear_bias, weight, reduction, ignore_index,
        label_smoothing, shift, lora, workspace, compact, 0, options,
    )  # fmt: skip
    loss = found.reduced(values)
    return (loss, found.statistics()) if found.asked.rows.statistics else loss


@not_compiled
def linear_logprobs(
    input: Tensor,
    linear_weight: Tensor,
    tokens: Tensor,
    *,
    group: Group = None,
    vocab: int | None = None,
    linear_bias: Tensor | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    top_k: int = 0,
    ignore_index: int = -100,
    mask: Tensor | None = None,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int | None = None,
    compact: bool = True,
) -> TokenLogprobs:
    """`plogq.torch.linear_logprobs` of a layer of which each rank has some classes.

    Parameters
    ----------
    input, linear_weight, group, vocab, linear_bias, lora, workspace
        As for `linear_cross_entropy`.
    tokens
        Class indices of all classes, the same on every rank.
    temperature, softcap, top_k, ignore_index, mask, shift, compact
        As for `plogq.torch.linear_logprobs`.

    Raises
    ------
    ValueError, TypeError
        As `linear_cross_entropy`.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> linear_logprobs(hidden, matrix, torch.tensor([0, 1])).entropy
    tensor([0.7520, 0.9753])
    >>> dist.destroy_process_group()
    """
    check_count("top_k", top_k)
    options: SoftmaxOptions = {
        "temperature": temperature, "softcap": softcap, "mask": mask, "return_stats": True,
    }  # fmt: skip
    found, values = _answer(
        input, linear_weight, tokens, group, vocab, linear_bias, None, "none", ignore_index,
        0.0, shift, lora, workspace, compact, top_k, options, entropy=True,
    )  # fmt: skip
    return token_logprobs(values, found)


def _answer(
    input: Tensor,
    matrix: Tensor,
    target: Tensor,
    group: Group,
    vocab: int | None,
    bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int | None,
    label_smoothing: float,
    shift: bool,
    lora: LowRank | tuple[Tensor, Tensor, float] | None,
    workspace: int | None,
    compact: bool,
    top_k: int,
    options: SoftmaxOptions,
    *,
    entropy: bool = False,
) -> tuple[Found, Tensor]:
    """Return what the ranks find, and losses (R,), or losses and entropies (2, R)."""
    part, whole = part_of("linear_weight", matrix, 0)
    ranks = ranks_of(whole.group if group is None and whole is not None else group)
    try:
        check_tensors(input=input, linear_weight=matrix)
        workspace = workspace_of(workspace, input)
        given: SoftmaxOptions = {**options}
        for name in ("row_weight", "mask"):
            if name in options:
                given[name] = replicated(name, options[name])
        hidden = replicated("input", input)
        assert hidden is not None
        width = part.shape[0] if part.ndim else 0
        layer, rows = asked_of_layer(
            hidden, widened(part, 0), _target(target, hidden, width), _widened_bias(bias),
            _own_lora(lora), shift,
            weight=None, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=label_smoothing, options=given,
        )  # fmt: skip
        of_all = tuple(wants_gradient(h) for h, _ in layer.terms), torch.is_grad_enabled()
        asked, heading = asked_of(
            ranks, rows, layer.terms[0][0], width, weight=weight, vocab=vocab, whole=whole,
            options=given, top_k=top_k, of_all=of_all,
        )  # fmt: skip
    except Exception:
        fail_at_the_first_call(ranks, input)
        raise
    return _found(asked, heading, layer, given.get("softcap"), workspace, compact, entropy=entropy)


def _target(target: Tensor, hidden: Tensor, width: int) -> Tensor:
    """Return labels, or this rank's part of distributions."""
    if not isinstance(target, Tensor) or target.ndim != hidden.ndim:
        return replicated("target", target)  # type: ignore[return-value]
    local, _ = part_of("target", target, target.ndim - 1)
    return local if width else widened(local, -1)


def _widened_bias(bias: Tensor | None) -> Tensor | None:
    if bias is None:
        return None
    local, _ = part_of("linear_bias", bias, 0)
    return widened(local, 0) if local.ndim == 1 else local


def _own_lora(
    lora: LowRank | tuple[Tensor, Tensor, float] | None,
) -> LowRank | tuple[Tensor, Tensor, float] | None:
    if not (isinstance(lora, tuple) and len(lora) == 3):
        return lora
    a, b, scale = lora
    b = part_of("lora B", b, 0)[0]
    return replicated("lora A", a), widened(b, 0) if b.ndim else b, scale  # type: ignore[return-value]


def _found(
    asked: Asked,
    heading: Heading,
    layer: Layer,
    softcap: float | None,
    workspace: int,
    compact: bool,
    *,
    entropy: bool,
) -> tuple[Found, Tensor]:
    keeps = torch.is_grad_enabled() and wants_gradient(*layer.tensors)
    made: list[HeadPart] = []

    def sums_of(part: Part, rows: Rows) -> PartSums:
        head = HeadPart.of(rows, _own_layer(layer, part), softcap, workspace, compact)
        made[:] = [head]
        return head.sums(asked.fields, part, keep=keeps)

    def focal_of(part: Part, rows: Rows, focus: Focus) -> Tensor:
        return made[0].focal(focus)

    hidden = layer.terms[0][0]
    with torch.no_grad(), without_autocast(hidden):
        found = together(asked, heading, sums_of, focal_of, hidden, hidden)
    if keeps:
        tensors = _own_layer(layer, found.part).tensors
        values = _HeadLoss.apply(found, made[0], entropy, *tensors)  # type: ignore[no-untyped-call]
    else:
        with torch.no_grad():
            values = values_of(found, entropy=entropy)
    return found, values


def _own_layer(layer: Layer, part: Part) -> Layer:
    """Return the layer without padding; of no class at all, one that is masked."""
    bias = layer.bias
    if bias is None and not part.width:
        matrix = layer.terms[0][1]
        bias = torch.full((1,), -torch.inf, dtype=matrix.dtype, device=matrix.device)
    elif bias is not None:
        bias = part.of_classes(bias, 0, -torch.inf)
    terms = tuple((h, part.of_classes(m, 0, 0.0)) for h, m in layer.terms)
    return layer._replace(terms=terms, bias=bias)


class _HeadLoss(torch.autograd.Function):
    """The losses of rows; the backward adds the hidden rows' gradients of all ranks."""

    @staticmethod
    def forward(
        ctx: Any, found: Found, head: HeadPart, entropy: bool, *tensors: Tensor | None
    ) -> Tensor:
        """Return what the ranks have found."""
        ctx.found, ctx.head, ctx.entropy = found, head, entropy
        ctx.save_for_backward(*tensors, found.asked.rows.target, found.asked.weight)
        ctx.count = len(tensors)
        return values_of(found, entropy=entropy)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients of this part, and of the hidden rows those of all."""
        tensors = ctx.saved_tensors[: ctx.count]  # raises if one was changed
        scales = upstream_of(upstream, ctx.entropy)
        wanted = tuple(ctx.needs_input_grad[3:])
        head: HeadPart = ctx.head
        gradients = head.gradients(ctx.found, scales, head.head.layer.of(*tensors), wanted)
        return None, None, None, *gradients
