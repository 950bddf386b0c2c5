"""The same in Lightning: `python examples/lightning_head.py`.

A transformer over the characters of Python's standard library; its training loss comes from the
hidden states, and a validation that wants logits has them.
"""

import sysconfig
from pathlib import Path

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import plogq.torch as pt
from plogq.lightning import ScoreCallback

LENGTH = 64


class Reader(lightning.LightningModule):
    """A causal transformer over bytes."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, width)
        self.place = nn.Embedding(LENGTH, width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(width, 256)
        self.losses: list[float] = []

    def forward(self, text: Tensor) -> Tensor:
        """Give the hidden state of each character, (B, T, width)."""
        mask = nn.Transformer.generate_square_subsequent_mask(text.shape[1]).to(text.device)
        x = self.embed(text) + self.place.weight[: text.shape[1]]
        return self.layers(x, mask=mask, is_causal=True)

    def training_step(self, text: Tensor) -> Tensor:
        """Give the mean loss of each next character, without logits."""
        loss = pt.linear_cross_entropy(
            self(text), self.head.weight, text, linear_bias=self.head.bias, shift=True
        )
        self.losses.append(loss.item())
        return loss

    def validation_step(self, text: Tensor) -> dict[str, Tensor]:
        """Give logits and labels, which the callback scores."""
        logits = self.head(self(text)[:, :-1])
        return {"logits": logits.flatten(0, 1), "labels": text[:, 1:].flatten()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=3e-3)


def read_rows() -> Tensor:
    """Give texts of 64 bytes, (N, 64)."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-c]*.py"))
    text = torch.tensor(list(b"".join(path.read_bytes() for path in files)))
    return text[: len(text) // LENGTH * LENGTH].view(-1, LENGTH)


def train(steps: int) -> tuple[list[float], dict[str, float]]:
    """Give the loss of each step, in nats, and what the validation logged, in bits."""
    lightning.seed_everything(0, verbose=False)
    rows = read_rows()
    rows = rows[torch.randperm(len(rows))]
    model = Reader()
    trainer = lightning.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[ScoreCallback()],
    )  # fmt: skip
    trainer.fit(model, DataLoader(rows[:-128], batch_size=16), DataLoader(rows[-128:], 64))
    trainer.validate(model, DataLoader(rows[-128:], 64), verbose=False)
    return model.losses, {name: float(x) for name, x in trainer.callback_metrics.items()}


if __name__ == "__main__":
    losses, logged = train(steps=60)
    bits = logged["val_cross_entropy"]
    print(f"training loss {losses[0]:.4f} -> {losses[-1]:.4f} nats; validation {bits:.4f} bits")
