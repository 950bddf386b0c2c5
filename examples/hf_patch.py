"""One line in what already trains a model of Hugging Face: `python examples/hf_patch.py`.

A small Llama with a vocabulary of 32000, from its configuration: nothing is downloaded. It is
trained by a Trainer twice, patched and as it is, on the bytes of Python's standard library.
"""

import math
import re
import sysconfig
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

import plogq.huggingface

LENGTH = 256


class Bytes(Dataset):
    """Rows of 256 bytes, as tokens and labels."""

    def __init__(self, rows: int) -> None:
        files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-c]*.py"))
        text = b"".join(path.read_bytes() for path in files)[: rows * LENGTH]
        self.rows = torch.tensor(list(text)).view(rows, LENGTH)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[i], "labels": self.rows[i]}


def train(patched: bool, steps: int = 3) -> list[float]:
    """Give the loss of each step, in nats."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=32000, hidden_size=64, intermediate_size=128,
                         num_hidden_layers=2, num_attention_heads=4)  # fmt: skip
    model = LlamaForCausalLM(config)
    if patched:
        plogq.huggingface.patch(model)  # the line
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=steps, per_device_train_batch_size=8, learning_rate=1e-2,
            logging_steps=1, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True,
            log_level="error",
        )  # fmt: skip
        trainer = Trainer(model, arguments, train_dataset=Bytes(8 * steps))
        trainer.pop_callback(type(trainer.callback_handler.callbacks[-1]))  # it prints
        trainer.train()
    return [each["loss"] for each in trainer.state.log_history if "loss" in each]


def peak() -> float:
    """Give the most memory that this process has had, in MB; NaN where Linux does not tell it.

    `resource.getrusage` would also count what the process that started this one has had.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else math.nan


if __name__ == "__main__":
    train(patched=True, steps=1)
    for patched in (True, False):  # memory at its peak: the larger one comes last
        before, began = peak(), time.perf_counter()
        losses = train(patched)
        seconds, more = time.perf_counter() - began, peak() - before
        name = "patched" if patched else "as it is"
        print(f"{name:>8}: loss {losses[-1]:.5f}, {seconds:.1f} s, {more:.0f} MB more than before")
