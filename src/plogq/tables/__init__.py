"""Tables of predictions, in whatever they come: opened, checked, and streamed as arrays."""
