"""The third batch of unseen trainings, sick ones: mistakes inside of the model."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, sick


class Learner:
    """Fit a model as fastai does."""

    def __init__(self, model, criterion, lr=1e-3, optimizer=torch.optim.Adam):
        self.model, self.criterion = model, criterion
        self.optimizer = optimizer(model.parameters(), lr=lr)

    def fit(self, epochs, x, y, rows=32):
        self.model.train()
        for _ in range(epochs):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=rows):
                self.criterion(self.model(xb), yb).backward()
                self.optimizer.step()
                self.optimizer.zero_grad()


def learn(model, x, y, epochs=1, **options):
    """Return what is found while a learner fits."""
    criterion = nn.CrossEntropyLoss()
    with watch(model, criterion) as d:
        Learner(model, criterion, **options).fit(epochs, x, y)
    return {"diagnosis": d.diagnosis}


# The weights are drawn as AlexNet's were, and there is no ReLU that the constant was chosen for.
@sick("PQ201", also=["PQ121", "PQ208"])
def a_deviation_of_a_hundredth_in_ten_layers():
    torch.manual_seed(300)
    sizes = [64, *[100] * 10, 10]
    layers = [nn.Sequential(nn.Linear(a, b), nn.Tanh()) for a, b in pairwise(sizes[:-1])]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(100, 10))
    for part in model.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, 0, 0.01)
            nn.init.zeros_(part.bias)
    return learn(model, *digits(128))


@sick("PQ201", also=["PQ121", "PQ208"])
def a_vgg_of_sigmoids():
    torch.manual_seed(301)

    class VGG(nn.Module):
        def __init__(self):
            super().__init__()
            layers, width = [], 1
            for size in (16, 16, "M", 32, 32, "M", 32, 32, 32, 32, 32, 32):
                if size == "M":
                    layers += [nn.MaxPool2d(2)]
                else:
                    layers += [nn.Conv2d(width, size, 3, padding=1), nn.Sigmoid()]
                    width = size
            self.features = nn.Sequential(*layers)
            self.classifier = nn.Linear(32 * 4, 10)

        def forward(self, x):
            return self.classifier(self.features(x).flatten(1))

    return learn(VGG(), *digits(128), lr=0.05, optimizer=torch.optim.SGD)


@sick("PQ202", also=["PQ203", "PQ204", "PQ208"])
def forty_residual_blocks_without_a_norm():
    torch.manual_seed(302)

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, width)
            nn.init.kaiming_normal_(self.fc1.weight, nonlinearity="relu")
            nn.init.kaiming_normal_(self.fc2.weight, nonlinearity="relu")

        def forward(self, x):
            return x + self.fc2(F.relu(self.fc1(x)))

    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 64), *[Block(64) for _ in range(40)], nn.Linear(64, 10)
    )
    return learn(model, *digits(128))


@sick("PQ202", also=["PQ203", "PQ204", "PQ208"])
def orthogonal_weights_with_a_gain_of_three():
    torch.manual_seed(303)
    layers = []
    for _ in range(12):
        linear = nn.Linear(48, 48)
        nn.init.orthogonal_(linear.weight, gain=3.0)
        layers += [linear, nn.LeakyReLU(0.2)]
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), *layers, nn.Linear(48, 10))
    return learn(model, *digits(128), optimizer=torch.optim.SGD)


@sick("PQ203", also=["PQ121", "PQ201", "PQ208", "PQ215"])
def biases_of_minus_ten_before_the_relu():
    torch.manual_seed(304)

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 16, 3, padding=1)
            self.act = nn.ReLU(inplace=True)
            self.head = nn.Linear(16 * 64, 10)
            for part in (self.conv, self.head):
                nn.init.constant_(part.bias, -10.0)

        def forward(self, x):
            return self.head(self.act(self.conv(x)).flatten(1))

    return learn(Detector(), *digits(128))


@sick("PQ203", also=["PQ208"])
def lenet_of_tanh_on_raw_pixels():
    torch.manual_seed(305)

    class LeNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1, self.c2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 16, 3, padding=1)
            self.pool, self.tanh = nn.AvgPool2d(2), nn.Tanh()
            self.f1, self.f2 = nn.Linear(64, 84), nn.Linear(84, 10)

        def forward(self, x):
            x = self.pool(self.tanh(self.c1(x)))
            x = self.pool(self.tanh(self.c2(x)))
            return self.f2(self.tanh(self.f1(x.flatten(1))))

    x, y = digits(128)
    return learn(LeNet(), x * 255 * 20, y)


@sick("PQ204", also=["PQ119"])
def a_logarithm_of_counts_that_are_zero():
    torch.manual_seed(306)

    class LogCounts(nn.Module):
        def forward(self, x):
            return x.log()

    model = nn.Sequential(LogCounts(), nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
    return learn(model, torch.poisson(torch.full((96, 20), 1.5)), torch.randint(0, 3, (96,)))


@sick("PQ204", also=["PQ119"])
def a_column_without_deviation_is_standardised():
    torch.manual_seed(307)

    class Standardise(nn.Module):
        def __init__(self, data):
            super().__init__()
            self.register_buffer("mean", data.mean(0))
            self.register_buffer("std", data.std(0))

        def forward(self, x):
            return (x - self.mean) / self.std

    x = torch.randn(128, 8)
    x[:, 5] = 1.0
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(Standardise(x), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 2))
    return learn(model, x, y)


# The distance of a thing to itself is 0, where the slope of the root is infinite.
@sick("PQ204", also=["PQ119"])
def a_distance_of_equal_rows():
    torch.manual_seed(308)

    class Prototypes(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(16, 8)
            self.centres = nn.Parameter(torch.zeros(4, 8))

        def forward(self, x):
            z = self.embed(x)
            return -(z[:, None] - self.centres).pow(2).sum(-1).sqrt()

    x, y = torch.randn(64, 16), torch.randint(0, 4, (64,))
    x[7] = 0
    model = Prototypes()
    nn.init.zeros_(model.embed.bias)
    return learn(model, x, y)


# As `from_pretrained` of some library returns it.
@sick("PQ209")
def a_checkpoint_that_is_loaded_in_eval_mode():
    torch.manual_seed(309)

    def load():
        model = ConvNet(0.5)
        model.load_state_dict(ConvNet(0.5).state_dict())
        return model.eval()

    x, y = digits(128)
    model, criterion = load(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    with watch(model, criterion) as d:
        for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32):
            optimizer.zero_grad(set_to_none=True)
            criterion(model(xb), yb).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ209")
def a_validation_that_moves_the_batch_norms():
    torch.manual_seed(310)
    x, y = digits(192)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
        nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loaders = {
        "train": DataLoader(TensorDataset(x[:128], y[:128]), batch_size=32, shuffle=True),
        "val": DataLoader(TensorDataset(x[128:], y[128:]), batch_size=16),
    }
    with watch(model, criterion) as d:
        for _epoch in range(3):
            for phase in ("train", "val"):
                for inputs, labels in loaders[phase]:
                    optimizer.zero_grad()
                    with torch.set_grad_enabled(phase == "train"):
                        loss = criterion(model(inputs), labels)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ210")
def a_whole_net_in_bfloat16():
    torch.manual_seed(311)
    model = nn.Sequential(nn.Embedding(500, 64), nn.Flatten(), nn.Linear(512, 500)).bfloat16()
    tokens = torch.randint(0, 500, (256, 9))
    return learn(model, tokens[:, :8], tokens[:, 8], lr=1e-2, optimizer=torch.optim.SGD)


@sick("PQ211")
def a_thousand_words_in_float16_without_a_scaler():
    torch.manual_seed(312)

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(2000, 32)
            self.up, self.out = nn.Linear(32, 32), nn.Linear(32, 2000)

        def forward(self, x):
            return self.out(torch.tanh(self.up(self.embed(x)))).float()

    model, criterion = Tagger().half(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, criterion) as d:
        for _ in range(3):
            words = torch.randint(0, 2000, (4096,))
            optimizer.zero_grad()
            criterion(model(words), words.roll(1)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ215", also=["PQ206"])
def words_chosen_by_argmax_between_two_nets():
    torch.manual_seed(313)

    class Cascade(nn.Module):
        def __init__(self):
            super().__init__()
            self.write = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 40))
            self.read = nn.Sequential(nn.Embedding(40, 32), nn.Linear(32, 10))

        def forward(self, x):
            return self.read(self.write(x.flatten(1)).argmax(1))

    return learn(Cascade(), *digits(128))


@sick("PQ215")
def features_turned_into_numpy():
    torch.manual_seed(314)

    class Hybrid(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Linear(64, 48)
            self.classify = nn.Linear(48, 10)

        def forward(self, x):
            h = self.features(x.flatten(1)).detach().numpy()
            return self.classify(torch.from_numpy(abs(h) ** 0.5))

    return learn(Hybrid(), *digits(128))
