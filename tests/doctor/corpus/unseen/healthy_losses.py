"""Unseen healthy trainings whose losses look odd."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import ConvNet, digits, healthy


@healthy
def a_critic_with_a_gradient_penalty():
    torch.manual_seed(60)
    critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer_d = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.0, 0.9))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.0, 0.9))

    def wasserstein(scores, sign):
        return (scores * sign).mean()

    with watch(critic, wasserstein) as d:
        for _ in range(4):
            real, fake = torch.randn(64, 2) + 1, generator(torch.randn(64, 8)).detach()
            optimizer_d.zero_grad()
            alpha = torch.rand(64, 1)
            between = (alpha * real + (1 - alpha) * fake).requires_grad_()
            slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
            penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
            signs = torch.cat([-torch.ones(64, 1), torch.ones(64, 1)])
            loss = d.loss(critic(torch.cat([real, fake])), signs) + 10 * penalty
            loss.backward()
            optimizer_d.step()
            optimizer_g.zero_grad()
            (-critic(generator(torch.randn(64, 8))).mean()).backward()
            optimizer_g.step()
    return {"diagnosis": d.diagnosis}


@healthy
def dcgan_with_one_sided_smoothing():
    torch.manual_seed(61)
    net_d = nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 1, 2, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip
    net_g = nn.Sequential(
        nn.ConvTranspose2d(16, 32, 2, 1, 0, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    for each in (*net_d.modules(), *net_g.modules()):
        if isinstance(each, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(each.weight, 0.0, 0.02)
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    x, _ = digits(128)
    with watch(net_d, criterion) as d:
        for i in range(4):
            net_d.zero_grad()
            real = 2 * x[32 * i : 32 * i + 32] - 1
            label = torch.full((32,), 0.9)
            criterion(net_d(real).view(-1), label).backward()
            fake = net_g(torch.randn(32, 16, 1, 1))
            label.fill_(0.0)
            criterion(net_d(fake.detach()).view(-1), label).backward()
            optimizer_d.step()
            net_g.zero_grad()
            label.fill_(1.0)
            criterion(net_d(fake).view(-1), label).backward()
            optimizer_g.step()
    return {"diagnosis": d.diagnosis}


@healthy
def distillation_of_soft_and_hard_labels():
    torch.manual_seed(62)
    teacher, student = ConvNet(0.0), ConvNet(0.1)
    teacher.eval()
    temperature, alpha = 4.0, 0.9

    def distil(scores, targets):
        soft, hard = targets
        kl = F.kl_div(
            F.log_softmax(scores / temperature, 1), F.softmax(soft / temperature, 1),
            reduction="batchmean",
        )  # fmt: skip
        return alpha * temperature**2 * kl + (1 - alpha) * F.cross_entropy(scores, hard)

    optimizer = torch.optim.SGD(student.parameters(), lr=0.05)
    x, y = digits(128)
    with watch(student, distil) as d:
        for i in range(4):
            images, labels = x[32 * i : 32 * i + 32], y[32 * i : 32 * i + 32]
            with torch.no_grad():
                soft = teacher(images)
            optimizer.zero_grad()
            d.loss(student(images), (soft, labels)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_mixture_density_head():
    torch.manual_seed(63)

    class MDN(nn.Module):
        def __init__(self, hidden=32, parts=5):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(1, hidden), nn.Tanh())
            self.pi = nn.Linear(hidden, parts)
            self.sigma, self.mu = nn.Linear(hidden, parts), nn.Linear(hidden, parts)

        def forward(self, x):
            h = self.hidden(x)
            return F.softmax(self.pi(h), -1), torch.exp(self.sigma(h)), self.mu(h)

    def mdn_loss(output, y):
        pi, sigma, mu = output
        density = torch.distributions.Normal(mu, sigma).log_prob(y)
        return -torch.logsumexp(torch.log(pi) + density, dim=1).mean()

    y = torch.rand(200, 1) * 20 - 10
    x = torch.sin(0.75 * y) * 7 + y * 0.5 + torch.randn(200, 1)
    model = MDN()
    optimizer = torch.optim.Adam(model.parameters())
    with watch(model, mdn_loss) as d:
        for _ in range(6):
            optimizer.zero_grad()
            d.loss(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def smoothing_over_a_thousand_classes():
    torch.manual_seed(64)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 1000))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    with watch(model, criterion, untrained=True) as d:
        for _ in range(4):
            optimizer.zero_grad()
            criterion(model(torch.randn(8, 64)), torch.randint(0, 1000, (8,))).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def pairs_of_views_against_the_batch():
    torch.manual_seed(65)

    class SimCLR(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU())
            self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))

        def forward(self, x):
            z = F.normalize(self.head(self.backbone(x)), dim=1)
            similarity = z @ z.T / 0.5
            return similarity.masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)

    model, criterion = SimCLR(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, weight_decay=1e-4)
    x, _ = digits(128)
    with watch(model, criterion) as d:
        for i in range(4):
            images = x[32 * i : 32 * i + 32]
            views = torch.cat([images + 0.1 * torch.randn_like(images), images.flip(-1)])
            labels = torch.cat([torch.arange(32, 64), torch.arange(32)])
            optimizer.zero_grad()
            criterion(model(views), labels).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def triplets_with_a_margin():
    torch.manual_seed(66)
    embed = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, 2))
    criterion = nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.Adam(embed.parameters(), lr=1e-3)
    x, y = digits(200)
    with watch(embed, criterion) as d:
        for _ in range(4):
            anchor = torch.randint(0, 100, (32,))
            positive = torch.tensor([int((y == y[a]).nonzero()[-1]) for a in anchor])
            negative = torch.tensor([int((y != y[a]).nonzero()[7]) for a in anchor])
            optimizer.zero_grad()
            criterion(embed(x[anchor]), embed(x[positive]), embed(x[negative])).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_beta_vae_whose_beta_begins_at_zero():
    torch.manual_seed(67)

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
            self.decoder = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64))

        def forward(self, x):
            mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
            return torch.sigmoid(self.decoder(z)), mu, logvar

    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    beta = 0.0

    def loss_function(output, x):
        recon, mu, logvar = output
        bce = F.binary_cross_entropy(recon, x.flatten(1), reduction="sum") / len(x)
        kld = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
        return bce + beta * kld

    x, _ = digits(128)
    with watch(model, loss_function) as d:
        for step in range(6):
            beta = min(1.0, step / 4)
            optimizer.zero_grad()
            batch = x[torch.randperm(128)[:32]]
            d.loss(model(batch), batch).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def characters_by_ctc():
    torch.manual_seed(68)

    class Recogniser(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(12, 32, bidirectional=True)
            self.out = nn.Linear(64, 20)

        def forward(self, x):
            return self.out(self.rnn(x)[0]).log_softmax(2)

    model, ctc = Recogniser(), nn.CTCLoss(blank=0, zero_infinity=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, ctc) as d:
        for _ in range(4):
            x, y = torch.randn(30, 8, 12), torch.randint(1, 20, (8, 9))
            lengths = torch.full((8,), 30)
            optimizer.zero_grad()
            ctc(model(x), y, lengths, torch.randint(4, 10, (8,))).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def ages_in_order():
    torch.manual_seed(69)

    class Coral(nn.Module):
        def __init__(self, ranks=10):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(20, 32), nn.ReLU())
            self.score = nn.Linear(32, 1, bias=False)
            self.cut = nn.Parameter(torch.zeros(ranks - 1))

        def forward(self, x):
            return self.score(self.body(x)) + self.cut

    x = torch.randn(96, 20)
    y = (5 + 2 * x[:, 0]).clamp(0, 9).long()
    levels = (torch.arange(9) < y[:, None]).float()
    model = Coral()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, criterion) as d:
        for i in range(3):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), levels[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def fraud_of_one_in_a_hundred_weighted():
    torch.manual_seed(70)
    y = (torch.rand(2000) < 0.01).float()
    x = torch.randn(2000, 10) + 2 * y[:, None]
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    criterion = nn.BCEWithLogitsLoss(pos_weight=(y == 0).sum() / y.sum())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for i in range(0, 2000, 250):
            optimizer.zero_grad()
            criterion(model(x[i : i + 250])[:, 0], y[i : i + 250]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def the_hardest_rows_only():
    torch.manual_seed(71)
    model = ConvNet()

    def ohem(logits, target):
        rows = F.cross_entropy(logits, target, reduction="none")
        return rows.topk(len(rows) // 4).values.mean()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x, y = digits(256)
    with watch(model, ohem) as d:
        for i in range(4):
            optimizer.zero_grad()
            d.loss(model(x[64 * i : 64 * i + 64]), y[64 * i : 64 * i + 64]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def two_tasks_weighed_by_their_noise():
    torch.manual_seed(72)

    class Multi(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU())
            self.kind, self.size = nn.Linear(64, 5), nn.Linear(64, 1)
            self.log_vars = nn.Parameter(torch.zeros(2))

        def forward(self, x):
            h = self.body(x)
            return {"kind": self.kind(h), "size": self.size(h).squeeze(-1)}

    model = Multi()

    def criterion(out, y):
        a = F.cross_entropy(out["kind"], y["kind"])
        b = F.mse_loss(out["size"], y["size"])
        s = model.log_vars
        return torch.exp(-s[0]) * a + 0.5 * torch.exp(-s[1]) * b + s.sum() / 2

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(4):
            x = torch.randn(32, 16)
            y = {"kind": x[:, :5].argmax(1), "size": x[:, 5]}
            optimizer.zero_grad()
            d.loss(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def counts_by_poisson():
    torch.manual_seed(73)
    x = torch.rand(300, 3)
    y = torch.poisson((x @ torch.tensor([2.0, -1.0, 0.5])).exp())
    model, criterion = nn.Linear(3, 1), nn.PoissonNLLLoss(log_input=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    with watch(model, criterion) as d:
        for _ in range(50):
            optimizer.zero_grad()
            criterion(model(x).squeeze(1), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_mean_and_a_variance():
    torch.manual_seed(74)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(1, 50), nn.SiLU())
            self.mean, self.var = nn.Linear(50, 1), nn.Linear(50, 1)

        def forward(self, x):
            h = self.body(x)
            return self.mean(h), F.softplus(self.var(h)) + 1e-6

    x = torch.linspace(-3, 3, 100)[:, None]
    y = x.sin() + 0.1 * x.abs() * torch.randn_like(x)
    model, criterion = Net(), nn.GaussianNLLLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, criterion) as d:
        for _ in range(8):
            optimizer.zero_grad()
            mean, var = model(x)
            criterion(mean, y, var).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def faces_with_an_angular_margin():
    torch.manual_seed(75)

    class ArcFace(nn.Module):
        def __init__(self, people=20):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU())
            self.weight = nn.Parameter(torch.empty(people, 64))
            nn.init.xavier_uniform_(self.weight)

        def forward(self, x, label):
            cosine = F.linear(F.normalize(self.body(x)), F.normalize(self.weight))
            angle = torch.acos(cosine.clamp(-1 + 1e-7, 1 - 1e-7))
            margin = 0.5 * F.one_hot(label, cosine.shape[1])
            return 30.0 * torch.cos((angle + margin).clamp(max=math.pi))

    model, criterion = ArcFace(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    centres = torch.randn(20, 32)
    with watch(model, criterion) as d:
        for _ in range(4):
            label = torch.randint(0, 20, (40,))
            x = centres[label] + 0.3 * torch.randn(40, 32)
            optimizer.zero_grad()
            criterion(model(x, label), label).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
