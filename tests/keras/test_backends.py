"""These tests on the other backends of Keras, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras")
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = pytest.mark.slow


def run(backend, *words):
    """Run Python's words on a backend, and give what they print."""
    pytest.importorskip(backend)
    given = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
    )
    # The stack of a crash comes first, the modules that were loaded last.
    said = done.stdout[-3000:] + done.stderr[:2000] + done.stderr[-2000:]
    assert done.returncode == 0, said
    return done.stdout


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_all_on(backend):
    files = [str(path) for path in sorted(HERE.glob("test_*.py")) if path != Path(__file__)]
    files += [str(ROOT / "tests" / "doctor" / "test_watch_keras.py")]
    files += [str(ROOT / "tests" / "parity"), "-k", "keras or not parity"]
    run(backend, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_sparse_labels_are_never_one_hot_in_memory(backend):
    found = float(run(backend, "-m", "tests.keras.in_own_process", "memory"))
    assert found < 1.2


def test_two_replicas_train_like_one():
    assert float(run("tensorflow", "-m", "tests.keras.in_own_process", "mirrored")) < 1e-5
