"""Log-probabilities of tokens and entropies, beside those of all logits."""

import pytest
import torch

import plogq.torch as pt
from plogq.torch.engines import ENGINES

N, D, C = 23, 5, 17
torch.manual_seed(1)
H, M, B = (torch.randn(s, dtype=torch.float64) for s in ((N, D), (C, D), (C,)))
Y = torch.randint(C, (N,))
Y[::4] = -100
KEPT = Y != -100


def plain(h, m, b, temperature=1.0, softcap=None):
    x = h @ m.T + b
    x = x if softcap is None else softcap * torch.tanh(x / softcap)
    log_p = (x / temperature).log_softmax(1)
    of_token = log_p.gather(1, Y.clamp(min=0)[:, None])[:, 0]
    entropy = -(log_p.exp() * log_p).sum(1)
    return torch.where(KEPT, of_token, 0.0), torch.where(KEPT, entropy, 0.0), log_p


@pytest.mark.parametrize("options", [{}, {"temperature": 0.7, "softcap": 2.0}])
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("engine", ["native", "materialised"])
@pytest.mark.parametrize("upstream", [(1.0, 0.0), (0.0, 1.0), (0.3, -2.0)])
def test_values_and_gradients(options, compact, engine, upstream):
    tensors = [t.clone().requires_grad_() for t in (H, M, B)]
    h, m, b = tensors
    with pt.engine(engine), ENGINES.seen() as seen:
        found = pt.linear_logprobs(
            h, m, Y, linear_bias=b, top_k=3, compact=compact, workspace=4000, **options
        )
    assert seen == [engine]
    logprobs, entropy, log_p = plain(h, m, b, **options)
    torch.testing.assert_close(found.logprobs, logprobs)
    torch.testing.assert_close(found.entropy, entropy)
    top = log_p.topk(3)
    torch.testing.assert_close(found.top_logprobs[KEPT], top.values[KEPT].detach())
    assert torch.equal(found.top_ids[KEPT], top.indices[KEPT])
    assert (found.top_ids[~KEPT] == -1).all()
    along = torch.cos(torch.arange(float(N)))
    of = [
        torch.autograd.grad((along * (upstream[0] * a + upstream[1] * e)).sum(), tensors)
        for a, e in ((found.logprobs, found.entropy), (logprobs, entropy))
    ]
    torch.testing.assert_close(*of, rtol=1e-9, atol=1e-12)


def test_certain_and_masked_classes():
    b = B.clone()
    b[0] += 60
    b[3] = -torch.inf
    y = torch.zeros(N, dtype=torch.int64)
    h = H.clone().requires_grad_()
    found = pt.linear_logprobs(h, M, y, linear_bias=b)
    (of_both,) = torch.autograd.grad((found.logprobs + found.entropy).sum(), h)
    with pt.engine("materialised"):
        exact = pt.linear_logprobs(h, M, y, linear_bias=b)
    (expected,) = torch.autograd.grad((exact.logprobs + exact.entropy).sum(), h)
    torch.testing.assert_close(found[:2], exact[:2], rtol=1e-9, atol=0)
    torch.testing.assert_close(of_both, expected, rtol=1e-9, atol=1e-30)
    assert (found.logprobs < 0).all()


def test_the_loss_is_the_mean_of_these_logprobs():
    found = pt.linear_logprobs(H, M, Y)
    torch.testing.assert_close(-found.logprobs.sum() / KEPT.sum(), pt.linear_cross_entropy(H, M, Y))
    assert found.top_ids is None


def test_transforms_second_derivatives_and_axes():
    def of(f):
        return torch.func.grad(lambda h: (f(h)[0] + f(h)[1]).sum())(H)

    ours = of(lambda h: pt.linear_logprobs(h, M, Y, linear_bias=B))
    torch.testing.assert_close(ours, of(lambda h: plain(h, M, B)))
    h = H.clone().requires_grad_()
    seconds = []
    for logprobs, entropy in (
        pt.linear_logprobs(h, M, Y, linear_bias=B)[:2], plain(h, M, B)[:2]
    ):  # fmt: skip
        (first,) = torch.autograd.grad((logprobs + entropy).sum(), h, create_graph=True)
        seconds.append(torch.autograd.grad(first.square().sum(), h))
    torch.testing.assert_close(*seconds)
    found = pt.linear_logprobs(
        H[:20].reshape(4, 5, D), M, Y[:20].reshape(4, 5), shift=True, top_k=2
    )
    assert found.top_ids.shape == (4, 5, 2)
    assert not found.logprobs[:, -1].any()
