"""From a state to what its loss is made of."""
