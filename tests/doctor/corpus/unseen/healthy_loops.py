"""Unseen healthy trainings whose loops look odd."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, healthy


@healthy
def a_policy_gradient_of_episodes():
    torch.manual_seed(100)
    policy = nn.Sequential(nn.Linear(4, 64), nn.Dropout(0.1), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)

    def reinforce(logits, taken):
        actions, returns = taken
        chosen = torch.distributions.Categorical(logits=logits).log_prob(actions)
        return -(chosen * returns).sum()

    with watch(policy, reinforce) as d:
        for _episode in range(4):
            state, states, actions, rewards = torch.zeros(4), [], [], []
            for _ in range(20):
                with torch.no_grad():
                    action = torch.distributions.Categorical(logits=policy(state)).sample()
                states.append(state)
                actions.append(action)
                rewards.append(float((state[0] > 0) == (action == 0)))
                state = torch.randn(4)
            returns, running = [], 0.0
            for reward in reversed(rewards):
                running = reward + 0.99 * running
                returns.insert(0, running)
            returns = torch.tensor(returns)
            returns = (returns - returns.mean()) / (returns.std() + 1e-8)
            optimizer.zero_grad()
            d.loss(policy(torch.stack(states)), (torch.stack(actions), returns)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def proximal_policies_whose_first_loss_is_zero():
    torch.manual_seed(101)
    policy = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(policy.parameters(), lr=3e-4, eps=1e-5)
    states, actions = torch.randn(64, 4), torch.randint(0, 3, (64,))
    advantages = torch.randn(64)
    advantages = (advantages - advantages.mean()) / advantages.std()
    with torch.no_grad():
        old = policy(states).log_softmax(1).gather(1, actions[:, None]).squeeze(1)

    def clipped(logits, advantage):
        new = logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1)
        ratio = (new - old).exp()
        return -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()

    with watch(policy, clipped) as d:
        for _epoch in range(5):
            optimizer.zero_grad()
            d.loss(policy(states), advantages).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def q_learning_with_a_target_net():
    torch.manual_seed(102)
    policy_net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
    target_net = copy.deepcopy(policy_net)
    criterion = nn.SmoothL1Loss()
    optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-4, amsgrad=True)
    with watch(policy_net, criterion) as d:
        for _ in range(5):
            state, nxt = torch.randn(32, 4), torch.randn(32, 4)
            action, reward = torch.randint(0, 2, (32, 1)), torch.rand(32)
            values = policy_net(state).gather(1, action)
            with torch.no_grad():
                expected = reward + 0.99 * target_net(nxt).max(1).values
            loss = criterion(values, expected.unsqueeze(1))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(policy_net.parameters(), 100)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_warmup_that_begins_at_zero():
    torch.manual_seed(103)
    x, y = digits(256)
    model, criterion = ConvNet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 10))
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x, y), batch_size=32):
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            optimizer.step()
            schedule.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_last_touch_with_a_tiny_rate():
    torch.manual_seed(104)
    x, y = digits(256)
    model, criterion = ConvNet(0.1), nn.CrossEntropyLoss()
    first = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    for _ in range(15):
        for data, target in loader:
            first.zero_grad()
            criterion(model(data), target).backward()
            first.step()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-7)
    with watch(model, criterion) as d:
        for data, target in loader:
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_backbone_whose_norms_stay_in_eval():
    torch.manual_seed(105)

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(
                nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)
            )
            self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(256, 10))

        def forward(self, x):
            return self.head(self.backbone(x))

        def train(self, mode=True):
            super().train(mode)
            for module in self.backbone.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
                    module.requires_grad_(False)
            return self

    x, y = digits(128)
    model, criterion = Detector().train(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x, y), batch_size=32):
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_mean_teacher():
    torch.manual_seed(106)
    x, y = digits(128)
    student = ConvNet(0.3)
    teacher = copy.deepcopy(student)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05)
    criterion = nn.CrossEntropyLoss()
    with watch(student, criterion) as d:
        for i in range(4):
            data, target = x[32 * i : 32 * i + 32], y[32 * i : 32 * i + 32]
            logits = student(data)
            with torch.no_grad():
                reference = teacher(data + 0.05 * torch.randn_like(data)).softmax(1)
            consistency = F.mse_loss(logits.softmax(1), reference)
            optimizer.zero_grad()
            (criterion(logits, target) + 10 * consistency).backward()
            optimizer.step()
            with torch.no_grad():
                for ours, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
                    ours.mul_(0.99).add_(theirs, alpha=0.01)
    return {"diagnosis": d.diagnosis}


@healthy
def stochastic_weight_averaging():
    torch.manual_seed(107)
    from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

    x, y = digits(128)
    loader = DataLoader(TensorDataset(x, y), batch_size=32)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    averaged, schedule = AveragedModel(model), SWALR(optimizer, swa_lr=0.05)
    with watch(model, criterion) as d:
        for _epoch in range(2):
            for data, target in loader:
                optimizer.zero_grad()
                criterion(model(data), target).backward()
                optimizer.step()
            averaged.update_parameters(model)
            schedule.step()
        update_bn(loader, averaged)
        averaged.eval()
        with torch.no_grad():
            criterion(averaged(x), y)
    return {"diagnosis": d.diagnosis}


@healthy
def a_sine_wave_by_lbfgs():
    torch.manual_seed(108)

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm1, self.linear = nn.LSTMCell(1, 16), nn.Linear(16, 1)

        def forward(self, series):
            h = torch.zeros(series.size(0), 16, dtype=series.dtype)
            c, outputs = h.clone(), []
            for value in series.split(1, dim=1):
                h, c = self.lstm1(value, (h, c))
                outputs.append(self.linear(h))
            return torch.cat(outputs, 1)

    waves = (torch.arange(40)[None] / 4 + torch.randint(-8, 8, (10, 1))).sin().double()
    model, criterion = Sequence().double(), nn.MSELoss()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, max_iter=5)
    with watch(model, criterion) as d:
        for _ in range(3):

            def closure():
                optimizer.zero_grad()
                loss = criterion(model(waves[:, :-1]), waves[:, 1:])
                loss.backward()
                return loss

            optimizer.step(closure)
    return {"diagnosis": d.diagnosis}


@healthy
def updates_by_hand():
    torch.manual_seed(109)
    x = torch.randn(100, 2)
    y = torch.where((x[:, 0] * x[:, 1]) > 0, 1.0, -1.0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU())
    model.append(nn.Linear(16, 1))

    def hinge(scores, y):
        return (1 - y * scores.squeeze(1)).relu().mean()

    with watch(model, hinge) as d:
        for k in range(8):
            loss = d.loss(model(x), y) + 1e-4 * sum((p * p).sum() for p in model.parameters())
            for p in model.parameters():
                p.grad = None
            loss.backward()
            for p in model.parameters():
                p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return {"diagnosis": d.diagnosis}


@healthy
def dropout_left_on_to_measure_doubt():
    torch.manual_seed(110)
    x, y = digits(160)
    model, criterion = ConvNet(0.3), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x[:128], y[:128]), batch_size=32):
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            optimizer.step()
        model.eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            torch.stack([model(x[128:]).softmax(1) for _ in range(10)]).std(0)
    return {"diagnosis": d.diagnosis}


@healthy
def images_mixed_in_pairs():
    torch.manual_seed(111)
    x, y = digits(256)
    model, criterion = ConvNet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x, y), batch_size=64):
            share = float(torch.distributions.Beta(0.4, 0.4).sample())
            other = torch.randperm(len(data))
            outputs = model(share * data + (1 - share) * data[other])
            loss = share * criterion(outputs, target) + (1 - share) * criterion(
                outputs, target[other]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def bfloat16_inside_and_float32_outside():
    torch.manual_seed(112)
    x, y = digits(128)
    model, criterion = ConvNet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x, y), batch_size=32):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(data)
            criterion(logits.float(), target).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_sum_over_all_and_a_division_at_the_end():
    torch.manual_seed(113)
    x, y = digits(50)
    model = ConvNet(0.0)
    criterion = nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for _epoch in range(4):
            optimizer.zero_grad()
            for data, target in DataLoader(TensorDataset(x, y), batch_size=16):
                criterion(model(data), target).backward()
            for p in model.parameters():
                p.grad /= len(x)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def easy_digits_first():
    torch.manual_seed(114)
    x, y = digits(256)
    order = x.flatten(1).std(1).argsort()
    x, y = x[order], y[order]
    model = ConvNet(0.0)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss(reduction="none")
    with watch(model, criterion) as d:
        for seen in (64, 128, 192, 256):
            rows = torch.randperm(seen)[:48]
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).mean().backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def lightning_like_with_a_frozen_start():
    torch.manual_seed(115)
    x, y = digits(128)
    model, criterion = ConvNet(0.1), nn.CrossEntropyLoss()
    for p in (*model.conv1.parameters(), *model.conv2.parameters()):
        p.requires_grad = False
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    with watch(model, criterion) as d:
        for epoch in range(3):
            if epoch == 1:
                for p in model.parameters():
                    p.requires_grad = True
                optimizer.add_param_group({"params": [*model.conv1.parameters()], "lr": 1e-4})
            for data, target in DataLoader(TensorDataset(x, y), batch_size=64):
                optimizer.zero_grad()
                criterion(model(data), target).backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}
