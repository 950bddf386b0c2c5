"""Faster ways to the same formulas: each kernel names the formula that it implements."""
