"""The checks of the doctor, a file each, found by being here: PQ1xx of values, PQ3xx of code."""
