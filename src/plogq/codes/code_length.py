"""The length of a code, and what it is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CodeLength:
    """The length of coded labels and its parts, in bits unless the name says bytes.

    Attributes
    ----------
    rows
        The number of labels.
    exact_bits
        Σ −log₂ q(label): the cross-entropy of all labels, before any rounding. inf if a label has
        q = 0.
    exact_bits_finite
        The same without the escaped rows.
    escaped_rows
        Rows whose label has q = 0: the coder keeps 2⁻²⁴ for each class, so each costs about 24.
    quantised_bits
        Σ −log₂ q̂(label), where q̂ is q rounded to the coder's units of 2⁻²⁴.
    quantisation_kl
        The mean of D_KL(q ‖ q̂) over the rows: the expected extra cost of q̂ per row, if q is right.
    payload_bytes
        The bytes of the range coder.
    bytes
        All bytes, with the frame around the payload.
    """

    rows: int
    exact_bits: float
    exact_bits_finite: float
    escaped_rows: int
    quantised_bits: float
    quantisation_kl: float
    payload_bytes: int
    bytes: int

    @property
    def bits_per_row(self) -> float:
        """All bytes, in bits per row; 0 without rows."""
        return 8 * self.bytes / self.rows if self.rows else 0.0

    @property
    def exact_bits_per_row(self) -> float:
        """The cross-entropy per row; 0 without rows."""
        return self.exact_bits / self.rows if self.rows else 0.0

    @property
    def coder_bits(self) -> float:
        """The bits of the payload above `quantised_bits`: the coder's own rounding and end."""
        return 8 * self.payload_bytes - self.quantised_bits

    @property
    def framing_bytes(self) -> int:
        """The bytes beside the payload: counts, digest, checksums."""
        return self.bytes - self.payload_bytes

    @property
    def overhead(self) -> float | None:
        """8 bytes / exact_bits − 1; None if exact_bits is 0 or inf."""
        if self.exact_bits == 0 or math.isinf(self.exact_bits):
            return None
        return 8 * self.bytes / self.exact_bits - 1
