"""The level of every interval stands once."""

from statistics import NormalDist

import numpy as np
import pytest

from plogq.compare import compare
from plogq.lm import score_tokens
from plogq.score import score
from plogq.tables.sums import level

TABLE = {"probs": np.array([[0.75, 0.25], [0.25, 0.75]]), "labels": np.array([0, 1])}
TOKENS = {"doc": ["a", "a", "b"], "logprob": [-1.0, -2.0, -3.0]}


def test_the_normal_end_is_that_of_the_level():
    wanted = NormalDist().inv_cdf((1 + level.LEVEL) / 2)
    assert abs(level.NORMAL_END - wanted) < 1e-14
    assert (level.PERCENT, level.ONE_IN) == ("95 %", 20)


@pytest.mark.parametrize(
    "run",
    [
        lambda n: score(TABLE, bootstrap=n),
        lambda n: compare(TABLE, TABLE, bootstrap=n),
        lambda n: score_tokens(TOKENS, bootstrap=n),
    ],
)
def test_fewer_replicates_than_the_tails_take_are_refused(run):
    """Of 39, none is beyond the 2.5 % at either end."""
    for few in (1, 2, 39):
        with pytest.raises(ValueError, match=f"bootstrap must be 0, or 40 or more.*got {few}$"):
            run(few)
    run(0)
    run(40)
