"""How sure an interval is: every interval, and every sentence about one, reads it here.

It loads nothing, so that the command line can say it.
"""

from __future__ import annotations

LEVEL = 0.95
PERCENT = f"{100 * LEVEL:g} %"
ONE_IN = round(1 / (1 - LEVEL), 9)  # of so many intervals, one misses by chance
LEAST_REPLICATES = round(2 / (1 - LEVEL))  # so that one of them is in each tail beyond an interval
# How many standard errors an interval of a normal estimate reaches to either side: the normal
# distribution's quantile of (1 + LEVEL) / 2.
NORMAL_END = 1.959963984540054
