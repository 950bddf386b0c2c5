"""Which models are read, and what is refused: nothing is downloaded, run or drawn at random."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
import transformers

from plogq.errors import TableError
from plogq.lm import load_model, score_model
from tests.lm.models import SIZES, VOCABULARY, tiny, tokenizer


@pytest.fixture
def folder(tmp_path):
    return saved(tmp_path / "model", tiny(), tokenizer(bos=True))


def saved(folder, model, words):
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_a_model_that_was_saved(folder):
    model, words = load_model(folder)
    expected = score_model(tiny(), tokenizer(bos=True), ["def f():"])
    found = score_model(model, words, ["def f():"])
    assert found.surprisal == expected.surprisal
    assert str(folder) in found.source.format
    assert not model.training
    assert load_model(str(folder), dtype="bfloat16", device="cpu").model.dtype == torch.bfloat16
    model.to(torch.bfloat16).save_pretrained(folder)
    assert load_model(folder).model.dtype == torch.bfloat16
    assert load_model(folder, dtype="float32").model.dtype == torch.float32


def test_a_tokenizer_of_sentencepiece_says_what_to_install(folder):
    if find_spec("sentencepiece") or find_spec("tiktoken"):
        pytest.skip("it would be read")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.model").write_bytes(b"any")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    with pytest.raises(TableError, match=r"cannot be loaded: .* pip install sentencepiece"):
        load_model(folder)


def test_pickled_weights_are_not_read(folder):
    (folder / "model.safetensors").unlink()
    torch.save(tiny().state_dict(), folder / "pytorch_model.bin")
    said = r"have weights in safetensors, for reading a pickle can run any program .*model.bin"
    with pytest.raises(TableError, match=said):
        load_model(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(TableError, match=r"have weights in \*.safetensors"):
        load_model(folder)


def test_code_that_comes_with_a_model_does_not_run(folder, tmp_path):
    witness = tmp_path / "witness"
    code = f"""
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
Path({str(witness)!r}).write_text("ran")
class OwnConfig(LlamaConfig):
    model_type = "own"
class Own(LlamaForCausalLM):
    config_class = OwnConfig
"""
    (folder / "own.py").write_text(code)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own", "architectures": ["Own"],
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.Own"},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(TableError, match="it comes with Python code of its own; --trust-remote"):
        load_model(folder)
    assert not witness.exists()


def test_weights_that_are_not_in_the_files(folder):
    tiny(tie_word_embeddings=False).model.save_pretrained(folder)  # without a head
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    with pytest.raises(TableError, match=r"be drawn at random; got .* without lm_head.weight"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", r"no such folder, nor a model of that name on this machine \(hf://nosuch"),
        ("owner/nosuch", "no such folder, nor a model of that name"),
        ("./nosuch", "model ./nosuch: no such folder"),
        ("a/b/c", "model a/b/c: no such folder"),
        ("/", "without config.json"),
        ("", "no such folder"),
    ],
)
def test_no_such_model(name, said):
    with pytest.raises(TableError, match=said):
        load_model(name)


def test_folders_that_hold_no_model(folder, tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(TableError, match=r"be a whole model .* an adapter alone"):
        load_model(tmp_path / "adapter")
    with pytest.raises(TableError, match=r"be a folder with config.json.*got .*a file"):
        load_model(folder / "config.json")
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(TableError, match="cannot be loaded"):
        load_model(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(TableError, match="cannot be loaded"):
        load_model(folder)


def test_options_that_do_not_fit(folder):
    with pytest.raises(ValueError, match=r"dtype must be one of auto, float32, .*; got 'int8'"):
        load_model(folder, dtype="int8")
    with pytest.raises(ValueError, match="be one that torch can use here; got 'cuda:9'"):
        load_model(folder, device="cuda:9")
    with pytest.raises(ValueError, match="device must be one that torch can use"):
        load_model(folder, device="toaster")


def test_an_encoder_and_a_decoder(tmp_path):
    sizes = {"d_model": 16, "d_ff": 16, "d_kv": 8, "num_layers": 1, "num_heads": 2}
    config = transformers.T5Config(vocab_size=VOCABULARY, **sizes)
    model = transformers.T5ForConditionalGeneration(config)
    with pytest.raises(ValueError, match="model must be one that continues a text"):
        score_model(model, tokenizer(), ["x"])
    with pytest.raises(TableError, match="model must be one that continues a text"):
        load_model(saved(tmp_path, model, tokenizer()))


def test_a_model_that_looks_ahead():
    sizes = {**SIZES, "is_decoder": False}
    model = transformers.BertLMHeadModel(transformers.BertConfig(**sizes))
    with pytest.raises(TableError, match="say the same of a token whatever follows it"):
        score_model(model, tokenizer(), ["a text of several tokens"])


def test_models_without_logits():
    with pytest.raises(TableError, match=r"have a head that gives the logits .* got LlamaModel"):
        score_model(tiny().model, tokenizer(), ["a text"])
    with pytest.raises(TypeError, match=r"model must be a causal language model .* got str"):
        score_model("gpt2", tokenizer(), ["a text"])
    classes = transformers.LlamaForSequenceClassification(transformers.LlamaConfig(**SIZES))
    with pytest.raises(TableError, match="model must give logits"):
        score_model(classes, tokenizer(), ["a text"])


def test_a_model_of_nan():
    model = tiny()
    model.model.norm.weight.data.fill_(torch.nan)
    with pytest.raises(TableError, match=r"float16 overflows .*NaN as a logit"):
        score_model(model, tokenizer(), ["a text"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"context": 49}, "context must be at most 48, the positions that the model has; got 49"),
        ({"stride": 49}, "stride must be at most 48"),
        ({"bos": "maybe"}, "bos must be one of auto, yes, first, no; got 'maybe'"),
        ({"batch_tokens": 0}, "batch_tokens must be at least 1; got 0"),
        ({"unit": "byte"}, "unit"),
        ({"save_every": -1.0}, "save_every must be at least 0"),
    ],
)
def test_arguments(options, said):
    with pytest.raises(ValueError, match=said):
        score_model(tiny(), tokenizer(), ["x"], **options)


def test_bos_of_a_tokenizer_that_has_none():
    words = tokenizer()
    words.bos_token = words.eos_token = None
    with pytest.raises(ValueError, match='bos must be "auto" or "no" for this tokenizer'):
        score_model(tiny(), words, ["x"], bos="yes")
    words.eos_token = "</s>"
    notes = score_model(tiny(), words, ["x"], bos="yes").source.notes
    assert any("begins with </s>" in note for note in notes)


def test_a_model_that_was_downloaded_before(folder, tmp_path, monkeypatch):
    inside = tmp_path / "hub" / "models--owner--name"
    (inside / "refs").mkdir(parents=True)
    (inside / "refs" / "main").write_text("0" * 40)
    (inside / "snapshots").mkdir()
    folder.rename(inside / "snapshots" / ("0" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    result = score_model(*load_model("owner/name"), ["def f():"])
    assert "scored by owner/name (float32)" in result.source.format


BLOCKED = """
import socket, sys
def no(*given, **named): raise SystemExit("the network was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = no
from plogq.lm import load_model, score_model
print(score_model(*load_model(sys.argv[1]), ["def f():"]).surprisal)
try:
    load_model("owner/nosuch")
except ValueError as error:
    print(error)
"""
ABSENT = """
import sys
from importlib.util import find_spec
sys.modules["transformers"] = None
from plogq.cli import main
sys.argv = ["plogq", "lm", "--model", "nosuch", __file__]
main()
"""


def test_a_folder_never_asks_for_the_network(folder):
    command = [sys.executable, "-c", BLOCKED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nor a model of that name on this machine" in done.stdout


def test_without_transformers_it_says_what_to_install(tmp_path):
    (tmp_path / "run.py").write_text(ABSENT)
    command = [sys.executable, tmp_path / "run.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "needs transformers, which is not installed: pip install 'plogq[hf]'" in done.stderr
