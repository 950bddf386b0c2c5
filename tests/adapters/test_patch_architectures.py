"""Every causal model of transformers that a few settings make small: patched, the same step."""

from pathlib import Path

import pytest
import torch
from transformers import logging
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from plogq.adapters.lazy_logits import LazyLogits
from plogq.huggingface import patch

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

# The names of sizes differ by architecture, and unknown ones are ignored.
FEW = {
    "vocab_size": 61, "hidden_size": 32, "d_model": 32, "intermediate_size": 24, "pad_token_id": 0,
    "num_hidden_layers": 2, "decoder_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
    "decoder_attention_heads": 4, "decoder_ffn_dim": 16, "max_position_embeddings": 64,
}  # fmt: skip
MANY = FEW | {
    "n_embd": 32, "dim": 32, "word_embed_proj_dim": 32, "n_layer": 2, "n_head": 4,
    "n_positions": 64, "ffn_dim": 24, "rotary_dim": 4, "head_dim": 8, "state_size": 4,
    "num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2,
    "moe_intermediate_size": 8, "shared_expert_intermediate_size": 8, "output_router_logits": True,
    "n_group": 1, "topk_group": 1, "is_decoder": True, "use_cache": False, "dropout": 0.0,
    "attention_dropout": 0.0, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    "bos_token_id": 1, "eos_token_id": 2, "q_lora_rank": 8, "kv_lora_rank": 8,
    "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 8, "first_k_dense_replace": 1,
}  # fmt: skip
SETTINGS = [
    MANY,
    FEW,
    {k: v for k, v in MANY.items() if "head_dim" not in k and "lora" not in k},
]
PAGE = Path(__file__).parents[2] / "docs" / "torch.md"
LARGEST = 20_000_000  # parameters
REFUSED = {"DoryForCausalLM"}  # its head has a learnt scale for each class


def step(model):
    torch.manual_seed(5)
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(3, 61, (2, 16), generator=rng)
    labels = ids.clone()
    labels[0, :4] = -100
    model.zero_grad()
    output = model(input_ids=ids, labels=labels)
    output.loss.backward()
    return output, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def small_model(config_class, model_class):
    """Return a small model, and a step of it; None if no settings make one."""
    for settings in SETTINGS:
        try:
            config = config_class(**settings)
            with torch.device("meta"):
                size = sum(p.numel() for p in model_class(config).parameters())
            if size > LARGEST:
                continue
            torch.manual_seed(0)
            model = model_class(config).train()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.nan_to_num_(0.0)  # some are left as the memory was
            step(model)  # some change at their first step
            return model, *step(model)
        except Exception:
            continue
    return None


def test_every_architecture():
    logging.set_verbosity_error()
    same, refused = set(), set()
    for config_class, model_class in MODEL_FOR_CAUSAL_LM_MAPPING.items():
        if isinstance(model_class, tuple):
            model_class = model_class[0]
        made = small_model(config_class, model_class)
        if made is None:
            continue
        model, before, gradients = made
        try:
            patch(model)
        except TypeError:
            refused.add(model_class.__name__)
            continue
        after, found = step(model)
        name = model_class.__name__
        assert any(isinstance(part, LazyLogits) for part in after.values()), name
        torch.testing.assert_close(after.loss, before.loss, rtol=1e-5, atol=0, msg=name)
        assert found.keys() == gradients.keys(), name
        scale = max(each.abs().max().item() for each in gradients.values())
        for key, each in gradients.items():
            torch.testing.assert_close(found[key], each, atol=1e-4 * scale, rtol=0, msg=name + key)
        same.add(name)
    assert refused == REFUSED
    assert f"({len(same)} have the same step;" in PAGE.read_text()
