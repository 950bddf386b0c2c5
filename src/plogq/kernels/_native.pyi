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
    row_scale: npt.NDArray[np.float64] | None,
    gradient: _Array | None,
    statistics: npt.NDArray[Any],
    argmax: npt.NDArray[np.int64],
    ignore_index: int | None,
    label_smoothing: float,
    gamma: float,
    temperature: float,
    z_loss: float,
    tolerance: float,
    check_logits: bool,
    threads: int,
    instruction_set: int,
) -> tuple[int, int]: ...
def elements(
    logits: _Array,
    target: _Array,
    weight: npt.NDArray[Any] | None,
    scale: float,
    losses: _Array | None,
    gradient: _Array | None,
    validate: bool,
    threads: int,
    instruction_set: int,
) -> tuple[float, int]: ...
def instruction_sets() -> list[str]: ...
def add(
    limbs: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    group: npt.NDArray[np.int64] | None,
) -> int: ...
def carry(limbs: npt.NDArray[np.int64]) -> None: ...
