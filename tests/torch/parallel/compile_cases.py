"""torch.compile compiles what is around a loss over ranks; its imports take seconds."""

import torch

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.parallel.peer_cases import HIDDEN, LABELS, MATRIX
from tests.torch.parallel.processes import Cases

CASES = Cases()


@CASES
def between_compiled_graphs(here):
    """torch.compile leaves the loss out, with a reason, and compiles what is around it."""
    matrix = here.part(MATRIX, 0).requires_grad_()

    def step(hidden):
        return 2 * parallel.linear_cross_entropy(torch.tanh(hidden), matrix, LABELS)

    found, right = HIDDEN.clone().requires_grad_(), HIDDEN.clone().requires_grad_()
    loss = torch.compile(step, backend="aot_eager")(found)
    expected = 2 * pt.linear_cross_entropy(torch.tanh(right), MATRIX, LABELS)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(found.grad, right.grad)

    def whole(hidden):
        return 3 * parallel.linear_cross_entropy(hidden, matrix, LABELS)

    try:
        torch.compile(whole, fullgraph=True, backend="eager")(found)
    except Exception as error:
        assert "the ranks exchange their sums between the graphs" in str(error)  # noqa: PT017
    else:
        raise AssertionError
