"""Healthy trainings that look odd: nothing is to be found in them."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from tests.doctor.corpus.case import Case
from tests.doctor.corpus.trainings.loops import accumulate, clusters, mlp, seed, train, watch

CASES: list = []
CE = nn.CrossEntropyLoss


def healthy(given):
    CASES.append(Case(given.__name__, "healthy", frozenset(), given))
    return given


def adam(model, lr=1e-3):
    return torch.optim.Adam(model.parameters(), lr=lr)


@healthy
def a_discriminator_beside_its_generator():
    seed(101)
    judge, maker = mlp(2, 32, 32, 1), mlp(4, 32, 2)
    loss = nn.BCEWithLogitsLoss()
    of_judge, of_maker = adam(judge), adam(maker)
    real = torch.randn(64, 2) @ torch.tensor([[1.0, 0.5], [0.0, 1.0]])
    with watch(judge, loss) as d:
        for _ in range(5):
            fake = maker(torch.randn(64, 4))
            of_judge.zero_grad()
            loss(judge(real), torch.ones(64, 1)).backward()
            loss(judge(fake.detach()), torch.zeros(64, 1)).backward()
            of_judge.step()
            of_maker.zero_grad()
            loss(judge(fake), torch.ones(64, 1)).backward()
            of_maker.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_generator_watched_through_its_judge():
    seed(102)
    maker, judge = mlp(4, 32, 2), mlp(2, 32, 1)
    optimizer = adam(maker)

    def loss(fake, target):
        return F.binary_cross_entropy_with_logits(judge(fake), target)

    with watch(maker, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            d.loss(maker(torch.randn(64, 4)), torch.ones(64, 1)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def distillation_of_soft_targets():
    seed(103)
    teacher, student = mlp(16, 64, 6), mlp(16, 16, 6)
    x = torch.randn(64, 16)
    with torch.no_grad():
        soft = (teacher(x) / 2).softmax(1)

    def loss(out, target):
        return 4 * F.kl_div((out / 2).log_softmax(1), target, reduction="batchmean")

    return train(student, loss, x, soft)


@healthy
def distillation_by_kl_of_the_model():
    seed(104)
    x = torch.randn(64, 16)
    with torch.no_grad():
        soft = mlp(16, 64, 6)(x).log_softmax(1)
    net = nn.Sequential(mlp(16, 16, 6), nn.LogSoftmax(1))
    return train(net, nn.KLDivLoss(reduction="batchmean", log_target=True), x, soft)


@healthy
def a_mixture_of_softmaxes():
    seed(105)

    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.parts = nn.Linear(16, 3), nn.Linear(16, 12)

        def forward(self, x):
            parts = self.parts(x).view(-1, 3, 4).log_softmax(2)
            return torch.logsumexp(self.gate(x).log_softmax(1)[..., None] + parts, 1)

    return train(Mixture(), nn.NLLLoss(), *clusters())


@healthy
def a_mixture_density_network():
    seed(106)

    def loss(out, y):
        weight, mean, width = out.chunk(3, 1)
        logs = -0.5 * ((y - mean) / width.exp()).square() - width
        return -torch.logsumexp(weight.log_softmax(1) + logs, 1).mean()

    x = torch.randn(64, 2)
    return train(mlp(2, 32, 9), loss, x, x[:, :1].sin(), optimizer=None, lr=0.01)


@healthy
def label_smoothing():
    seed(107)
    return train(mlp(16, 32, 4), CE(label_smoothing=0.2), *clusters(), updates=60)


@healthy
def eighty_residual_layers():
    seed(108)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.body = nn.LayerNorm(24), nn.Linear(24, 24)

        def forward(self, x):
            return x + self.body(self.norm(x)).relu() / 4

    net = nn.Sequential(nn.Linear(16, 24), *[Block() for _ in range(80)], nn.Linear(24, 4))
    return train(net, CE(), *clusters(32))


@healthy
def forty_plain_layers_of_he_weights():
    seed(109)
    net = mlp(16, *[96] * 40, 4)
    for each in net[:-1:2]:
        nn.init.kaiming_normal_(each.weight, nonlinearity="relu")
    return train(net, CE(), *clusters(32), lr=1e-3)


@healthy
def a_very_wide_layer():
    seed(110)
    return train(mlp(16, 8192, 4), CE(), *clusters(32), lr=1e-3)


@healthy
def batch_norm_with_two_rows():
    seed(111)
    net = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))
    x, y = clusters()
    optimizer, loss = adam(net), CE()
    with watch(net, loss) as d:
        for i in range(8):
            optimizer.zero_grad()
            loss(net(x[2 * i : 2 * i + 2]), y[2 * i : 2 * i + 2]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_last_layer_of_zeros():
    seed(112)
    net = mlp(16, 32, 32, 4)
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    return train(net, CE(), *clusters())


@healthy
def low_rank_adapters():
    seed(113)

    class Adapted(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = mlp(16, 32, 4).requires_grad_(False)
            self.down = nn.Linear(16, 2, bias=False)
            self.up = nn.Linear(2, 4, bias=False)
            nn.init.zeros_(self.up.weight)

        def forward(self, x):
            return self.body(x) + self.up(self.down(x))

    net = Adapted()
    return train(net, CE(), *clusters(), optimizer=adam(net, 0.01))


@healthy
def a_frozen_body_under_no_grad():
    seed(114)

    class Probe(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = mlp(16, 48), nn.Linear(48, 4)

        def forward(self, x):
            with torch.no_grad():
                features = self.body(x).relu()
            return self.head(features)

    return train(Probe(), CE(), *clusters())


@healthy
def frozen_batch_norm_in_fine_tuning():
    seed(115)
    net = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))
    x, y = clusters()
    for _ in range(30):
        net(x)
    net[1].eval()
    return train(net, CE(), x, y)


@healthy
def accumulation_of_equal_batches():
    seed(116)
    x, y = clusters()
    parts = list(zip(x.split(16), y.split(16), strict=True))
    return accumulate(mlp(16, 24, 4), CE(), parts, [1 / 4] * 4)


@healthy
def accumulation_divided_by_all_tokens():
    seed(117)

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Embedding(20, 16), nn.Linear(16, 20))

        def forward(self, x):
            return self.net(x).transpose(1, 2)

    parts = []
    for length in (30, 3, 12):
        tokens = torch.randint(20, (4, 31))
        labels = tokens[:, 1:].clone()
        labels[:, length:] = -100
        parts.append((tokens[:, :-1], labels))
    return accumulate(Reader(), CE(reduction="sum"), parts, [1 / 180] * 3)


@healthy
def accumulation_weighted_by_rows():
    seed(118)
    x, y = clusters(52)
    parts = list(zip(x.split(16), y.split(16), strict=True))
    return accumulate(mlp(16, 24, 4), CE(), parts, [len(each) / 52 for each, _ in parts])


@healthy
def a_sum_that_is_divided_by_the_rows():
    seed(119)
    return train(mlp(16, 24, 4), CE(reduction="sum"), *clusters(), times=1 / 64)


@healthy
def a_logistic_regression_of_two_numbers():
    seed(120)
    x = torch.randn(200, 2)
    y = (torch.rand(200) < (0.3 * x[:, 0]).sigmoid()).float()[:, None]
    return train(nn.Linear(2, 1), nn.BCEWithLogitsLoss(), x, y, updates=60)


@healthy
def noisy_clicks():
    seed(121)
    x = torch.randn(512, 20)
    y = (torch.rand(512) < (0.3 * x[:, 0] - 1.5).sigmoid()).float()[:, None]
    net = mlp(20, 32, 1)
    nn.init.constant_(net[-1].bias, -1.5)
    return train(net, nn.BCEWithLogitsLoss(), x, y, updates=60)


@healthy
def many_labels_at_once():
    seed(122)
    x = torch.randn(64, 16)
    return train(mlp(16, 32, 6), nn.BCEWithLogitsLoss(), x, (x[:, :6] > 0.5).float())


@healthy
def a_transformer_of_characters():
    seed(123)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(30, 32), nn.Embedding(16, 32)
            layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
            self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(32, 30)

        def forward(self, x):
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
            h = self.tokens(x) + self.places(torch.arange(x.shape[1]))
            return self.head(self.body(h, mask=mask, is_causal=True))

    tokens = (torch.arange(17) + torch.arange(16)[:, None]) % 30
    net = Net()
    return train(net, CE(), tokens[:, :-1], tokens[:, 1:].reshape(-1), optimizer=adam(net),
                 after=lambda out: out.reshape(-1, 30))  # fmt: skip


@healthy
def a_recurrent_tagger_with_padding():
    seed(124)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.body = nn.Embedding(40, 16), nn.LSTM(16, 24, batch_first=True)
            self.head = nn.Linear(24, 5)

        def forward(self, x):
            return self.head(self.body(self.words(x))[0]).transpose(1, 2)

    tokens = torch.randint(40, (8, 12))
    labels = tokens % 5
    labels[:, 9:] = -100
    return train(Net(), CE(), tokens, labels, lr=0.5)


@healthy
def masked_actions():
    seed(125)

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp(16, 32, 6)

        def forward(self, x):
            return self.net(x).masked_fill(torch.arange(6) > 3, -torch.inf)

    return train(Policy(), CE(), *clusters())


@healthy
def a_highway_of_gates():
    seed(126)

    class Highway(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.body = nn.Linear(24, 24), nn.Linear(24, 24)
            nn.init.constant_(self.gate.bias, -3.0)

        def forward(self, x):
            gate = self.gate(x).sigmoid()
            return gate * self.body(x).relu() + (1 - gate) * x

    net = nn.Sequential(nn.Linear(16, 24), *[Highway() for _ in range(8)], nn.Linear(24, 4))
    return train(net, CE(), *clusters())


@healthy
def mixed_precision_of_bfloat16():
    seed(127)
    net, loss, (x, y) = mlp(16, 32, 4), CE(), clusters()
    optimizer = adam(net)
    with watch(net, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                value = loss(net(x), y)
            value.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def float16_with_a_scale():
    seed(128)

    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp(16, 32, 4)

        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.float16):
                return self.net(x).float()

    net, loss, (x, y) = Half(), CE(), clusters()
    scaler = torch.amp.GradScaler("cpu")
    optimizer = adam(net)
    with watch(net, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            scaler.scale(loss(net(x), y)).backward()
            scaler.step(optimizer)
            scaler.update()
    return {"diagnosis": d.diagnosis}


@healthy
def fine_tuning_of_a_trained_model():
    seed(129)
    net, (x, y) = mlp(16, 32, 4), clusters()
    optimizer = adam(net, 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        CE()(net(x), y).backward()
        optimizer.step()
    return train(copy.deepcopy(net), CE(), x, y, lr=1e-3)


@healthy
def a_variational_autoencoder():
    seed(130)

    class Coder(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Linear(16, 8), mlp(4, 16, 16)

        def forward(self, x):
            mean, width = self.down(x).chunk(2, 1)
            return self.up(mean + torch.randn_like(mean) * width.exp()), mean, width

    net, x = Coder(), torch.randn(64, 16)
    optimizer = adam(net)

    def loss(out, target):
        found, mean, width = out
        kl = 0.5 * (mean.square() + (2 * width).exp() - 1 - 2 * width).sum(1)
        return ((found - target).square().sum(1) + kl).mean()

    with watch(net, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            d.loss(net(x), x).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_distance_of_two_samples():
    seed(131)

    def loss(out, real):
        return (out.mean(0) - real.mean(0)).square().sum() + (
            out.std(0) - real.std(0)
        ).square().sum()

    return train(mlp(4, 32, 2), loss, torch.randn(64, 4), 2 + torch.randn(64, 2), lr=0.01)


@healthy
def contrastive_pairs():
    seed(132)

    class Pairs(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Linear(16, 8), nn.Linear(16, 8)

        def forward(self, both):
            a, b = (
                F.normalize(self.left(both[:, 0]), dim=1),
                F.normalize(self.right(both[:, 1]), dim=1),
            )
            return a @ b.T / 0.2

    x = torch.randn(32, 16)
    return train(
        Pairs(), CE(), torch.stack([x, x + 0.1 * torch.randn(32, 16)], 1), torch.arange(32)
    )


@healthy
def two_heads_and_one_loss_for_each():
    seed(133)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.a, self.b = nn.Linear(16, 32), nn.Linear(32, 4), nn.Linear(32, 2)

        def forward(self, x):
            h = self.body(x).relu()
            return self.a(h), self.b(h)

    net, loss, (x, y) = Two(), CE(), clusters()
    optimizer = adam(net)
    with watch(net, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            a, b = net(x)
            (loss(a, y) + 0.3 * loss(b, y % 2)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
