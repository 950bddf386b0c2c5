"""Trainings of a tiny model, patched or not; as a script, one of two ranks."""

import json
import os
import sys
import tempfile

import torch
from transformers import Trainer, TrainingArguments

from plogq.adapters.lazy_logits import LazyLogits
from plogq.huggingface import patch
from tests.adapters.tiny_models import VOCABULARY, tiny_model


class Texts(torch.utils.data.Dataset):
    """Rows of one length, whose numbers of labels differ: from none to all."""

    def __init__(self, rows=16, length=8):
        rng = torch.Generator().manual_seed(7)
        self.ids = torch.randint(3, VOCABULARY, (rows, length), generator=rng)
        self.labels = self.ids.clone()
        for i, row in enumerate(self.labels):
            row[: i % (length + 1)] = -100

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.labels[i]}


class Seen:
    """How many times a model gave logits that were not computed, in training and evaluation."""

    def __init__(self, model):
        self.lazy = self.whole = 0
        model.register_forward_hook(self)

    def __call__(self, module, args, output):
        if isinstance(output.logits, LazyLogits):
            self.lazy += 1
        else:
            self.whole += 1


def trained(patched, model=None, trainer=Trainer, **arguments):
    """Train, and return the losses, the norm of each gradient, the weights, and what was seen."""
    model = tiny_model() if model is None else model
    patch(model) if patched else None
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "max_steps": 4, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2,
            "logging_steps": 1, "report_to": [], "save_strategy": "no", "use_cpu": True, "seed": 1,
            "disable_tqdm": True, "learning_rate": 1e-2, "optim": "sgd", "max_grad_norm": 1e9,
        }  # fmt: skip
        run = trainer(model, TrainingArguments(folder, **given | arguments), train_dataset=Texts(),
                      eval_dataset=Texts(6))  # fmt: skip
        seen = Seen(model)
        run.train()
    logged = run.state.log_history
    return {
        "loss": [each["loss"] for each in logged if "loss" in each],
        "norm": [float(each["grad_norm"]) for each in logged if "grad_norm" in each],
        "eval": [each["eval_loss"] for each in logged if "eval_loss" in each],
        "weights": {name: each.detach().clone() for name, each in model.named_parameters()},
        "lazy": seen.lazy,
        "whole": seen.whole,
    }


if __name__ == "__main__":
    both = [trained(patched, ddp_backend="gloo") for patched in (False, True)]
    for each in both:
        each["weights"] = {name: w.double().sum().item() for name, w in each["weights"].items()}
    if os.environ["RANK"] == "0":
        with open(sys.argv[1], "w") as file:  # noqa: PTH123
            json.dump(both, file)
