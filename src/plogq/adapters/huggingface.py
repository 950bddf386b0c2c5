"""Hugging Face: the score of an evaluation, for `Trainer(compute_metrics=…)`, and its reports.

`patch`, the loss of a model without its logits, is of `plogq.adapters.huggingface_patch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from plogq.extras import needed_by

with needed_by("plogq.huggingface"):
    import accelerate as _accelerate  # noqa: F401 (a Trainer needs it)
    from transformers import EvalPrediction, TrainerCallback, TrainerControl, TrainerState
    from transformers.training_args import TrainingArguments

from plogq.adapters.figures import FIGURES, chosen
from plogq.adapters.huggingface_patch import patch, unpatch
from plogq.adapters.keep import Reports
from plogq.doctor import Diagnosis, watch
from plogq.score import Result, score

__all__ = [
    "IGNORED",
    "ScoreCallback",
    "WatchCallback",
    "compute_metrics",
    "patch",
    "unpatch",
]

IGNORED = -100
"""The label that Hugging Face's losses leave out."""


def compute_metrics(
    prediction: EvalPrediction, figures: Sequence[str] = FIGURES, **options: Any
) -> dict[str, float]:
    """Return figures of an evaluation, for `Trainer(compute_metrics=compute_metrics)`.

    Parameters
    ----------
    prediction
        Logits (N, C) with labels (N,), or (N, T, C) with (N, T); where a model returns several
        arrays, the logits are the first. The label −100 is left out. The logits of a causal model
        are about the next token: shift them against the labels before.
    figures
        The names of figures, of those in `plogq.score.Result.metrics`.
    options
        Of `plogq.score.score`; `functools.partial` sets them.
    """
    return chosen(_scored(prediction, options), figures)


class ScoreCallback(TrainerCallback):
    """It computes the metrics of each evaluation, and keeps the whole reports.

        keep = ScoreCallback("reports")
        Trainer(…, compute_metrics=keep.compute_metrics, callbacks=[keep])

    Parameters
    ----------
    folder
        Where each report is written, as HTML and JSON; None: nowhere.
    figures, options
        As `compute_metrics` takes them.

    Attributes
    ----------
    results : dict of int to plogq.score.Result
        The reports, by the step of the evaluation.
    """

    def __init__(
        self,
        folder: str | PathLike[str] | None = None,
        figures: Sequence[str] = FIGURES,
        **options: Any,
    ) -> None:
        self.results = Reports(folder)
        self._figures, self._options = figures, options
        self._last: Result | None = None

    def compute_metrics(self, prediction: EvalPrediction) -> dict[str, float]:
        """Return figures of an evaluation, and remember its report."""
        self._last = _scored(prediction, self._options)
        return chosen(self._last, self._figures)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Keep the report, in the first process alone."""
        if self._last is not None and state.is_world_process_zero:
            self.results.add(state.global_step, self._last)
        self._last = None


class WatchCallback(TrainerCallback):
    """It watches the first updates of a training, as `plogq.doctor.watch` does.

        look = WatchCallback()
        Trainer(…, callbacks=[look]).train()
        look.diagnosis

    Parameters
    ----------
    options
        Of `plogq.doctor.watch`. The loss is that which the model returns.

    Attributes
    ----------
    diagnosis : plogq.doctor.Diagnosis or None
        What was found, once the training has ended.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._watch: Any = None
        self.diagnosis: Diagnosis | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin to watch."""
        self._watch = watch(kwargs["model"], **self._options).start()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep what was found, and remove the hooks."""
        self._watch.stop()
        self.diagnosis = self._watch.diagnosis


def _scored(prediction: EvalPrediction, options: dict[str, Any]) -> Result:
    logits = prediction.predictions
    logits = logits[0] if isinstance(logits, tuple) else logits
    return score(prediction.label_ids, logits=logits, **{"ignore": IGNORED} | options)
