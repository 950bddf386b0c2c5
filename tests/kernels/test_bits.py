"""The same results from every processor to a few ulp: what their bits may differ by."""

import numpy as np
import pytest

from benchmarks import rows_bits

pytestmark = pytest.mark.usefixtures("instruction_set")

# As benchmarks/results/rows_bits.txt has them, rounded up: two processors differ by twice as much.
ERRORS = {"loss": 1, "entropy": 2, "gradient": 5}


@pytest.mark.parametrize("classes", rows_bits.CLASSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_of_18_results_differ_where_errors_do_not(dtype, classes):
    exact = rows_bits.exactly(dtype, classes)
    for name, got in rows_bits.results(dtype, classes).items():
        assert rows_bits.ulps(got, exact[name]) <= ERRORS[name], name


def test_an_error_of_one_digit_is_seen():
    want = np.array([1.0, 3.0])
    assert rows_bits.ulps(np.nextafter(want, 9), want) == 1
