from typing import Any

import numpy as np
import numpy.typing as npt

_Array = Any  # what speaks DLPack or the buffer protocol, on the CPU

def rows(
    logits: _Array,
    target: _Array | None,
    soft: _Array | None,
    weight: npt.NDArray[Any] | None,
    keep: npt.NDArray[np.bool_] | None,
    row_weight: npt.NDArray[np.float64] | None,
    gradient: _Array | None,
    statistics: npt.NDArray[Any] | None,
    argmax: npt.NDArray[np.int64] | None,
    denominator: float | None,
    by_class: bool,
    scale: float,
    ignore_index: int | None,
    label_smoothing: float,
    gamma: float,
    temperature: float,
    z_loss: float,
    tolerance: float,
    check_logits: bool,
    threads: int,
    instruction_set: int,
) -> tuple[float, float, int, int]: ...
def elements(
    logits: _Array,
    target: _Array,
    weight: npt.NDArray[Any] | None,
    element_weight: _Array | None,
    scale: float,
    losses: _Array | None,
    gradient: _Array | None,
    validate: bool,
    threads: int,
    instruction_set: int,
) -> tuple[float, int]: ...
def use_tensors_of(tensor: type, parameter: type) -> bool: ...
def reduced_loss(
    logits: object,
    target: object,
    ignore_index: int,
    mean: bool,
    label_smoothing: float,
    gamma: float,
    temperature: float,
    z_loss: float,
    with_gradient: bool,
    largest: int,
    threads: int,
    /,
) -> Any: ...
def xla_rows() -> tuple[object, int, int] | None: ...
def instruction_sets() -> list[str]: ...
def add(
    limbs: npt.NDArray[np.int64],
    parts: npt.NDArray[np.int64] | None,
    pending: int,
    values: npt.NDArray[np.float64],
    group: npt.NDArray[np.int64] | None,
    instruction_set: int,
) -> tuple[int, int]: ...
def settle(limbs: npt.NDArray[np.int64], parts: npt.NDArray[np.int64]) -> None: ...
def float_figures(
    columns: list[npt.NDArray[Any]],
    logits: npt.NDArray[Any] | None,
    target: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
    predicted: npt.NDArray[np.int64],
    instruction_set: int,
) -> int: ...

double_figures = float_figures

def float_fold(
    columns: list[npt.NDArray[Any]],
    logits: npt.NDArray[Any] | None,
    target: npt.NDArray[np.int64],
    bucket: npt.NDArray[np.int64],
    counts: list[npt.NDArray[np.int64]],
    parts: list[npt.NDArray[np.int64]],
    surprisal_width: float,
    surprisal: npt.NDArray[np.float64],
    apart: npt.NDArray[np.int64],
    instruction_set: int,
) -> tuple[int, int]: ...

double_fold = float_fold

def widen(
    halves: npt.NDArray[np.uint16], out: npt.NDArray[np.float32], instruction_set: int
) -> None: ...
def lowest_hashes(
    start: int, seed: int, limit: int, place: npt.NDArray[np.int64], instruction_set: int
) -> int: ...
def carry(limbs: npt.NDArray[np.int64]) -> None: ...
def quantise(
    predictions: npt.NDArray[Any],
    logs: bool,
    tolerance: float,
    labels: npt.NDArray[np.int64] | None,
    weights: npt.NDArray[np.float32],
    divergence: npt.NDArray[np.float64],
    surprisal: npt.NDArray[np.float64] | None,
) -> int: ...
def huffman_lengths(
    ascending: npt.NDArray[np.float64], base: int, lengths: npt.NDArray[np.int64]
) -> None: ...
def encode_words(
    bits: npt.NDArray[np.uint64], lengths: npt.NDArray[np.uint8], symbols: npt.NDArray[Any]
) -> tuple[int, bytes]: ...
def decode_words(
    bits: npt.NDArray[np.uint64],
    lengths: npt.NDArray[np.uint8],
    data: bytes,
    size_in_bits: int,
    symbols: npt.NDArray[Any],
) -> int: ...

class OrderEncoder:
    def __init__(self, order: int) -> None: ...
    def encode(self, data: bytes) -> None: ...
    def bits(self) -> float: ...
    def finish(self) -> bytes: ...

class OrderDecoder:
    def __init__(self, order: int, data: bytes) -> None: ...
    def decode(self, n: int) -> bytes: ...
