"""The losses that code computes: which, of what, and with which options."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from plogq.doctor.losses import Loss
from plogq.doctor.source.apis import KERAS_NAMES, LOSS_CLASSES, LOSS_FUNCTIONS, LossApi
from plogq.doctor.source.calls import applied, through
from plogq.doctor.source.flow import Flow
from plogq.doctor.source.scopes import argument
from plogq.doctor.source.values import Chain, Criterion, Graph, Imported, Instance, Tensor, Value


@dataclass(frozen=True)
class LossUse:
    """A loss that is computed, or that a model of Keras is compiled with.

    Attributes
    ----------
    call
        Where.
    api
        Which loss it is.
    loss
        What it takes here: `from_logits=True` counts.
    outputs, target
        What it is of; where a model is compiled, None, and the labels of its `fit`, if it is there.
    outputs_value, target_value
        What those are.
    options
        Its keywords, and those that it was made with.
    made
        The call that made the loss; `call` itself for a function.
    """

    call: ast.Call
    api: LossApi
    loss: Loss
    outputs: ast.expr | None
    target: ast.expr | None
    outputs_value: Value
    target_value: Value
    options: dict[str, ast.expr]
    made: ast.Call

    @property
    def name(self) -> str:
        """The loss, as messages name it."""
        return f"{self.api.name} of {self.api.framework}"

    @property
    def tensor(self) -> Tensor | None:
        """What the outputs are, if they are a tensor of which something is known."""
        return self.outputs_value if isinstance(self.outputs_value, Tensor) else None

    @property
    def node(self) -> ast.expr:
        """Where a message points to: the outputs, or the call where a model is compiled."""
        return self.outputs or self.call

    @property
    def written_inside(self) -> bool:
        """Whether what makes the outputs is written as the loss's argument."""
        return self.tensor is not None and self.outputs is self.tensor.made

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean over the rows, as PyTorch's losses are by default."""
        old = {"size_average", "reduce"} & self.options.keys()
        return not old and ("reduction" not in self.options or self.constant("reduction") == "mean")

    def constant(self, option: str) -> object:
        """Return an option that is a constant; None for others, and where it is absent."""
        given = self.options.get(option)
        return given.value if isinstance(given, ast.Constant) else None


def losses(call: ast.Call, flow: Flow) -> Iterator[LossUse]:
    """Yield the losses that a call computes."""
    of = flow.value(call.func)
    name = of.name if isinstance(of, Imported) else ""
    if name in LOSS_FUNCTIONS:
        yield from _use(call, LOSS_FUNCTIONS[name], {}, call, flow)
        return
    if isinstance(call.func, ast.Attribute) and call.func.attr == "compile":
        yield from _compiled(call, call.func.value, flow)
        return
    if isinstance(of, Criterion):
        yield from _use(call, of.api, of.options, of.made, flow)


def _use(
    call: ast.Call, api: LossApi, made_with: dict[str, ast.expr], made: ast.Call, flow: Flow
) -> Iterator[LossUse]:
    outputs, target = argument(call, *api.outputs), argument(call, *api.target)
    options = made_with | {each.arg: each.value for each in call.keywords if each.arg is not None}
    loss = _taken(api, options)
    if outputs is not None and loss is not None:
        yield LossUse(
            call, api, loss, outputs, target, flow.value(outputs), flow.value(target), options, made
        )


def _compiled(call: ast.Call, model: ast.expr, flow: Flow) -> Iterator[LossUse]:
    """Yield the loss that a model of Keras is compiled with."""
    of, given = flow.value(model), argument(call, 1, "loss")
    if not isinstance(of, Chain | Graph | Instance) or given is None:
        return
    if isinstance(of, Instance):
        later = ast.copy_location(ast.Call(model, [], []), call)
        output = applied(flow, of, later, flow.frame(call))
    else:
        output = through(of, None)
    criterion = flow.value(given)
    options: dict[str, ast.expr] = {}
    api: LossApi | None = None
    if isinstance(criterion, Criterion):
        api, options, made = criterion.api, criterion.options, criterion.made
    elif isinstance(given, ast.Constant):
        api, made = KERAS_NAMES.get(str(given.value)), call
    else:
        name = flow.qualified(given) or ""
        api, made = LOSS_FUNCTIONS.get(name) or LOSS_CLASSES.get(name), call
    if api is not None and api.framework == "keras":
        loss = _taken(api, options)
        if loss is not None:
            target = _fitted_to(call, model, flow)
            yield LossUse(call, api, loss, None, target, output, flow.value(target), options, made)


def _fitted_to(call: ast.Call, model: ast.expr, flow: Flow) -> ast.expr | None:
    """Return the labels of the first `fit` after `compile`, of the same model."""
    if not isinstance(model, ast.Name):
        return None
    for statement in flow.scopes.following(flow.scopes.statement(call)):
        for each in ast.walk(statement):
            match each:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=model.id) as of, attr="fit")
                ) if flow.scopes.definition(of) == flow.scopes.definition(model):
                    return argument(each, 1, "y")
        if model.id in flow.scopes.bound(statement):
            return None
    return None


def _taken(api: LossApi, options: dict[str, ast.expr]) -> Loss | None:
    """Return what a loss takes with its options; None where that is not certain."""
    if not api.from_logits or "from_logits" not in options:
        return api.loss
    given = options["from_logits"]
    if not isinstance(given, ast.Constant):
        return None
    return Loss("logits", api.loss.of) if given.value else api.loss
