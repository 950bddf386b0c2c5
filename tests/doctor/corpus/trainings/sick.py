"""Sick trainings: each holds a mistake that a run shows."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.doctor.corpus.trainings import loops
from tests.doctor.corpus.trainings.loops import accumulate, clusters, mlp, scaled, seed, train

CASES: list = []
CE = nn.CrossEntropyLoss


def sick(*codes, also=()):
    return loops.sick(CASES, *codes, also=also)


# --- gradients that vanish, explode, or do not come


@sick("PQ201", also=["PQ121", "PQ208", "PQ203"])
def sixteen_sigmoid_layers():
    seed(1)
    return train(mlp(16, *[24] * 16, 4, act=nn.Sigmoid), CE(), *clusters())


@sick("PQ201", also=["PQ121", "PQ208"])
def thirty_tanh_layers_of_small_weights():
    seed(2)
    return train(scaled(mlp(16, *[24] * 30, 4, act=nn.Tanh), 0.7), CE(), *clusters())


@sick("PQ201", also=["PQ121", "PQ208", "PQ203"])
def a_convolution_behind_a_chain_of_sigmoids():
    seed(3)
    x, y = clusters(32, 64)
    layers = [part for _ in range(10) for part in (nn.Conv1d(4, 4, 3, padding=1), nn.Sigmoid())]
    net = nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), *layers, nn.Flatten(), nn.Linear(256, 4))
    return train(net, CE(), x[:, None], y)


@sick("PQ202", also=["PQ115", "PQ208", "PQ204", "PQ119"])
def wide_weights_without_normalisation():
    seed(4)
    return train(scaled(mlp(16, *[32] * 14, 4), 7), CE(), *clusters(), lr=1e-9)


@sick("PQ202", also=["PQ115", "PQ208"])
def linear_layers_of_gain_four():
    seed(5)
    net = scaled(mlp(16, *[32] * 12, 4, act=nn.Identity), 7)
    return train(net, CE(), *clusters(), lr=1e-9)


@sick("PQ203", also=["PQ115", "PQ208"])
def pixels_of_255_into_tanh():
    seed(6)
    x, y = clusters()
    return train(mlp(16, 32, 4, act=nn.Tanh), CE(), 255 * x, y)


@sick("PQ203", also=["PQ208", "PQ121"])
def sigmoids_whose_weights_are_huge():
    seed(7)
    net = mlp(16, 48, 48, 4, act=nn.Sigmoid)
    scaled(net[:3], 60)
    return train(net, CE(), *clusters())


@sick("PQ203", also=["PQ208", "PQ121", "PQ215"])
def a_bias_that_kills_a_relu():
    seed(8)
    net = mlp(16, 64, 4)
    nn.init.constant_(net[0].bias, -50.0)
    return train(net, CE(), *clusters())


@sick("PQ203", "PQ215", also=["PQ208", "PQ121", "PQ115"])
def a_learning_rate_that_killed_every_unit():
    seed(9)
    net = mlp(16, 64, 4)
    x, y = clusters()
    first = torch.optim.SGD(net.parameters(), lr=5.0)
    for _ in range(3):
        first.zero_grad()
        CE()(net(x), y).backward()
        first.step()
    nn.init.constant_(net[0].bias, -1e6)
    return train(net, CE(), x, y, lr=1e-3)


class Cut(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.body, self.head, self.how = mlp(16, 32, 32), nn.Linear(32, 4), how

    def forward(self, x):
        return self.head(self.how(self.body(x)))


@sick("PQ215")
def features_that_are_detached():
    seed(10)
    return train(Cut(lambda h: h.detach()), CE(), *clusters())


@sick("PQ215")
def features_that_go_through_numpy():
    seed(11)
    return train(Cut(lambda h: torch.tensor(h.detach().numpy())), CE(), *clusters())


@sick("PQ215")
def features_that_are_rounded():
    seed(12)
    return train(Cut(torch.round), CE(), *clusters())


# --- numbers that are not finite


class Middle(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@sick("PQ204", also=["PQ119", "PQ208"])
def a_root_of_negative_numbers():
    seed(13)
    net = nn.Sequential(nn.Linear(16, 16), Middle(torch.sqrt), nn.Linear(16, 4))
    return train(net, CE(), *clusters())


@sick("PQ204", also=["PQ119", "PQ208"])
def a_division_by_a_spread_of_zero():
    seed(14)
    x, y = clusters()
    x[:, 3] = 1.0
    norm = Middle(lambda h: (h - h.mean(0)) / h.std(0))
    return train(nn.Sequential(norm, nn.Linear(16, 4)), CE(), x, y)


@sick("PQ204", also=["PQ119", "PQ115", "PQ208"])
def a_learning_rate_that_overflows():
    seed(15)
    x, y = clusters()
    return train(mlp(16, 32, 1), nn.MSELoss(), 1000 * x, y[:, None].float(), lr=1e6, updates=8)


@sick("PQ204", also=["PQ208", "PQ119"])
def a_gradient_of_a_norm_of_zero():
    seed(16)
    x, y = clusters()
    x[5] = 0
    unit = Middle(lambda h: h / (h.square().sum(1, keepdim=True).sqrt() + 1e-6))
    net = nn.Sequential(nn.Linear(16, 16, bias=False), unit, nn.Linear(16, 4))
    return train(net, CE(), x, y)


# --- how batches are put together


@sick("PQ205")
def a_short_last_batch_of_four():
    seed(17)
    x, y = clusters(52)
    parts = list(zip(x.split(16), y.split(16), strict=True))
    return accumulate(mlp(16, 24, 4), CE(), parts, [1 / 4] * 4)


@sick("PQ205")
def sequences_with_padding():
    seed(18)
    net = nn.Sequential(
        nn.Embedding(20, 16), nn.Linear(16, 20), Middle(lambda h: h.transpose(1, 2))
    )
    parts = []
    for length in (30, 3, 12):
        tokens = torch.randint(20, (4, 31))
        labels = tokens[:, 1:].clone()
        labels[:, length:] = -100
        parts.append((tokens[:, :-1], labels))
    return accumulate(net, CE(), parts, [1 / 3] * 3)


@sick("PQ205")
def weighted_classes_that_differ_by_batch():
    seed(19)
    x, y = clusters(64)
    order = y.argsort()
    weight = torch.tensor([0.1, 0.1, 1.0, 10.0])
    parts = list(zip(x[order].split(32), y[order].split(32), strict=True))
    return accumulate(mlp(16, 24, 4), CE(weight=weight), parts, [1 / 2] * 2)


@sick("PQ207", also=["PQ115"])
def a_sum_over_rows():
    seed(20)
    return train(mlp(16, 24, 4), CE(reduction="sum"), *clusters(), lr=1e-4)


@sick("PQ207")
def a_sum_of_squares():
    seed(21)
    x, _ = clusters()
    target = x[:, :2].sin()
    return train(mlp(16, 24, 2), nn.MSELoss(reduction="sum"), x, target, lr=1e-5)


@sick("PQ207")
def a_sum_by_hand():
    seed(22)

    def loss(out, y):
        return -out.log_softmax(1).gather(1, y[:, None]).sum()

    return train(mlp(16, 24, 4), loss, *clusters(), lr=1e-4)


# --- losses that do not see, and models that do not learn


@sick("PQ206", also=["PQ208"])
def a_mean_before_the_labels():
    seed(23)
    return train(mlp(16, 24, 4), lambda out, y: CE()(out.mean(0).expand_as(out), y), *clusters())


@sick("PQ206", also=["PQ208"])
def an_entropy_that_forgets_its_labels():
    seed(24)

    def loss(out, y):
        p = out.softmax(1)
        return -(p * p.log()).sum(1).mean() + 0.0 * y.sum()

    return train(mlp(16, 24, 4), loss, *clusters())


@sick("PQ206", also=["PQ208", "PQ215"])
def a_mask_that_is_zero():
    seed(25)

    def loss(out, y):
        mask = (y > 9).float()
        return (F.cross_entropy(out, y, reduction="none") * mask).sum() / mask.sum().clamp(min=1)

    return train(mlp(16, 24, 4), loss, *clusters())


@sick("PQ208", also=["PQ121"])
def inputs_that_are_all_zero():
    seed(26)
    x, y = clusters()
    return train(mlp(16, 24, 4), CE(), 0 * x, y)


@sick("PQ208", also=["PQ121", "PQ201", "PQ215"])
def normalised_over_the_batch_of_one_feature():
    seed(27)
    squash = Middle(lambda h: h - h)
    return train(nn.Sequential(nn.Linear(16, 32), squash, nn.Linear(32, 4)), CE(), *clusters())


@sick("PQ208", also=["PQ121"])
def an_integer_cast_of_inputs_in_zero_one():
    seed(28)
    x, y = clusters()
    cast = Middle(lambda x: x.sigmoid().long().float())
    return train(nn.Sequential(cast, nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)), CE(), x, y)


@sick("PQ213")
def labels_that_were_shuffled_apart():
    seed(29)
    net, loss = mlp(16, 24, 4), CE()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with loops.watch(net, loss) as d:
        for _ in range(200):
            x, y = clusters()
            optimizer.zero_grad()
            loss(net(torch.randn_like(x)), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@sick("PQ213", "PQ208", also=["PQ121"])
def a_blank_image():
    seed(30)
    _, y = clusters()
    net = scaled(mlp(16, 24, 4), 1)
    nn.init.constant_(net[2].bias[:1], 3.0)
    return train(net, CE(), torch.ones(64, 16), y, updates=200, lr=0.3)


# --- modes, precision, squared error, and what is left over


@sick("PQ209")
def learning_in_eval_mode_with_batch_norm():
    seed(31)
    net = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))
    return train(net.eval(), CE(), *clusters())


@sick("PQ209")
def validation_in_train_mode():
    seed(32)
    net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 4))
    loss, (x, y) = CE(), clusters()
    optimizer = torch.optim.Adam(net.parameters())
    with loops.watch(net, loss) as d:
        for _ in range(4):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                loss(net(x), y)
    return {"diagnosis": d.diagnosis}


@sick("PQ209")
def a_pretrained_body_left_in_eval_mode():
    seed(33)
    net = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Dropout(0.2), nn.Linear(32, 2))
    x, y = clusters(classes=2)
    return train(net.eval(), CE(), x, y, optimizer=torch.optim.AdamW(net.parameters()))


@sick("PQ210")
def a_model_of_bfloat16():
    seed(34)
    x, y = clusters()
    return train(mlp(16, 32, 4).bfloat16(), CE(), x.bfloat16(), y)


@sick("PQ210")
def a_language_model_of_bfloat16():
    seed(35)
    net = nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 50)).bfloat16()
    tokens = torch.randint(50, (8, 13))
    return train(net, CE(), tokens[:, :-1], tokens[:, 1:].reshape(-1),
                 after=lambda out: out.reshape(-1, 50))  # fmt: skip


@sick("PQ211", also=["PQ215"])
def float16_without_a_scaler_and_a_tiny_weight():
    seed(36)

    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp(16, 32, 32, 4)

        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.float16):
                return self.net(x).float()

    x, y = clusters(1024)
    return train(Half(), CE(), x, y, times=1e-4)


@sick("PQ212", also=["PQ116"])
def squared_error_of_a_softmax_of_twenty_classes():
    seed(37)
    x, y = clusters(classes=20, rows=80)
    net = nn.Sequential(nn.Linear(16, 20), nn.Softmax(1))
    return train(net, nn.MSELoss(), x, F.one_hot(y, 20).float())


@sick("PQ212", also=["PQ116", "PQ208"])
def squared_error_of_sure_sigmoids():
    seed(38)
    x, y = clusters(classes=2)
    net = nn.Sequential(scaled(nn.Linear(16, 1), 300), nn.Sigmoid())
    return train(net, nn.MSELoss(), x, y[:, None].float())


@sick("PQ214")
def no_zero_grad():
    seed(39)
    return train(mlp(16, 32, 4), CE(), *clusters(), zero=False)


@sick("PQ214")
def no_zero_grad_with_adam():
    seed(40)
    net = mlp(16, 32, 32, 4)
    return train(net, CE(), *clusters(), zero=False, optimizer=torch.optim.Adam(net.parameters()))


@sick("PQ101")
def a_softmax_at_the_end_of_the_model():
    seed(41)
    return train(nn.Sequential(mlp(16, 32, 4), nn.Softmax(1)), CE(), *clusters())


@sick("PQ115")
def logits_of_standard_deviation_thirty():
    seed(42)
    return train(scaled(mlp(16, 32, 4), 6), CE(), *clusters(), lr=1e-4, untrained=True)
