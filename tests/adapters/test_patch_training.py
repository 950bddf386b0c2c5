"""Trainings of a patched model have the losses, gradients and weights of the plain one."""

import json
import os
import subprocess
import sys

import datasets
import peft
import pytest
import tokenizers
import torch
import trl
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from plogq.huggingface import patch, unpatch
from tests.adapters.tiny_models import SIZES, VOCABULARY, tiny_model
from tests.adapters.training import Texts, trained

pytestmark = pytest.mark.filterwarnings("ignore")


class NoCount(LlamaForCausalLM):
    accepts_loss_kwargs = False


class NoCountByName(LlamaForCausalLM):
    """A forward without **kwargs, of which the Trainer sees that it takes no count."""

    def forward(self, input_ids=None, labels=None):
        return super().forward(input_ids=input_ids, labels=labels)


def made(kind):
    torch.manual_seed(0)
    return kind(kind.config_class(**SIZES))


def assert_same(make, tolerance=1e-5, lazy=8, **arguments):
    plain = trained(False, make(), **arguments)
    found = trained(True, make(), **arguments)
    assert (plain["lazy"], found["lazy"]) == (0, lazy)
    for name in ("loss", "norm", "eval"):
        assert found[name] == pytest.approx(plain[name], rel=tolerance)
    for name, weights in plain["weights"].items():
        torch.testing.assert_close(found["weights"][name], weights, atol=tolerance, rtol=tolerance)
    return found


@pytest.mark.parametrize("make", [
    tiny_model, lambda: tiny_model("MixtralForCausalLM"), lambda: made(NoCount),
    lambda: made(NoCountByName),
], ids=["llama", "mixtral", "accepts_loss_kwargs", "signature"])  # fmt: skip
def test_a_trainer_that_accumulates(make):
    assert_same(make)


def test_a_trainer_in_bfloat16():
    assert_same(tiny_model, tolerance=2e-2, bf16=True)


def test_evaluation_and_label_smoothing():
    """The Trainer evaluates with logits, and smooths labels by a loss of its own, from logits."""
    found = assert_same(tiny_model, eval_strategy="steps", eval_steps=2)
    assert found["whole"] > 0
    assert_same(tiny_model, lazy=0, label_smoothing_factor=0.1)


def test_a_trainer_that_checkpoints():
    assert_same(tiny_model, gradient_checkpointing=True)


@pytest.mark.slow
def test_a_trainer_that_compiles():
    assert_same(tiny_model, torch_compile=True, torch_compile_backend="aot_eager")


def test_unpatch_after_a_trainer_wrapped_the_model(tmp_path):
    """Accelerate leaves its wrapper on a model in half precision, with our forward in it."""
    model = tiny_model()
    trained(True, model, bf16=True)
    assert type(unpatch(model)) is LlamaForCausalLM
    again = trained(False, model, bf16=True)
    assert again["lazy"] == 0
    with pytest.raises(TypeError, match="have its own forward"):
        patch(model)


@pytest.mark.slow
def test_two_ranks(tmp_path):
    """Gradients are averaged over ranks, of losses whose divisor is the tokens of all."""
    out = tmp_path / "both.json"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2",
               "--master_port", str(29500 + os.getpid() % 2000), "-m", "tests.adapters.training",
               str(out)]  # fmt: skip
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, timeout=400, env=env, capture_output=True)
    plain, found = json.loads(out.read_text())
    assert (plain["lazy"], found["lazy"]) == (0, 8)
    for name in ("loss", "norm"):
        assert found[name] == pytest.approx(plain[name], rel=1e-5)
    assert found["weights"] == pytest.approx(plain["weights"], rel=1e-5, abs=1e-5)
    alone = trained(True, per_device_train_batch_size=4)
    assert found["loss"] == pytest.approx(alone["loss"], rel=1e-4)


SHARDED = """
import sys
import torch, torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from plogq.huggingface import patch
from tests.adapters.tiny_models import tiny_batch, tiny_model
rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
mine = {name: each[2 * rank : 2 * rank + 2] for name, each in tiny_batch(4).items()}
steps = []
for patched in (False, True):
    model = tiny_model()
    patch(model) if patched else None
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)
    output = model(**mine, num_items_in_batch=20)
    output.loss.backward()
    gradients = [p.grad.full_tensor() for p in model.parameters()]
    steps.append([output.loss.detach(), *gradients])
assert type(output.logits).__name__ == "LazyLogits"
torch.testing.assert_close(*steps, rtol=1e-4, atol=1e-6)
model = patch(tiny_model())
for part in (model.lm_head, model):
    fully_shard(part)
try:
    model(**mine)
except ValueError as error:
    print(error)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_shards(tmp_path):
    """FSDP2 gathers the head for the whole forward, unless the head is a unit of its own."""
    ranks = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", SHARDED, str(rank),
                               str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
             for rank in range(2)]  # fmt: skip
    for rank in ranks:
        said, _ = rank.communicate(timeout=400)
        assert rank.returncode == 0
        assert "the head's weight must be a whole tensor of shape (61, 16)" in said


# TRL.


def tokens(texts):
    """The texts as SFTTrainer takes them when they are tokenised."""
    rows = [texts[i] for i in range(len(texts))]
    return datasets.Dataset.from_dict({
        "input_ids": [row["input_ids"].tolist() for row in rows],
        "labels": [row["labels"].tolist() for row in rows],
    })  # fmt: skip


def tokenizer():
    words = {f"w{i}": i for i in range(VOCABULARY)}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w3"))
    return PreTrainedTokenizerFast(tokenizer_object=model, pad_token="w0", eos_token="w2")


def tuned(patched, folder, name="LlamaForCausalLM", lora=None, **arguments):
    """Train by SFTTrainer; return what it logged, what it evaluated to, and the weights."""
    given = {
        "max_steps": 3, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2,
        "logging_steps": 1, "report_to": [], "save_strategy": "no", "use_cpu": True, "bf16": False,
        "disable_tqdm": True, "learning_rate": 1e-2, "optim": "sgd",
        "gradient_checkpointing": False,
    }  # fmt: skip
    trainer = trl.SFTTrainer(
        tiny_model(name), trl.SFTConfig(str(folder), **given | arguments), peft_config=lora,
        train_dataset=tokens(Texts()), eval_dataset=tokens(Texts(6)), processing_class=tokenizer(),
    )  # fmt: skip
    if patched:
        patch(trainer.model)
    trainer.train()
    kept = {"loss", "grad_norm", "entropy", "mean_token_accuracy", "aux_loss"}
    logged = [{k: float(v) for k, v in each.items() if k in kept}
              for each in trainer.state.log_history[:3]]  # fmt: skip
    evaluated = trainer.evaluate()
    logged.append({k: evaluated[k] for k in ("eval_loss", "eval_entropy")})
    return trainer, logged, dict(trainer.model.named_parameters())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [
    ("LlamaForCausalLM", {}), ("Gemma2ForCausalLM", {}), ("MixtralForCausalLM", {}),
    ("LlamaForCausalLM", {"loss_type": "dft"}),
    ("LlamaForCausalLM", {"lora": peft.LoraConfig(r=4, target_modules=["q_proj"])}),
    ("LlamaForCausalLM", {"label_smoothing_factor": 0.1}),
])  # fmt: skip
def test_trl(name, options, tmp_path):
    """TRL has a fused head of its own: ours gives the same losses, gradients and figures."""
    _, theirs, weights = tuned(False, tmp_path, name, **options)
    trainer, ours, found = tuned(True, tmp_path, name, **options)
    assert len(theirs) == 4
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    torch.testing.assert_close(found, weights, atol=1e-5, rtol=1e-5)
    base = unpatch(trainer.model)
    base = getattr(base, "get_base_model", lambda: base)()
    assert vars(base)["forward"].__func__.__globals__["__name__"] == "trl.trainer.utils"


@pytest.mark.slow
def test_ours_answers_in_trls_place(tmp_path, monkeypatch):
    def never(*args):
        raise AssertionError

    monkeypatch.setattr(trl.trainer.utils._ChunkedLogProbFunction, "apply", never)
    tuned(True, tmp_path)
    with pytest.raises(AssertionError):
        tuned(False, tmp_path)


def test_a_head_of_trl_with_another_temperature_is_refused():
    model = tiny_model()
    trl.trainer.utils.add_fused_lm_head(model, temperature=0.7)
    with pytest.raises(TypeError, match=r"put there; got one of trl\.trainer\.utils"):
        patch(model)
