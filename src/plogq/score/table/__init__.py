"""A table, wherever it lies, as batches of checked arrays."""
