"""What is added up by a library is the same in any order: checked by changing the order."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from plogq.tables.sums import products
from plogq.tables.sums.products import product, weighted_sums


def exactly(weights, values):
    return [
        [sum(Fraction(w) * Fraction(v) for w, v in zip(row, column, strict=True)) for column in
         values.T.tolist()]
        for row in weights.tolist()
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_any_order(seed):
    rng = np.random.default_rng(seed)
    weights = rng.poisson(1.0, (7, 300)).astype(float)
    values = rng.standard_normal((300, 5)) * np.exp(3 * rng.standard_normal((300, 5)))
    first = weighted_sums(weights, values)
    of_product = product(values, values[:, :2])
    for _ in range(10):
        order = rng.permutation(300)
        assert np.array_equal(weighted_sums(weights[:, order], values[order]), first)
        assert np.array_equal(product(values[order], values[order, :2]), of_product)


@pytest.mark.parametrize("shape", [(3, 0, 2), (3, 1, 2), (3, 1000, 2), (3, 1000, 1), (300, 50, 90)])
@pytest.mark.parametrize("most", [100, 1 << 12, 1 << 60])
def test_pieces_are_the_whole(shape, most, monkeypatch):
    m, n, k = shape
    rng = np.random.default_rng(n)
    weights = rng.poisson(1.0, (m, n)).astype(float)
    values = rng.standard_normal((n, k)) * np.exp(3 * rng.standard_normal((n, k)))
    monkeypatch.setattr(products, "MOST_AT_ONCE", 1 << 60)
    whole = weighted_sums(weights, values), product(weights.T, values)
    monkeypatch.setattr(products, "MOST_AT_ONCE", most)
    assert np.array_equal(weighted_sums(weights, values), whole[0])
    assert np.array_equal(product(weights.T, values), whole[1])


@pytest.mark.parametrize("scale", [1e-250, 1e-30, 1.0, 1e30, 1e200])
def test_near_the_exact_sum(scale):
    rng = np.random.default_rng(3)
    weights = rng.poisson(1.0, (4, 200)).astype(float)
    values = scale * rng.standard_normal((200, 3))
    found = weighted_sums(weights, values)
    for rows in zip(found.tolist(), exactly(weights, values), strict=True):
        for x, y in zip(*rows, strict=True):
            assert abs(Fraction(x) - y) <= abs(y) * Fraction(2.0**-53) * 3 + Fraction(2.0**-1000)


def test_whole_numbers_are_exact():
    rng = np.random.default_rng(0)
    weights = rng.poisson(1.0, (3, 100)).astype(float)
    counts = rng.integers(0, 2**31, (100, 2))
    assert weighted_sums(weights, counts).tolist() == exactly(weights, counts)
    assert weighted_sums(weights, np.zeros((100, 2))).tolist() == [[0.0, 0.0]] * 3
    assert weighted_sums(weights, counts[:, 0]).shape == (3,)


def test_a_product_is_near():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((500, 4)) * [1e-200, 1.0, 0.0, 1e9], rng.standard_normal((500, 3))
    error = np.abs(product(a, b) - a.T @ b)
    assert (error <= 2.0**-21 * np.abs(a).max(axis=0)[:, None] * 2 * np.abs(b).sum(axis=0)).all()


COMPARISON = """
from plogq.compare import compare
from plogq.score import score
from tests.score.tables import drawn

one, other = drawn(5_000, 10, 0, lambda z: 1.6 * z + [0, 0.3] * 5), drawn(5_000, 10, 0)
print(score(one).to_json(), compare(one, other).to_json())
"""


@pytest.mark.slow
def test_every_figure_whatever_the_threads_and_the_processor():
    def printed(**environment):
        return subprocess.run(
            [sys.executable, "-c", COMPARISON], env=os.environ | environment,
            capture_output=True, check=True, timeout=120,
        ).stdout  # fmt: skip

    one = printed(OPENBLAS_NUM_THREADS="1")
    assert one.startswith(b"{")
    assert printed(OPENBLAS_NUM_THREADS="2") == one
    # Another order of additions; NumPy's library ignores the name where there is no choice.
    assert printed(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Nehalem") == one
