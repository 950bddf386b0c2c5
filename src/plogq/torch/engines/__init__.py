"""The engines of the PyTorch door: an ordered list, with a file for each."""

from __future__ import annotations

import torch

from plogq.kernels.seam import Engines
from plogq.torch.engines import compiled_head
from plogq.torch.engines.blocks import Blocks
from plogq.torch.engines.by_formula import ByFormula
from plogq.torch.engines.compiled import Compiled
from plogq.torch.engines.materialised import Materialised
from plogq.torch.engines.native import Native
from plogq.torch.engines.triton.engine import Triton

_OF_ROWS = Native(), Triton(), Compiled(), Blocks(), ByFormula()
ENGINES = Engines(
    "plogq.torch", *_OF_ROWS, Materialised(*_OF_ROWS), quiet=torch.compiler.is_compiling
)
compiled_head.run_by(ENGINES.all)
