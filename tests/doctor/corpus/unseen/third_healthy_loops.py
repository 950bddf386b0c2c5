"""The third batch of unseen trainings, healthy ones whose loops look odd."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import plogq.huggingface
from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, healthy


# The gradient is taken twice in an update, the second time a step uphill.
@healthy
def two_gradients_for_each_sharp_update():
    torch.manual_seed(360)
    x, y = digits(128)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, criterion) as d:
        for data, target in zip(x.split(32), y.split(32), strict=True):
            criterion(model(data), target).backward()
            norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
            moved = []
            with torch.no_grad():
                for p in model.parameters():
                    e = p.grad * 0.05 / (norm + 1e-12)
                    p.add_(e)
                    moved.append(e)
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            with torch.no_grad():
                for p, e in zip(model.parameters(), moved, strict=True):
                    p.sub_(e)
            optimizer.step()
            optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


@healthy
def tokens_counted_before_they_are_accumulated():
    torch.manual_seed(361)
    model = nn.Sequential(nn.Embedding(60, 32), nn.Linear(32, 60))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def summed(logits, labels):
        return F.cross_entropy(logits.view(-1, 60), labels.reshape(-1), reduction="sum")

    with watch(model, summed) as d:
        for _ in range(4):
            parts = [torch.randint(0, 60, (4, n)) for n in (5, 31, 12)]
            number = sum(part[:, 1:].numel() for part in parts)
            for part in parts:
                (d.loss(model(part[:, :-1]), part[:, 1:]) / number).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


@healthy
def a_head_on_features_that_nobody_trains():
    torch.manual_seed(362)
    x, y = digits(160)
    body = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten())

    class Probe(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = body, nn.Linear(288, 10)

        def forward(self, x):
            with torch.no_grad():
                features = self.body(x)
            return self.head(features)

    model, criterion = Probe(), nn.CrossEntropyLoss()
    model.body.eval()
    optimizer = torch.optim.LBFGS(model.head.parameters(), lr=0.5, max_iter=4)
    with watch(model, criterion) as d:
        for data, target in zip(x.split(80), y.split(80), strict=True):

            def closure(data=data, target=target):
                optimizer.zero_grad()
                loss = criterion(model(data), target) + 1e-3 * model.head.weight.pow(2).sum()
                loss.backward()
                return loss

            optimizer.step(closure)
    return {"diagnosis": d.diagnosis}


# Each group of layers waits for its own epoch.
@healthy
def layers_thawed_from_the_top():
    torch.manual_seed(363)
    x, y = digits(96)
    model, criterion = ConvNet(0.1), nn.CrossEntropyLoss()
    groups = [[model.fc2], [model.fc1], [model.conv2], [model.conv1]]
    for p in model.parameters():
        p.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for group in groups:
            for part in group:
                part.requires_grad_(True)
            model.train()
            for data, target in zip(x.split(48), y.split(48), strict=True):
                optimizer.zero_grad()
                criterion(model(data), target).backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def two_passes_that_should_say_the_same():
    torch.manual_seed(364)
    x, y = digits(128)
    model = ConvNet(0.4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def r_drop(logits, labels):
        one, two = logits.chunk(2)
        p, q = one.log_softmax(1), two.log_softmax(1)
        apart = F.kl_div(p, q, log_target=True, reduction="batchmean")
        apart = apart + F.kl_div(q, p, log_target=True, reduction="batchmean")
        return F.cross_entropy(logits, labels) + apart / 2

    with watch(model, r_drop) as d:
        for data, target in zip(x.split(32), y.split(32), strict=True):
            optimizer.zero_grad()
            d.loss(model(torch.cat([data, data])), torch.cat([target, target])).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def two_heads_that_take_turns():
    torch.manual_seed(365)

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ELU())
            self.heads = nn.ModuleDict({"digit": nn.Linear(48, 10), "odd": nn.Linear(48, 2)})

        def forward(self, x, task):
            return self.heads[task](self.body(x))

    x, y = digits(192)
    model, criterion = Shared(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i, (data, target) in enumerate(zip(x.split(32), y.split(32), strict=True)):
            task = ("digit", "odd")[i % 2]
            optimizer.zero_grad()
            criterion(model(data, task), target if task == "digit" else target % 2).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def sine_waves_learnt_to_be_learnt():
    torch.manual_seed(366)
    model = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(4):
            optimizer.zero_grad()
            for _task in range(3):
                phase = 3 * torch.rand(1)
                x = 10 * torch.rand(2, 10, 1) - 5
                y = torch.sin(x + phase)
                weights = dict(model.named_parameters())
                inner = F.mse_loss(torch.func.functional_call(model, weights, x[0]), y[0])
                slopes = torch.autograd.grad(inner, weights.values(), create_graph=True)
                fast = {k: w - 0.01 * g for (k, w), g in zip(weights.items(), slopes, strict=True)}
                outer = criterion(torch.func.functional_call(model, fast, x[1]), y[1])
                (outer / 3).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_rod_that_cools():
    torch.manual_seed(367)
    u = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    optimizer = torch.optim.Adam(u.parameters(), lr=1e-3)
    criterion = nn.MSELoss()
    with watch(u, criterion) as d:
        for _ in range(5):
            inside = torch.rand(64, 2, requires_grad=True)
            slope = torch.autograd.grad(u(inside).sum(), inside, create_graph=True)[0]
            bend = torch.autograd.grad(slope[:, 0].sum(), inside, create_graph=True)[0][:, :1]
            edge = torch.cat([torch.rand(32, 1), torch.zeros(32, 1)], 1)
            loss = criterion(u(edge), torch.sin(torch.pi * edge[:, :1]))
            loss = loss + (slope[:, 1:] - 0.1 * bend).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_rate_that_goes_up_and_down_once():
    torch.manual_seed(368)
    x, y = digits(64)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=32)
    losses = []
    with watch(model, criterion) as d:
        for data, target in DataLoader(TensorDataset(x, y), batch_size=2):
            loss = criterion(model(data), target)
            for p in model.parameters():
                p.grad = None
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return {"diagnosis": d.diagnosis}


@healthy
def values_and_advantages_apart():
    torch.manual_seed(369)

    class Dueling(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 64), nn.ReLU())
            self.value, self.advantage = nn.Linear(64, 1), nn.Linear(64, 3)

        def forward(self, state):
            h = self.body(state)
            advantage = self.advantage(h)
            return self.value(h) + advantage - advantage.mean(1, keepdim=True)

    online = Dueling()
    target = copy.deepcopy(online).requires_grad_(False)
    optimizer = torch.optim.RMSprop(online.parameters(), lr=2.5e-4)
    criterion = nn.HuberLoss(reduction="none")
    with watch(online, criterion) as d:
        for _ in range(5):
            s, s2, a = torch.randn(32, 4), torch.randn(32, 4), torch.randint(0, 3, (32, 1))
            best = online(s2).argmax(1, keepdim=True)
            goal = torch.rand(32, 1) + 0.99 * target(s2).gather(1, best)
            errors = criterion(online(s).gather(1, a), goal)
            importance = torch.rand(32, 1) + 0.5
            optimizer.zero_grad()
            (importance * errors).mean().backward()
            optimizer.step()
            for p, q in zip(target.parameters(), online.parameters(), strict=True):
                p.mul_(0.99).add_(q.detach(), alpha=0.01)
    return {"diagnosis": d.diagnosis}


@healthy
def a_trainer_of_a_tiny_gpt2():
    torch.manual_seed(370)
    import tempfile

    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    config = GPT2Config(vocab_size=64, n_positions=32, n_embd=32, n_layer=2, n_head=2)
    lines = torch.randint(0, 64, (64, 16))
    data = [{"input_ids": line, "labels": line} for line in lines]
    callback = plogq.huggingface.WatchCallback()
    with tempfile.TemporaryDirectory() as folder:
        options = TrainingArguments(
            folder, per_device_train_batch_size=8, gradient_accumulation_steps=2, max_steps=4,
            report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True, logging_steps=100,
        )  # fmt: skip
        trainer = Trainer(GPT2LMHeadModel(config), options, train_dataset=data)
        trainer.add_callback(callback)
        trainer.train()
    return {"diagnosis": callback.diagnosis}


@healthy
def validation_on_the_way_and_early_stopping():
    torch.manual_seed(371)
    x, y = torch.randn(240, 10), torch.randn(240)
    y = y * 0.1 + x[:, 0] - 2 * x[:, 3]
    model = nn.Sequential(nn.Linear(10, 32), nn.Dropout(0.3), nn.ReLU(), nn.Linear(32, 1))
    criterion = nn.L1Loss()
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    best, kept = float("inf"), None
    with watch(model, criterion) as d:
        for _epoch in range(4):
            model.train()
            for i in range(0, 200, 40):
                optimizer.zero_grad()
                criterion(model(x[i : i + 40]).squeeze(-1), y[i : i + 40]).backward()
                optimizer.step()
            model.eval()
            with torch.inference_mode():
                now = criterion(model(x[200:]).squeeze(-1), y[200:]).item()
            if now < best:
                best, kept = now, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return {"diagnosis": d.diagnosis}
