"""Unseen sick trainings: something inside the model keeps it from learning."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import digits, sick


# DCGAN's weights of deviation 0.02 shrink by 0.11 at each of ten layers of 64 units.
@sick("PQ201", also=["PQ121", "PQ208"])
def weights_of_dcgan_in_a_deep_plain_net():
    torch.manual_seed(20)

    def weights_init(m):
        if m.__class__.__name__.find("Linear") != -1:
            m.weight.data.normal_(0.0, 0.02)
            m.bias.data.fill_(0)

    layers = [nn.Flatten(), nn.Linear(64, 64), nn.ReLU()]
    for _ in range(9):
        layers += [nn.Linear(64, 64), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    model.apply(weights_init)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
    x, y = digits(128)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ202", also=["PQ115", "PQ119", "PQ203", "PQ204", "PQ208"])
def parameters_drawn_with_randn():
    torch.manual_seed(21)

    class FromScratch(nn.Module):
        def __init__(self, width=128, depth=8):
            super().__init__()
            self.first = nn.Parameter(torch.randn(64, width))
            self.hidden = nn.ParameterList(
                [nn.Parameter(torch.randn(width, width)) for _ in range(depth)]
            )
            self.last = nn.Parameter(torch.randn(width, 10))

        def forward(self, x):
            x = torch.relu(x.flatten(1) @ self.first)
            for weight in self.hidden:
                x = torch.relu(x @ weight)
            return x @ self.last

    model = FromScratch()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-12)
    x, y = digits(64)
    with watch(model, F.cross_entropy) as d:
        for _ in range(4):
            optimizer.zero_grad()
            d.loss(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ203", also=["PQ121", "PQ206", "PQ208", "PQ213", "PQ215", "PQ201"])
def raw_columns_of_a_census():
    torch.manual_seed(22)
    age, year = torch.randint(18, 90, (96, 1)), torch.randint(1990, 2020, (96, 1))
    income, hours = 20_000 + 60_000 * torch.rand(96, 1), torch.randint(10, 60, (96, 1))
    x = torch.cat([age, year, income, hours], 1).float()
    y = ((income > 50_000) & (age > 40)).float()
    model = nn.Sequential(
        nn.Linear(4, 24), nn.Sigmoid(), nn.Linear(24, 24), nn.Sigmoid(), nn.Linear(24, 1)
    )
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for start in range(0, 96, 24):
            optimizer.zero_grad()
            criterion(model(x[start : start + 24]), y[start : start + 24]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# Of 32 units, a learning rate that is far too high leaves 12 after one step and 1 after two.
@sick("PQ203", also=["PQ115", "PQ121", "PQ204", "PQ206", "PQ208", "PQ213", "PQ215", "PQ119"])
def two_first_steps_that_kill_the_units():
    torch.manual_seed(23)
    x, y = digits(64)
    x = 255 * x
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=10.0)
    with watch(model, criterion) as d:
        for _ in range(6):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# A sentence that is all padding has only minus infinity before its softmax.
@sick("PQ204", also=["PQ119", "PQ208"])
def attention_to_an_empty_sentence():
    torch.manual_seed(24)

    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(30, 16, padding_idx=0)
            self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
            self.classify = nn.Linear(16, 3)

        def forward(self, tokens):
            h = self.embed(tokens)
            scores = self.query(h) @ self.key(h).transpose(1, 2) / math.sqrt(16)
            scores = scores.masked_fill((tokens == 0)[:, None, :], float("-inf"))
            return self.classify((scores.softmax(-1) @ self.value(h)).mean(1))

    tokens = torch.randint(1, 30, (16, 8))
    tokens[:, 5:] = 0
    tokens[11] = 0
    y = tokens[:, 0] % 3
    model, criterion = Attend(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters())
    with watch(model, criterion) as d:
        for _ in range(3):
            optimizer.zero_grad()
            criterion(model(tokens), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# Pixels of 0 to 255 take log-variances beyond 88, and their exponentials out of float32.
@sick("PQ204", also=["PQ119", "PQ208", "PQ203"])
def a_vae_of_pixels_that_are_not_scaled():
    torch.manual_seed(25)

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(64, 100)
            self.fc21, self.fc22 = nn.Linear(100, 8), nn.Linear(100, 8)
            self.fc3, self.fc4 = nn.Linear(8, 100), nn.Linear(100, 64)

        def forward(self, x):
            h1 = F.relu(self.fc1(x.view(-1, 64)))
            mu, logvar = self.fc21(h1), 10 * self.fc22(h1)
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
            return self.fc4(F.relu(self.fc3(z))), mu, logvar

    def loss_function(output, x):
        recon_x, mu, logvar = output
        error = F.mse_loss(recon_x, x.view(-1, 64), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return (error + kld) / len(x)

    x, _ = digits(64)
    x = (255 * x).round()
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, loss_function) as d:
        for _ in range(4):
            optimizer.zero_grad()
            d.loss(model(x), x).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ215")
def a_last_state_taken_as_data():
    torch.manual_seed(26)

    class Sentiment(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(100, 16)
            self.lstm = nn.LSTM(16, 32, batch_first=True)
            self.fc = nn.Linear(32, 1)

        def forward(self, text):
            _, (hidden, _) = self.lstm(self.embedding(text))
            return self.fc(hidden[-1].data)

    text = torch.randint(0, 100, (64, 12))
    label = (text[:, -1] > 50).float()
    model, criterion = Sentiment(), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters())
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            predictions = model(text[16 * i : 16 * i + 16]).squeeze(1)
            criterion(predictions, label[16 * i : 16 * i + 16]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# The vocabulary is of lower-case words and the texts are not: every word is unknown.
@sick("PQ121", "PQ208", also=["PQ206", "PQ213"])
def every_word_is_unknown():
    torch.manual_seed(27)
    good, bad = ["GREAT FILM", "LOVED IT", "SO GOOD"], ["BAD FILM", "HATED IT", "SO DULL"]
    texts = [w for pair in zip(good, bad, strict=True) for w in pair] * 8
    labels = torch.tensor([1.0, 0.0] * 24)
    vocabulary = {"<unk>": 0}
    for word in " ".join(texts).lower().split():
        vocabulary.setdefault(word, len(vocabulary))
    ids = torch.tensor([[vocabulary.get(word, 0) for word in text.split()] for text in texts])

    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(len(vocabulary), 20)
            self.fc = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))

        def forward(self, x):
            return self.fc(self.embedding(x).mean(dim=1)).squeeze(1)

    model, criterion = Bag(), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with watch(model, criterion) as d:
        for i in range(3):
            optimizer.zero_grad()
            criterion(model(ids[16 * i : 16 * i + 16]), labels[16 * i : 16 * i + 16]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# Embeddings of deviation 1, used as the output layer, too, make logits of deviation 8.
@sick("PQ115", also=["PQ208"])
def tied_embeddings_of_deviation_one():
    torch.manual_seed(28)

    class LM(nn.Module):
        def __init__(self, vocabulary=200, width=64):
            super().__init__()
            self.encoder = nn.Embedding(vocabulary, width)
            self.rnn = nn.GRU(width, width, batch_first=True)
            self.norm = nn.LayerNorm(width)
            self.decoder = nn.Linear(width, vocabulary, bias=False)
            self.decoder.weight = self.encoder.weight

        def forward(self, x):
            return self.decoder(self.norm(self.rnn(self.encoder(x))[0])).flatten(0, 1)

    model, criterion = LM(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion, untrained=True) as d:
        for _ in range(4):
            text = torch.randint(0, 200, (8, 17))
            optimizer.zero_grad()
            criterion(model(text[:, :-1]), text[:, 1:].flatten()).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
