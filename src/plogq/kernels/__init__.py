"""Fast implementations of the formulas: each kernel names the formula that it implements."""
