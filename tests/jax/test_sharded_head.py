"""A head whose vocabulary lies on several devices: the numbers of one, and no logits exchanged."""

import os
import subprocess
import sys

import pytest

ON_FOUR_DEVICES = """
import re
import jax, jax.numpy as jnp, numpy as np, plogq.jax as pj
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P

mesh = Mesh(np.array(jax.devices()), ("vocabulary",))
assert mesh.size == 4
rng, rows, width, classes = np.random.default_rng(0), 64, 16, 1000
hidden = jnp.asarray(rng.normal(size=(rows, width)), jnp.float32)
weight = jnp.asarray(rng.normal(size=(classes, width)), jnp.float32)
target = jnp.asarray(rng.integers(classes, size=rows))
placed = jax.device_put(weight, NamedSharding(mesh, P("vocabulary")))
beside = jax.device_put(hidden, NamedSharding(mesh, P()))

for workspace in (2**28, 200_000):  # all rows at once, and in pieces
    def loss(hidden, weight):
        options = {"reduction": "mean", "z_loss": 0.1, "workspace": workspace}
        return pj.linear_cross_entropy(hidden, weight, target, **options)

    step = jax.jit(jax.value_and_grad(loss, (0, 1)))
    one, (of_hidden, of_weight) = step(hidden, weight)
    found, (slope, slopes) = step(beside, placed)
    np.testing.assert_allclose(found, one, rtol=1e-6)
    np.testing.assert_allclose(slope, of_hidden, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(slopes, of_weight, rtol=1e-4, atol=1e-7)
    assert slopes.sharding.is_equivalent_to(placed.sharding, 2), slopes.sharding
    text = step.lower(beside, placed).compile().as_text()
    exchanged = re.findall(r"= (.+?) all-(\\w+)(?:-start)?\\(", text)
    assert exchanged and {kind for _, kind in exchanged} == {"reduce"}, exchanged
    sizes = [np.prod([int(n) for n in shape.split(",") if n])
             for shapes, _ in exchanged for shape in re.findall(r"\\[([\\d,]*)\\]", shapes)]
    assert max(sizes) <= rows * width, exchanged
"""


@pytest.mark.slow
def test_the_vocabulary_on_four_devices():
    done = subprocess.run(
        [sys.executable, "-c", ON_FOUR_DEVICES],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
