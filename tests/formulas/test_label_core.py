"""The passes of labels give what cross-entropy with its gradient gives, for every kind of row."""

import numpy as np
import pytest

from plogq import cross_entropy_from_logits, logsumexp
from plogq.formulas import label_core

ROWS = {
    "usual": [2.0, 0.5, -1.0, 0.0],
    "tied": [1.0, 1.0, 1.0, 1.0],
    "two tied": [3.0, 3.0, -2.0, 1.0],
    "sure": [80.0, 0.0, -3.0, 2.0],
    "large": [1e8, 1e8 - 8, 1e8 - 16, 0.0],
    "masked": [0.5, -np.inf, 1.0, -np.inf],
}


@pytest.mark.parametrize("temperature", [1.0, 0.25])
@pytest.mark.parametrize("label", range(4))
@pytest.mark.parametrize("row", ROWS)
def test_the_numbers_are_those_of_cross_entropy(row, label, temperature):
    x = np.array(ROWS[row])
    loss, slope = cross_entropy_from_logits(x / temperature, label)
    parts = label_core.label_parts(np, x, x[label], temperature)
    found, at_label = label_core.gradient(np, parts, np.array(2.0), 0.0, temperature)
    found[label] = at_label
    np.testing.assert_allclose(label_core.surprisal(np, parts), loss, rtol=1e-15)
    np.testing.assert_allclose(parts.lse, logsumexp(x / temperature), rtol=1e-15)
    np.testing.assert_allclose(found, 2 * slope / temperature, rtol=3e-15)


def test_the_gradient_of_the_normaliser_comes_with_it():
    """Of share · loss + c lse² it is share (p − [j = y]) + 2 c lse p."""
    x = np.array(ROWS["usual"])
    parts = label_core.label_parts(np, x, x[2])
    found, at_label = label_core.gradient(np, parts, np.array(0.5), 2 * 0.1 * parts.lse)
    found[2] = at_label
    p = np.exp(x) / np.exp(x).sum()
    expected = 0.5 * (p - np.eye(4)[2]) + 2 * 0.1 * np.log(np.exp(x).sum()) * p
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("fault", [np.inf, np.nan])
def test_a_row_at_fault_is_nan(fault):
    x = np.array([fault, 0.0])
    with np.errstate(invalid="ignore"):
        assert np.isnan(label_core.label_parts(np, x, x[1]).rest)
