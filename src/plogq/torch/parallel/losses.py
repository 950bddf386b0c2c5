"""Losses of logits whose classes are in parts, one on each rank."""

from __future__ import annotations

from typing import Any, Unpack

import torch
from torch import Tensor

from plogq.errors import check_count, refuse
from plogq.torch.autograd import check_inplace, room_for
from plogq.torch.checks import check_classes, check_tensors
from plogq.torch.options import SoftmaxOptions
from plogq.torch.parallel.asking import asked_of, not_compiled, widened
from plogq.torch.parallel.engines import part_sums, write_slopes
from plogq.torch.parallel.exchange import Heading, fail_at_the_first_call
from plogq.torch.parallel.focal import Focus, focal_sums
from plogq.torch.parallel.found import Found, together
from plogq.torch.parallel.parts import Asked, Part
from plogq.torch.parallel.ranks import Group, part_of, ranks_of, replicated
from plogq.torch.parallel.sums import PartSums, Summing
from plogq.torch.private import is_transformed
from plogq.torch.questions import Rows, TokenLogprobs, without_autocast
from plogq.torch.reductions import reduction_name
from plogq.torch.softmax import classes_last, prepared, question


@not_compiled
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    group: Group = None,
    vocab: int | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    **options: Unpack[SoftmaxOptions],
) -> Any:
    """−Σ_j w_j t_j log p_j, as `plogq.torch.cross_entropy`, of logits that are in parts by class.

    Parameters
    ----------
    input : (C_r,), (N, C_r) or (N, C_r, d1, …)
        This rank's part of the logits, in the order of the ranks; parts may differ in width. Or a
        DTensor that is sharded over its classes.
    target
        Class indices of all classes, in that shape without C_r, the same on every rank; or this
        part of distributions.
    weight : (C_r,) or (C,)
        The class weights of this part, of all classes, or of all columns with their padding: the
        last is asked for where one length may be the first or the second.
    group
        The process group, or a DeviceMesh of one axis; None for all ranks, or for the DTensor's.
    vocab
        C, if the last columns are padding; they have no probability, and gradient 0.
    ignore_index, reduction, label_smoothing, **options
        As for `plogq.torch.cross_entropy`; smoothing is over all classes.

    Returns
    -------
    Tensor, or (Tensor, Statistics) with `return_stats`
        In nats, the same on every rank.

    Raises
    ------
    ValueError, TypeError
        As `plogq.torch.cross_entropy`; parts that do not add up; ranks with different rows, dtypes,
        options, targets. What one rank refuses, all refuse.

    Notes
    -----
    One call of all ranks in the forward, and none in the backward; before the first call of each
    number of rows and set of options, one more of 64 bytes. γ > 0 with label smoothing or
    distributions takes a second call, since its terms need the probabilities of all ranks.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> logits, labels = torch.tensor([[2.0, 0.5, -1.0, 0.0]]), torch.tensor([0])
    >>> cross_entropy(logits, labels)  # as on four ranks with a column each
    tensor(0.3423)
    >>> dist.destroy_process_group()

    References
    ----------
    Shoeybi et al. (2019), Megatron-LM, section 3, arXiv:1909.08053.
    """
    asked, x, heading = _asked(
        input, target, weight, group=group, vocab=vocab, ignore_index=ignore_index,
        reduction=reduction, label_smoothing=label_smoothing, top_k=0, options=options,
    )  # fmt: skip
    losses, found = _rows_of(asked, x, heading, entropy=False)
    value = found.reduced(losses)
    return (value, found.statistics()) if asked.rows.statistics else value


@not_compiled
def logprobs(
    input: Tensor,
    tokens: Tensor,
    *,
    group: Group = None,
    vocab: int | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    top_k: int = 0,
    ignore_index: int = -100,
    mask: Tensor | None = None,
) -> TokenLogprobs:
    """Return log p of each token and the entropy H(p) of each row, p over the classes of all ranks.

    Both have gradients; the likeliest classes come without, in the same call of all ranks.

    Parameters
    ----------
    input, group, vocab, ignore_index, mask
        As for `cross_entropy`.
    tokens
        Class indices, the same on every rank.
    temperature, softcap, top_k
        As for `plogq.torch.linear_logprobs`.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; more likeliest classes than there are classes.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> logprobs(torch.tensor([[2.0, 0.5, -1.0, 0.0]]), torch.tensor([0])).entropy
    tensor([0.8783])
    >>> dist.destroy_process_group()
    """
    check_count("top_k", top_k)
    options: SoftmaxOptions = {
        "temperature": temperature, "softcap": softcap, "mask": mask, "return_stats": True,
    }  # fmt: skip
    asked, x, heading = _asked(
        input, tokens, None, group=group, vocab=vocab, ignore_index=ignore_index,
        reduction="none", label_smoothing=0.0, top_k=top_k, options=options,
    )  # fmt: skip
    both, found = _rows_of(asked, x, heading, entropy=True)
    return token_logprobs(both, found)


def _asked(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    *,
    group: Group,
    vocab: int | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
    top_k: int,
    options: SoftmaxOptions,
) -> tuple[Asked, Tensor, Heading]:
    """Return the question, this rank's logits (R, C_r), and its heading."""
    axis = 1 if getattr(input, "ndim", 1) > 1 else 0
    part, whole = part_of("input", input, axis)
    ranks = ranks_of(whole.group if group is None and whole is not None else group)
    try:
        check_tensors(input=part)
        given: SoftmaxOptions = {**options}
        for name in ("row_weight", "mask"):
            if name in options:
                given[name] = replicated(name, options[name])
        target = _target(target, input, axis)
        check_tensors(
            input=part, target=target, weight=weight,
            row_weight=given.get("row_weight"), mask=given.get("mask"),
        )  # fmt: skip
        reduction = reduction_name(None, None, reduction, options.get("denominator"))
        width = part.shape[axis] if part.ndim else 0
        x = prepared(widened(part, axis) if part.ndim else part, given)
        check_classes("input", x)
        like = torch.empty(x.shape, dtype=part.dtype, device="meta")
        _, rows = question(
            like, target, weight=None, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=label_smoothing, options=given,
        )  # fmt: skip
        if rows.soft:
            rows.target = rows.distributions()
        x = classes_last(x)[0]
        x = x.reshape(-1, x.shape[-1])
        asked, heading = asked_of(
            ranks, rows, x, width, weight=weight, vocab=vocab, whole=whole, options=given,
            top_k=top_k,
        )  # fmt: skip
        heading = heading._replace(dtype=Heading.of(part, 0, ()).dtype)
    except Exception:
        fail_at_the_first_call(ranks, part)
        raise
    return asked, x, heading


def _target(target: Tensor, input: Tensor, axis: int) -> Tensor:
    """Return labels, or this rank's part of distributions."""
    if not isinstance(target, Tensor) or target.shape != input.shape:
        return replicated("target", target)  # type: ignore[return-value]
    local, _ = part_of("target", target, axis)
    return widened(local, axis) if local.ndim else local


def _rows_of(asked: Asked, x: Tensor, heading: Heading, *, entropy: bool) -> tuple[Tensor, Found]:
    """Return the losses (R,), or losses and entropies (2, R), under autograd."""

    def sums_of(part: Part, rows: Rows) -> PartSums:
        z = part.of_classes(x.detach(), 1, -torch.inf)
        return part_sums(z, Summing(rows, asked.fields, part.first, part.width))

    def focal_of(part: Part, rows: Rows, focus: Focus) -> Tensor:
        return focal_sums(part.of_classes(x.detach(), 1, -torch.inf), rows, focus)

    with torch.no_grad(), without_autocast(x):
        found = together(asked, heading, sums_of, focal_of, x)
    z = found.part.of_classes(x, 1, -torch.inf)
    if not (z.requires_grad and torch.is_grad_enabled()):
        with torch.no_grad():
            return values_of(found, entropy=entropy), found
    if asked.rows.inplace:
        check_inplace(z)
    return _PartLoss.apply(z, found, entropy), found  # type: ignore[no-untyped-call]


def values_of(found: Found, *, entropy: bool) -> Tensor:
    """Return the losses (R,), or losses and entropies (2, R)."""
    losses = found.per_row(found.merged.losses())
    return torch.stack([losses, found.per_row(found.merged.entropy)]) if entropy else losses


class _PartLoss(torch.autograd.Function):
    """The losses of rows; the gradient in this rank's part needs no other rank."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, found: Found, entropy: bool) -> Tensor:
        """Return what the ranks have found."""
        ctx.found, ctx.entropy = found, entropy
        ctx.save_for_backward(z, found.asked.rows.target, found.asked.weight)
        return values_of(found, entropy=entropy)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        """Write the gradient of this part."""
        z, *_ = ctx.saved_tensors  # raises if one was changed
        found, scales = ctx.found, upstream_of(upstream, ctx.entropy)
        inplace = found.asked.rows.inplace
        room = room_for(z, inplace=inplace)
        with without_autocast(z):
            write_slopes(z.detach(), found.sloping(*scales, room))
        if inplace:
            torch.autograd.graph.increment_version(z)
        return room, None, None


def upstream_of(upstream: Tensor, entropy: bool) -> tuple[Tensor, Tensor | None]:
    """Return the factors of each row's loss, and of its entropy if any is not 0."""
    if torch.is_grad_enabled():
        expected = "be False for a loss over ranks, which has no second derivative"
        refuse("create_graph", expected, True)
    if is_transformed(upstream):
        refuse("is_grads_batched", "be False for a loss over ranks", True)
    if not entropy:
        return upstream, None
    of_loss, of_entropy = upstream
    return of_loss, of_entropy if of_entropy.any() else None


def token_logprobs(both: Tensor, found: Found) -> TokenLogprobs:
    """Return log-probabilities and entropies in the shape of the tokens, and what is likeliest."""
    shape, fields, merged = found.asked.rows.shape, found.asked.fields, found.merged
    logprobs, entropy = -both[0], both[1]
    values = ids = None
    if fields.top_k:
        values, ids = merged.likeliest(found.numbers, fields)
        kept = found.rows.keep
        if kept is not None:
            values = values.masked_fill(~kept[:, None], -torch.inf)
            ids = ids.masked_fill(~kept[:, None], -1)
        values, ids = (t.reshape(*shape, fields.top_k) for t in (values, ids))
    return TokenLogprobs(logprobs.reshape(shape), entropy.reshape(shape), values, ids)
