"""What a language model pays for a text, from the logprobs of its tokens.

Readers give documents, a corpus adds up exact sums of them, and a summary turns these into a plain
`TokensResult`.
"""

from plogq.extras import needed_by

with needed_by("plogq.lm"):
    import pyarrow as _pyarrow  # noqa: F401

from plogq.lm.from_model.loading import load_model
from plogq.lm.result import TokensResult
from plogq.lm.score_model import score_model
from plogq.lm.score_tokens import score_tokens

__all__ = ["TokensResult", "load_model", "score_model", "score_tokens"]
