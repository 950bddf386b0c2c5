"""What tables come as, a file each; `registry.FORMATS` is the only list of endings.

A format that can write, too, has a function `write(table, sink)`.
"""

NAMES = (
    "Parquet, CSV, JSON, ARFF, Arrow or NPZ"  # for sentences; here, where nothing heavy is loaded
)
