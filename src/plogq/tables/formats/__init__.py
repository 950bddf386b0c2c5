"""What tables come as, a file each; `registry.FORMATS` is the only list of endings.

A format that can write, too, has a function `write(table, sink)`.
"""

from typing import Literal

# What predictions may be, which is also what their columns or arrays are called.
Kind = Literal["logits", "logprobs", "probs"]
KINDS: tuple[Kind, ...] = ("logits", "logprobs", "probs")
# For sentences; here, where nothing heavy is loaded.
NAMES = "Parquet, CSV, JSON, ARFF, Arrow or NPZ"
