"""Metrics: the bits of a score, in any split into batches and over two processes."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection

from plogq.score import TableError, score
from plogq.torchmetrics import CrossEntropy, InformationGain, Score

rng = np.random.default_rng(5)
Y = rng.integers(0, 5, 2_001)
Z = (1e-3 * 10.0 ** rng.integers(0, 5, (2_001, 1)) * rng.normal(size=(2_001, 5))).astype(np.float32)
WHOLE = score(Y, logits=Z, bootstrap=0)


def batches(size):
    return ((torch.tensor(Z[i : i + size]), torch.tensor(Y[i : i + size]))
            for i in range(0, len(Y), size))  # fmt: skip


@pytest.mark.parametrize("size", [1, 77, 2_001])
@pytest.mark.parametrize("unit", ["bit", "nat"])
def test_any_split_gives_the_bits_of_a_score(size, unit):
    both = MetricCollection([CrossEntropy(5, unit=unit), InformationGain(5, unit=unit)])
    for z, y in batches(size) if size > 1 else list(batches(1))[:300]:
        both.update(z, y)
    rows = slice(None) if size > 1 else slice(300)
    whole = score(Y[rows], logits=Z[rows], bootstrap=0, unit=unit)
    found = both.compute()
    assert found["CrossEntropy"].item() == whole.cross_entropy
    assert found["InformationGain"].item() == whole.information_gain


def test_forward_gives_each_batch_and_keeps_all():
    metric = CrossEntropy(5)
    for z, y in batches(500):
        assert metric(z, y).item() == score(y, logits=z, bootstrap=0).cross_entropy
    assert metric.compute().item() == WHOLE.cross_entropy
    metric.reset()
    with pytest.warns(UserWarning, match="before"), pytest.raises(TableError, match="no rows"):
        metric.compute()


def test_a_state_is_saved_and_loaded():
    first, second = CrossEntropy(5), CrossEntropy(5)
    first.persistent(True)
    second.persistent(True)
    for i, (z, y) in enumerate(batches(1_000)):
        if i == 1:
            second.load_state_dict(first.state_dict())
        (first if i == 0 else second).update(z, y)
    assert second.compute().item() == WHOLE.cross_entropy


def test_impossible_labels_and_ignored_ones():
    z = torch.tensor([[0.0, -torch.inf], [0.0, 0.0], [torch.nan, 0.0]])
    metric = CrossEntropy(2, ignore_index=-100)
    metric.update(z, torch.tensor([0, 1, -100]))
    assert metric.compute().item() == 0.5
    metric.update(z[2:], torch.tensor([-100]))
    metric.update(z[:1], torch.tensor([1]))
    assert metric.compute().item() == torch.inf


def test_half_precision_is_widened_first():
    z = torch.tensor(Z, dtype=torch.bfloat16)
    metric = CrossEntropy(5)
    metric.update(z, torch.tensor(Y))
    assert metric.compute().item() == score(Y, logits=z, bootstrap=0).cross_entropy


@pytest.mark.parametrize(
    ("z", "y", "said"),
    [
        (torch.zeros(2, 3), torch.tensor([0, 1]), r"preds must have shape \(N, 5\)"),
        (torch.zeros(2, 5), torch.tensor([0, 5]), "5"),
        (torch.full((2, 5), torch.nan), torch.tensor([0, 1]), "row 0"),
    ],
)
def test_bad_rows_are_refused_and_add_nothing(z, y, said):
    metric = CrossEntropy(5)
    metric.update(torch.zeros(1, 5), torch.tensor([0]))
    before = metric.compute()
    with pytest.raises(ValueError, match=said):
        metric.update(z, y)
    assert metric.compute() == before


def test_the_score_is_the_report_of_all_rows():
    metric = Score(("cross_entropy", "miscalibration", "kl"), options={"bootstrap": 0})
    for z, y in batches(300):
        metric.update(z, y)
    found = metric.compute()
    assert {name: value.item() for name, value in found.items() if name != "kl"} == {
        "cross_entropy": WHOLE.cross_entropy, "miscalibration": WHOLE.miscalibration,
    }  # fmt: skip
    assert found["kl"].isnan()
    assert metric.result.per_class == WHOLE.per_class
    with pytest.raises(ValueError, match=r"figures must be of rows, .*; got 'heat'"):
        Score(["heat"])(*next(batches(50)))


RANK = """
import json, os, sys
import numpy as np, torch
import torch.distributed as dist
from plogq.torchmetrics import CrossEntropy, InformationGain, Score
rank, store, data = int(sys.argv[1]), sys.argv[2], np.load(sys.argv[3])
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
z, y = torch.tensor(data["z"]), torch.tensor(data["y"])
start, stop, step = ((0, 700, 100), (700, len(y), 333))[rank]
metrics = CrossEntropy(5), InformationGain(5), Score(["miscalibration"], options={"bootstrap": 0})
for i in range(start, stop, step):
    for metric in metrics:
        metric.update(z[i : min(i + step, stop)], y[i : min(i + step, stop)])
values = [metric.compute() for metric in metrics]
values[2] = values[2]["miscalibration"]
print(json.dumps([float(value).hex() for value in values]))
dist.destroy_process_group()
"""


def test_two_processes_give_the_bits_of_one(tmp_path):
    np.savez(tmp_path / "rows.npz", z=Z, y=Y)
    files = [str(tmp_path / name) for name in ("store", "rows.npz")]
    alone = {"PATH": "", "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, rank, *files], stdout=subprocess.PIPE, text=True, env=alone
        )
        for rank in ("0", "1")
    ]
    expected = [WHOLE.cross_entropy, WHOLE.information_gain, WHOLE.miscalibration]
    for rank in ranks:
        said, _ = rank.communicate(timeout=120)
        assert rank.returncode == 0
        assert said.strip() == str([each.hex() for each in expected]).replace("'", '"')
