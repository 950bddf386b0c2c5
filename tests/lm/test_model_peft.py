"""Models with adapters of PEFT, and models in shards, beside all logits of the model itself."""

import math

import pytest
import torch

from plogq.errors import TableError
from plogq.lm import load_model, score_model
from tests.lm.models import tiny, tokenizer

peft = pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore")  # what PEFT says of tied heads
TEXTS = ["def f():\n    return 1", "import os", "é"]
LORA = {"task_type": "CAUSAL_LM", "r": 4, "init_lora_weights": False}
ADAPTERS = {
    "layers": lambda: peft.LoraConfig(target_modules=["q_proj", "v_proj"], **LORA),
    "head": lambda: peft.LoraConfig(target_modules=["q_proj", "lm_head"], **LORA),
    "DoRA of the head": lambda: peft.LoraConfig(target_modules=["lm_head"], use_dora=True, **LORA),
    "a copy of the head": lambda: peft.LoraConfig(
        target_modules=["q_proj"], modules_to_save=["lm_head"], **LORA
    ),
    "embeddings": lambda: peft.LoraConfig(target_modules=["embed_tokens"], **LORA),
    "IA3": lambda: peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj"], feedforward_modules=[],
        init_ia3_weights=False,
    ),
    "a prefix": lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
}  # fmt: skip


def bits(model):
    """Return Σ −log₂ q of the texts by the model's own logits, one text after another."""
    words, total = tokenizer(bos=True), 0.0
    for text in TEXTS:
        ids = torch.tensor([words(text)["input_ids"]])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1].double()
        total -= float(logits.log_softmax(-1).gather(1, ids[0, 1:, None]).sum())
    return total / math.log(2)


def scored(model, **options):
    return score_model(model, tokenizer(bos=True), TEXTS, **options)


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters(name):
    torch.manual_seed(0)
    model = peft.get_peft_model(tiny(), ADAPTERS[name]()).eval()
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data.add_(0.1)
    result = scored(model)
    assert result.surprisal == pytest.approx(bits(model), rel=1e-6)
    assert result.surprisal != pytest.approx(scored(tiny()).surprisal, rel=1e-4)
    assert not any("whole batches" in note for note in result.source.notes)


def test_a_learnt_prompt_is_refused():
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    model = peft.get_peft_model(tiny(), config).eval()
    with pytest.raises(TableError, match=r"3 places more than tokens \(a learnt prompt"):
        scored(model)


def test_an_adapter_that_was_saved_beside_its_base(tmp_path):
    torch.manual_seed(0)
    model = peft.get_peft_model(tiny(), ADAPTERS["layers"]()).eval()
    tiny().save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    tokenizer(bos=True).save_pretrained(tmp_path)
    assert scored(load_model(tmp_path).model).surprisal == pytest.approx(bits(model), rel=1e-6)


def test_shards(tmp_path):
    model = tiny("Qwen2")
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    tokenizer(bos=True).save_pretrained(tmp_path)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 3
    assert scored(load_model(tmp_path).model).surprisal == scored(model).surprisal
    shards[2].unlink()
    with pytest.raises(TableError, match=rf"cannot be loaded: .*{shards[2].name}"):
        load_model(tmp_path)
