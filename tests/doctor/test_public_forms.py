"""How public trainings are written, in forms that once misled a check."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from plogq.doctor import check, watch
from plogq.doctor.checks.PQ213_never_below_base_rate import find as settled
from plogq.doctor.runtime.training import LossCurve, Training


def codes(d):
    return {finding.code for finding in d.diagnosis.findings}


@pytest.mark.parametrize("cleared", [True, False])
def test_a_generators_call_is_part_of_the_judges_update_only_if_its_gradient_is_left(cleared):
    torch.manual_seed(0)
    judge, maker = nn.Linear(4, 1), nn.Linear(3, 4)
    of_judge = torch.optim.SGD(judge.parameters(), lr=0.1)
    of_maker = torch.optim.SGD(maker.parameters(), lr=0.1)
    loss, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(16, 1), torch.zeros(16, 1)
    with watch(judge, loss) as d:
        for _ in range(3):
            made = maker(torch.randn(16, 3))
            loss(judge(made), ones).backward()
            of_maker.step()
            if cleared:
                of_judge.zero_grad()
            real = loss(judge(torch.randn(16, 4) + 2), ones)
            ((real + loss(judge(made.detach()), zeros)) / 2).backward()
            of_judge.step()
    assert ("PQ205" in codes(d)) is not cleared


def test_a_loss_in_a_tuple_is_the_models_own():
    torch.manual_seed(0)

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.head = nn.Embedding(20, 8), nn.Linear(8, 20)

        def forward(self, idx, targets=None):
            logits = self.head(self.wte(idx)).softmax(-1)
            loss = F.cross_entropy(logits.view(-1, 20), targets.reshape(-1))
            return logits, loss

    model = GPT()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model) as d:
        for _ in range(3):
            idx = torch.randint(0, 20, (4, 9))
            optimizer.zero_grad()
            model(idx[:, :-1], idx[:, 1:])[1].backward()
            optimizer.step()
    assert "PQ101" in codes(d)
    assert d.diagnosis.looked_at.startswith("3 calls of the loss and 3 updates")


def test_labels_of_one_class_say_that_they_are_predictions_of_three_classes_only():
    near = np.random.default_rng(0).normal(scale=0.01, size=(64, 3))
    near[:, 0] = near.max(axis=1) + 0.01
    assert "PQ122" in {f.code for f in check(near, np.zeros(64, int)).findings}
    judged = np.full((64, 1), 0.05) + near[:, 1:2] / 10
    found = check(judged, np.ones((64, 1)), loss="binary_cross_entropy_with_logits")
    assert "PQ122" not in {f.code for f in found.findings}


def curve(noise=0.01, labels=5000, classes=10, updates=80, losses=80):
    found = np.log(10) + noise * np.random.default_rng(0).normal(size=losses)
    return Training(updates=updates, curve=LossCurve(tuple(found), np.log(10), labels, classes))


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"updates": 0}, True),  # of a loop that updates by hand
        ({"updates": 20}, False),  # of which each has four calls of the loss
        ({"labels": 20, "classes": 20}, False),  # their entropy is far too low
        ({"noise": 1.0}, False),  # which would hide a fall
        ({"losses": 39}, False),
    ],
)
def test_a_loss_has_settled_where_labels_updates_and_losses_tell(changed, found):
    assert bool(list(settled(curve(**changed)))) is found


@pytest.mark.parametrize("rows", ["sum", "mean"])
def test_rows_are_summed_or_averaged_outside_of_the_loss(rows):
    torch.manual_seed(0)
    model, loss = nn.Linear(6, 3), nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, loss) as d:
        for _ in range(3):
            x = torch.randn(32, 6)
            optimizer.zero_grad()
            getattr(loss(model(x), x[:, :3].argmax(1)), rows)().backward()
            optimizer.step()
    assert ("PQ207" in codes(d)) is (rows == "sum")


@pytest.mark.parametrize("told", [True, False])
def test_dropout_by_a_function_has_to_be_told_the_mode(told):
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(6, 3)

        def forward(self, x):
            return self.out(F.dropout(x, 0.5, self.training) if told else F.dropout(x, 0.5))

    model, loss = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, loss) as d:
        for _ in range(3):
            x = torch.randn(32, 6)
            optimizer.zero_grad()
            loss(model(x), x[:, :3].argmax(1)).backward()
            optimizer.step()
    assert ("PQ209" in codes(d)) is not told


def test_outputs_are_let_go_when_the_loop_lets_them_go():
    import gc
    import weakref

    model, loss = nn.Linear(4, 2), nn.CrossEntropyLoss()
    with watch(model, loss):
        first = model(torch.randn(8, 4))
        seen = weakref.ref(first)
        second = model(torch.randn(8, 4))
        del first
        gc.collect()
        assert seen() is None
        loss(second, torch.zeros(8, dtype=torch.long))


def test_what_is_none_is_no_output_of_an_earlier_call():
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    with watch(model, F.cross_entropy) as d:
        for _ in range(3):
            model(torch.randn(8, 4))
            d.loss(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long), None)
    assert not d.diagnosis.unread


def test_a_module_that_a_lambda_holds_on_to_is_copied_too():
    torch.manual_seed(0)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.mlp = nn.ModuleDict(
                {"norm": nn.BatchNorm1d(6), "dropout": nn.Dropout(0.2), "out": nn.Linear(6, 3)}
            )
            m = self.mlp
            self.mlpf = lambda x: m["out"](m["dropout"](m["norm"](x)))

        def forward(self, x):
            return self.mlpf(x)

    def trained(looking):
        torch.manual_seed(1)
        model, loss = Block(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        d = watch(model, loss)
        if looking:
            d.start()
        for _ in range(3):
            x = torch.randn(32, 6)
            optimizer.zero_grad()
            loss(model(x), x[:, :3].argmax(1)).backward()
            optimizer.step()
        d.stop()
        return model.state_dict(), codes(d)

    (plain, _), (watched, found) = trained(False), trained(True)
    assert all(torch.equal(plain[name], watched[name]) for name in plain)
    assert found == set()
