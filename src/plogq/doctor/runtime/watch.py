"""`watch`: the doctor beside a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from plogq.doctor.finding import Diagnosis
from plogq.doctor.runtime.diagnose import diagnose
from plogq.doctor.runtime.forms import Forms
from plogq.errors import check_count, refuse
from plogq.extras import needed_by

if TYPE_CHECKING:
    from torch import nn


class Watch(Forms):
    """A training of PyTorch that is watched.

    Attributes
    ----------
    loss
        The loss function: called in its place, a function is watched as a module is.
    """

    def __init__(
        self, model: nn.Module, loss_fn: Callable[..., Any] | None, steps: int, probes: bool,
        untrained: bool, select: Sequence[str] | None, ignore: Sequence[str] | None,
    ) -> None:  # fmt: skip
        from plogq.doctor.runtime.pytorch.watch import TorchWatch

        self._torch = TorchWatch(model, loss_fn, steps, probes)
        self._options: dict[str, Any] = {"untrained": untrained, "select": select, "ignore": ignore}
        self._name = type(self._torch.inner).__name__
        self._loss_name = (
            "its own loss" if loss_fn is None
            else getattr(loss_fn, "__name__", type(loss_fn).__name__)
        )  # fmt: skip
        self.loss: Callable[..., Any] = self._torch.called

    def start(self) -> Self:
        """Begin to watch."""
        self._torch.start()
        return self

    def stop(self) -> None:
        """End to watch: every hook is removed."""
        self._torch.stop()

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found until now."""
        training = self._torch.training()
        seen = self._torch
        calls = f"{seen.calls:,} call{'' if seen.calls == 1 else 's'} of the loss"
        updates = f"{training.updates:,} update{'' if training.updates == 1 else 's'}"
        looked_at = f"{calls} and {updates} of {self._name}, under {self._loss_name}"
        here = seen.rank
        if here is not None:
            looked_at += f", in process {here[0]} of {here[1]}"
        return diagnose(training, seen.values, looked_at, unread=seen.unread, **self._options)


def watch(
    model: nn.Module, loss_fn: Callable[..., Any] | None = None, *, steps: int = 3,
    probes: bool = True, untrained: bool = False, select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> Watch:  # fmt: skip
    """Return a context manager that looks at the first updates of a training of PyTorch.

    Nothing of the training is changed: what has to be tried is tried on copies of the model.

    Parameters
    ----------
    model
        The model that is called, as it is called: compiled, or wrapped for data parallelism.
    loss_fn
        A module, which is watched where it is called; or a function, which is watched where it is
        called as `loss` of what `watch` returns. None for a model that returns its loss with its
        logits: as `output.loss`, as those of Hugging Face do, or in a tuple.
    steps
        How many updates are looked at. Of later steps only the loss is kept.
    probes
        Whether to try, on copies, whether a batch can be learnt by heart, and what other labels
        and half a batch cost.
    untrained
        Whether the model has not been trained before: a first loss far from ln C is then found.
    select, ignore
        Codes of checks, or how codes begin.

    Raises
    ------
    TypeError, ValueError
        The model is no module of PyTorch, the loss cannot be called, or an option is none.
    ModuleNotFoundError
        PyTorch is not installed.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    >>> criterion = nn.CrossEntropyLoss()
    >>> optimizer = torch.optim.SGD(model.parameters())
    >>> x, y = torch.rand(12, 4), torch.arange(12) % 3
    >>> with watch(model, criterion) as d:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         criterion(model(x), y).backward()
    ...         optimizer.step()
    >>> d.diagnosis.findings[0].code
    'PQ101'
    """
    with needed_by("plogq.doctor.watch"):
        from torch import nn
    if not isinstance(model, nn.Module):
        refuse("model", "be a module of PyTorch", type(model).__name__, error=TypeError)
    if loss_fn is not None and not callable(loss_fn):
        refuse("loss_fn", "be a function or a module", type(loss_fn).__name__, error=TypeError)
    check_count("steps", steps, least=1)
    from plogq.doctor.check import TRAINING, chosen

    chosen(TRAINING, select, ignore)  # refuses codes that there are not
    return Watch(model, loss_fn, steps, probes, untrained, select, ignore)
