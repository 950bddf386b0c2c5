"""`plogq lm --model` on a small model that is trained here, on Python's own library.

    .venv/bin/python benchmarks/lm_model.py > benchmarks/results/lm_model.txt

Scored are a fourth of the files that `plogq demo --lm` holds out. Then the plain way: the same
windows with all their logits, each in a run of its own.
"""

import contextlib
import io
import os
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from plogq.cli import main
from plogq.demo.language_model import read_library
from plogq.lm import load_model, score_model, score_tokens

VOCABULARY, CONTEXT, BATCH, SECONDS = 2048, 256, 16, 60


def trained_tokenizer(texts):
    """Return byte-level BPE of these texts, which puts <s> before a text."""
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    options = {"special_tokens": ["<s>"], "initial_alphabet": alphabet, "show_progress": False}
    found.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=VOCABULARY, **options))
    found.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=found, bos_token="<s>")


def trained_model(ids):
    """Return a Llama of two layers after `SECONDS` of training."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=128, intermediate_size=384, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=CONTEXT, bos_token_id=0,
        eos_token_id=None,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        starts = torch.randint(len(ids) - CONTEXT, (BATCH,))
        batch = torch.stack([ids[a : a + CONTEXT] for a in starts.tolist()])
        batch[:, 0] = 0
        optimiser.zero_grad()
        model(input_ids=batch, labels=batch).loss.backward()
        optimiser.step()
    return model.eval()


def plain(model, tokenizer, texts):
    """Return Σ −log q in bits: the windows of plogq, each with all its logits."""
    total = 0.0
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        first, end = 0, min(len(ids), CONTEXT)
        while True:
            start = max(0, end - CONTEXT)
            seen = torch.tensor([[0, *ids[start : end - 1]]])
            with torch.no_grad():
                logprobs = model(input_ids=seen).logits[0].double().log_softmax(-1)
            wanted = torch.tensor(ids[first:end])
            total -= float(logprobs[first - start :].gather(1, wanted[:, None]).sum())
            if end == len(ids):
                break
            first, end = end, min(len(ids), end + CONTEXT // 2)
    return total / torch.log(torch.tensor(2.0, dtype=torch.float64)).item()


def run():
    """Train, score by the command, and compare."""
    transformers.utils.logging.set_verbosity_error()
    library = Path(sysconfig.get_paths()["stdlib"])
    training, held_out = read_library(library)
    texts = [file.data.decode() for file in training if b"\0" not in file.data]
    tokenizer = trained_tokenizer(texts[::4])
    model = trained_model(torch.tensor(tokenizer("\n".join(texts))["input_ids"]))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        model.save_pretrained("small-llama")
        tokenizer.save_pretrained("small-llama")
        for file in held_out[::4]:
            Path("held-out", file.name).parent.mkdir(parents=True, exist_ok=True)
            Path("held-out", file.name).write_bytes(file.data)
        command = "plogq lm --model small-llama held-out --save tokens.parquet --top 3"
        print(f"$ {command}")
        sys.argv = command.split()
        printed, begun = io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(printed):
            main()
        seconds = time.monotonic() - begun
        print(printed.getvalue())
        model, tokenizer = load_model("small-llama")
        documents = [file.data.decode() for file in held_out[::4]]
        begun = time.monotonic()
        expected = plain(model, tokenizer, documents)
        print(
            f"{seconds:.0f} s; the plain way {time.monotonic() - begun:.0f} s (two cores, shared)"
        )
        found = score_tokens("tokens.parquet")
        print(f"bits, as saved        {found.surprisal:.6f}")
        print(f"bits, the plain way   {expected:.6f}   ({found.surprisal / expected - 1:+.1e})")
        for tokens in (256, 65_536):
            other = score_model(model, tokenizer, documents, batch_tokens=tokens).surprisal
            print(f"batches of {tokens:6,}     {other:.6f}   ({other / found.surprisal - 1:+.1e})")


if __name__ == "__main__":
    run()
