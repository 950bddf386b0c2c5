"""What the ranks tell each other: one packet a step, whose head shows whether they fit together.

A packet is one tensor of each rank, of its heading and then of the numbers of its rows, so that a
step is one call. All packets of a call must have one size, or the call itself fails (gloo ends the
process): so before the first call of each number of rows and each set of options, which is then new
on every rank, the ranks exchange headings alone. Each finds the same fault in them, and raises.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.torch.engines.head_products import wide
from plogq.torch.parallel.ranks import Ranks, gathered

_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_PRIME = 2147483647
_MOST = 4096  # keys that a group's ranks remember

# What the ranks of a group have agreed on: by (rows, options, dtype), which are the same on every
# rank, and then by the width of this rank's part, the widths of all.
_Known = dict[tuple[int, ...], dict[int, tuple[int, ...]]]
_agreed: WeakKeyDictionary[object, _Known] = WeakKeyDictionary()


class Heading(NamedTuple):
    """What a rank says of itself; each number is below 2³¹.

    Attributes
    ----------
    failed
        1 if this rank refuses its input.
    width
        The number of columns of its part.
    first
        The number of its first class, as far as it knows; −1 before the first call.
    rows
        The number of rows.
    dtype, device
        What its part is, as numbers.
    options
        A digest of the options.
    target
        A digest of the targets, the mask, the row weights and the denominator.
    """

    failed: int
    width: int
    first: int
    rows: int
    dtype: int
    device: int
    options: int
    target: int

    @classmethod
    def of(cls, x: Tensor, width: int, options: object) -> Heading:
        """Return the heading of a part, before its targets are read."""
        dtype = _DTYPES.index(x.dtype) if x.dtype in _DTYPES else len(_DTYPES)
        device = digest_of(x.device.type)
        return cls(0, width, -1, x.shape[:-1].numel(), dtype, device, digest_of(options), 0)


_WORDS = len(Heading._fields)
_SKETCH = 2  # numbers of an input that every rank should have
_UNLIKE = 0.02  # of its norm: far above what roundings make, and far below other dropouts
FAILED = Heading(1, *[0] * (_WORDS - 1))


def digest_of(value: object) -> int:
    """Return a number below 2³¹ that says whether two values are written the same."""
    return zlib.crc32(repr(value).encode()) & _PRIME


def digest_of_rows(like: Tensor, *tensors: Tensor | None) -> Tensor:
    """Return one such number of tensors, by the bits of their elements, as a 0-d tensor."""
    total = torch.zeros((), dtype=torch.int64, device=like.device)
    for i, t in enumerate(tensors):
        if t is None:
            continue
        bits = t.detach().to(torch.float64).view(torch.int64) if t.is_floating_point() else t.long()
        bits = bits.flatten()
        mixed = (bits ^ (bits >> 32)) % _PRIME
        place = torch.arange(1 + i, 1 + i + len(bits), device=t.device) * 40503 % _PRIME
        total = (total * 31 + (mixed * place % _PRIME).sum()) % _PRIME
    return total


def sketch_of(x: Tensor | None, like: Tensor) -> Tensor:
    """Return (2,) numbers that change with any row of x (R, D): a projection, and the norm.

    Two ranks' rows that differ by roundings have projections that differ as little; digests of
    their bits would be others.
    """
    if x is None or not x.numel():
        return torch.zeros(_SKETCH, dtype=like.dtype, device=like.device)
    x = x.detach()
    by_column = torch.arange(x.shape[1], device=x.device).mul(1.7).cos().to(x.dtype)
    by_row = torch.arange(len(x), device=x.device).mul(2.3).cos()
    projection = torch.dot((x @ by_column).to(by_row.dtype), by_row)
    return torch.stack([projection, torch.linalg.vector_norm(x, dtype=wide(x.dtype))]).to(
        like.dtype
    )


def meet(ranks: Ranks, heading: Heading, like: Tensor) -> tuple[int, ...]:
    """Return the widths of all parts, as the ranks said them at the first call of this kind.

    Raises
    ------
    ValueError
        If the ranks do not fit together; on every rank.
    """
    known = _agreed.setdefault(ranks.group, {})
    widths = known.get((heading.rows, heading.options, heading.dtype))
    if widths is not None:  # if this width is new, the packet will show whether the guess is right
        return widths.get(heading.width, (heading.width,) * ranks.size)
    headings = _headings(gathered(torch.tensor(heading, device=like.device), ranks))
    _refuse_failed(headings)
    _refuse_unlike(headings)
    remember(ranks, headings)
    return tuple(h.width for h in headings)


def remember(ranks: Ranks, headings: list[Heading]) -> None:
    """Remember, by the group, the widths of all parts beside that of this rank."""
    known = _agreed.setdefault(ranks.group, {})
    if len(known) >= _MOST:  # it is so on all ranks, which know the same keys
        known.clear()
    own = headings[ranks.rank]
    of_width = known.setdefault((own.rows, own.options, own.dtype), {})
    of_width[own.width] = tuple(h.width for h in headings)


def is_new(ranks: Ranks) -> bool:
    """Tell whether the ranks have agreed on nothing yet."""
    return not _agreed.get(ranks.group)


def fail_at_the_first_call(ranks: Ranks, like: object) -> None:
    """Tell the others, who wait for a heading, that this rank refuses its arguments."""
    if is_new(ranks):
        device = like.device if isinstance(like, Tensor) else "cpu"
        gathered(torch.tensor(FAILED, device=device), ranks)


def exchanged(
    ranks: Ranks, heading: Heading, numbers: Callable[[], list[Tensor]], count: int, like: Tensor
) -> tuple[Tensor, Tensor, Tensor, Exception | None]:
    """Return headings (size, words), sketches (size, 2) and numbers (size, count, R) of all ranks.

    It is one call. The last is what this rank failed with: the others see that in its heading.

    Parameters
    ----------
    heading
        This rank's; the digest of its targets is the first of its `numbers`.
    numbers
        Computes a 0-d digest, a sketch (2,), and then `count` tensors (R,).
    like
        An empty tensor of the dtype and on the device of the numbers. Whole numbers travel by
        their bits.
    """
    whole = torch.int64 if like.dtype == torch.float64 else torch.int32
    begin = _WORDS + _SKETCH
    packet = torch.zeros(begin + count * heading.rows, dtype=like.dtype, device=like.device)
    words, failure = packet[:_WORDS].view(whole), None
    try:
        digest, packet[_WORDS:begin], *found = numbers()
        words.copy_(torch.tensor(heading, device=like.device))
        words[-1] = digest
        rows = packet[begin:].view(count, heading.rows)
        for into, values in zip(rows, found, strict=True):
            if values.is_floating_point():
                into.copy_(values)
            else:
                into.view(whole).copy_(values)
    except Exception as error:
        failure = error
        words.copy_(torch.tensor(heading._replace(failed=1), device=like.device))
    packets = gathered(packet, ranks)
    words = packets[:, :_WORDS].contiguous().view(whole)
    values = packets[:, begin:].view(ranks.size, count, heading.rows)
    try:
        return words.long(), packets[:, _WORDS:begin], values, failure
    finally:
        del failure  # it holds this frame, and with it the group


def whole_numbers(values: Tensor) -> Tensor:
    """Return the whole numbers whose bits are in the exchanged `values`."""
    whole = torch.int64 if values.dtype == torch.float64 else torch.int32
    return values.contiguous().view(whole).long()


def checked(words: Tensor, sketches: Tensor, ranks: Ranks, failure: Exception | None) -> bool:
    """Refuse headings that do not fit together, on every rank; tell whether the parts do.

    They do not where a rank was wrong about its first class, and then no failure counts: the widths
    are remembered, and the ranks try once more.
    """
    headings = _headings(words)
    _refuse_unlike(headings)
    if [h.first for h in headings] != starts(h.width for h in headings):
        remember(ranks, headings)
        return False
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # it holds this frame
    _refuse_failed(headings)
    for rank, heading in enumerate(headings):
        if heading.target != headings[0].target:
            expected = "be the same on every rank, which has all rows and a part of the vocabulary"
            came = f"other targets, masks, weights or denominators on rank {rank} than on rank 0"
            refuse("target", expected, came)
    first = sketches[0].tolist()
    for rank, (projection, norm) in enumerate(sketches.tolist()):
        if abs(projection - first[0]) > _UNLIKE * max(norm, first[1]):  # never of a NaN
            came = f"other rows on rank {rank} than on rank 0 (has a dropout another seed?)"
            refuse("input", "be the same on every rank, which has all hidden rows", came)
    return True


def starts(widths: Iterable[int]) -> list[int]:
    """Return the number of the first class of each part."""
    return [0, *accumulate(widths)][:-1]


def fits(words: Tensor, sketches: Tensor) -> Tensor:
    """Return, as a 0-d bool that nobody has read, whether the headings fit together."""
    apart = (sketches[:, 0] - sketches[0, 0]).abs() > _UNLIKE * sketches[:, 1].amax()
    width, first = words[:, 1], words[:, 2]
    same = (words[:, 3:] == words[:1, 3:]).all() & ~words[:, 0].any()
    return same & (first == width.cumsum(0) - width).all() & ~apart.any()


def _headings(words: Tensor) -> list[Heading]:
    return [Heading(*row) for row in words.tolist()]


def _refuse_failed(headings: list[Heading]) -> None:
    """Refuse what another rank has refused."""
    for rank, heading in enumerate(headings):
        if heading.failed:
            expected = "be taken by every rank"
            refuse("input", expected, f"an error on rank {rank}, which says what it is")


def _refuse_unlike(headings: list[Heading]) -> None:
    """Refuse the first rank that is not like rank 0."""
    first = headings[0]
    for rank, heading in enumerate(headings):
        if heading.rows != first.rows:
            came = f"{first.rows} on rank 0, {heading.rows} on rank {rank}"
            refuse("input", "have as many rows on every rank", came)
        if heading.dtype != first.dtype:
            names = [str([*_DTYPES, "another"][h.dtype]) for h in (first, heading)]
            came = f"{names[0]} on rank 0, {names[1]} on rank {rank}"
            refuse("input", "have one dtype on every rank", came)
        if heading.device != first.device:
            came = f"another on rank {rank} than on rank 0"
            refuse("input", "be on devices of one type", came)
        if heading.options != first.options:
            came = f"others on rank {rank} than on rank 0"
            refuse("options", "be the same on every rank", came)
