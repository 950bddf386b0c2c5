"""Two processes over gloo: the mean of their means, told by each of them."""

import json
import subprocess
import sys

import pytest
import torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.distributed.is_available(), reason="no torch.distributed"),
]
RANK = """
import json, sys
import torch, torch.distributed as dist
from torch import nn
from plogq.doctor import watch
from plogq.doctor.runtime.pytorch import ranks
rank, store, ragged, who = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "ragged", sys.argv[4]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
ranks.WAIT = type(ranks.WAIT)(seconds=30 if who == "all" else 1)
torch.manual_seed(0)
x, y = torch.randn(32, 8), torch.arange(32) % 4
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4))
whole = torch.autograd.grad(nn.functional.cross_entropy(model(x[:20]), y[:20]), model[0].weight)[0]
ddp, criterion = nn.parallel.DistributedDataParallel(model), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
own = [slice(0, 4), slice(4, 20)][rank] if ragged else [slice(0, 16), slice(16, 32)][rank]
d = watch(ddp, criterion, probes=False)
if who == "all" or rank == 0:
    d.start()
for turn in range(3):
    optimizer.zero_grad()
    criterion(ddp(x[own]), y[own]).backward()
    if turn == 0:
        apart = float((model[0].weight.grad - whole).norm() / whole.norm())
    optimizer.step()
d.stop()
seen = d._torch.training().accumulated
print(json.dumps({
    "codes": [each.code for each in d.diagnosis.findings],
    "unread": [each.reason for each in d.diagnosis.unread if d.diagnosis.looked_at[0] != "0"],
    "looked_at": d.diagnosis.looked_at, "apart": apart,
    "rows": seen and seen.rows, "weights": seen and seen.row_weights,
    "difference": seen and seen.gradient_difference,
    "sum": float(sum(each.double().sum() for each in model.parameters())).hex(),
}))
dist.destroy_process_group()
"""


def run(tmp_path, batches, who):
    command = [sys.executable, "-W", "ignore", "-c", RANK]
    started = [
        subprocess.Popen(
            [*command, str(rank), str(tmp_path / f"{batches}-{who}"), batches, who],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    done = [each.communicate(timeout=300) for each in started]
    assert [each.returncode for each in started] == [0, 0], done
    return [json.loads(out.strip().splitlines()[-1]) for out, _ in done]


def test_ragged_batches_are_a_mean_of_means(tmp_path):
    both = run(tmp_path, "ragged", "all")
    for rank, found in enumerate(both):
        assert found["looked_at"].endswith(f"under CrossEntropyLoss, in process {rank} of 2")
        assert (found["codes"], found["unread"]) == (["PQ205"], [])
        assert found["rows"] == [4, 16]
        assert found["weights"] == pytest.approx([2.5, 0.625])
        assert 0.05 < found["difference"] < 3 * found["apart"]
    assert both[0]["sum"] == both[1]["sum"]


def test_batches_of_one_size_are_one_batch(tmp_path):
    for found in run(tmp_path, "even", "all"):
        assert (found["codes"], found["unread"]) == ([], [])
        assert found["weights"] == pytest.approx([1, 1])


def test_a_process_that_is_not_watched_holds_up_no_other(tmp_path):
    watched, other = run(tmp_path, "ragged", "first")
    assert watched["unread"] == [
        "could not be looked at: other processes told nothing in 1 s: watch all of them, or none"
    ]
    assert watched["codes"] == []
    assert watched["sum"] == other["sum"]
