"""The Triton engine: softmax rows, pairs of rows and binary elements on GPUs.

`engine.py` is its entry in the list of engines, `configurations.py` the table of what it takes.
"""
