"""Causal models of Hugging Face with random weights, from configurations: nothing is downloaded."""

import torch
import transformers

VOCABULARY = 61
SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GPT = {
    "vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
HEAD = {"head_dim": 8}
EXPERTS = {"num_experts_per_tok": 2, "output_router_logits": True}
MODELS = {
    "LlamaForCausalLM": SIZES,
    "Gemma2ForCausalLM": SIZES | HEAD | {"final_logit_softcapping": 2.0},
    "CohereForCausalLM": SIZES | {"logit_scale": 0.25},
    "GraniteForCausalLM": SIZES | {"logits_scaling": 3.0},
    "MixtralForCausalLM": SIZES | EXPERTS | {"num_local_experts": 4},
    "Qwen3MoeForCausalLM": SIZES | HEAD | EXPERTS | {"num_experts": 4, "moe_intermediate_size": 8},
    "GPT2LMHeadModel": GPT,
    "PhiForCausalLM": SIZES | {"num_key_value_heads": 2},
    "Qwen2ForCausalLM": SIZES,
    "Qwen3ForCausalLM": SIZES | HEAD,
    "Gemma3ForCausalLM": SIZES | HEAD | {"final_logit_softcapping": 2.0},
    "Cohere2ForCausalLM": SIZES | {"logit_scale": 0.25},
    "GraniteMoeForCausalLM": SIZES | EXPERTS | {"logits_scaling": 3.0, "num_local_experts": 4},
    "MistralForCausalLM": SIZES,
    "FalconForCausalLM": SIZES,
    "OPTForCausalLM": SIZES | {"word_embed_proj_dim": 16, "ffn_dim": 24},
    "MambaForCausalLM": {"vocab_size": VOCABULARY, "hidden_size": 16, "state_size": 4,
                         "num_hidden_layers": 2},
    "BloomForCausalLM": {"vocab_size": VOCABULARY, "hidden_size": 16, "n_layer": 2, "n_head": 2},
    "GPTJForCausalLM": GPT | {"rotary_dim": 4},
}  # fmt: skip


def tiny_model(name="LlamaForCausalLM", **changes):
    """Return a model in training, with the same weights each time; large ones, so that it errs."""
    kind = getattr(transformers, name)
    config = kind.config_class(**MODELS[name] | changes)
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model.train()


def tiny_batch(rows=2, length=9, masked=4):
    """Return token ids and labels, some of them left out."""
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (rows, length), generator=rng)
    labels = ids.clone()
    labels[0, :masked] = -100
    return {"input_ids": ids, "labels": labels}
