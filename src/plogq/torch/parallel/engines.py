"""The engines of a rank's own part: its sums, and its gradient from those of all ranks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from plogq.kernels.seam import Engines
from plogq.torch.parallel.slopes import Sloping, block_slopes, native_slopes, no_native_slopes
from plogq.torch.parallel.sums import (
    PartSums,
    Summing,
    add_sums_of_labels,
    block_sums,
    native_sums,
    no_native_sums,
)


class Native:
    """The kernel of this package, on CPU tensors."""

    name = "native"

    def refusal(self, x: Tensor, asked: Summing | Sloping) -> str:
        """Say why the kernel cannot answer."""
        if isinstance(asked, Summing):
            return no_native_sums(x, asked)
        return no_native_slopes(x, asked)

    def answer(self, x: Tensor, asked: Summing | Sloping) -> Any:
        """Give the sums, or write the gradient."""
        return native_sums(x, asked) if isinstance(asked, Summing) else native_slopes(x, asked)


class Blocks:
    """Torch operations on blocks of rows, on every device."""

    name = "blocks"

    def refusal(self, x: Tensor, asked: Summing | Sloping) -> str:
        """Take everything."""
        return ""

    def answer(self, x: Tensor, asked: Summing | Sloping) -> Any:
        """Give the sums, or write the gradient."""
        return block_sums(x, asked) if isinstance(asked, Summing) else block_slopes(x, asked)


ENGINES = Engines("plogq.torch.parallel", Native(), Blocks())


def part_sums(x: Tensor, asked: Summing) -> PartSums:
    """Return all sums of a part's rows (n, C) that are exchanged, as `Fields.names` says."""
    found: PartSums = ENGINES.choose(x, asked).answer(x, asked)
    add_sums_of_labels(found, x, asked)
    return found


def write_slopes(x: Tensor, asked: Sloping) -> None:
    """Write the gradient of a part's logits x (n, C) into `asked.into`, which may be x."""
    ENGINES.choose(x, asked).answer(x, asked)
