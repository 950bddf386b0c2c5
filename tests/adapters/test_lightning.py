"""The callback of Lightning, in a training of a tiny model."""

import os
import subprocess
import sys
from itertools import chain
from types import SimpleNamespace

import lightning
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from plogq.adapters.lightning import _repeated
from plogq.lightning import ScoreCallback, WatchCallback
from plogq.score import score

pytestmark = pytest.mark.filterwarnings("ignore")  # lightning and torch warn of their own
RNG = torch.Generator().manual_seed(4)
X = torch.randn(90, 5, generator=RNG)
Y = X[:, :3].argmax(1)


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(5, 3)
        self.seen = []

    def training_step(self, batch, i):
        return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

    def validation_step(self, batch, i):
        return {"logits": self.layer(batch[0]), "labels": batch[1]}

    def on_validation_epoch_end(self):
        self.seen.append(self.layer(X).detach())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.5)


def trainer(folder, *callbacks, **more):
    return lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, default_root_dir=folder,
        callbacks=list(callbacks), **more,
    )  # fmt: skip


def test_each_epoch_is_scored_once_and_logged(tmp_path):
    keep = ScoreCallback(tmp_path / "reports", bootstrap=0, unit="nat")
    model, rows = Model(), DataLoader(TensorDataset(X, Y), 32)
    run = trainer(tmp_path, keep)
    run.fit(model, rows, rows)
    assert list(keep.results) == [3, 6]  # and not the batches before the training
    for logits, result in zip(model.seen[1:], keep.results.values(), strict=True):
        assert result.rows == 90
        whole = score(Y, logits=logits, bootstrap=0, unit="nat").cross_entropy
        assert result.cross_entropy == pytest.approx(whole, rel=1e-6)
    logged = run.callback_metrics
    assert logged["val_cross_entropy"].item() == pytest.approx(whole, rel=1e-6)
    assert {"val_miscalibration", "val_information_gain", "val_accuracy"} <= set(logged)
    assert (tmp_path / "reports" / "step-6.html").read_text().startswith("<!doctype html>")


def test_a_step_that_returns_something_else_is_named(tmp_path):
    class Silent(Model):
        def validation_step(self, batch, i):
            return None

    rows = DataLoader(TensorDataset(X, Y), 32)
    with pytest.raises(TypeError, match=r"validation_step must return .*; got NoneType"):
        trainer(tmp_path, ScoreCallback()).validate(Silent(), rows, verbose=False)


@pytest.mark.parametrize(("rows", "size"), [(90, 32), (91, 32), (91, 46), (1, 8), (64, 32)])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_items_that_a_sampler_repeats_are_left_out(rows, size, shuffle):
    processes = 3 if rows > 1 else 2
    dealt = []
    for rank in range(processes):
        sampler = DistributedSampler(range(rows), processes, rank, shuffle)
        loader = DataLoader(range(rows), size, sampler=sampler)
        trainer = SimpleNamespace(val_dataloaders=[loader])
        for i, batch in enumerate(loader):
            repeated, items = _repeated(trainer, i, 0)
            assert items == len(batch)
            dealt.append(batch[: items - repeated].tolist())
    assert sorted(chain(*dealt)) == list(range(rows))
    alone = SimpleNamespace(val_dataloaders=DataLoader(range(rows), size))
    assert _repeated(alone, 0, 0) == (0, 1)


PROCESSES = """
import sys
import torch
from torch.utils.data import DataLoader, TensorDataset
from plogq.lightning import ScoreCallback
from plogq.score import score
from tests.adapters.test_lightning import Model, X, Y, trainer

keep = ScoreCallback(bootstrap=0)
rows = DataLoader(TensorDataset(X[:89], Y[:89]), 16)
torch.manual_seed(0)
run, model = trainer(sys.argv[1], keep, devices=2, strategy="ddp"), Model()
run.fit(model, rows, rows)
if run.is_global_zero:
    result = list(keep.results.values())[-1]
    whole = score(Y[:89], logits=model.layer(X[:89]).detach(), bootstrap=0)
    assert result.rows == 89
    assert abs(result.cross_entropy - whole.cross_entropy) < 1e-6 * whole.cross_entropy
    print("once")
"""


@pytest.mark.slow
def test_two_processes_score_each_row_once(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path)]
    path = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("once\n")


class Twice(Model):
    """A model whose loss takes a softmax of a softmax."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(self.layer, torch.nn.Softmax(1))
        self.criterion = torch.nn.CrossEntropyLoss()

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, i):
        return self.criterion(self(batch[0]), batch[1])


def test_a_training_is_watched_and_learns_the_same(tmp_path):
    rows = DataLoader(TensorDataset(X, Y), 32)

    def trained(*callbacks):
        torch.manual_seed(2)
        model = Twice()
        trainer(tmp_path, *callbacks, limit_val_batches=0).fit(model, rows)
        return model.state_dict()

    look = WatchCallback("criterion")
    watched, alone = trained(look), trained()
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert look.diagnosis.unread == ()
    assert [each.code for each in look.diagnosis.findings] == ["PQ101"]
    with pytest.raises(ValueError, match="loss must name a module of the LightningModule"):
        trained(WatchCallback("lost"))
