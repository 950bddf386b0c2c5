"""Lightning: a callback that scores the validation set of each epoch, and keeps its reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from plogq.extras import needed_by

with needed_by("plogq.lightning"):
    from lightning import Callback, LightningModule, Trainer
    from lightning.pytorch.utilities import CombinedLoader
    from torch.utils.data import DistributedSampler

from plogq.adapters.figures import FIGURES
from plogq.adapters.keep import Reports
from plogq.adapters.torchmetrics import Score
from plogq.doctor import Diagnosis, watch
from plogq.errors import refuse

__all__ = ["ScoreCallback", "WatchCallback"]


class ScoreCallback(Callback):
    """It scores what `validation_step` returns, logs figures, and keeps the whole reports.

    `validation_step` returns a mapping with "logits" (N, C) and "labels" (N,). Over several
    processes, all rows are scored together, and each once: rows that Lightning repeats, so that all
    processes have as many, are left out.

    Parameters
    ----------
    folder
        Where each report is written, as HTML and JSON; None: nowhere.
    figures
        The figures to log, as "val_…".
    options
        Of `plogq.score.score`.

    Attributes
    ----------
    results : dict of int to plogq.score.Result
        The reports, by the step at the end of the epoch.
    """

    def __init__(
        self,
        folder: str | PathLike[str] | None = None,
        figures: Sequence[str] = FIGURES,
        **options: Any,
    ) -> None:
        self.results = Reports(folder)
        self._score = Score(figures, options=options)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with no rows."""
        self._score.reset()
        self._score.to(pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add the rows of a batch."""
        if not (isinstance(outputs, Mapping) and {"logits", "labels"} <= set(outputs)):
            came = list(outputs) if isinstance(outputs, Mapping) else type(outputs).__name__
            expected = 'return a mapping with "logits" and "labels", for plogq to score'
            refuse("validation_step", expected, came, error=TypeError)
        logits, labels = outputs["logits"], outputs["labels"]
        repeated, items = _repeated(trainer, batch_idx, dataloader_idx)
        each, rest = divmod(len(labels), items)  # the rows that an item of the dataset gives
        if repeated and rest:
            expected = f"have as many rows of each of the batch's {items} items, the last repeated"
            refuse("labels", expected, f"{len(labels)} rows")
        kept = len(labels) - repeated * each
        self._score.update(logits[:kept], labels[:kept])

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Score the rows of all processes; log figures, and keep the report."""
        if trainer.sanity_checking:  # a few batches, before the training
            return
        found = self._score.compute()
        pl_module.log_dict({f"val_{name}": value for name, value in found.items()})
        if trainer.is_global_zero and self._score.result is not None:
            self.results.add(trainer.global_step, self._score.result)
        self._score.reset()


class WatchCallback(Callback):
    """It watches the first updates of a training, as `plogq.doctor.watch` does.

    Parameters
    ----------
    loss
        The name of the module's loss, itself a module, such as "criterion".
    model
        The name of the model that `training_step` calls; empty where it calls the module itself.
    options
        Of `plogq.doctor.watch`.

    Attributes
    ----------
    diagnosis : plogq.doctor.Diagnosis or None
        What was found, once the training has ended.
    """

    def __init__(self, loss: str, model: str = "", **options: Any) -> None:
        self._loss, self._model, self._options = loss, model, options
        self._watch: Any = None
        self.diagnosis: Diagnosis | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to watch."""
        loss = getattr(pl_module, self._loss, None)
        if not callable(getattr(loss, "register_forward_hook", None)):
            refuse("loss", "name a module of the LightningModule", repr(self._loss))
        model = pl_module.get_submodule(self._model) if self._model else pl_module
        self._watch = watch(model, loss, **self._options).start()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep what was found, and remove the hooks."""
        self._end()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Keep what was found until then, and remove the hooks."""
        self._end()

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self.diagnosis, self._watch = self._watch.diagnosis, None


def _repeated(trainer: Trainer, batch_idx: int, dataloader_idx: int) -> tuple[int, int]:
    """Return how many items of this process's batch are there a second time, and how many in all.

    A `DistributedSampler` deals the items of a dataset to the processes in turn, and when they have
    run out goes on with the first ones, until all have as many: they are the last of a batch.
    """
    loader = CombinedLoader(trainer.val_dataloaders).flattened[dataloader_idx]
    sampler, size = getattr(loader, "sampler", None), getattr(loader, "batch_size", None)
    if not isinstance(sampler, DistributedSampler) or sampler.drop_last or not size:
        return 0, 1
    begin, dataset = batch_idx * size, sampler.dataset
    own = range(begin, min(begin + size, sampler.num_samples))
    dealt = [sampler.rank + sampler.num_replicas * i for i in own]
    return sum(place >= len(dataset) for place in dealt), len(own)  # type: ignore[arg-type]
