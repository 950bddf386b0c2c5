"""Log-probabilities and entropies of a linear layer's rows, without all logits at once."""

import pytest
import torch

import plogq.torch as pt

R, D, C = 37, 8, 50
OPTIONS = [{}, {"temperature": 0.7}, {"softcap": 5.0}, {"temperature": 1.3, "softcap": 3.0}]


def layer(dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    hidden, matrix, bias = (torch.randn(*s, generator=g) for s in ((R, D), (C, D), (C,)))
    tokens = torch.randint(C, (R,), generator=g)
    tokens[[3, 20]] = -100
    given = [t.to(dtype).requires_grad_() for t in (hidden, matrix, bias)]
    return given, tokens


def expected(given, tokens, *, temperature=1.0, softcap=None):
    """From all logits in float64, by torch's own operations."""
    hidden, matrix, bias = (t.double() for t in given)
    z = hidden @ matrix.T + bias
    z = z if softcap is None else softcap * torch.tanh(z / softcap)
    log_p = (z / temperature).log_softmax(-1)
    kept = tokens >= 0
    logprob = log_p.gather(1, tokens.clamp(min=0)[:, None])[:, 0] * kept
    return logprob, -(log_p.exp() * log_p).sum(1) * kept, log_p


def differ(found, wanted):
    return max(((a - b).abs().max() / b.abs().max()).item()
               for a, b in zip(found, wanted, strict=True))  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-14), (torch.float32, 2e-6)])
@pytest.mark.parametrize("parts", ["logprob", "entropy", "both"])
def test_values_and_gradients_are_those_of_all_logits(options, dtype, error, parts):
    given, tokens = layer(dtype)
    # 16 rows at a time.
    found = pt.linear_logprobs(*given[:2], tokens, linear_bias=given[2], workspace=45_000, top_k=3,
                               **options)  # fmt: skip
    logprob, entropy, log_p = expected(given, tokens, **options)
    kept = tokens >= 0
    assert differ([found.logprob, found.entropy], [logprob, entropy]) < error
    assert differ([found.top_logprobs[kept]], [log_p.topk(3).values[kept]]) < error
    assert torch.equal(found.top_tokens[kept], log_p.topk(3).indices[kept])
    u, v = torch.randn(2, R, dtype=torch.float64)
    u, v = u * (parts != "entropy"), v * (parts != "logprob")
    terms = {"logprob": [0], "entropy": [1], "both": [0, 1]}[parts]
    ours = sum((w * found[i]).sum() for i, w in enumerate((u, v)) if i in terms)
    wanted = sum((w * e).sum() for w, e in ((u, logprob), (v, entropy)))
    assert differ(torch.autograd.grad(ours, given), torch.autograd.grad(wanted, given)) < error


def test_pieces_are_smaller_than_all_rows():
    given, tokens = layer()
    seen = []
    pt.linear_logprobs(*given[:2], tokens, workspace=45_000)
    from plogq.torch.engines import head_logprobs, head_pieces

    def spy(*arguments, of=head_pieces.Pieces.of):
        seen.append(of(*arguments))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head_logprobs.Pieces, "of", spy)
        pt.linear_logprobs(*given[:2], tokens, workspace=45_000)
    assert seen[0].number == R - 2
    assert seen[0].size < R // 2


def test_half_precision_is_as_exact_as_its_logits():
    given, tokens = layer(torch.bfloat16)
    found = pt.linear_logprobs(*given[:2], tokens)
    logits = (given[0] @ given[1].T).double()
    wanted = logits.log_softmax(-1).gather(1, tokens.clamp(min=0)[:, None])[:, 0] * (tokens >= 0)
    assert found.logprob.dtype == torch.float32
    torch.testing.assert_close(found.logprob.double(), wanted, atol=1e-5, rtol=1e-5)


def test_rows_that_are_left_out_are_blank_and_may_hold_anything():
    (hidden, matrix, _), tokens = layer()
    hidden = hidden.detach().clone()
    hidden[3] = torch.nan
    hidden.requires_grad_()
    found = pt.linear_logprobs(hidden, matrix, tokens, top_k=2)
    (found.logprob.sum() + found.entropy.sum()).backward()
    assert (found.logprob[3], found.entropy[3]) == (0, 0)
    assert found.top_tokens[3].tolist() == [-1, -1]
    assert found.top_logprobs[3].tolist() == [-torch.inf] * 2
    assert (hidden.grad[3] == 0).all()
    assert matrix.grad.isfinite().all()


def test_nothing_left_and_no_rows():
    (hidden, matrix, _), _ = layer()
    for rows in (R, 0):
        found = pt.linear_logprobs(hidden[:rows], matrix, torch.full((rows,), -100), top_k=2)
        grads = torch.autograd.grad(found.logprob.sum() + found.entropy.sum(), (hidden, matrix))
        assert all((g == 0).all() for g in grads)
        assert found.top_tokens.shape == (rows, 2)


def test_derivatives_of_derivatives():
    given, tokens = layer()
    hidden, matrix = given[0][:5, :4].detach(), given[1][:6, :4].detach()
    labels = tokens[:5] % 6

    def figures(h, w):
        return pt.linear_logprobs(h, w, labels, temperature=0.8)[:2]

    both = hidden.requires_grad_(), matrix.requires_grad_()
    assert torch.autograd.gradcheck(figures, both)
    assert torch.autograd.gradgradcheck(figures, both)


def test_transforms_and_compilation():
    (hidden, matrix, _), tokens = layer()

    def total(h, w):
        found = pt.linear_logprobs(h, w, tokens, top_k=1)
        return (found.logprob - found.entropy).sum()

    wanted = torch.autograd.grad(total(hidden, matrix), matrix)[0]
    found = torch.func.grad(total, argnums=1)(hidden.detach(), matrix.detach())
    torch.testing.assert_close(found, wanted)


def test_the_next_token_and_more_axes():
    (hidden, matrix, _), _ = layer()
    tokens = torch.arange(36).reshape(4, 9)
    found = pt.linear_logprobs(hidden[:36].reshape(4, 9, D), matrix, tokens, shift=True, top_k=2)
    following = pt.linear_logprobs(
        hidden[:36].reshape(4, 9, D)[:, :-1].reshape(-1, D), matrix, tokens[:, 1:].reshape(-1)
    )
    assert found.top_logprobs.shape == (4, 9, 2)
    torch.testing.assert_close(found.logprob[:, :-1].reshape(-1), following.logprob)
    assert (found.logprob[:, -1] == 0).all()


@pytest.mark.parametrize(("changed", "message"), [
    ({"tokens": torch.full((R,), C)}, "tokens|target"),
    ({"tokens": torch.zeros(R, C)}, "tokens must have shape"),
    ({"top_k": C + 1}, "top_k must be at most the 50 classes"),
    ({"workspace": 8}, "workspace must hold one row"),
    ({"temperature": 0.0}, "temperature"),
])  # fmt: skip
def test_bad_input(changed, message):
    (hidden, matrix, _), tokens = layer()
    with pytest.raises(ValueError, match=message):
        pt.linear_logprobs(hidden, matrix, **({"tokens": tokens} | changed))
