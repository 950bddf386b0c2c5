"""The corpus of code is read, and never imported."""

collect_ignore = ["corpus/code"]
