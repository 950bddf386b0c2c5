"""Token logprobs from a model and a text: windows, batches, the head by pieces, what is saved."""
