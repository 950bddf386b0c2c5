"""Sums against exact rational arithmetic, in any order and any split."""

import functools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.kernels.exact_sum import ExactSums

pytestmark = pytest.mark.usefixtures("instruction_set")
LARGEST = float(np.nextafter(2.0**126, 0))
# What is added by way of parts is below 2⁹, and has nothing in the last of them from 2⁻²⁹ on.
EDGES = [0.1, 1e-38, -0.0, 512.0, -512.0, float(np.nextafter(512, 0)), 2.0**-29, 2.0**-30 / 3]
values = st.floats(-LARGEST, LARGEST) | st.floats(-10, 10) | st.sampled_from(EDGES)


def exact(terms):
    """Σ trunc(v · 2¹²⁸) / 2¹²⁸, rounded once; a float times a power of two is exact as well."""
    return float(Fraction(sum(int(math.ldexp(v, 128)) for v in terms), 2**128))


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


@functools.cache
def many_terms():
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.normal(size=300_000) * 1e-9, np.full(300_000, 511.9), [1e300 / 1e280]]
    )


@functools.cache
def exact_of_many(groups, g):
    terms = many_terms()
    return exact(terms[np.arange(len(terms)) * 7 % groups == g])


@pytest.mark.parametrize("groups", [1, 3, 70_000])
def test_more_values_than_parts_can_hold(groups):
    terms = many_terms()
    group = np.arange(len(terms)) * 7 % groups
    sums, one_by_one = ExactSums(groups), ExactSums(groups)
    sums.add(terms, None if groups == 1 else group)
    found = sums.values()
    for g in (0, groups - 1):
        assert found[g] == exact_of_many(groups, g)
    for first in range(0, len(terms), 70_001):  # pending on the way
        part = slice(first, first + 70_001)
        one_by_one.add(terms[part], group[part])
    assert (sums.limbs == one_by_one.limbs).all()


@pytest.mark.parametrize("step", [0, 1, 3])
def test_groups_that_follow_each_other(step):
    terms = np.arange(1000) / 7
    group = np.arange(1000) * step % 500
    sums = ExactSums(500)
    sums.add(terms, group)
    np.testing.assert_array_equal(sums.values(), [exact(terms[group == g]) for g in range(500)])


def test_what_is_pending_is_in_every_copy():
    sums, other = ExactSums(2), ExactSums(2)
    sums.add([0.25, 1e9], [0, 1])
    again = pickle.loads(pickle.dumps(sums))
    again.add([0.5], [0])
    other.add([1.0], [1])
    again.merge(other)
    assert again.values().tolist() == [0.75, 1e9 + 1]
    assert sums.values().tolist() == [0.25, 1e9]


def test_a_kernel_may_add_to_the_parts():
    sums = ExactSums(2)
    for _ in range(3):
        sums.parts_for(1 << 17)[:, 1] += [1 << 62, 1 << 62, 1]  # would overflow unless settled
    assert sums.values().tolist() == [0, float(Fraction(3 * (2**154 + 2**108 + 1), 2**128))]
    with pytest.raises(ValueError, match="most must be at most 131072 values"):
        sums.parts_for((1 << 17) + 1)
    with pytest.raises(ValueError, match="of at most 65536 groups; got 1 of 65537"):
        ExactSums(65_537).parts_for(1)


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


@pytest.mark.parametrize("before", [0, 20, 140_000])
@pytest.mark.parametrize("groups", [1, 5, 70_000])
def test_nothing_is_added_before_what_is_at_fault(groups, before):
    sums = ExactSums(groups)
    sums.add([1.5])
    terms = np.resize([0.1, -3e11, 2.0**-100, 1.0], before + 9)
    group = np.arange(len(terms)) % groups
    terms[-1] = np.nan
    with pytest.raises(ValueError, match=rf"values must be finite .*row {before + 8}"):
        sums.add(terms, None if groups == 1 else group)
    found = sums.values()
    assert found[0] == 1.5
    assert found.sum() == 1.5


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
