"""The reports of a training, kept by step, and written beside its checkpoints."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from plogq.files import write_whole
from plogq.score.result import Result


class Reports(dict[int, Result]):
    """Results by step; those that are added are written to a folder, if there is one.

    Parameters
    ----------
    folder
        Where "step-N.html" and "step-N.json" go; None: nowhere.
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        super().__init__()
        self.folder = None if folder is None else Path(folder)

    def add(self, step: int, result: Result) -> None:
        """Keep the result of a step.

        Raises
        ------
        OSError
            A file cannot be written.
        """
        self[step] = result
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / f"step-{step}.html", result.html().encode())
            write_whole(self.folder / f"step-{step}.json", result.to_json().encode())
