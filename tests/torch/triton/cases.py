"""Questions about rows for the Triton kernels, and how their errors are measured."""

import torch

import plogq.torch as pt

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
EDGES = torch.tensor(
    [
        [0.0] * 8,
        [-torch.inf, 1.0, 2.0, -torch.inf, 0.5, 1.5, -3.0, -torch.inf],
        [6e4, -6e4, 0.0, 1.0, 6e4, -6e4, 2.0, 3.0],
        [-6e4] * 8,
        [40.0, -40.0, -41.0, -60.0, -torch.inf, -50.0, -45.0, -44.0],
        [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0],
        [-torch.inf] * 7 + [1.0],
    ]
)
EDGE_LABELS = torch.tensor([3, 2, 0, 7, 0, 0, 7])
OPTIONS = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "z-loss": {"z_loss": 0.02},
    "temperature": {"temperature": 2.5},
    "softcap": {"softcap": 7.0},
    "focal": {"gamma": 1.5},
    "class weights": {"weight": True},
    "class weights, smoothing": {"weight": True, "label_smoothing": 0.2},
    "row weights": {"row_weight": True},
    "mask": {"mask": True},
    "denominator": {"denominator": 3.5},
    "distributions": {"soft": True},
    "all": {
        "weight": True, "label_smoothing": 0.1, "temperature": 2.0, "z_loss": 0.01, "softcap": 9.0,
        "mask": True, "row_weight": True, "return_stats": True,
    },
    "distributions, all": {
        "soft": True, "weight": True, "label_smoothing": 0.1, "temperature": 2.0, "z_loss": 0.01,
        "softcap": 9.0, "mask": True, "row_weight": True, "return_stats": True,
    },
}  # fmt: skip


def logits(rows, classes, dtype=torch.float32, *, seed=0, size=4.0):
    """Return normal logits, each of them representable in the dtype."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(rows, classes, generator=generator) * size).to(dtype)


def arguments(name, x, dtype):
    """Return a target and the keywords of an entry of `OPTIONS` for logits (R, C)."""
    rows, classes = x.shape
    given = dict(OPTIONS[name])
    generator = torch.Generator().manual_seed(9)
    target = torch.randint(classes, (rows,), generator=generator)
    if rows > 2:
        target[2] = -100
    if given.pop("soft", False):
        target = logits(rows, classes, seed=8).softmax(1).to(dtype)
        given["validate"] = False  # rounded to the dtype, they need not sum to 1
    if "weight" in given:
        given["weight"] = torch.rand(classes, generator=generator)
    if "row_weight" in given:
        given["row_weight"] = torch.rand(rows, generator=generator)
    if "mask" in given:
        given["mask"] = torch.arange(rows) % 3 != 1
    return target, given


def value_and_gradient(loss, x, *given, device="cpu", upstream=1.0, **options):
    """Return the loss, its gradient in x and the statistics, all on the CPU."""
    x = x.detach().to(device).clone().requires_grad_()
    given = [g.to(device) if isinstance(g, torch.Tensor) else g for g in given]
    options = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    found = loss(x, *given, **options)
    found, stats = found if isinstance(found, tuple) else (found, None)
    scale = torch.linspace(upstream, 0.5, max(1, found.numel()), device=device)
    (found * scale[: found.numel()].reshape(found.shape)).sum().backward()
    stats = None if stats is None else [s.cpu() for s in stats]
    return found.detach().cpu(), x.grad.cpu(), stats


def exact(loss, x, *given, **options):
    """Return what the formulas give in float64."""
    given = [g.double() if isinstance(g, torch.Tensor) and g.is_floating_point() else g
             for g in given]  # fmt: skip
    options = {
        k: v.double() if isinstance(v, torch.Tensor) and v.is_floating_point() else v
        for k, v in options.items()
    }
    with pt.engine("formula"):
        return value_and_gradient(loss, x.double(), *given, **options)


def assert_as_good(found, torch_own, truth, dtype, *, times=3.0):
    """Hold errors to a multiple of torch's own, and of half an ulp of what is rounded to the dtype.

    Where the truth is not finite, so is what was found.
    """
    found, truth = found.double(), truth.double()
    finite = truth.isfinite()
    assert torch.equal(finite, found.isfinite())
    assert torch.equal(truth[~finite].nan_to_num(3.0), found[~finite].nan_to_num(3.0))
    error = (found - truth).abs()[finite]
    if not error.numel():
        return
    size = truth.abs()[finite].max()
    theirs = torch.zeros(()) if torch_own is None else (torch_own.double() - truth).abs()[finite]
    theirs = theirs[theirs.isfinite()]
    theirs = theirs.max() if theirs.numel() else torch.zeros(())
    least = torch.finfo(dtype).tiny * torch.finfo(dtype).eps
    bound = times * theirs + torch.finfo(dtype).eps * size + 1e-6 * size + least
    assert error.max() <= bound, (error.max(), theirs, size)
