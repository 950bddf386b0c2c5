"""Rows of low hashes against SplitMix64 in Python's integers."""

import numpy as np
import pytest

from plogq.kernels.hashes import lowest_hashes

pytestmark = pytest.mark.usefixtures("instruction_set")
MASK = 2**64 - 1


def splitmix64(step, seed):
    z = (seed + (step + 1) * 0x9E3779B97F4A7C15) & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


@pytest.mark.parametrize("limit", [0, 1 << 58, 1 << 62, MASK])
@pytest.mark.parametrize(("start", "seed"), [(0, 0), (12_345, 7), (2**40 + 3, MASK)])
def test_lowest_hashes(start, seed, limit):
    want = [i for i in range(1003) if splitmix64(start + i, seed) <= limit]
    np.testing.assert_array_equal(lowest_hashes(start, 1003, seed, limit), want)


def test_no_rows():
    assert len(lowest_hashes(5, 0, 0, MASK)) == 0
