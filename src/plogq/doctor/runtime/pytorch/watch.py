"""Watches a training of PyTorch: it keeps what is called, and looks at copies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from plogq.doctor.finding import Unread
from plogq.doctor.runtime.pytorch import probes, ranks
from plogq.doctor.runtime.pytorch.accumulated import accumulated
from plogq.doctor.runtime.pytorch.copies import Hook, plain
from plogq.doctor.runtime.pytorch.layers import Looked, look
from plogq.doctor.runtime.pytorch.loss_curve import Curve
from plogq.doctor.runtime.pytorch.loss_name import NamedLoss, last_function, named, values
from plogq.doctor.runtime.pytorch.steps import Forward, LookError, Step, entry
from plogq.doctor.runtime.pytorch.untouched import RandomState, generators, unseen
from plogq.doctor.runtime.pytorch.updates import Updates
from plogq.doctor.runtime.training import Training
from plogq.doctor.values import Values

MOST_CALLS = 64  # of the loss that are looked at while no update comes
TURNS = itertools.count(1)  # watches of this process: the same number in all that train together
COMPILED = (
    "if a compiled function calls it, nothing inside of that is seen, and a few steps without "
    "torch.compile show it"
)
MOST_PARTS = 16  # batches of one update that are kept


class TorchWatch:
    """What is seen of a training of PyTorch.

    Parameters
    ----------
    model, loss
        The model as it is called, and its loss; None for a model that returns its loss.
    steps
        How many updates are looked at.
    probes
        Whether copies of the model are trained, and asked about other labels.
    """

    def __init__(self, model: nn.Module, loss: Any, steps: int, probes: bool) -> None:
        self._turn = next(TURNS)
        self.rank = ranks.rank()
        """Which process of how many this is; None where there is one."""
        self.model, self.loss = model, loss
        self.steps, self.probes = steps, probes
        self.unread: list[Unread] = []
        self.values: list[tuple[int, Values]] = []
        self.calls = self.learning_calls = 0
        self.inner = plain(model)
        self._updates = Updates(self.inner)
        self._curve = Curve()
        self._looked: list[Looked] = []
        self._found: dict[str, Any] = {}
        self._handles: list[Any] = []
        self._generators: list[Any] = []  # of random numbers, beside those of the libraries
        self._forward: Forward | None = None
        self._earlier: list[Forward] = []
        self._first: Step | None = None
        self._parts: list[Step] = []
        self._of_others: set[int] = set()  # the parts whose gradients another update used
        self._asked: set[str] = set()
        parameter = next(self.inner.parameters(), None)
        self._device = torch.device("cpu") if parameter is None else parameter.device

    def start(self) -> None:
        """Begin to watch."""
        with self._safe("the model"):
            self._handles += [
                self.model.register_forward_pre_hook(Hook(self._before), with_kwargs=True),
                self.model.register_forward_hook(Hook(self._after), with_kwargs=True),
            ]
        if isinstance(self.loss, nn.Module):
            with self._safe("the loss"):
                hook = Hook(self._after_loss)
                self._handles.append(self.loss.register_forward_hook(hook, with_kwargs=True))
        self._handles.append(register_optimizer_step_pre_hook(Hook(self._before_update)))

    def stop(self) -> None:
        """Remove every hook, and let go of what was kept."""
        for each in self._handles:
            each.remove()
        self._handles = []
        self._forward = self._first = None
        self._parts, self._earlier, self._of_others = [], [], set()
        self._generators = []
        for looked in self._looked:
            looked.step.let_go()

    @property
    def looking(self) -> bool:
        """Whether steps are still repeated on copies."""
        return self._updates.count < self.steps and self.learning_calls < MOST_CALLS

    def training(self) -> Training:
        """Return what was seen."""
        with self._safe("the losses"):
            self._found["curve"] = self._curve.record()
            self._found["unreached"] = self._updates.unreached(
                {layer.name for each in self._looked for layer in each.layers}
            )
            self._found["stale"] = self._updates.stale
        if self.calls == 0:
            by_hooks = self.loss is None or isinstance(self.loss, nn.Module)
            how = COMPILED if by_hooks else "call the function as d.loss(outputs, target)"
            self._note("the loss", f"was not seen to be called: {how}")
        steps = tuple(each.record for each in self._looked)
        return Training(steps=steps, updates=self._updates.count, **self._found)

    # --- nothing of what follows may stop a training

    @contextmanager
    def _safe(self, what: str) -> Iterator[None]:
        """Say that something could not be looked at, and let the training go on."""
        try:
            yield
        except Exception as error:
            said = str(error).strip().partition("\n")[0]
            if not isinstance(error, LookError):
                said = f"{type(error).__name__}: {said}"
            self._note(what, f"could not be looked at: {said}")

    def _note(self, what: str, reason: str) -> None:
        if what not in {each.path for each in self.unread}:
            self.unread.append(Unread(what, reason))

    def _unseen(self) -> AbstractContextManager[None]:
        return unseen(self._device, self._generators)

    def _ask(self, field: str, what: str, question: Callable[[], Any]) -> None:
        """Keep the answer to a question; asking it leaves the random generators as they were."""
        with self._safe(what), self._unseen():
            answer = question()
            if answer is not None:
                self._found[field] = answer

    # --- what the hooks see

    def _before(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        with self._safe("the model"):
            if self._forward is not None:
                self._forward.let_go()
                if self.looking:
                    earlier = [*self._earlier, self._forward][-MOST_PARTS:]
                    self._earlier = [each for each in earlier if each.kept is not None]
            random = None
            if self.looking:
                self._generators = generators(self.inner, self.loss)
                random = RandomState.now(self._device, self._generators)
            self._forward = Forward.called(module, args, kwargs, self._device, random)

    def _after(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        with self._safe("the model"):
            if self._forward is None:
                return
            self._forward.output = output
            loss = entry(output, "loss") if self.loss is None else None
            if loss is not None:
                self._loss_seen((), {}, loss)

    def _after_loss(self, module: nn.Module, args: Any, kwargs: Any, loss: Any) -> None:
        with self._safe("the loss"):
            self._loss_seen(args, kwargs, loss)

    def called(self, *args: Any, **kwargs: Any) -> Any:
        """Call the loss, and look at what it is given."""
        loss = self.loss(*args, **kwargs)
        watched = bool(self._handles) and not isinstance(self.loss, nn.Module)
        if watched and not torch.compiler.is_compiling():
            with self._safe("the loss"):
                self._loss_seen(args, kwargs, loss)
        return loss

    def _loss_seen(self, args: Any, kwargs: Any, loss: Any) -> None:
        if not isinstance(loss, Tensor):
            raise LookError(f"it must return a tensor; got {type(loss).__name__}")
        self.calls += 1
        learning = loss.requires_grad
        self.learning_calls += learning
        if loss.numel() != 1:
            self._note("the loss", f"must be one number; got shape {tuple(loss.shape)}, whose "
                       "mean is looked at")  # fmt: skip
        forward = self._forward_of((*args, *kwargs.values()))
        if forward is None or forward.output is None:
            raise LookError("no call of the model was seen before it: hand over what is called, "
                            "such as the compiled model")  # fmt: skip
        step = Step(self.calls, forward, tuple(args), dict(kwargs), loss.detach().mean(), learning)
        if learning and forward.training:
            self._curve.add(loss)
        elif learning:  # an evaluation without no_grad has a gradient, and asks for none
            learnt = Hook(partial(self._learnt_in_eval_mode, step, loss.detach()))
            loss.register_hook(learnt)  # type: ignore[no-untyped-call]
        if not learning:
            self._look_at_evaluation(step)
        elif self.looking:
            hook = Hook(partial(self._backward, step))
            self._handles.append(loss.register_hook(hook))  # type: ignore[no-untyped-call]
            with self._unseen():
                self._look(step)
        else:
            self._glance(step)
        if forward is not self._forward:
            forward.let_go()

    def _forward_of(self, given: tuple[Any, ...]) -> Forward | None:
        """Return the call of the model whose output the loss is given; otherwise the last call."""
        for forward in self._earlier:
            kept = forward.kept
            if kept is not None and any(each is kept for each in given):
                forward.output = kept
                return forward
        return self._forward

    def _look(self, step: Step) -> None:
        """Look at a step of learning, among the first ones."""
        known = named(self.loss, step)
        self._curve.count(known)
        if known is not None and len(self.values) < self.steps:
            with self._safe("what the loss is given"):
                made_by = last_function(step.outputs)
                given = values(known, at_start=step.number == 1, made_by=made_by)
                self.values.append((step.number, given))
        with self._safe("the model's copy"):
            step.find_ways()
        if len(self._parts) <= MOST_PARTS:
            self._parts.append(step)
        if not step.can_be_repeated:
            return
        if self._first is None:
            self._first = step
            self._ask_of(step, known)
        elif step.forward.training and "train_mode" not in self._found:
            self._ask_for_mode(step)  # an evaluation came first
        if len(self._looked) < self.steps:
            self._look_at_layers(step)

    def _look_at_layers(self, step: Step) -> None:
        with self._safe("the layers"), self._unseen():
            found = look(self.model, self.loss, step)
            self._looked.append(found)
            if found.broken is not None:
                self._found.setdefault("not_finite", found.broken)

    def _ask_of(self, step: Step, known: NamedLoss | None) -> None:
        """Ask what one batch can answer."""
        model, loss = self.model, self.loss
        if step.forward.training:
            self._ask_for_mode(step)
        self._ask("half", "the precision", lambda: probes.half_precision(loss, step, known))
        self._ask("squared", "the squared error", lambda: probes.squared_error(step, known))
        if not self.probes:
            return
        self._ask("split", "the halves of a batch", lambda: probes.split_batch(loss, step))
        self._ask("shuffled", "the labels' order", lambda: probes.shuffled_labels(loss, step))
        self._ask("overfit", "a batch learnt by heart", lambda: probes.overfit(model, loss, step))

    def _ask_for_mode(self, step: Step) -> None:
        """Ask what a step that learns costs in the other mode; of eval mode, once."""
        seen = self._found.get("train_mode")
        if seen is None or seen.training:
            self._ask("train_mode", "the modes",
                      lambda: probes.mode_losses(self.model, self.loss, step))  # fmt: skip

    def _look_at_evaluation(self, step: Step) -> None:
        """Look at a loss of which no gradient is asked, once."""
        if "evaluation_mode" in self._found or not step.forward.training:
            return
        with self._safe("the evaluation"):
            step.find_ways()
        if step.can_be_repeated:
            self._ask("evaluation_mode", "the evaluation",
                      lambda: probes.mode_losses(self.model, self.loss, step))  # fmt: skip

    def _glance(self, step: Step) -> None:
        """Look at a later step: whether it is finite, and now and then at its labels."""
        if self._device.type != "cpu":  # reading a number would make an accelerator wait
            return
        if not math.isfinite(float(step.loss)) and "not_finite" not in self._found:
            with self._safe("the model's copy"):
                step.find_ways()
                self._look_at_layers(step)
        elif self._curve.is_due:
            self._curve.count(named(self.loss, step))
        if not step.forward.training and "eval_mode" not in self._asked:
            with self._safe("the modes"):
                step.find_ways()

    def _learnt_in_eval_mode(self, step: Step, loss: Tensor, gradient: Tensor) -> None:
        """Look at a loss of eval mode when its gradient is asked for."""
        with self._safe("the modes"), self._unseen():
            self._curve.add(loss)
            if step.can_be_repeated and "eval_mode" not in self._asked:
                self._asked.add("eval_mode")
                self._ask_for_mode(step)

    def _backward(self, step: Step, gradient: Tensor) -> None:
        with self._safe("the gradient"):
            step.scale = float(gradient.sum())
            if not self._updates.before_backward():  # what came before was cleared
                self._parts = [each for each in self._parts if id(each) not in self._of_others]
            self._of_others = set()

    def _before_update(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        with self._safe("the updates"):
            if not self._updates.holds(optimizer):
                self._of_others = {id(each) for each in self._parts}
                return
            if self.looking:
                self._look_at_update(optimizer)
            self._updates.count += 1
            self._parts, self._earlier, self._of_others = [], [], set()

    def _look_at_update(self, optimizer: Optimizer) -> None:
        norm = self._updates.look(optimizer)
        parts = self._parts
        norms = [each.gradient for each in self._looked if any(each.step is p for p in parts)]
        if norms and parts[0] is self._first:
            # Gradients that are added have at most the sum of their norms.
            whole = len(parts) * math.fsum(norms) / len(norms)
            if whole > 0:
                self._found["gradient_ratio"] = norm / whole
        if len(parts) == 1 and self._updates.count == 0 and ranks.averages(self.model):
            self._ask("accumulated", "the other processes", partial(
                ranks.across, self.model, self.loss, parts[0], self._turn))  # fmt: skip
        forwards = {id(each.forward) for each in parts}
        if not 1 < len(parts) == len(forwards) <= MOST_PARTS or "accumulated" in self._found:
            return
        if all(each.can_be_repeated for each in parts):
            self._ask("accumulated", "the accumulated batches",
                      lambda: accumulated(self.model, self.loss, parts))  # fmt: skip
