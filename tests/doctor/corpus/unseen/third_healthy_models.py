"""The third batch of unseen trainings, healthy ones whose models or losses look odd."""

import torch
import torch.nn.functional as F
from torch import nn

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import digits, healthy


def fit(model, criterion, batches, optimizer=None, by_module=True):
    """Return what is found while the model learns the batches."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for x, y in batches:
            optimizer.zero_grad()
            (criterion if by_module else d.loss)(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


def batches_of_digits(rows=32, number=5):
    """Return batches of images and classes."""
    x, y = digits(rows * number)
    return list(zip(x.split(rows), y.split(rows), strict=True))


# The gates begin almost closed, as the paper says.
@healthy
def a_highway_net_of_twenty_gates():
    torch.manual_seed(340)

    class Highway(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.plain, self.gate = nn.Linear(width, width), nn.Linear(width, width)
            self.sigmoid = nn.Sigmoid()
            nn.init.constant_(self.gate.bias, -3.0)

        def forward(self, x):
            t = self.sigmoid(self.gate(x))
            return F.relu(self.plain(x)) * t + x * (1 - t)

    layers = [Highway(50) for _ in range(20)]
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 50), *layers, nn.Linear(50, 10))
    return fit(model, nn.CrossEntropyLoss(), batches_of_digits())


@healthy
def thirty_layers_that_normalise_themselves():
    torch.manual_seed(341)
    layers = []
    for _ in range(30):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SELU(), nn.AlphaDropout(0.02)]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(64, 10))
    return fit(model, nn.CrossEntropyLoss(), batches_of_digits())


@healthy
def a_flow_whose_loss_is_below_zero():
    torch.manual_seed(342)

    class Coupling(nn.Module):
        def __init__(self, swap):
            super().__init__()
            self.swap = swap
            self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 2))
            nn.init.zeros_(self.net[2].weight)
            nn.init.zeros_(self.net[2].bias)

        def forward(self, x):
            a, b = x.chunk(2, 1)[:: -1 if self.swap else 1]
            scale, shift = self.net(a).chunk(2, 1)
            b = b * torch.tanh(scale).exp() + shift
            return torch.cat((b, a) if self.swap else (a, b), 1), torch.tanh(scale).sum(1)

    class RealNVP(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(Coupling(i % 2 == 1) for i in range(6))

        def forward(self, x):
            total = torch.zeros(len(x))
            for layer in self.layers:
                x, more = layer(x)
                total = total + more
            return torch.cat([x, total[:, None]], 1)

    def nll(out, _x):
        z, log_det = out[:, :2], out[:, 2]
        return -(torch.distributions.Normal(0, 1).log_prob(z).sum(1) + log_det).mean()

    data = [0.05 * torch.randn(128, 2) for _ in range(5)]
    return fit(RealNVP(), nll, [(x, x) for x in data], by_module=False)


@healthy
def a_hinge_gan_with_spectral_norms():
    torch.manual_seed(343)
    norm = nn.utils.parametrizations.spectral_norm
    critic = nn.Sequential(
        norm(nn.Linear(64, 64)), nn.LeakyReLU(0.1), norm(nn.Linear(64, 64)), nn.LeakyReLU(0.1),
        norm(nn.Linear(64, 1)),
    )  # fmt: skip
    maker = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
    opt_d = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.0, 0.9))
    opt_g = torch.optim.Adam(maker.parameters(), lr=2e-4, betas=(0.0, 0.9))
    x, _ = digits(160)

    def hinge(scores, sign):
        return F.relu(1 - sign * scores).mean()

    with watch(critic, hinge) as d:
        for real in x.flatten(1).split(32):
            made = maker(torch.randn(32, 16))
            opt_d.zero_grad()
            both = critic(torch.cat([real, made.detach()]))
            sign = torch.cat([torch.ones(32, 1), -torch.ones(32, 1)])
            d.loss(both, sign).backward()
            opt_d.step()
            opt_g.zero_grad()
            (-critic(made).mean()).backward()
            opt_g.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_small_net_that_copies_logits():
    torch.manual_seed(344)
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)).eval()
    student = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Hardtanh(), nn.Linear(16, 10))
    with torch.no_grad():
        batches = [(x, teacher(x)) for x, _ in batches_of_digits()]
    return fit(student, nn.MSELoss(), batches)


@healthy
def findings_of_fourteen_diseases_most_absent():
    torch.manual_seed(345)
    x = torch.randn(160, 32)
    y = ((x[:, :14] + 0.5 * torch.randn(160, 14)) > 2).float()
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 14))
    criterion = nn.BCEWithLogitsLoss(pos_weight=torch.full((14,), 20.0))
    return fit(model, criterion, zip(x.split(32), y.split(32), strict=True))


@healthy
def pairs_that_are_pulled_and_pushed():
    torch.manual_seed(346)

    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.tower = nn.Sequential(nn.Linear(64, 32), nn.PReLU(), nn.Linear(32, 2))

        def forward(self, pair):
            a, b = self.tower(pair[:, 0]), self.tower(pair[:, 1])
            return F.pairwise_distance(a, b)

    def contrastive(distance, same):
        return (same * distance**2 + (1 - same) * F.relu(1.0 - distance) ** 2).mean()

    batches = []
    for x, y in batches_of_digits(64):
        flat = x.flatten(1)
        same = (y[:32] == y[32:]).float()
        batches.append((torch.stack([flat[:32], flat[32:]], 1), same))
    return fit(Siamese(), contrastive, batches, by_module=False)


@healthy
def labels_that_annotators_disagree_on():
    torch.manual_seed(347)
    batches = []
    for x, y in batches_of_digits():
        votes = (
            F.one_hot(y, 10) * 6
            + torch.distributions.Multinomial(4, probs=torch.ones(32, 10)).sample()
        )
        batches.append((x, votes / votes.sum(1, keepdim=True)))
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 10))
    return fit(model, nn.CrossEntropyLoss(), batches)


@healthy
def skip_grams_with_negative_samples():
    torch.manual_seed(348)

    class SkipGram(nn.Module):
        def __init__(self, words=300, width=24):
            super().__init__()
            self.u = nn.Embedding(words, width, sparse=True)
            self.v = nn.Embedding(words, width, sparse=True)
            nn.init.uniform_(self.u.weight, -0.5 / width, 0.5 / width)
            nn.init.zeros_(self.v.weight)

        def forward(self, pairs):
            return (self.v(pairs[:, 1:]) @ self.u(pairs[:, 0])[:, :, None]).squeeze(2)

    model = SkipGram()
    batches = []
    for _ in range(6):
        pairs = torch.randint(0, 300, (64, 7))
        pairs[:, 1] = (pairs[:, 0] + 1) % 300
        truth = torch.zeros(64, 6)
        truth[:, 0] = 1
        batches.append((pairs, truth))
    optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.05)
    return fit(model, nn.BCEWithLogitsLoss(), batches, optimizer)


@healthy
def noise_predicted_at_a_random_time():
    torch.manual_seed(349)

    class Denoiser(nn.Module):
        def __init__(self):
            super().__init__()
            self.time = nn.Embedding(100, 32)
            self.inward, self.out = nn.Linear(64, 128), nn.Linear(128, 64)
            self.film = nn.Linear(32, 128)
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)

        def forward(self, inputs):
            noisy, t = inputs
            return self.out(F.silu(self.inward(noisy) + self.film(self.time(t))))

    kept = torch.linspace(0.99, 0.01, 100)
    batches = []
    for x, _ in batches_of_digits():
        t, noise = torch.randint(0, 100, (32,)), torch.randn(32, 64)
        a = kept[t][:, None]
        batches.append(((a.sqrt() * (2 * x.flatten(1) - 1) + (1 - a).sqrt() * noise, t), noise))
    return fit(Denoiser(), nn.MSELoss(), batches)


@healthy
def streets_most_of_which_are_void():
    torch.manual_seed(350)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU6(),
        nn.Conv2d(16, 16, 3, padding=2, dilation=2), nn.ReLU6(), nn.Conv2d(16, 19, 1),
    )  # fmt: skip
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    batches = []
    for _ in range(4):
        image = torch.randn(2, 3, 24, 24)
        label = (image[:, 0] > 0).long() * 7 + (image[:, 1] > 0).long()
        label[:, :18] = 255
        batches.append((image, label))
    return fit(model, criterion, batches)


@healthy
def views_that_agree_with_a_stopped_gradient():
    torch.manual_seed(351)

    class SimSiam(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU())
            self.h = nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 32))

        def forward(self, views):
            z1, z2 = self.f(views[:, 0]), self.f(views[:, 1])
            return torch.stack([self.h(z1), self.h(z2), z2.detach(), z1.detach()], 1)

    def agreement(out, _):
        p1, p2, z2, z1 = out.unbind(1)
        return -(F.cosine_similarity(p1, z2).mean() + F.cosine_similarity(p2, z1).mean()) / 2

    batches = []
    for x, y in batches_of_digits():
        flat = x.flatten(1)
        views = torch.stack([flat + 0.1 * torch.randn_like(flat) for _ in range(2)], 1)
        batches.append((views, y))
    return fit(SimSiam(), agreement, batches, by_module=False)


@healthy
def one_layer_applied_twelve_times():
    torch.manual_seed(352)

    class Universal(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(40, 32)
            self.block = nn.TransformerEncoderLayer(
                32, 4, 64, dropout=0.1, batch_first=True, norm_first=True
            )
            self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 40, bias=False)

        def forward(self, x):
            h = self.embed(x)
            for _ in range(12):
                h = self.block(h)
            return self.head(self.norm(h)).transpose(1, 2)

    words = [torch.randint(0, 40, (8, 12)) for _ in range(4)]
    return fit(Universal(), nn.CrossEntropyLoss(), [(w, w.flip(1)) for w in words])


@healthy
def quantiles_of_a_skewed_number():
    torch.manual_seed(353)
    quantiles = torch.tensor([0.1, 0.5, 0.9])

    def pinball(predicted, y):
        error = y[:, None] - predicted
        return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()

    batches = []
    for _ in range(5):
        x = torch.rand(64, 1)
        batches.append((x, torch.distributions.LogNormal(x[:, 0], 0.5).sample()))
    model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 3))
    return fit(model, pinball, batches, by_module=False)


# As RetinaNet begins: the bias says that one in a hundred is an object.
@healthy
def anchors_with_a_prior_in_the_bias():
    torch.manual_seed(354)
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    nn.init.normal_(model[2].weight, std=0.01)
    nn.init.constant_(model[2].bias, -4.6)

    def focal(logits, target):
        p = logits.sigmoid()
        ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        right = p * target + (1 - p) * (1 - target)
        weight = 0.25 * target + 0.75 * (1 - target)
        return (weight * (1 - right) ** 2 * ce).sum() / target.sum().clamp(min=1)

    batches = []
    for _ in range(5):
        x = torch.randn(256, 16)
        batches.append((x, (x[:, :4] > 2.2).float()))
    return fit(model, focal, batches, by_module=False)


@healthy
def who_lives_longer_than_whom():
    torch.manual_seed(355)

    def cox(risk, outcome):
        order = outcome[:, 0].argsort(descending=True)
        risk, event = risk[order, 0], outcome[order, 1]
        return -((risk - torch.logcumsumexp(risk, 0)) * event).sum() / event.sum()

    batches = []
    for _ in range(5):
        x = torch.randn(64, 6)
        time = torch.distributions.Exponential(x[:, 0].exp()).sample()
        batches.append((x, torch.stack([time, (time < 1.5).float()], 1)))
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 1))
    return fit(model, cox, batches, by_module=False)


@healthy
def points_without_an_order():
    torch.manual_seed(356)

    class PointNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.mlp = nn.Sequential(
                nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, 256, 1)
            )
            self.head = nn.Sequential(nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 4))

        def forward(self, x):
            return F.log_softmax(self.head(self.mlp(x).max(2).values), dim=-1)

    batches = []
    for _ in range(5):
        y = torch.randint(0, 4, (16,))
        cloud = torch.randn(16, 3, 64)
        cloud[:, 0] *= y[:, None] + 0.3
        batches.append((cloud, y))
    return fit(PointNet(), nn.NLLLoss(), batches)
