"""Exact sums of rows by group, in any order and split; and the intervals that they give."""
