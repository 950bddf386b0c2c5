"""The formats of tables, a file each; `registry.FORMATS` is the only list of endings.

A format that can write, too, has a function `writer(sink, schema)`, which gives a writer of Arrow.
"""

from typing import Literal

# What predictions may be, which is also what their columns or arrays are called.
Kind = Literal["logits", "logprobs", "probs"]
KINDS: tuple[Kind, ...] = ("logits", "logprobs", "probs")
# The names of the formats in sentences. They stand here, since this module loads nothing heavy.
NAMES = "Parquet, CSV, JSON, ARFF, Arrow or NPZ"
