"""Unseen sick trainings: the loop adds, weighs, clears or rounds gradients wrongly."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, sick


class CharRNN(nn.Module):
    def __init__(self, vocabulary=40, width=32):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, x):
        return self.head(self.rnn(self.embed(x))[0]).view(-1, 40)


@sick("PQ205")
def sentences_of_many_lengths_accumulated():
    torch.manual_seed(40)
    model = CharRNN()
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    accumulation_steps = 4
    lengths = [3, 20, 6, 14] * 3
    with watch(model, criterion) as d:
        for step, length in enumerate(lengths):
            ids = torch.randint(0, 40, (4, 21))
            labels = ids[:, 1:].clone()
            labels[:, length:] = -100
            loss = criterion(model(ids[:, :-1]), labels.view(-1)) / accumulation_steps
            loss.backward()
            if (step + 1) % accumulation_steps == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


@sick("PQ205")
def one_update_an_epoch_and_a_short_last_batch():
    torch.manual_seed(41)
    x, y = digits(50)
    loader = DataLoader(TensorDataset(x, y), batch_size=16)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for _epoch in range(4):
            optimizer.zero_grad()
            for images, labels in loader:
                loss = criterion(model(images), labels) / len(loader)
                loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ205")
def two_shards_of_unequal_size():
    torch.manual_seed(42)
    x, y = digits(48)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for _ in range(4):
            optimizer.zero_grad()
            first, second = model(x[:40]), model(x[40:])
            loss = (criterion(first, y[:40]) + criterion(second, y[40:])) / 2
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ207")
def segmentation_summed_over_pixels():
    torch.manual_seed(43)
    x, _ = digits(64)
    masks = (x[:, 0] > 0.5).long()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8, 2, 1),
    )  # fmt: skip
    criterion = nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[16 * i : 16 * i + 16]), masks[16 * i : 16 * i + 16]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ207")
def a_loss_added_up_sample_by_sample():
    torch.manual_seed(44)
    x, y = digits(48)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    with watch(model, criterion) as d:
        for i in range(4):
            images, labels = x[12 * i : 12 * i + 12], y[12 * i : 12 * i + 12]
            outputs = model(images)
            loss = 0
            for j in range(len(labels)):
                loss += criterion(outputs[j : j + 1], labels[j : j + 1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# The generator's backward fills the discriminator's gradients, which nobody clears.
@sick("PQ214")
def a_discriminator_that_keeps_its_generators_gradients():
    torch.manual_seed(45)
    net_g = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    net_d = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
    with watch(net_d, criterion) as d:
        for _ in range(6):
            real = torch.randn(64, 2) + 2
            fake = net_g(torch.randn(64, 8))
            error_d = criterion(net_d(real), ones) + criterion(net_d(fake.detach()), zeros)
            error_d.backward()
            optimizer_d.step()
            optimizer_g.zero_grad()
            criterion(net_d(fake), ones).backward()
            optimizer_g.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ214")
def gradients_cleared_once_an_epoch():
    torch.manual_seed(46)
    x, y = digits(256)
    loader = DataLoader(TensorDataset(x, y), batch_size=32)
    model, criterion = ConvNet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _epoch in range(2):
            optimizer.zero_grad()
            for images, labels in loader:
                loss = criterion(model(images), labels)
                loss.backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ209")
def eval_after_the_first_epoch_for_good():
    torch.manual_seed(47)
    x, y = digits(128)
    loader = DataLoader(TensorDataset(x, y), batch_size=64)
    model, criterion = ConvNet(0.5), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def evaluate():
        model.eval()
        with torch.no_grad():
            return sum(criterion(model(a), b).item() * len(a) for a, b in loader) / len(x)

    with watch(model, criterion) as d:
        model.train()
        for _epoch in range(3):
            for images, labels in loader:
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
            evaluate()
    return {"diagnosis": d.diagnosis}


@sick("PQ209")
def a_test_with_its_dropout_on():
    torch.manual_seed(48)
    x, y = digits(160)
    model, criterion = ConvNet(0.5), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(2):
            optimizer.zero_grad()
            criterion(model(x[64 * i : 64 * i + 64]), y[64 * i : 64 * i + 64]).backward()
            optimizer.step()
        with torch.no_grad():
            criterion(model(x[128:]), y[128:])
    return {"diagnosis": d.diagnosis}


@sick("PQ210")
def a_loss_by_hand_under_autocast():
    torch.manual_seed(49)
    x, y = digits(64)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def criterion(logits, target):
        log_z = logits.exp().sum(1).log()
        return (log_z - logits.gather(1, target[:, None]).squeeze(1)).mean()

    with watch(model, criterion) as d:
        for _ in range(4):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = d.loss(model(x), y)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# A probability of 1/5000, divided by 512 tokens and 16 batches, is 2.4e-8: float16 has it not.
@sick("PQ211")
def float16_and_many_small_batches():
    torch.manual_seed(50)
    vocabulary = 5000
    model = nn.Sequential(nn.Embedding(vocabulary, 8), nn.Linear(8, 8), nn.ReLU())
    model.append(nn.Linear(8, vocabulary))
    model.half()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, F.cross_entropy) as d:
        for _ in range(2):
            optimizer.zero_grad()
            for _micro in range(16):
                tokens = torch.randint(0, vocabulary, (513,))
                (d.loss(model(tokens[:-1]).float(), tokens[1:]) / 16).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# Features were joined to the labels by a wrong key: they know nothing of each other.
@sick("PQ213", also=["PQ114", "PQ121"])
def features_joined_by_the_wrong_key():
    torch.manual_seed(51)
    x = torch.randn(4096, 6)
    y = (torch.rand(4096, 1) < 0.3).float()
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(model, criterion) as d:
        for _epoch in range(5):
            for xb, yb in loader:
                optimizer.zero_grad()
                criterion(model(xb), yb).backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}
