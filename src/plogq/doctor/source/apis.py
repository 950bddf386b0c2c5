"""What functions and layers give, and what losses take, by their qualified names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from plogq.doctor.losses import (
    BINARY_LOGITS,
    KERAS_CLASSES,
    LOGITS,
    LOSSES,
    PROBABILITIES,
    TORCH_CLASSES,
    Loss,
    loss_of,
)

What = Literal[
    "softmax",
    "log_softmax",
    "sigmoid",
    "log_sigmoid",
    "scores",  # of a linear layer, without an activation: logits
    "shifted",  # a softmax or a sigmoid and a small number
    "one_hot",
    "indices",
    "half",
    "loss",
]

TORCH = ("torch", "torch.special", "torch.nn.functional")
JAX = ("jax.nn", "flax.linen", "flax.nnx")
TENSORFLOW = ("tensorflow.nn", "tensorflow.math", "tensorflow", "keras.activations", "keras.ops",
              "keras.backend")  # fmt: skip

FUNCTIONS: dict[str, What] = {
    **{f"{of}.softmax": "softmax" for of in (*TORCH, *JAX, *TENSORFLOW, "scipy.special")},
    **{f"{of}.log_softmax": "log_softmax" for of in (*TORCH, *JAX, *TENSORFLOW, "scipy.special")},
    **{f"{of}.sigmoid": "sigmoid" for of in (*TORCH, *JAX, *TENSORFLOW)},
    **{f"{of}.log_sigmoid": "log_sigmoid" for of in (*JAX, *TENSORFLOW)},
    **{f"{of}.one_hot": "one_hot" for of in ("jax.nn", "tensorflow", "keras.ops", "keras.backend")},
    **{f"{of}.argmax": "indices" for of in
       ("torch", "numpy", "jax.numpy", "tensorflow", "keras.ops")},
    "torch.nn.functional.one_hot": "one_hot",
    "torch.nn.functional.logsigmoid": "log_sigmoid",
    "torch.special.expit": "sigmoid",
    "scipy.special.expit": "sigmoid",
    "keras.utils.to_categorical": "one_hot",
    "keras.utils.np_utils.to_categorical": "one_hot",
}  # fmt: skip
METHODS: dict[str, What] = {  # of tensors
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "sigmoid": "sigmoid",
    "argmax": "indices",
    "half": "half",
}
FIRST = ("input", "x", "logits", "a")  # names of the first argument of all of these functions
LOGARITHMS = {f"{of}.log" for of in ("torch", "numpy", "jax.numpy", "tensorflow.math", "tensorflow",
                                     "keras.ops", "keras.backend")}  # fmt: skip
# Functions and methods that change neither values nor which of them belong together.
SAME = {"cpu", "cuda", "detach", "clone", "contiguous", "numpy", "requires_grad_", "asarray",
        "block_until_ready"}  # fmt: skip
# Those that may change the type of the numbers.
CASTS = {"float", "double", "to", "type", "type_as", "astype", "cast"}
# Those that change the shape: how many units there are is not known behind them.
RESHAPED = {"squeeze", "unsqueeze", "view", "reshape", "flatten", "permute", "transpose", "t",
            "unflatten", "ravel"}  # fmt: skip
NAMESPACES = ("torch", "numpy", "jax.numpy", "tensorflow", "keras.ops", "keras.backend")
WRAPPERS = {"jax.vmap", "jax.jit", "torch.compile", "torch.nn.DataParallel", "torch.jit.script",
            "torch.nn.parallel.DistributedDataParallel", "flax.nnx.jit", "tensorflow.function",
            "equinox.filter_jit", "equinox.filter_vmap"}  # fmt: skip
# Methods of models that give the model itself.
MODEL_SAME = {"to", "cuda", "cpu", "eval", "train", "float", "double", "half", "requires_grad_"}
MODEL_CALLS = {"forward", "__call__", "call", "predict"}
# The method that a model's call runs, in the order in which they are looked for.
FORWARD = ("__call__", "forward", "call")

LAYERS: dict[str, What | Literal["same"]] = {
    "torch.nn.Softmax": "softmax",
    "torch.nn.Softmax2d": "softmax",
    "torch.nn.LogSoftmax": "log_softmax",
    "torch.nn.Sigmoid": "sigmoid",
    "torch.nn.LogSigmoid": "log_sigmoid",
    "keras.layers.Softmax": "softmax",
    **{f"torch.nn.{each}": "same" for each in
       ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Flatten", "Unflatten")},
    **{f"keras.layers.{each}": "same" for each in ("Dropout", "Reshape", "Flatten", "Identity")},
}  # fmt: skip
# Linear layers: where the number of units stands among the arguments, and its keyword.
LINEAR: dict[str, tuple[int, str]] = {
    "torch.nn.Linear": (1, "out_features"),
    "torch.nn.LazyLinear": (0, "out_features"),
    "torch.nn.Conv1d": (1, "out_channels"),
    "torch.nn.Conv2d": (1, "out_channels"),
    "torch.nn.Conv3d": (1, "out_channels"),
    "flax.linen.Dense": (0, "features"),
    "flax.nnx.Linear": (1, "out_features"),
    "equinox.nn.Linear": (1, "out_features"),
    "keras.layers.Dense": (0, "units"),
    "keras.layers.Conv2D": (0, "filters"),
    "keras.layers.Conv1D": (0, "filters"),
}
ACTIVATIONS: dict[str, What] = {
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "sigmoid": "sigmoid",
    "log_sigmoid": "log_sigmoid",
    "linear": "scores",
}
SEQUENTIAL = {"torch.nn.Sequential", "keras.Sequential", "keras.models.Sequential",
              "flax.linen.Sequential", "equinox.nn.Sequential", "flax.nnx.Sequential"}  # fmt: skip
GRAPHS = {"keras.Model", "keras.models.Model"}
INPUT_LAYERS = {"keras.Input", "keras.layers.Input", "keras.layers.InputLayer"}


@dataclass(frozen=True)
class LossApi:
    """A loss that code calls.

    Attributes
    ----------
    framework, name
        Its own, as messages say them; `name` is the function's.
    loss
        What it takes.
    outputs, target
        The position and the keyword of each among the arguments of a call.
    from_logits
        Whether it has Keras' argument, whose default is False.
    """

    framework: str
    name: str
    loss: Loss
    outputs: tuple[int, str]
    target: tuple[int, str]
    from_logits: bool = False


def _torch(name: str) -> LossApi:
    return LossApi("torch", name, loss_of("torch", name), (0, "input"), (1, "target"))


def _optax(name: str, outputs: str = "logits", target: str = "labels") -> LossApi:
    return LossApi("jax", name, loss_of("jax", name), (0, outputs), (1, target))


def _keras(name: str) -> LossApi:
    loss = loss_of("keras", name)
    return LossApi("keras", name, loss, (1, "y_pred"), (0, "y_true"), name.endswith("entropy"))


def _tensorflow(name: str, loss: Loss) -> LossApi:
    return LossApi("tensorflow", name, loss, (1, "logits"), (0, "labels"))


_TORCH = {name: _torch(name) for name in LOSSES["torch"]}
_KERAS = {name: _keras(name) for name in LOSSES["keras"]}
KERAS_NAMES = {**_KERAS, **{each: _KERAS[name] for each, name in KERAS_CLASSES.items()},
               "mse": _KERAS["mean_squared_error"]}  # fmt: skip

LOSS_FUNCTIONS: dict[str, LossApi] = {
    **{f"torch.nn.functional.{name}": api for name, api in _TORCH.items()},
    **{f"keras.losses.{name}": api for name, api in _KERAS.items()},
    **{f"keras.metrics.{name}": api for name, api in _KERAS.items()},
    "optax.softmax_cross_entropy": _optax("softmax_cross_entropy"),
    "optax.softmax_cross_entropy_with_integer_labels":
        _optax("softmax_cross_entropy_with_integer_labels"),
    "optax.sigmoid_binary_cross_entropy": _optax("sigmoid_binary_cross_entropy"),
    "optax.kl_divergence": _optax("kl_divergence", "log_predictions", "targets"),
    "optax.squared_error": _optax("squared_error", "predictions", "targets"),
    "tensorflow.nn.softmax_cross_entropy_with_logits":
        _tensorflow("softmax_cross_entropy_with_logits", LOGITS),
    "tensorflow.nn.sparse_softmax_cross_entropy_with_logits":
        _tensorflow("sparse_softmax_cross_entropy_with_logits", LOGITS),
    "tensorflow.nn.sigmoid_cross_entropy_with_logits":
        _tensorflow("sigmoid_cross_entropy_with_logits", BINARY_LOGITS),
    "sklearn.metrics.log_loss":
        LossApi("sklearn", "log_loss", PROBABILITIES, (1, "y_pred"), (0, "y_true")),
}  # fmt: skip
LOSS_CLASSES: dict[str, LossApi] = {
    **{f"torch.nn.{each}": _TORCH[name] for each, name in TORCH_CLASSES.items()},
    **{f"keras.losses.{each}": _KERAS[name] for each, name in KERAS_CLASSES.items()},
}
