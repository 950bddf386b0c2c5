"""Hugging Face's Trainer: metrics of each evaluation, and its whole report."""

from plogq.adapters.huggingface import *  # noqa: F403 (its __all__ is the list of names)
from plogq.adapters.huggingface import __all__ as __all__
