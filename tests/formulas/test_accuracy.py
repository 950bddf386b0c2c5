"""Every public function within its bound, and the page that says so."""

from pathlib import Path

import pytest

from tests import accuracy
from tests.formulas.names import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


@pytest.mark.matrix
@pytest.mark.parametrize("dtype", accuracy.DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("entry", accuracy.TABLE, ids=lambda entry: f"{entry.name}: {entry.output}")
def test_error_is_within_its_bound(entry, dtype):
    error, family = accuracy.measure(entry, dtype)
    assert error <= entry.bound, family


def test_an_error_of_one_digit_is_seen():
    """That the measure can fail: the next float but one is two ulp away."""
    entry = next(entry for entry in accuracy.TABLE if entry.name == "from_nats")
    error, _ = accuracy.measure(
        accuracy.Entry(
            "off", "value", entry.inputs, lambda x: entry.ours(x) * (1 + 2**-20), entry.oracle
        ),
        accuracy.np.float32,
    )
    assert error > entry.bound


def test_every_function_has_a_bound():
    assert {entry.name for entry in accuracy.TABLE} | set(accuracy.WITHIN_ITS_ESTIMATE) == FUNCTIONS


def test_page_makes_the_same_promises():
    page = PAGE.read_text().split("\n## ")[0]
    promised = [row.rsplit("|", 3)[0] + "|" for row in page.splitlines() if row.startswith("| `")]
    assert promised == [accuracy.line(entry) for entry in accuracy.TABLE]
    for name in accuracy.WITHIN_ITS_ESTIMATE:
        assert f"- `{name}`" in page
