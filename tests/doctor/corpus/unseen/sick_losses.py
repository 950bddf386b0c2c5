"""Unseen sick trainings: the loss is not given what it takes, or is not the one that is meant."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, sick


def batches(x, y, size=32, **options):
    return DataLoader(TensorDataset(x, y), batch_size=size, **options)


# Two softmaxes cannot say more than e : 1 : … : 1, so that no batch is learnt by heart.
@sick("PQ101", also=["PQ208", "PQ213"])
def digits_with_a_softmax_in_forward():
    torch.manual_seed(0)

    class Net(ConvNet):
        def forward(self, x):
            return F.softmax(super().forward(x), dim=1)

    model, criterion = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for data, target in batches(*digits()):
            optimizer.zero_grad()
            loss = criterion(model(data), target)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ104", also=["PQ208", "PQ213"])
def churn_with_two_sigmoids():
    torch.manual_seed(1)
    x = torch.randn(200, 12)
    y = (x[:, 0] + 0.5 * x[:, 1] > 0).float()
    model = nn.Sequential(
        nn.Linear(12, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 1), nn.Sigmoid()
    )
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _epoch in range(2):
            for xb, yb in batches(x, y, 50, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(model(xb), yb.unsqueeze(1))
                loss.backward()
                optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ108", also=["PQ208"])
def the_digit_zero_is_ignored():
    torch.manual_seed(2)
    model, criterion = ConvNet(), nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, criterion) as d:
        for data, target in batches(*digits()):
            optimizer.zero_grad()
            criterion(model(data), target).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# Each output meets each label, so that the order of the labels does not matter.
@sick("PQ111", also=["PQ206", "PQ208", "PQ213"])
def house_prices_of_two_shapes():
    torch.manual_seed(3)
    x = torch.randn(128, 8)
    y = x @ torch.randn(8) + 0.1 * torch.randn(128)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    import warnings

    with watch(model, criterion) as d, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for xb, yb in batches(x, y, 32):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ103", also=["PQ208", "PQ204"])
def nll_without_log_softmax():
    torch.manual_seed(4)
    model = ConvNet()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    with watch(model, F.nll_loss) as d:
        for data, target in batches(*digits()):
            optimizer.zero_grad()
            loss = d.loss(model(data), target)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ110", also=["PQ121", "PQ206", "PQ208", "PQ213", "PQ215", "PQ201"])
def spam_with_a_softmax_of_one_unit():
    torch.manual_seed(5)
    x = torch.rand(120, 30)
    y = (x[:, :3].sum(1) > 1.5).float().view(-1, 1)
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softmax(dim=1))
    loss_fn = nn.BCELoss()
    optimizer = torch.optim.RMSprop(model.parameters())
    with watch(model, loss_fn) as d:
        for xb, yb in batches(x, y, 40):
            y_pred = model(xb)
            loss = loss_fn(y_pred, yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ112", also=["PQ208"])
def tags_along_the_wrong_axis():
    torch.manual_seed(6)

    class Tagger(nn.Module):
        def __init__(self, words, tags):
            super().__init__()
            self.embed = nn.Embedding(words, 24)
            self.lstm = nn.LSTM(24, 32, batch_first=True, bidirectional=True)
            self.out = nn.Linear(64, tags)

        def forward(self, sentence):
            return self.out(self.lstm(self.embed(sentence))[0])

    words = torch.randint(0, 40, (64, 9))
    tags = words % 9
    model, criterion = Tagger(40, 9), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with watch(model, criterion) as d:
        for sentence, tag in batches(words, tags, 16):
            model.zero_grad()
            loss = criterion(model(sentence), tag)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ122", also=["PQ206", "PQ208"])
def pseudo_labels_of_the_same_pass():
    torch.manual_seed(7)
    x, _y = digits()
    model = ConvNet(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, F.cross_entropy) as d:
        for (images,) in DataLoader(TensorDataset(x), batch_size=64):
            output = model(images)
            target = output.argmax(dim=1)
            loss = d.loss(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ125", also=["PQ208"])
def topics_that_can_be_several():
    torch.manual_seed(8)
    docs = torch.rand(96, 50)
    topics = (docs[:, :6] > 0.5).float()
    model = nn.Sequential(nn.Linear(50, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 6))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for doc, topic in batches(docs, topics, 32):
            optimizer.zero_grad()
            criterion(model(doc), topic).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ105", also=["PQ206", "PQ208"])
def a_student_without_the_logarithm():
    torch.manual_seed(9)
    teacher, student = ConvNet(), ConvNet()
    teacher.eval()
    criterion, temperature = nn.KLDivLoss(), 4.0
    optimizer = torch.optim.Adam(student.parameters())
    with watch(student, criterion) as d:
        for images, _ in batches(*digits()):
            with torch.no_grad():
                soft = F.softmax(teacher(images) / temperature, dim=1)
            optimizer.zero_grad()
            loss = criterion(F.softmax(student(images), dim=1), soft)
            loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# With every label ignored, torch's mean is 0/0.
@sick("PQ113", also=["PQ119", "PQ204", "PQ206", "PQ208", "PQ215"])
def a_masked_language_model_that_masks_nothing():
    torch.manual_seed(10)
    vocabulary, mask_id = 50, 49
    layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    model = nn.Sequential(nn.Embedding(vocabulary, 32), encoder, nn.Linear(32, vocabulary))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def criterion(logits, labels):
        return F.cross_entropy(logits.view(-1, vocabulary), labels.view(-1), ignore_index=-100)

    with watch(model, criterion) as d:
        for _ in range(4):
            tokens = torch.randint(0, 48, (8, 16))
            inputs, labels = tokens.clone(), tokens.clone()
            masked = torch.rand(tokens.shape) < 0.15
            labels[inputs != mask_id] = -100
            inputs[masked] = mask_id
            optimizer.zero_grad()
            d.loss(model(inputs), labels).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ212", also=["PQ208", "PQ116"])
def squared_error_over_a_hundred_sigmoids():
    torch.manual_seed(11)
    centres = torch.randn(100, 20)
    y = torch.arange(200) % 100
    x = centres[y] + 0.1 * torch.randn(200, 20)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 100), nn.Sigmoid())
    # The prior of 1 in 100 is given to the bias, as people do for rare classes.
    nn.init.constant_(model[2].bias, -4.6)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, criterion) as d:
        for xb, yb in batches(x, y, 50):
            optimizer.zero_grad()
            criterion(model(xb), F.one_hot(yb, 100).float()).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


# With one episode in a batch, a return less its mean is zero, whatever it was.
@sick("PQ206", also=["PQ208", "PQ215", "PQ119", "PQ204", "PQ121"])
def returns_normalised_over_one_step():
    torch.manual_seed(12)

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.affine1, self.affine2 = nn.Linear(4, 64), nn.Linear(64, 2)

        def forward(self, state, action):
            scores = self.affine2(F.relu(self.affine1(state)))
            return F.log_softmax(scores, dim=1).gather(1, action)

    def criterion(log_prob, returns):
        returns = (returns - returns.mean(dim=1, keepdim=True)) / (
            returns.std(dim=1, keepdim=True, unbiased=False) + 1e-6
        )
        return -(log_prob * returns).mean()

    policy = Policy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    with watch(policy, criterion) as d:
        for _episode in range(5):
            states = torch.randn(32, 4)
            actions = torch.randint(0, 2, (32, 1))
            returns = (states[:, :1] > 0).float() * actions
            optimizer.zero_grad()
            d.loss(policy(states, actions), returns).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
