"""The engines of the PyTorch door: an ordered list, with a file for each."""

from __future__ import annotations

import torch

from plogq.kernels.seam import Engines
from plogq.torch.engines.blocks import Blocks
from plogq.torch.engines.compiled import Compiled
from plogq.torch.engines.formula import ByFormula
from plogq.torch.engines.native import Native

ENGINES = Engines(
    "plogq.torch", Native(), Compiled(), Blocks(), ByFormula(), quiet=torch.compiler.is_compiling
)
