"""The second batch of unseen trainings, healthy ones: written after the checks had been mended."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, healthy


@healthy
def log_softmax_before_cross_entropy():
    torch.manual_seed(220)

    class Net(ConvNet):
        def forward(self, x):
            return F.log_softmax(super().forward(x), dim=1)

    x, y = digits(128)
    model, criterion = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def few_labels_and_many_pseudo_labels():
    torch.manual_seed(221)
    x, y = digits(256)
    model = ConvNet(0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    with watch(model, F.cross_entropy) as d:
        for i in range(4):
            labelled, unlabelled = x[8 * i : 8 * i + 8], x[64 + 48 * i : 112 + 48 * i]
            with torch.no_grad():
                score, guess = model(unlabelled).softmax(1).max(1)
            logits = model(labelled)
            strong = model(unlabelled + 0.2 * torch.randn_like(unlabelled))
            mask = (score > 0.95).float()
            unsupervised = (F.cross_entropy(strong, guess, reduction="none") * mask).mean()
            loss = d.loss(logits, y[8 * i : 8 * i + 8]) + unsupervised
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_student_that_predicts_its_own_average():
    torch.manual_seed(222)
    online = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU())
    online.append(nn.Linear(64, 16))
    target = copy.deepcopy(online).requires_grad_(False)
    predictor = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
    model = nn.Sequential(online, predictor)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    x, _ = digits(128)

    def byol(p, z):
        return (2 - 2 * F.cosine_similarity(p, z.detach())).mean()

    with watch(model, byol) as d:
        for i in range(4):
            images = x[32 * i : 32 * i + 32]
            one, two = images + 0.1 * torch.randn_like(images), images.flip(-1)
            loss = d.loss(model(one), target(two)) + d.loss(model(two), target(one))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for a, b in zip(target.parameters(), online.parameters(), strict=True):
                    a.lerp_(b, 0.01)
    return {"diagnosis": d.diagnosis}


@healthy
def an_auxiliary_head_that_weighs_less():
    torch.manual_seed(223)

    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.low = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU())
            self.high = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())
            self.aux, self.fc = nn.Linear(16 * 64, 10), nn.Linear(16 * 64, 10)

        def forward(self, x):
            low = self.low(x)
            return self.fc(self.high(low).flatten(1)), self.aux(low.flatten(1))

    x, y = digits(128)
    model, criterion = Inception(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, criterion) as d:
        for i in range(4):
            labels = y[32 * i : 32 * i + 32]
            outputs, aux = model(x[32 * i : 32 * i + 32])
            loss = criterion(outputs, labels) + 0.4 * criterion(aux, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_critic_that_is_updated_five_times():
    torch.manual_seed(224)
    generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh())
    judge = nn.Sequential(nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizer_g = torch.optim.RMSprop(generator.parameters(), lr=5e-5)
    optimizer_d = torch.optim.RMSprop(judge.parameters(), lr=5e-5)
    x, _ = digits(192)
    real_label, fake_label = torch.ones(32, 1), torch.zeros(32, 1)
    with watch(judge, criterion) as d:
        for i in range(60):
            real = x[torch.randperm(192)[:32]].flatten(1)
            optimizer_d.zero_grad()
            fake = generator(torch.randn(32, 8)).detach()
            loss = (criterion(judge(real), real_label) + criterion(judge(fake), fake_label)) / 2
            loss.backward()
            optimizer_d.step()
            if i % 5 == 0:
                optimizer_g.zero_grad()
                criterion(judge(generator(torch.randn(32, 8))), real_label).backward()
                optimizer_g.step()
    return {"diagnosis": d.diagnosis}


@healthy
def noisy_labels_mixed_with_what_is_believed():
    torch.manual_seed(225)
    x, y = digits(128)
    model = ConvNet(0.2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def bootstrap(logits, labels):
        belief = logits.detach().softmax(1)
        target = 0.8 * F.one_hot(labels, 10) + 0.2 * belief
        return -(target * logits.log_softmax(1)).sum(1).mean()

    with watch(model, bootstrap) as d:
        for i in range(4):
            optimizer.zero_grad()
            d.loss(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def translation_that_ignores_its_padding():
    torch.manual_seed(226)

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.source, self.target = nn.Embedding(50, 32, 0), nn.Embedding(60, 32, 0)
            self.encoder = nn.GRU(32, 32, batch_first=True)
            self.decoder = nn.GRU(32, 32, batch_first=True)
            self.out = nn.Linear(32, 60)

        def forward(self, source, target):
            _, state = self.encoder(self.source(source))
            return self.out(self.decoder(self.target(target), state)[0])

    model, criterion = Seq2Seq(), nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(4):
            source, target = torch.randint(1, 50, (16, 9)), torch.randint(1, 60, (16, 11))
            target[torch.arange(11) >= torch.randint(4, 11, (16, 1))] = 0
            output = model(source, target[:, :-1])
            optimizer.zero_grad()
            criterion(output.reshape(-1, 60), target[:, 1:].reshape(-1)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def prices_that_are_not_scaled():
    torch.manual_seed(227)
    x = torch.rand(200, 6)
    y = 200_000 + 300_000 * x[:, :1] - 50_000 * x[:, 1:2]
    model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
    model.append(nn.Linear(64, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, criterion) as d:
        for _ in range(60):
            rows = torch.randperm(200)[:50]
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def the_first_sixty_steps_of_a_patient_training():
    torch.manual_seed(228)
    x, y = digits(512)
    model, criterion = ConvNet(0.1), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(60):
            rows = torch.randperm(512)[:32]
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
