"""What the JAX tests share: float64 beside float32, as `tests/formulas` has it."""

import pytest

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
