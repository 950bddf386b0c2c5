"""Unseen healthy trainings whose models look odd."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from plogq.doctor import watch
from tests.doctor.corpus.unseen.cases import digits, healthy


class SelfAttention(nn.Module):
    def __init__(self, width, heads=2):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (
            part.view(b, t, self.heads, c // self.heads).transpose(1, 2)
            for part in self.c_attn(x).split(c, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = SelfAttention(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, layers=2, width=32, vocabulary=65, recompute=False):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(32, width)
        self.h = nn.ModuleList([Block(width) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.wte.weight
        self.recompute = recompute
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                deep = name.endswith(("c_proj.weight", "mlp.2.weight"))
                nn.init.normal_(weight, 0.0, 0.02 / (math.sqrt(2 * layers) if deep else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, idx):
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1]))
        for block in self.h:
            x = checkpoint(block, x, use_reentrant=False) if self.recompute else block(x)
        return self.lm_head(self.ln_f(x))


def language(model, updates=4, rows=8):
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95))
    text = torch.tensor([ord(c) % 65 for c in "the quick brown fox jumps over a lazy dog. " * 40])

    def criterion(logits, targets):
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))

    with watch(model, criterion, untrained=True) as d:
        for _ in range(updates):
            starts = torch.randint(0, len(text) - 33, (rows,))
            x = torch.stack([text[i : i + 32] for i in starts])
            y = torch.stack([text[i + 1 : i + 33] for i in starts])
            optimizer.zero_grad(set_to_none=True)
            d.loss(model(x), y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_gpt_with_tied_heads():
    torch.manual_seed(80)
    return language(GPT())


@healthy
def a_gpt_of_twenty_four_thin_layers():
    torch.manual_seed(81)
    return language(GPT(layers=24, width=16), updates=3, rows=4)


@healthy
def blocks_that_are_computed_twice():
    torch.manual_seed(82)
    return language(GPT(recompute=True))


@healthy
def a_resnet_whose_branches_begin_at_zero():
    torch.manual_seed(83)

    class Basic(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            nn.init.zeros_(self.bn2.weight)

        def forward(self, x):
            return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))

    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), Basic(16), Basic(16),
        Basic(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    x, y = digits(128)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def random_features_and_a_readout():
    torch.manual_seed(84)
    lift = nn.Linear(8, 4096).requires_grad_(False)
    readout = nn.Linear(4096, 3)
    model = nn.Sequential(lift, nn.ReLU(), readout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(readout.parameters(), lr=1e-3)
    x = torch.randn(64, 8)
    y = x[:, :3].argmax(1)
    with watch(model, criterion) as d:
        for _ in range(4):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_small_bert_of_transformers():
    torch.manual_seed(85)
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32,
    )  # fmt: skip
    model = BertForMaskedLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    with watch(model) as d:
        for _ in range(4):
            ids = torch.randint(5, 120, (8, 24))
            labels, masked = ids.clone(), torch.rand(8, 24) < 0.15
            labels[~masked] = -100
            ids[masked] = 4
            optimizer.zero_grad()
            model(input_ids=ids, labels=labels).loss.backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def bags_of_sparse_words():
    torch.manual_seed(86)

    class TextClassifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.EmbeddingBag(5000, 32, sparse=True)
            self.fc = nn.Linear(32, 4)
            self.embedding.weight.data.uniform_(-0.5, 0.5)
            self.fc.weight.data.uniform_(-0.5, 0.5)
            self.fc.bias.data.zero_()

        def forward(self, text, offsets):
            return self.fc(self.embedding(text, offsets))

    model, criterion = TextClassifier(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=5.0)
    with watch(model, criterion) as d:
        for _ in range(4):
            lengths = torch.randint(3, 30, (16,))
            text = torch.randint(0, 5000, (int(lengths.sum()),))
            offsets = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)[:-1]])
            label = torch.randint(0, 4, (16,))
            optimizer.zero_grad()
            criterion(model(text, offsets), label).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def adapters_of_low_rank_in_attention():
    torch.manual_seed(87)

    class LoRA(nn.Module):
        def __init__(self, base, rank=4):
            super().__init__()
            self.base = base.requires_grad_(False)
            self.lora_A = nn.Parameter(torch.randn(rank, base.in_features) / rank)
            self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + x @ self.lora_A.T @ self.lora_B.T * 2.0

    model = GPT().requires_grad_(False)
    for block in model.h:
        block.attn.c_attn = LoRA(block.attn.c_attn)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(model, criterion) as d:
        for _ in range(4):
            ids = torch.randint(0, 65, (4, 33))
            optimizer.zero_grad()
            criterion(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def experts_that_get_no_rows():
    torch.manual_seed(88)

    class Switch(nn.Module):
        def __init__(self, experts=8):
            super().__init__()
            self.gate = nn.Linear(16, experts)
            self.experts = nn.ModuleList(
                [nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16)) for _ in range(8)]
            )
            self.head = nn.Linear(16, 4)

        def forward(self, x):
            weight, index = self.gate(x).softmax(1).max(1)
            out = torch.zeros_like(x)
            for i, expert in enumerate(self.experts):
                rows = index == i
                if rows.any():
                    out[rows] = expert(x[rows]) * weight[rows, None]
            return self.head(x + out)

    model, criterion = Switch(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, criterion) as d:
        for _ in range(4):
            x = torch.randn(12, 16)
            optimizer.zero_grad()
            criterion(model(x), x[:, :4].argmax(1)).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def layers_that_are_dropped_by_chance():
    torch.manual_seed(89)

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 3)
            self.blocks = nn.ModuleList([nn.Linear(32, 32) for _ in range(6)])

        def forward(self, x):
            h = self.first(x)
            for i, block in enumerate(self.blocks):
                keep = 1 - 0.5 * (i + 1) / 6
                if not self.training:
                    h = h + keep * block(h).relu()
                elif torch.rand(1) < keep:
                    h = h + block(h).relu()
            return self.last(h)

    model, criterion = Deep(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = torch.randn(48, 16)
    y = x[:, :3].argmax(1)
    with watch(model, criterion) as d:
        for _ in range(5):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            criterion(model(x), y)
    return {"diagnosis": d.diagnosis}


@healthy
def weights_rounded_to_four_bits():
    torch.manual_seed(90)

    class Round(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):
            return (x / scale).round().clamp(-8, 7) * scale

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    class QuantLinear(nn.Linear):
        def forward(self, x):
            scale = self.weight.detach().abs().max() / 7
            return F.linear(x, Round.apply(self.weight, scale), self.bias)

    model = nn.Sequential(nn.Flatten(), QuantLinear(64, 64), nn.ReLU6(), QuantLinear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = digits(128)
    with watch(model, criterion) as d:
        for i in range(4):
            optimizer.zero_grad()
            criterion(model(x[32 * i : 32 * i + 32]), y[32 * i : 32 * i + 32]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def a_graph_of_four_labelled_nodes():
    torch.manual_seed(91)
    nodes = 34
    links = torch.rand(nodes, nodes) < 0.15
    links = (links | links.T).float().fill_diagonal_(1)
    degree = links.sum(1).rsqrt()
    adjacency = degree[:, None] * links * degree

    class GCN(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Linear(nodes, 16), nn.Linear(16, 4)

        def forward(self, x):
            x = F.dropout(F.relu(adjacency @ self.conv1(x)), p=0.5, training=self.training)
            return F.log_softmax(adjacency @ self.conv2(x), dim=1)

    x, y = torch.eye(nodes), torch.arange(nodes) % 4
    train_mask = torch.zeros(nodes, dtype=torch.bool)
    train_mask[[0, 5, 10, 15]] = True
    model = GCN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    with watch(model, F.nll_loss) as d:
        for _epoch in range(5):
            model.train()
            optimizer.zero_grad()
            out = model(x)
            d.loss(out[train_mask], y[train_mask]).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def codes_with_a_straight_through_gradient():
    torch.manual_seed(92)

    class VQVAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
            self.codebook = nn.Embedding(16, 8)
            self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64))

        def forward(self, x):
            z = self.encoder(x.flatten(1))
            q = self.codebook(torch.cdist(z, self.codebook.weight).argmin(1))
            extra = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
            return self.decoder(z + (q - z).detach()), extra

    model = VQVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    x, _ = digits(128)

    def criterion(out, x):
        return F.mse_loss(out[0], x.flatten(1)) + out[1]

    with watch(model, criterion) as d:
        for i in range(4):
            batch = x[32 * i : 32 * i + 32]
            optimizer.zero_grad()
            d.loss(model(batch), batch).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def packed_sentences_of_an_lstm():
    torch.manual_seed(93)

    class Sentiment(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(200, 24, padding_idx=0)
            self.rnn = nn.LSTM(24, 32, num_layers=2, bidirectional=True, dropout=0.5)
            self.fc, self.dropout = nn.Linear(64, 1), nn.Dropout(0.5)

        def forward(self, text, lengths):
            embedded = self.dropout(self.embedding(text))
            packed = nn.utils.rnn.pack_padded_sequence(embedded, lengths, enforce_sorted=False)
            _, (hidden, _) = self.rnn(packed)
            return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], 1))).squeeze(1)

    model, criterion = Sentiment(), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters())
    with watch(model, criterion) as d:
        for _ in range(4):
            lengths = torch.randint(2, 15, (16,))
            text = torch.randint(1, 200, (15, 16))
            text[torch.arange(15)[:, None] >= lengths] = 0
            optimizer.zero_grad()
            criterion(model(text, lengths), (text[0] > 100).float()).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}


@healthy
def two_volumes_a_batch_and_batch_norm():
    torch.manual_seed(94)
    model = nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.Conv3d(8, 8, 3, padding=1),
        nn.BatchNorm3d(8), nn.ReLU(), nn.Conv3d(8, 1, 1),
    )  # fmt: skip

    def dice_and_bce(logits, mask):
        p = logits.sigmoid()
        dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
        return dice + F.binary_cross_entropy_with_logits(logits, mask)

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, dice_and_bce) as d:
        for _ in range(4):
            volume = torch.randn(2, 1, 8, 8, 8)
            mask = (F.avg_pool3d(volume, 3, 1, 1) > 0.3).float()
            optimizer.zero_grad()
            d.loss(model(volume), mask).backward()
            optimizer.step()
    return {"diagnosis": d.diagnosis}
