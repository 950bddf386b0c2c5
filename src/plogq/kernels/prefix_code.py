"""Huffman's lengths, and words of a prefix code to bytes and back: native/prefix_code.hpp."""

from plogq.kernels._native import decode_words, encode_words, huffman_lengths

__all__ = ["decode_words", "encode_words", "huffman_lengths"]
