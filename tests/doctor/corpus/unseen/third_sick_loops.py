"""The third batch of unseen trainings, sick ones: mistakes in the loss, the data or the loop."""

import warnings

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, sick


class Seq2Seq(nn.Module):
    """Read tokens, and write as many."""

    def __init__(self, vocabulary=30, width=32):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "embed": nn.Embedding(vocabulary, width), "rnn": nn.GRU(width, width, batch_first=True),
        })  # fmt: skip
        self.decoder = nn.ModuleDict({
            "embed": nn.Embedding(vocabulary, width), "rnn": nn.GRU(width, width, batch_first=True),
            "out": nn.Linear(width, vocabulary),
        })  # fmt: skip

    def forward(self, source, target):
        _, state = self.encoder["rnn"](self.encoder["embed"](source))
        hidden, _ = self.decoder["rnn"](self.decoder["embed"](target), state)
        return self.decoder["out"](hidden)


@sick("PQ214")
def the_decoders_gradients_are_never_cleared():
    torch.manual_seed(320)
    model, criterion = Seq2Seq(), nn.CrossEntropyLoss()
    encoder = torch.optim.SGD(model.encoder.parameters(), lr=0.01)
    decoder = torch.optim.SGD(model.decoder.parameters(), lr=0.01)
    with watch(model, criterion) as d:
        for _ in range(5):
            source, target = torch.randint(0, 30, (16, 7)), torch.randint(0, 30, (16, 8))
            encoder.zero_grad()
            logits = model(source, target[:, :-1])
            criterion(logits.flatten(0, 1), target[:, 1:].flatten()).backward()
            encoder.step()
            decoder.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ205")
def padded_lines_divided_by_the_number_of_batches():
    torch.manual_seed(321)

    class LM(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.place = nn.Embedding(50, 32), nn.Embedding(40, 32)
            self.layer = nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True)
            self.head = nn.Linear(32, 50)

        def forward(self, tokens):
            length = tokens.shape[1]
            mask = nn.Transformer.generate_square_subsequent_mask(length)
            x = self.embed(tokens) + self.place(torch.arange(length))
            return self.head(self.layer(x, src_mask=mask, is_causal=True))

    model = LM()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def lm_loss(logits, labels):
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=0)

    with watch(model, lm_loss) as d:
        for step in range(12):
            top = 5 if step % 3 else 36
            lengths = torch.randint(3, top, (4,)).tolist()
            lines = pad_sequence([torch.randint(1, 50, (n,)) for n in lengths], batch_first=True)
            loss = d.loss(model(lines[:, :-1]), lines[:, 1:])
            (loss / 3).backward()
            if step % 3 == 2:
                optimizer.step()
                optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


# The mean of a weighted loss is divided by the weights of its own few rows.
@sick("PQ205")
def weighted_means_of_four_rows_accumulated():
    torch.manual_seed(322)
    x, y = torch.randn(192, 12), (torch.rand(192) < 0.15).long()
    x[:, 0] += 2 * y
    model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 2))
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.1, 5.0]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(48):
            rows = slice(4 * i, 4 * i + 4)
            (criterion(model(x[rows]), y[rows]) / 8).backward()
            if i % 8 == 7:
                optimizer.step()
                optimizer.zero_grad()
    return {"diagnosis": d.diagnosis}


@sick("PQ206", also=["PQ208"])
def a_mean_of_all_log_probabilities():
    torch.manual_seed(323)
    x, y = digits(128)
    model = ConvNet(0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def nll(logits, labels):
        assert len(logits) == len(labels)
        return -F.log_softmax(logits, dim=-1).mean()

    with watch(model, nll) as d:
        for i in range(4):
            optimizer.zero_grad()
            d.loss(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# `scatter` without its underscore returns what is then let go.
@sick("PQ206", also=["PQ208", "PQ201", "PQ214", "PQ215"])
def one_hot_rows_that_stay_empty():
    torch.manual_seed(324)
    x, y = digits(128)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_of(logits, labels):
        rows = torch.zeros_like(logits)
        rows.scatter(1, labels[:, None], 1.0)
        return -(rows * logits.log_softmax(1)).sum(1).mean()

    with watch(model, loss_of) as d:
        for i in range(4):
            optimizer.zero_grad()
            d.loss(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ207")
def a_tagger_of_summed_words():
    torch.manual_seed(325)

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(100, 16)
            self.lstm = nn.LSTM(16, 16, batch_first=True, bidirectional=True)
            self.tag = nn.Linear(32, 5)

        def forward(self, words):
            return self.tag(self.lstm(self.embed(words))[0]).view(-1, 5)

    model, criterion = Tagger(), nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    with watch(model, criterion) as d:
        for _ in range(5):
            words = torch.randint(0, 100, (16, 9))
            model.zero_grad()
            criterion(model(words), (words % 5).view(-1)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ207")
def a_hinge_summed_over_the_batch():
    torch.manual_seed(326)
    x = torch.randn(128, 10)
    y = torch.sign(x[:, 0] + 0.3 * x[:, 1])
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, weight_decay=1e-4)

    def svm(margin, sign):
        return torch.clamp(1 - sign * margin.squeeze(1), min=0).sum()

    with watch(model, svm) as d:
        for i in range(4):
            optimizer.zero_grad()
            d.loss(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ208", also=["PQ121", "PQ213", "PQ203"])
def bytes_divided_as_integers():
    torch.manual_seed(327)
    x, y = digits(256)
    images = (x * 254).to(torch.uint8)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(0, 256, 32):
            inputs = (images[i : i + 32] // 255).float()
            optimizer.zero_grad()
            criterion(model(inputs), y[i : i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# The softmax is all but certain, and its squared error sends nothing back where it is wrong.
@sick("PQ212", also=["PQ116", "PQ203", "PQ208"])
def digits_by_the_squares_of_a_sure_softmax():
    torch.manual_seed(328)
    x, y = digits(128)
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1)
    )
    with torch.no_grad():
        net[3].weight.mul_(60)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            target = F.one_hot(y[32 * i : 32 * i + 32], 10).float()
            criterion(net(x[32 * i : 32 * i + 32]), target).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# All reviews end in padding, and the state after it is the same for all.
@sick("PQ213", also=["PQ121", "PQ208", "PQ201", "PQ203"])
def the_state_after_a_hundred_pads():
    torch.manual_seed(329)

    class Sentiment(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(200, 16)
            self.rnn = nn.GRU(16, 16, batch_first=True)
            self.fc = nn.Linear(16, 2)

        def forward(self, text):
            return self.fc(self.rnn(self.embed(text))[1][-1])

    words = torch.randint(1, 200, (64, 8))
    y = (words.float().mean(1) > 112).long()
    text = F.pad(words, (0, 100))
    model, criterion = Sentiment(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, criterion) as d:
        for _ in range(80):
            optimizer.zero_grad()
            criterion(model(text), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ101", also=["PQ212"])
def softmax_over_time_before_the_loss():
    torch.manual_seed(330)

    class Speech(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(13, 32, 5, padding=2)
            self.head = nn.Conv1d(32, 12, 1)

        def forward(self, x):
            return F.softmax(self.head(F.gelu(self.conv(x))), dim=1)

    model, criterion = Speech(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(4):
            optimizer.zero_grad()
            criterion(model(torch.randn(8, 13, 40)), torch.randint(0, 12, (8, 40))).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ111", also=["PQ207"])
def values_and_returns_of_two_shapes():
    torch.manual_seed(331)
    critic = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    criterion = nn.SmoothL1Loss()
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3)
    with warnings.catch_warnings(), watch(critic, criterion) as d:
        warnings.simplefilter("ignore")
        for _ in range(4):
            states, returns = torch.randn(32, 4), torch.randn(32) * 3
            optimizer.zero_grad()
            criterion(critic(states), returns).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ115", also=["PQ212", "PQ202"])
def a_new_head_drawn_from_a_unit_normal():
    torch.manual_seed(332)
    x, y = digits(128)
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    model.fc2.weight = nn.Parameter(torch.randn(10, 64) * 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion, untrained=True) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ204", also=["PQ119"])
def a_broken_image_in_the_seventh_batch():
    torch.manual_seed(333)
    x, y = digits(320)
    x[200] = float("nan")
    model, criterion = ConvNet(0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(10):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
