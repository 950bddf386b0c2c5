"""Which labels of a table are likely wrong."""
