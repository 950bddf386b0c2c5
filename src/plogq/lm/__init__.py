"""What a language model pays for a text, from the logprobs of its tokens.

Readers give documents, a corpus folds their exact sums, and a summary turns it into a plain
`TokensResult`.
"""

from plogq.lm.fold import score_tokens
from plogq.lm.result import TokensResult

__all__ = ["TokensResult", "score_tokens"]
