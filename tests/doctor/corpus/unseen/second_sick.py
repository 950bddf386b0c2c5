"""The second batch of unseen trainings, sick ones: written after the checks had been mended."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, sick


@sick("PQ205")
def masked_words_accumulated_by_their_own_means():
    torch.manual_seed(200)
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32,
    )  # fmt: skip
    model = BertForMaskedLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model) as d:
        for step, share in enumerate([0.05, 0.6, 0.1, 0.5] * 3):
            ids = torch.randint(5, 90, (4, 24))
            labels = torch.where(torch.rand(4, 24) < share, ids, -100)
            loss = model(input_ids=ids, labels=labels).loss / 4
            loss.backward()
            if (step + 1) % 4 == 0:
                optimizer.step()
                optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


@sick("PQ214")
def the_gradients_of_the_wrong_model_are_cleared():
    torch.manual_seed(201)
    teacher, student = ConvNet(0.0), ConvNet(0.0)
    x, y = digits(128)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    with watch(student, criterion) as d:
        for i in range(4):
            teacher.zero_grad()
            criterion(student(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# The function's own default is to drop, in eval mode, too.
@sick("PQ209")
def dropout_that_does_not_know_the_mode():
    torch.manual_seed(202)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(64, 128), nn.Linear(128, 10)

        def forward(self, x):
            return self.fc2(F.dropout(F.relu(self.fc1(x.flatten(1))), 0.5))

    x, y = digits(128)
    model, criterion = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _epoch in range(2):
            model.train()
            for a, b in DataLoader(TensorDataset(x[:96], y[:96]), batch_size=32):
                optimizer.zero_grad()
                criterion(model(a), b).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                criterion(model(x[96:]), y[96:])
    return {"diagnosis": d.diagnosis}


@sick("PQ215", also=["PQ206"])
def a_loss_wrapped_into_a_new_tensor():
    torch.manual_seed(203)
    x, y = digits(96)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(3):
            optimizer.zero_grad()
            loss = criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32])
            loss = torch.tensor(loss.item(), requires_grad=True)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ207")
def rows_that_are_summed_by_hand():
    torch.manual_seed(204)
    x, y = digits(128)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).sum().backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ204", also=["PQ119"])
def a_missing_value_in_the_second_batch():
    torch.manual_seed(205)
    x = torch.randn(96, 12)
    y = (x[:, :1] > 0).float()
    x[40, 7] = float("nan")
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters())

    def criterion(p, target):
        return -(target * torch.log(p + 1e-8) + (1 - target) * torch.log(1 - p + 1e-8)).mean()

    with watch(model, criterion) as d:
        for i in range(3):
            optimizer.zero_grad()
            d.loss(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ201", also=["PQ121", "PQ203", "PQ208"])
def a_deep_autoencoder_of_sigmoids():
    torch.manual_seed(206)
    sizes = [64, 48, 32, 24, 16, 8, 16, 24, 32, 48, 64]
    layers = [nn.Flatten()]
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.Sigmoid()]
    model = nn.Sequential(*layers)
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, _ = digits(128)
    with watch(model, criterion) as d:
        for i in range(4):
            images = x[32 * i : 32 * i + 32]
            optimizer.zero_grad()
            criterion(model(images), images.flatten(1)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# At this rate Adam kills the hidden units at once, and the bias learns the base rates.
@sick("PQ213", also=["PQ121", "PQ203", "PQ204", "PQ208", "PQ215", "PQ115"])
def a_rate_that_leaves_the_base_rates_alone():
    torch.manual_seed(207)
    x, y = digits(256)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    with watch(model, criterion) as d:
        for _epoch in range(25):
            for a, b in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                criterion(model(a), b).backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ104", also=["PQ208", "PQ213"])
def attributes_with_a_sigmoid_in_the_head():
    torch.manual_seed(208)

    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.out = nn.Linear(40, 64), nn.Linear(64, 12)

        def forward(self, x):
            return torch.sigmoid(self.out(F.gelu(self.body(x)))).view(-1, 3, 4)

    model = Head()
    x = torch.randn(64, 40)
    y = (x[:, :12] > 0).float().view(-1, 3, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, F.binary_cross_entropy_with_logits) as d:
        for _ in range(4):
            optimizer.zero_grad()
            d.loss(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
