"""Models and tokenizers that are made here: tiny ones from configurations, and one that is trained.

The oracle asks a model for one token after another, each with its whole context alone, in float64.
"""

import copy
import functools
import sysconfig
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

transformers.utils.logging.set_verbosity_error()

VOCABULARY = 320
POSITIONS = 48
SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": POSITIONS,
    "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
}  # fmt: skip
LONG_ROPE = {
    "rope_type": "longrope", "rope_theta": 1e4, "factor": 4.0, "short_factor": [1.0] * 4,
    "long_factor": [1.0, 2.0, 3.0, 4.0], "original_max_position_embeddings": 12,
}  # another rotation for windows of more than 12 tokens  # fmt: skip
# By architecture: what its configuration has beside the sizes.
OF_LLAMA_KIND = {
    "Llama": {"tie_word_embeddings": True},
    "Gemma2": {"head_dim": 8, "final_logit_softcapping": 0.5, "sliding_window": 8},
    "Qwen2": {},
    "Cohere": {"logit_scale": 4.0},
    "Granite": {"logits_scaling": 0.2},
    "Mixtral": {"num_local_experts": 4},
    "Phi3": {},
}
OTHERS = {
    "GPT2": (
        "GPT2LMHeadModel",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS},
    ),
    "GPTNeoX": ("GPTNeoXForCausalLM", SIZES),
    "OPT": ("OPTForCausalLM", SIZES | {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "Bloom": ("BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "Mamba": ("MambaForCausalLM", {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}),
    "Rwkv": ("RwkvForCausalLM", {"hidden_size": 32, "num_hidden_layers": 2, "context_length": 48}),
    "BertGeneration": ("BertGenerationDecoder", SIZES | {"is_decoder": True}),
}
ARCHITECTURES = [*OF_LLAMA_KIND, *OTHERS]


def tiny(name="Llama", **more):
    """Return a random model whose logits spread: those of a fresh one are all but equal."""
    kind, options = (name + "ForCausalLM", SIZES | OF_LLAMA_KIND[name]) if name in OF_LLAMA_KIND \
        else OTHERS[name]  # fmt: skip
    ids = {"vocab_size": VOCABULARY, "bos_token_id": 0, "eos_token_id": 1}
    config = getattr(transformers, name + "Config")(**{**options, **ids, **more})
    torch.manual_seed(len(name))
    model = getattr(transformers, kind)(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(4)
    return model.eval()


def library(most=40):
    """Return the texts of some files of the standard library, by their names."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(folder.glob("*.py"), key=lambda path: (path.stat().st_size, path.name))
    return {path.name: path.read_text("utf-8") for path in files[-most:]}


@functools.cache
def trained(vocabulary=VOCABULARY):
    """Return the rules of byte-level BPE, as JSON, learnt from the standard library."""
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    found.train_from_iterator(library(8).values(), trainer)
    return found.to_str()


def tokenizer(*, bos=False, eos=False, vocabulary=VOCABULARY):
    """Return byte-level BPE, which puts BOS before a text, and EOS behind it, where it shall."""
    found = Tokenizer.from_str(trained(vocabulary))
    if bos or eos:
        template = " ".join(["<s>"] * bos + ["$A"] + ["</s>"] * eos)
        marks = [("<s>", 0), ("</s>", 1)]
        found.post_processor = processors.TemplateProcessing(single=template, special_tokens=marks)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=found, bos_token="<s>", eos_token="</s>"
    )


def costs(model, ids, context, stride, prefix=(), every=True, dtype=torch.float64):
    """Return −log q of each token in nats, None for one without any context: one by one.

    Window k > 0 ends at first + stride · k, where `first` is how many tokens the first one scores.
    """
    model = copy.deepcopy(model).to(dtype)
    first = min(len(ids), context + 1 - len(prefix))
    found = []
    for t, token in enumerate(ids):
        if t < first:
            seen = [*prefix, *ids[:t]]
        else:
            end = min(len(ids), first + stride * ((t - first) // stride + 1))
            before = prefix if every else ()
            seen = [*before, *ids[max(0, end - (context + 1 - len(before))) : t]]
        if not seen:
            found.append(None)
            continue
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([seen])).logits[0, -1].double()
        found.append(-float(torch.log_softmax(logits, -1)[token]))
    return found
