"""Sums against exact rational arithmetic, in any order and any split."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.kernels.exact_sum import ExactSums

LARGEST = float(np.nextafter(2.0**126, 0))
values = st.floats(-LARGEST, LARGEST) | st.floats(-10, 10) | st.sampled_from([0.1, 1e-38, -0.0])


def exact(terms):
    """Σ trunc(v · 2¹²⁸) / 2¹²⁸, rounded once."""
    return float(Fraction(sum(int(Fraction(v) * 2**128) for v in terms), 2**128))


@given(st.lists(values, max_size=60), st.randoms(), st.integers(0, 60))
def test_any_order_and_any_split(terms, random, cut):
    whole = ExactSums()
    whole.add(terms)
    assert whole.values()[0] == exact(terms)

    shuffled = random.sample(terms, len(terms))
    left, right = ExactSums(), ExactSums()
    left.add(shuffled[:cut])
    for v in shuffled[cut:]:
        right.add([v])
    merged, backwards = ExactSums(), ExactSums()
    for part in (left, right):
        merged.merge(part)
    for part in (right, left):
        backwards.merge(part)
    assert (merged.limbs == whole.limbs).all()
    assert (backwards.limbs == whole.limbs).all()


@given(st.lists(st.tuples(values, st.integers(0, 4)), max_size=60))
def test_groups(pairs):
    sums = ExactSums(5)
    sums.add([v for v, _ in pairs], [g for _, g in pairs])
    for g, total in enumerate(sums.values()):
        assert total == exact([v for v, h in pairs if h == g])


def test_many_large_values():
    sums = ExactSums()
    for _ in range(3):
        sums.add(np.full(100_000, -LARGEST))
        sums.add(np.full(100_000, LARGEST))
    sums.add([2.0**-128])
    assert sums.values()[0] == 2.0**-128


def test_below_the_quantum():
    sums = ExactSums()
    sums.add([2.0**-129, 5e-324, -(2.0**-130), 0.0, -0.0])
    assert not sums.limbs.any()
    sums.add([-1.5 * 2.0**-128])  # towards zero
    assert sums.values()[0] == -(2.0**-128)


def test_strided_values():
    sums = ExactSums()
    sums.add(np.arange(10.0)[::-2])
    assert sums.values()[0] == 25


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**126])
def test_values_at_fault(bad):
    sums = ExactSums()
    with pytest.raises(ValueError, match=r"values must be finite and below.*row 2"):
        sums.add([1.0, 2.0, bad, bad])
    assert not sums.limbs.any()


@pytest.mark.parametrize("bad", [-1, 2])
def test_groups_at_fault(bad):
    sums = ExactSums(2)
    with pytest.raises(ValueError, match=rf"group must be in \[0, 2\); got {bad} .*row 1"):
        sums.add([1.0, 2.0], [0, bad])
    assert not sums.limbs.any()


def test_shapes_at_fault():
    with pytest.raises(ValueError, match="groups must be at least 1"):
        ExactSums(0)
    with pytest.raises(ValueError, match="values must have one axis"):
        ExactSums().add([[1.0]])
    with pytest.raises(ValueError, match="group must be integers"):
        ExactSums().add([1.0], [0.5])
    with pytest.raises(ValueError, match="group must be integers"):
        ExactSums().add([1.0], [0, 0])
    with pytest.raises(ValueError, match="other must have 1 groups"):
        ExactSums().merge(ExactSums(2))
