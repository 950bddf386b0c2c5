"""The figures of a result, computed from a state."""
