"""Cross-entropy as real bytes: codes of symbols, models as coders, and codes of any bytes.

    >>> from plogq.codes import Code
    >>> code = Code.huffman({"a": 0.5, "b": 0.25, "c": 0.25})
    >>> code.digits("abacab")
    '010011010'

`docs/codes.md` is the introduction.
"""

from plogq.codes.canonical import canonical_words
from plogq.codes.code import Code
from plogq.codes.code_length import CodeLength
from plogq.codes.compress import compress, decompress
from plogq.codes.cost import Cost, code_cost
from plogq.codes.decodability import Ambiguity, ambiguity, is_prefix_free
from plogq.codes.errors import CodeError
from plogq.codes.frequencies import frequency_bits
from plogq.codes.huffman import blocks, huffman_lengths
from plogq.codes.kraft import kraft_sum
from plogq.codes.model import ModelDecoder, ModelEncoder
from plogq.codes.order_k import adaptive_bits, compress_bytes, decompress_bytes
from plogq.codes.prequential import Block, Prequential, prequential
from plogq.codes.stream import (
    Compressibility,
    Contender,
    compressibility,
    empirical_entropies,
    empirical_entropy,
)
from plogq.codes.word_lengths import fixed_lengths, shannon_fano_elias_words, shannon_lengths

__all__ = [
    "Ambiguity",
    "Block",
    "Code",
    "CodeError",
    "CodeLength",
    "Compressibility",
    "Contender",
    "Cost",
    "ModelDecoder",
    "ModelEncoder",
    "Prequential",
    "adaptive_bits",
    "ambiguity",
    "blocks",
    "canonical_words",
    "code_cost",
    "compress",
    "compress_bytes",
    "compressibility",
    "decompress",
    "decompress_bytes",
    "empirical_entropies",
    "empirical_entropy",
    "fixed_lengths",
    "frequency_bits",
    "huffman_lengths",
    "is_prefix_free",
    "kraft_sum",
    "prequential",
    "shannon_fano_elias_words",
    "shannon_lengths",
]
