"""Ways to sum a table in a state: threads of this process, or the workers of a cluster."""
