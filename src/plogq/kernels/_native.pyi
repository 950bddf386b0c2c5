import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]

def rows(
    logits: _Floats,
    target: npt.NDArray[np.int64] | None,
    ignore_index: int | None,
    statistics: _Floats,
    argmax: npt.NDArray[np.int64],
    gradient: _Floats | None,
    row_scale: npt.NDArray[np.float64],
    threads: int,
    instruction_set: int,
) -> tuple[int, int]: ...
def instruction_sets() -> list[str]: ...
def add(
    limbs: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    group: npt.NDArray[np.int64] | None,
) -> int: ...
def carry(limbs: npt.NDArray[np.int64]) -> None: ...
