"""Ways to fold a table into a state: threads of this process, or the workers of a cluster."""
