"""The engines of the JAX door: an ordered list, and a file each."""

from __future__ import annotations

from plogq.jax.engines.native import Native
from plogq.jax.engines.xla import Xla
from plogq.kernels.seam import Engines

ENGINES = Engines("plogq.jax", Native(), Xla())
