"""Readers of logs of language models, a file for each kind of log."""
