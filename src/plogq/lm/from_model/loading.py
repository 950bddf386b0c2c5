"""A model and its tokenizer, from a folder or by name, without running code that comes with it.

Weights are read from safetensors alone: a pickle can run any program while it is read.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from plogq.errors import TableError, refuse
from plogq.extras import needed_by

HUB = "hf://"
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")


class Loaded(NamedTuple):
    """A causal language model and its tokenizer."""

    model: Any
    tokenizer: Any


def load_model(
    name: str | os.PathLike[str],
    *,
    device: str | None = None,
    dtype: str = "auto",
    trust_remote_code: bool = False,
) -> Loaded:
    """Return a causal language model of transformers, with its tokenizer, ready to be scored.

    Parameters
    ----------
    name
        A folder; or the name of a model of the Hugging Face Hub, which is looked for on this
        machine alone. hf://NAME downloads it where it is not there; hf://NAME@REVISION names a
        revision. A folder, or a name without hf://, never uses the network.
    device
        Such as "cuda" or "cpu"; by default the first GPU, where there is one.
    dtype
        The type of the weights: "auto" (as they are saved), "float32", "bfloat16", "float16",
        "float64".
    trust_remote_code
        Whether Python code that comes with the model may run on this machine.

    Raises
    ------
    TableError
        The model cannot be read, its weights are pickled, it has no head for the next token, or
        some of its weights are not in its files.
    """
    if dtype not in DTYPES:
        refuse("dtype", f"be one of {', '.join(DTYPES)}", repr(dtype))
    with needed_by("a model and its tokenizer"):
        import torch
        import transformers
    named = os.fspath(name)
    where, options = _place(named)
    options["trust_remote_code"] = trust_remote_code
    with _quiet(transformers), _loading(named, trust_remote_code=trust_remote_code):
        config = transformers.AutoConfig.from_pretrained(where, **options)
        if getattr(config, "is_encoder_decoder", False):
            refuse("model", "be one that continues a text (a decoder alone)",
                   f"{named}, an encoder and a decoder ({config.model_type})",
                   error=TableError)  # fmt: skip
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
        read: Any = transformers.AutoModelForCausalLM.from_pretrained(
            where,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    model, found = read
    absent = sorted(found["missing_keys"])
    if absent:
        refuse("model", "have all its weights in its files, for others would be drawn at random",
               f"{named} without {', '.join(absent[:3])}" + (", …" if len(absent) > 3 else ""),
               error=TableError)  # fmt: skip
    try:
        model.to(_device(device))
    except (RuntimeError, AssertionError) as error:
        refuse("device", "be one that torch can use here", f"{device!r} ({_line(error)})")
    model.config._name_or_path = named  # by which a report calls it
    return Loaded(model.eval(), tokenizer)


def _device(device: str | None) -> str:
    import torch

    if device is not None:
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _place(name: str) -> tuple[str, dict[str, Any]]:
    """Return what transformers calls a model, and where it may look for it."""
    if name.startswith(HUB):
        called, _, revision = name.removeprefix(HUB).partition("@")
        return called, {"revision": revision} if revision else {}
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        _check_folder(folder)
        return str(folder), {"local_files_only": True}
    if name and folder.exists():
        refuse("model", "be a folder with config.json, tokenizer.json and *.safetensors",
               f"{name}, a file", error=TableError)  # fmt: skip
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or not name:
        raise TableError(f"model {name}: no such folder")
    return _on_this_machine(name), {"local_files_only": True}


def _on_this_machine(name: str) -> str:
    """Return the folder into which a model of the Hub was downloaded before.

    It is looked up here, for the Hub's library may ask the network for other things, whether or not
    it is told to stay offline.
    """
    from transformers.utils import hub

    try:
        found = vars(hub)["try_to_load_from_cache"](name, "config.json")
    except ValueError:  # no name that the Hub could have
        found = None
    if not isinstance(found, str):
        raise TableError(
            f"model {name}: no such folder, nor a model of that name on this machine "
            f"({HUB}{name} downloads it)"
        )
    _check_folder(Path(found).parent)
    return str(Path(found).parent)


def _check_folder(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir())
    if "adapter_config.json" in files and "config.json" not in files:
        refuse("model", "be a whole model (merge the adapter into its base, and save that)",
               f"{folder}, an adapter alone", error=TableError)  # fmt: skip
    if "config.json" not in files:
        refuse("model", "be a folder with config.json, tokenizer.json and *.safetensors",
               f"{folder} without config.json", error=TableError)  # fmt: skip
    if any(name.endswith(".safetensors") for name in files):
        return
    pickled = [name for name in files if name.endswith(PICKLES)]
    if pickled:
        refuse("model", "have weights in safetensors, for reading a pickle can run any program (to "
               "convert one that you trust: load it, then model.save_pretrained(folder))",
               f"{folder}/{pickled[0]}", error=TableError)  # fmt: skip
    refuse("model", "have weights in *.safetensors", f"{folder} without", error=TableError)


@contextmanager
def _loading(name: str, *, trust_remote_code: bool) -> Iterator[None]:
    """Turn what transformers raises over a model into one line that names it."""
    try:
        yield
    except TableError:
        raise
    except Exception as error:  # transformers, its hub and its tokenizers have many of their own
        said = _line(error)
        if "trust_remote_code" in str(error) and not trust_remote_code:
            said = "it comes with Python code of its own; --trust-remote-code runs that code"
        elif "tiktoken" in said and find_spec("sentencepiece") is None:
            # transformers names the second library that it tried.
            said = (
                "its tokenizer is a file of SentencePiece or tiktoken: pip install sentencepiece "
                "protobuf (or tiktoken), or save it as tokenizer.json where they are"
            )
        raise TableError(f"model {name}: cannot be loaded: {said}") from error


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip()


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers from writing bars and advice to the terminal for a while."""
    log = transformers.utils.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()
