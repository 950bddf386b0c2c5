"""Huffman's lengths, and coding of symbols with a prefix code: native/prefix_code.hpp."""

from plogq.kernels._native import decode_words, encode_words, huffman_lengths

__all__ = ["decode_words", "encode_words", "huffman_lengths"]
