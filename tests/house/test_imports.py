"""`import plogq` is light, the front doors do not leak, and both proofs can fail."""

import subprocess
import sys

import pytest

import plogq

HEAVY = {
    "torch",
    "jax",
    "keras",
    "tensorflow",
    "scipy",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "pydantic",
    "typer",
    "sklearn",
    "sympy",
    "triton",
}


def heavy_modules_after(statement: str) -> set[str]:
    """Run the statement in a fresh interpreter and give the heavy modules that it loaded."""
    program = f"{statement}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    return HEAVY & set(loaded)


@pytest.mark.parametrize("module", ["plogq", "plogq.formulas", "plogq.numpy", "plogq.kernels.rows"])
def test_no_heavy_import(module):
    assert heavy_modules_after(f"import {module}") == set()


@pytest.mark.parametrize("module", ["rich", "scipy", "pydantic"])
def test_the_proof_can_fail(module):
    assert module in heavy_modules_after(f"import plogq, {module}")


def test_computing_needs_no_framework():
    statement = "import plogq; plogq.cross_entropy_from_logits([2.0, 0.5], 0); plogq.entropy([1.0])"
    assert heavy_modules_after(statement) == set()


def test_packages_load_with_their_first_use():
    assert heavy_modules_after("import plogq; dir(plogq)") == set()
    assert heavy_modules_after("import plogq; plogq.numpy.cross_entropy") == set()
    assert "pyarrow" in heavy_modules_after("import plogq; plogq.score.score")
    assert "pyarrow" in heavy_modules_after("from plogq import score; score.score")


def test_the_door_of_jax_loads_jax_alone():
    doors = heavy_modules_after("import plogq.jax; plogq.jax.cross_entropy")
    assert doors - heavy_modules_after("import jax") == set()
    assert "jax" in doors
    assert "torch" in heavy_modules_after("import plogq.jax, torch")
    assert heavy_modules_after("import plogq; plogq.PACKAGES") == set()


def test_the_door_of_torch_leaves_its_compiler_alone():
    """It takes longer to load than torch, and loads Triton, which ends a process of TensorFlow."""
    step = "x = torch.ones(2, 3, requires_grad=True); pt.cross_entropy(x, torch.tensor([0, 1]))"
    statement = f"import torch, plogq.torch as pt; {step}.backward()"
    assert heavy_modules_after(statement) == {"torch"}
    assert "triton" in heavy_modules_after("import torch._dynamo")


@pytest.mark.slow  # Keras starts four times
@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_the_door_of_keras_loads_what_keras_loads(backend, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    door = heavy_modules_after("import plogq.keras; plogq.keras.SparseCategoricalCrossentropy")
    alone = heavy_modules_after("import keras")
    assert door - alone == set()
    assert {"keras", backend} <= door
    assert "polars" in heavy_modules_after("import plogq.keras, polars") - alone


ROWS = "([0, 1], [[0.5, 0.5], [0.25, 0.75]])"
TOKENS = "{'doc': ['a'], 'logprob': [-1.0], 'bytes': [2]}"


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("score", f"score.score(*{ROWS})"),
        ("compare", f"compare.compare({ROWS}, {ROWS})"),
        ("lm", f"lm.score_tokens(pyarrow.table({TOKENS}))"),
    ],
)
def test_a_report_on_the_terminal_loads_no_reader_of_results(command, result):
    statement = (
        f"import pyarrow; from plogq import {command}; "
        f"from plogq.reports.terminal.{command} import print_report; print_report({result})"
    )
    assert "pydantic" not in heavy_modules_after(statement)


def test_every_package_is_found():
    assert set(plogq.PACKAGES) <= set(dir(plogq))
    for name, function in (("score", "score"), ("compare", "compare"), ("lm", "score_tokens")):
        assert callable(getattr(getattr(plogq, name), function))
    with pytest.raises(AttributeError, match="module 'plogq' has no attribute 'scores'"):
        _ = plogq.scores
