"""A result in the log of an experiment: TensorBoard, MLflow, Weights & Biases."""

from __future__ import annotations

import re
from typing import Any

from plogq.errors import refuse
from plogq.records import Document

REFUSED_BY_MLFLOW = re.compile(r"[^\w\-. :/]")  # in the name of a metric


def log_result(
    result: Document, writer: Any, step: int | None = None, prefix: str = "plogq"
) -> None:
    """Give the numbers of a result to a writer, each as "prefix/name", and the report where it can.

    Which kind of writer it is, its methods say; none of the libraries is imported.

    Parameters
    ----------
    result
        What `score`, `compare`, `score_tokens` or `label_errors` returned.
    writer
        A `SummaryWriter` of TensorBoard, which gets the first screen as text; the module `mlflow`
        or one of the same functions, which gets the report as an HTML artifact, and names with _
        for what MLflow refuses in them, the + of "temperature+base"; or a run of W&B,
        which gets the numbers alone (`run.log({"report": wandb.Html(result.html())})` adds it).
    step
        The step of the training.
    prefix
        What the names begin with.

    Raises
    ------
    TypeError
        The writer is none of these.
    """
    numbers = {f"{prefix}/{name}": value for name, value in result.metrics().items()}
    if hasattr(writer, "add_scalar"):
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)
        writer.add_text(f"{prefix}/report", str(result).replace("\n", "\n\n"), step)
    elif hasattr(writer, "log_metrics") and hasattr(writer, "log_text"):
        known = {REFUSED_BY_MLFLOW.sub("_", name): value for name, value in numbers.items()}
        writer.log_metrics(known, step=step)
        at = "" if step is None else f"-{step}"
        writer.log_text(result.html(), f"{prefix}/report{at}.html")
    elif hasattr(writer, "log"):
        writer.log(numbers, step=step)
    else:
        expected = "be a SummaryWriter of TensorBoard, the module mlflow, or a run of W&B"
        refuse("writer", expected, type(writer).__name__, error=TypeError)
