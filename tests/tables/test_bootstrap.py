"""The bootstrap: buckets of rows and their folds, the weights of replicates, their ends."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.kernels.exact_sum import ExactSums
from plogq.tables.sums.bootstrap import (
    fold_of_buckets,
    interval,
    replicate_weights,
    row_buckets,
    value_buckets,
)
from plogq.tables.sums.level import LEVEL
from plogq.tables.sums.tally import nearly


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_each_run_of_rows_has_one_in_every_bucket(seed):
    whole = row_buckets(0, 640, 64, seed)
    assert np.array_equal(np.sort(whole.reshape(10, 64), axis=1), np.tile(np.arange(64), (10, 1)))
    parts = [row_buckets(first, 40, 64, seed) for first in range(0, 640, 40)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(whole[:64], whole[64:128])


def test_a_group_is_in_one_bucket_whatever_its_batch():
    values = pa.array(["a", "b", None, "a", "null", ""]).dictionary_encode()
    found = value_buckets(values, 1 << 30, 5)
    assert found[0] == found[3]
    assert len(set(found.tolist())) == 5
    again = value_buckets(values[3:].dictionary_decode().dictionary_encode(), 1 << 30, 5)
    assert again.tolist() == found[3:].tolist()
    assert value_buckets(values, 1 << 30, 6)[0] != found[0]


def test_folds_share_the_buckets_that_are_in_use():
    used = np.zeros(4096, bool)
    used[np.random.default_rng(0).choice(4096, 103, replace=False)] = True
    fold = fold_of_buckets(used, 5, 1)
    assert (fold == -1).sum() == 4096 - 103
    assert np.bincount(fold[used]).tolist() == [21, 21, 21, 20, 20]
    assert np.array_equal(fold_of_buckets(used, 5, 1), fold)
    assert not np.array_equal(fold_of_buckets(used, 5, 2), fold)


def test_what_a_replicate_weighs():
    weights = replicate_weights(1000, 200, 3)
    assert weights.mean() == pytest.approx(1, abs=0.01)
    assert weights.var() == pytest.approx(1, abs=0.02)
    assert np.array_equal(replicate_weights(1000, 200, 3), weights)


def test_interval():
    ends = 500 * (1 - LEVEL), 500 * (1 + LEVEL)  # ranks of 999 replicates
    assert interval(np.arange(1.0, 1000.0)) == pytest.approx(ends)
    assert interval(np.array([1.0, np.inf])) is None
    assert interval(np.array([])) is None


def test_nearly_is_the_sum_to_rounding():
    rng = np.random.default_rng(4)
    sums = ExactSums(50)
    values = rng.standard_normal(5000) * 10.0 ** rng.uniform(-12, 12, 5000)
    sums.add(values, rng.integers(0, 50, 5000))
    np.testing.assert_allclose(nearly(sums), sums.values(), rtol=1e-15)
