"""What coding cost, and where it went."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CodeLength:
    """What coding cost: all in bits unless named otherwise.

    Attributes
    ----------
    rows
        How many labels.
    exact_bits
        Σ −log₂ q(label): the cross-entropy of the whole, before any rounding. inf where the model
        held a label impossible.
    exact_bits_finite
        The same without the escaped rows.
    escaped_rows
        Rows whose label has q = 0: the coder keeps 2⁻²⁴ for each class, so each costs about 24.
    quantised_bits
        Σ −log₂ q̂(label), where q̂ is q as the coder has it: in units of 2⁻²⁴.
    quantisation_kl
        The mean of D_KL(q ‖ q̂): what q̂ costs more per row, if q is right.
    payload_bytes
        What the range coder wrote.
    bytes
        That, and the frame around it.
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
        """What the payload has more than `quantised_bits`: the coder's own rounding and end."""
        return 8 * self.payload_bytes - self.quantised_bits

    @property
    def framing_bytes(self) -> int:
        """What is there beside the payload: counts, digest, checksums."""
        return self.bytes - self.payload_bytes

    @property
    def overhead(self) -> float | None:
        """8 bytes / exact_bits − 1; None where exact_bits is 0 or inf."""
        if self.exact_bits == 0 or math.isinf(self.exact_bits):
            return None
        return 8 * self.bytes / self.exact_bits - 1
