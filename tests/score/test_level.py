"""The level of every interval stands once."""

from statistics import NormalDist

from plogq.tables.sums import level


def test_the_normal_end_is_that_of_the_level():
    wanted = NormalDist().inv_cdf((1 + level.LEVEL) / 2)
    assert abs(level.NORMAL_END - wanted) < 1e-14
    assert (level.PERCENT, level.ONE_IN) == ("95 %", 20)
