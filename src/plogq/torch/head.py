"""A linear layer and its cross-entropy, without all logits at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import torch
from torch import Tensor

from plogq.errors import check_count, check_number, refuse
from plogq.kernels.arguments import check_softcap
from plogq.torch.checks import check_tensors, on_host, values_known
from plogq.torch.engines import ENGINES
from plogq.torch.engines.blocks import CROSS_ENTROPY
from plogq.torch.head_positions import check_chunking, loss_of_positions
from plogq.torch.options import SoftmaxOptions
from plogq.torch.questions import (
    Head,
    Layer,
    RowLoss,
    Rows,
    Teacher,
    TokenHead,
    TokenLogprobs,
    arithmetic,
    products,
    without_autocast,
)
from plogq.torch.reductions import reduction_name
from plogq.torch.softmax import question, shaped

WORKSPACE = 64 << 20  # on the CPU, where its caches are filled
# A GPU reads and writes the whole gradient of the matrix for each piece, so it has fewer of them.
WORKSPACE_OF_DEVICES = 1 << 30
# What the ranks' rows have to do with each other, a sharded matrix cannot tell.
WHOLE = (
    "be whole beside an input that is: take its full_tensor(grad_placements=[P] * mesh.ndim), with "
    'P = Partial("avg") if the loss is the mean of the ranks\' losses, Partial("sum") if it is '
    "their sum (each with the denominator of all), or Replicate() if all ranks have the same rows"
)


class LowRank(NamedTuple):
    """An adapter of the linear layer: its matrix is W + scale · B A, which is never formed.

    Attributes
    ----------
    a
        A, (r, D).
    b
        B, (C, r).
    scale
        The factor; PEFT's is lora_alpha / r.
    """

    a: Tensor
    b: Tensor
    scale: float = 1.0


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int | None = None,
    valid: int | None = None,
    compact: bool = True,
    **options: Unpack[SoftmaxOptions],
) -> Any:
    """`torch.nn.functional.linear_cross_entropy`: `cross_entropy` of input · linear_weightᵀ + bias.

    Only some rows of the logits exist at a time. Their gradient overwrites them, and is at once
    multiplied out to that of the layer; what is frozen has no product.

    Parameters
    ----------
    input : (…, D)
        What the last layer is given, a row for each token; of any floating dtype.
    linear_weight : (C, D)
        The last layer's, in the dtype of the input, or float32 beside half precision. Its gradient
        is summed in float32.
    target : (…) or (…, C)
        Class indices, any integer dtype; or distributions.
    linear_bias : (C,)
        The last layer's.
    weight, reduction, label_smoothing, **options
        As for `cross_entropy`; a `logit_scale` s of a model is `temperature` = 1/s, after a
        `softcap`. `inplace` changes nothing here.
    ignore_index
        Rows with this target are left out; None is −100, and is all that distributions take.
    shift
        The target of each position is that of the next one along the last axis of the rows, and so
        are `mask` and `row_weight`; the last position is left out.
    lora
        (A, B, scale): the layer's matrix is linear_weight + scale · B A, which is never formed.
    workspace
        Bytes for the logits that exist at once, beside the float32 gradient of `linear_weight`;
        None for 64 MiB on the CPU and 1 GiB on other devices. Losses and gradients do not depend
        on it, but for rounding.
    valid
        The number of rows that are not left out, if it is known; on the CPU it is checked, and on
        another device one that is too small makes the loss NaN.
    compact
        Rows that are left out are dropped before any product. Their number and whether targets
        are sound are copied from another device at once, unless `valid` is given. If it is False,
        they are computed and not used. With either, no value is read from another device, and
        the loss and the gradient of a row with a bad target are NaN.

    Returns
    -------
    Tensor, or (Tensor, Statistics) with `return_stats`
        In nats.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; shapes and dtypes that do not fit; a workspace too small for one row.

    Notes
    -----
    Differs from torch: what `cross_entropy` says of batches with nothing left, half precision,
    masked classes and bad targets.
    Differs from torch: `input` may have more axes. Of K-dimensional logits, for which
    `linear_weight` is (C, d1, …, D) and the target (N, d1, …) or (N, C, d1, …) as in torch, each
    position is a head of its own.
    Differs from torch: it is always chunked, by `workspace`. torch's `options` are taken if they
    leave the chunks alone; gradients are summed in float32 whatever their policy.

    Examples
    --------
    >>> import torch
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> linear_cross_entropy(hidden, matrix, torch.tensor([0, 1]), reduction="none")
    tensor([0.3064, 0.5514])

    References
    ----------
    https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.linear_cross_entropy.html
    """
    given: Any = dict(options)
    check_tensors(input=input, linear_weight=linear_weight)
    check_chunking(given.pop("options", None), input)

    def of_head(
        matrix: Tensor, target: Tensor, bias: Tensor | None, reduction: str, options: Any
    ) -> tuple[Any, Rows]:
        layer, rows = asked_of_layer(
            input, matrix, target, bias, lora, shift,
            weight=weight, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=label_smoothing, options=options,
        )  # fmt: skip
        softcap = options.get("softcap")
        return answer_of_head(layer, rows, softcap, workspace, valid, compact), rows

    if linear_weight.ndim <= 2:
        return of_head(linear_weight, target, linear_bias, reduction, given)[0]
    stats = given.get("return_stats", False)
    of_one = {"shift": shift, "lora": lora, "valid": valid, "return_stats": stats}
    for name, value in of_one.items():
        if value is not None and value is not False:
            refuse(name, "be left out with a linear_weight of more than two axes", value)
    reduction = reduction_name(None, None, reduction, given.get("denominator"))
    return loss_of_positions(input, linear_weight, target, linear_bias, reduction, given, of_head)


def layer_cross_entropy(
    terms: Sequence[tuple[Tensor, Tensor]],
    bias: Tensor | None,
    target: Tensor,
    *,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
    options: SoftmaxOptions,
) -> Any:
    """Return `linear_cross_entropy` of Σ_k hidden_k · matrix_kᵀ + bias.

    What an adapter adds to a layer may come from other hidden rows than the layer's: after a
    dropout, say. Each term is a pair of (R, D_k) and (C, D_k).
    """
    (hidden, matrix), *others = terms
    layer, rows = asked_of_layer(
        hidden, matrix, target, bias, None, False,
        weight=weight, ignore_index=ignore_index, reduction=reduction,
        label_smoothing=label_smoothing, options=options,
    )  # fmt: skip
    more = (checked_layer(each, matrix, None, None).terms[0] for each, matrix in others)
    layer = layer._replace(terms=(*layer.terms, *more))
    return answer_of_head(layer, rows, options.get("softcap"), None, None, True)


def asked_of_layer(
    input: Tensor,
    matrix: Tensor,
    target: Tensor | None,
    bias: Tensor | None,
    lora: LowRank | tuple[Tensor, Tensor, float] | None,
    shift: bool,
    loss: RowLoss = CROSS_ENTROPY,
    *,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    label_smoothing: float,
    options: SoftmaxOptions,
) -> tuple[Layer, Rows]:
    """Return the layer, with rows of one axis, and what is asked of its logits."""
    denominator, softcap = options.get("denominator"), options.get("softcap")
    reduction = reduction_name(None, None, reduction, denominator)
    if softcap is not None:
        check_softcap(softcap)
    layer = checked_layer(input, matrix, bias, lora)
    by_row = {"row_weight": options.get("row_weight"), "mask": options.get("mask")}
    check_tensors(input=input, target=target, weight=weight, **by_row)
    lead, classes = input.shape[:-1], layer.classes
    soft = target is not None and target.ndim > len(lead)
    # torch.compile compares sizes that it does not know yet by `!=` alone, not by `in`.
    if target is not None and target.shape != ((*lead, classes) if soft else lead):
        expected = f"have shape {tuple(lead)} as class indices, or {(*lead, classes)}"
        refuse("target", expected, tuple(target.shape))
    if soft and ignore_index is not None and ignore_index != -100:
        expected = "be left out with distributions, where `mask` leaves rows out"
        refuse("ignore_index", expected, ignore_index)
    index = -100 if ignore_index is None else ignore_index
    if shift:
        target, options = _shifted(target, lead, input.device, index, options)
    if target is not None and target.ndim > len(lead) > 1:
        target = target.movedim(-1, 1)
    # The question needs the shape and the dtype of the logits alone.
    logits = torch.empty((*lead[:1], classes, *lead[1:]), dtype=input.dtype, device="meta")
    _, rows = question(
        logits, target, loss,
        weight=weight, ignore_index=index, reduction=reduction, label_smoothing=label_smoothing,
        options=options,
    )  # fmt: skip
    if rows.soft:
        rows.target = rows.distributions()
    if lora is not None:
        layer = _adapted(layer, *lora, rows.kept())
    return layer, rows


def checked_layer(
    input: Tensor,
    matrix: Tensor,
    bias: Tensor | None,
    lora: LowRank | tuple[Tensor, Tensor, float] | None,
    names: tuple[str, str, str] = ("input", "linear_weight", "linear_bias"),
) -> Layer:
    """Return the layer with hidden rows (R, D), after a check of its shapes and dtypes."""
    of_input, of_matrix, of_bias = names
    if lora is not None and (not isinstance(lora, tuple) or len(lora) != 3):
        refuse("lora", "be (A, B, scale)", type(lora).__name__, error=TypeError)
    a, b, scale = (None, None, 1.0) if lora is None else lora
    named = {of_matrix: matrix, of_bias: bias, "lora A": a, "lora B": b}
    check_tensors(**{of_input: input}, **named)
    arithmetic(input, of_input)
    for name, t in named.items():
        if hasattr(t, "full_tensor") and not hasattr(input, "full_tensor"):
            refuse(name, WHOLE, "a DTensor", error=TypeError)
    if input.ndim == 0:
        refuse(of_input, "have shape (…, D)", "()")
    width = input.shape[-1]
    if matrix.ndim != 2 or matrix.shape[1] != width or not matrix.shape[0]:
        refuse(of_matrix, f"have shape (C, {width})", tuple(matrix.shape))
    classes = matrix.shape[0]
    if bias is not None and bias.shape != (classes,):
        refuse(of_bias, f"have shape ({classes},)", tuple(bias.shape))
    dtype = products(input)
    for name, t in named.items():
        if t is not None and t.dtype not in (input.dtype, dtype, torch.float32):
            expected = f"be of the {of_input}'s dtype, {input.dtype}, or float32"
            refuse(name, expected, t.dtype, error=TypeError)
        if t is not None and input.dtype == torch.float64 != t.dtype:
            refuse(name, f"be torch.float64, as the {of_input} is", t.dtype, error=TypeError)
    hidden = input.reshape(-1, width) if width else input.reshape(input.shape[:-1].numel(), 0)
    if a is not None and b is not None:
        if a.ndim != 2 or a.shape[1] != width:
            refuse("lora", f"have A of shape (r, {width})", tuple(a.shape))
        if b.shape != (classes, a.shape[0]):
            refuse("lora", f"have B of shape {(classes, a.shape[0])}", tuple(b.shape))
        check_number("lora scale", scale)
    return Layer(((hidden, matrix),), bias, dtype)


def _adapted(layer: Layer, a: Tensor, b: Tensor, scale: float, kept: Tensor | None) -> Layer:
    """Return the layer with a low-rank term, of which rows that are left out have no part."""
    hidden = layer.terms[0][0].to(layer.dtype)
    if kept is not None:
        hidden = hidden.masked_fill(~kept[:, None], 0.0)
    with without_autocast(hidden):
        low = hidden @ a.to(layer.dtype).t() * scale
    return layer._replace(terms=(*layer.terms, (low, b)))


def _shifted(
    target: Tensor | None,
    lead: torch.Size,
    device: torch.device,
    ignore_index: int,
    options: SoftmaxOptions,
) -> tuple[Tensor | None, SoftmaxOptions]:
    """Return target and options by row, of each row's next one; the last is left out."""
    if not lead:
        refuse("shift", "be False for an input of one row", True)
    axis = len(lead) - 1

    def following(t: Tensor, last: float | bool) -> Tensor:
        if t.ndim <= axis:
            return t  # its shape is refused below
        end = t.narrow(axis, 0, min(1, t.shape[axis]))
        return torch.cat([t.narrow(axis, end.shape[axis], t.shape[axis] - end.shape[axis]),
                          torch.full_like(end, last)], axis)  # fmt: skip

    shifted: SoftmaxOptions = {**options}
    mask, row_weight = options.get("mask"), options.get("row_weight")
    if target is not None and target.ndim == len(lead):
        target = following(target.long(), ignore_index)
    else:
        target = None if target is None else following(target, 0.0)
        if mask is None:
            mask = torch.ones(lead, dtype=torch.bool, device=device)
    if mask is not None:
        shifted["mask"] = following(mask, False)
    if row_weight is not None:
        shifted["row_weight"] = following(row_weight, 0.0)
    return target, shifted


def workspace_of(given: int | None, x: Tensor) -> int:
    """Return the bytes for a head's logits that exist at once, on the device of x."""
    if given is None:
        return WORKSPACE if on_host(x) else WORKSPACE_OF_DEVICES
    check_count("workspace", given, 1)
    return given


def answer_of_head(
    layer: Layer,
    rows: Rows,
    softcap: float | None,
    workspace: int | None,
    valid: int | None,
    compact: bool,
    teacher: Teacher | None = None,
) -> Any:
    """Return the loss of a head, by the first engine that takes it, in the shape of the rows."""
    hidden, kept = layer.terms[0][0], rows.kept()
    workspace = workspace_of(workspace, hidden)
    if valid is not None:
        check_count("valid", valid)
        if on_host(hidden) and values_known(hidden):
            count = len(hidden) if kept is None else int(kept.sum())
            if valid != count:
                refuse("valid", f"be the number of rows that are not left out, {count}", valid)
    head = Head(rows, layer, softcap, workspace, compact, valid, teacher)
    return shaped(ENGINES.choose(hidden, head).answer(hidden, head), rows)


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
    mask: Tensor | None = None,
    shift: bool = False,
    lora: LowRank | tuple[Tensor, Tensor, float] | None = None,
    workspace: int | None = None,
    compact: bool = True,
) -> TokenLogprobs:
    """Return log p of each token and the entropy H(p) of each row, p = softmax(input · Wᵀ / T).

    Both have gradients, and only some rows of the logits exist at a time. The likeliest classes
    come from the same pass, without gradient.

    Parameters
    ----------
    input, linear_weight, linear_bias, softcap, ignore_index, mask, shift, lora, workspace, compact
        As for `linear_cross_entropy`; `mask` as for `cross_entropy`.
    tokens : (…)
        Class indices.
    temperature
        T > 0.
    top_k
        How many of the likeliest classes to return.

    Raises
    ------
    ValueError, TypeError
        As `linear_cross_entropy`; more likeliest classes than there are classes.

    Examples
    --------
    >>> import torch
    >>> hidden, matrix = torch.eye(2), torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> found = linear_logprobs(hidden, matrix, torch.tensor([0, 1]), top_k=1)
    >>> found.logprobs
    tensor([-0.3064, -0.5514])
    >>> found.entropy, found.top_ids
    (tensor([0.7520, 0.9753]), tensor([[0],
            [1]]))
    """
    given: SoftmaxOptions = {"temperature": temperature, "softcap": softcap, "mask": mask}
    layer, rows = asked_of_layer(
        input, linear_weight, tokens, linear_bias, lora, shift,
        weight=None, ignore_index=ignore_index, reduction="none", label_smoothing=0.0,
        options={**given, "return_stats": True},
    )  # fmt: skip
    workspace = workspace_of(workspace, input)
    check_count("top_k", top_k)
    if rows.soft:
        refuse("tokens", "be class indices", "distributions")
    if top_k > layer.classes:
        refuse("top_k", f"be at most the number of classes, {layer.classes}", top_k)
    head = TokenHead(rows, layer, softcap, workspace, compact, top_k=top_k)
    found: TokenLogprobs = ENGINES.choose(input, head).answer(input, head)
    shape = rows.shape
    return TokenLogprobs(
        *(None if t is None else t.reshape(*shape, *t.shape[1:]) for t in found)  # type: ignore[arg-type]
    )
