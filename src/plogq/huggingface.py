"""Hugging Face: metrics and reports of evaluations, and the loss of a model without its logits."""

from plogq.adapters.huggingface import *  # noqa: F403 (its __all__ is the list of names)
from plogq.adapters.huggingface import __all__ as __all__
