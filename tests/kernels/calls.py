"""The kernel's calls with the numbers that bend the loss by name, as its callers have them."""

from types import SimpleNamespace

from plogq.kernels import rows
from plogq.kernels.question import Options


def by_name(function):
    def call(logits, target, **named):
        options = Options(**{name: named.pop(name) for name in Options._fields if name in named})
        return function(logits, target, options, **named)

    return call


kernel = SimpleNamespace(
    row_statistics=rows.row_statistics,
    softmax_loss=by_name(rows.softmax_loss),
    reduced_softmax_loss=by_name(rows.reduced_softmax_loss),
)
