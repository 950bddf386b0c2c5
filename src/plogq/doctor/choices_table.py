"""Which loss for which task, and how it is called: a table, and small examples to call it on.

A call reads `logits` and `labels` (class numbers) or `target` (numbers in the logits' shape), and
`weight` (by class) or `pos_weight`; lines before it make these from what the reader has. All calls
of a row give one and the same number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FRAMEWORKS = {
    "torch": "PyTorch",
    "keras": "Keras",
    "jax": "JAX (optax)",
    "plogq_torch": "plogq in PyTorch",
    "plogq_keras": "plogq in Keras",
    "plogq_jax": "plogq in JAX",
    "plogq_numpy": "plogq in NumPy",
}
IMPORTS = {
    "torch": "import torch\nimport torch.nn.functional as F",
    "keras": "import keras",
    "jax": "import jax, optax\nimport jax.numpy as jnp",
    "plogq_torch": "import torch\nimport plogq.torch",
    "plogq_keras": "import keras\nimport plogq.keras",
    "plogq_jax": "import jax.numpy as jnp\nimport plogq.jax",
    "plogq_numpy": "import numpy as np\nimport plogq, plogq.numpy",
}
MODULE = {
    "torch": "torch",
    "keras": "keras.ops",
    "jax": "jnp",
    "plogq_torch": "torch",
    "plogq_keras": "keras.ops",
    "plogq_jax": "jnp",
    "plogq_numpy": "np",
}

# What makes logits of what a model gives, by (softmax or not, output); {m} is the module above.
TO_LOGITS = {
    (True, "log_probs"): "logits = log_probs  # softmax takes them back to the probabilities",
    (True, "probs"): "logits = {m}.log(probs)",
    (False, "log_probs"): "logits = log_probs - {m}.log(-{m}.expm1(log_probs))",
    (False, "probs"): "logits = {m}.log(probs) - {m}.log1p(-probs)",
}

_KERAS_SPARSE = "keras.losses.SparseCategoricalCrossentropy"
_PLOGQ_SPARSE = "plogq.keras.SparseCategoricalCrossentropy"
_OPTAX_SPARSE = "optax.softmax_cross_entropy_with_integer_labels"
_SHAPED = "rows, classes = labels.reshape(-1), logits.shape[-1]\n"

CALLS: dict[tuple[str, str], dict[str, str]] = {
    ("classes", "none"): {
        "torch": "F.cross_entropy(logits, labels)",
        "keras": f"{_KERAS_SPARSE}(from_logits=True)(\n    labels, logits)",
        "jax": f"{_OPTAX_SPARSE}(\n    logits, labels).mean()",
        "plogq_torch": "plogq.torch.cross_entropy(logits, labels)",
        "plogq_keras": f"{_PLOGQ_SPARSE}(from_logits=True)(\n    labels, logits)",
        "plogq_jax": 'plogq.jax.cross_entropy(logits, labels, reduction="mean")',
        "plogq_numpy": "plogq.numpy.cross_entropy(logits, labels)",
    },
    ("classes", "some"): {
        "torch": "F.cross_entropy(logits, labels, weight=weight)",
        "keras": f"{_KERAS_SPARSE}(\n"
        '    from_logits=True, reduction="mean_with_sample_weight")(\n'
        "    labels, logits, sample_weight=keras.ops.take(weight, labels))",
        "jax": f"w = weight[labels]\n"
        f"loss = {_OPTAX_SPARSE}(logits, labels)\n"
        "(w * loss).sum() / w.sum()",
        "plogq_torch": "plogq.torch.cross_entropy(logits, labels, weight=weight)",
        "plogq_keras": f"{_PLOGQ_SPARSE}(\n"
        '    from_logits=True, reduction="mean_with_sample_weight")(\n'
        "    labels, logits, sample_weight=keras.ops.take(weight, labels))",
        "plogq_jax": "plogq.jax.cross_entropy(\n"
        '    logits, labels, weight=weight, reduction="mean")',
        "plogq_numpy": "plogq.numpy.cross_entropy(logits, labels, weight=weight)",
    },
    ("classes", "heavy"): {
        "torch": 'loss = F.cross_entropy(logits, labels, reduction="none")\n'
        "((1 - torch.exp(-loss)) ** 2 * loss).mean()",
        "keras": "onehot = keras.ops.one_hot(labels, logits.shape[-1])\n"
        "keras.losses.CategoricalFocalCrossentropy(\n"
        "    alpha=1.0, gamma=2.0, from_logits=True)(onehot, logits)",
        "jax": f"loss = {_OPTAX_SPARSE}(logits, labels)\n((1 - jnp.exp(-loss)) ** 2 * loss).mean()",
        "plogq_torch": "plogq.torch.focal_loss(logits, labels, gamma=2.0)",
        "plogq_keras": "plogq.keras.SparseCategoricalFocalCrossentropy(\n"
        "    alpha=1.0, gamma=2.0, from_logits=True)(labels, logits)",
        "plogq_jax": 'plogq.jax.focal_loss(logits, labels, gamma=2.0, reduction="mean")',
        "plogq_numpy": "plogq.numpy.cross_entropy(logits, labels, gamma=2.0)",
    },
    ("soft", "none"): {
        "torch": "F.cross_entropy(logits, target)",
        "keras": "keras.losses.CategoricalCrossentropy(from_logits=True)(target, logits)",
        "jax": "optax.softmax_cross_entropy(logits, target).mean()",
        "plogq_torch": "plogq.torch.cross_entropy(logits, target)",
        "plogq_keras": "plogq.keras.CategoricalCrossentropy(from_logits=True)(target, logits)",
        "plogq_jax": 'plogq.jax.cross_entropy(logits, target, reduction="mean")',
        "plogq_numpy": "plogq.numpy.cross_entropy(logits, target)",
    },
    ("binary", "none"): {
        "torch": "F.binary_cross_entropy_with_logits(logits, target)",
        "keras": "keras.losses.BinaryCrossentropy(from_logits=True)(target, logits)",
        "jax": "optax.sigmoid_binary_cross_entropy(logits, target).mean()",
        "plogq_torch": "plogq.torch.binary_cross_entropy_with_logits(logits, target)",
        "plogq_keras": "plogq.keras.BinaryCrossentropy(from_logits=True)(target, logits)",
        "plogq_jax": "plogq.jax.sigmoid_binary_cross_entropy(\n"
        '    logits, target, reduction="mean")',
        "plogq_numpy": "plogq.numpy.binary_cross_entropy_with_logits(logits, target)",
    },
    ("binary", "some"): {
        "torch": "F.binary_cross_entropy_with_logits(\n    logits, target, pos_weight=pos_weight)",
        "keras": "yes, no = keras.ops.softplus(-logits), keras.ops.softplus(logits)\n"
        "keras.ops.mean(pos_weight * target * yes + (1 - target) * no)",
        "jax": "yes, no = jax.nn.softplus(-logits), jax.nn.softplus(logits)\n"
        "(pos_weight * target * yes + (1 - target) * no).mean()",
        "plogq_torch": "plogq.torch.binary_cross_entropy_with_logits(\n"
        "    logits, target, pos_weight=pos_weight)",
        "plogq_keras": "yes, no = keras.ops.softplus(-logits), keras.ops.softplus(logits)\n"
        "keras.ops.mean(pos_weight * target * yes + (1 - target) * no)",
        "plogq_jax": "plogq.jax.sigmoid_binary_cross_entropy(\n"
        '    logits, target, pos_weight=pos_weight, reduction="mean")',
        "plogq_numpy": "plogq.numpy.binary_cross_entropy_with_logits(\n"
        "    logits, target, pos_weight=pos_weight)",
    },
    ("binary", "heavy"): {
        "torch": 'loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")\n'
        "((1 - torch.exp(-loss)) ** 2 * loss).mean()",
        "keras": "keras.losses.BinaryFocalCrossentropy(\n"
        "    gamma=2.0, from_logits=True)(target, logits)",
        "jax": "optax.sigmoid_focal_loss(logits, target, gamma=2.0).mean()",
        "plogq_torch": "plogq.torch.binary_focal_loss(logits, target, gamma=2.0)",
        "plogq_keras": "plogq.keras.BinaryFocalCrossentropy(\n"
        "    gamma=2.0, from_logits=True)(target, logits)",
        "plogq_jax": "plogq.jax.binary_focal_loss(\n"
        '    logits, target, gamma=2.0, reduction="mean")',
        "plogq_numpy": "plogq.binary_focal_from_logits(logits, target, gamma=2.0).value.mean()",
    },
    ("token", "none"): {
        "torch": _SHAPED + "F.cross_entropy(logits.reshape(-1, classes), rows, ignore_index=-100)",
        "keras": f"{_KERAS_SPARSE}(\n    from_logits=True, ignore_class=-100)(labels, logits)",
        "jax": "kept = labels != -100\n"
        f"loss = {_OPTAX_SPARSE}(\n"
        "    logits, jnp.where(kept, labels, 0))\n"
        "(kept * loss).sum() / kept.sum()",
        "plogq_torch": _SHAPED + "plogq.torch.cross_entropy(logits.reshape(-1, classes), rows)",
        "plogq_keras": f"{_PLOGQ_SPARSE}(\n"
        "    from_logits=True, ignore_class=-100)(labels, logits)",
        "plogq_jax": "plogq.jax.cross_entropy(\n"
        '    logits, labels, where=labels != -100, reduction="mean")',
        "plogq_numpy": _SHAPED + "plogq.numpy.cross_entropy(logits.reshape(-1, classes), rows)",
    },
    ("number", "none"): {
        "torch": "F.mse_loss(prediction, target)",
        "keras": "keras.losses.MeanSquaredError()(target, prediction)",
        "jax": "optax.squared_error(prediction, target).mean()",
        "plogq_torch": "((prediction - target) ** 2).mean()  # no more is needed",
        "plogq_keras": "keras.ops.mean((prediction - target) ** 2)  # no more is needed",
        "plogq_jax": "((prediction - target) ** 2).mean()  # no more is needed",
        "plogq_numpy": "((prediction - target) ** 2).mean()  # no more is needed",
    },
}


@dataclass(frozen=True)
class Row:
    """A loss, and what goes wrong with it.

    `wrong` names the mistake whose number is shown, and `check` the checks of the doctor that find
    it.
    """

    loss: str
    why: str
    wrong: str
    mistake: str
    check: str = ""


_CE_WHY = "Minus the logarithm of the probability that the model gave to the true class."
_BCE_WHY = (
    "Each yes or no is a coin of its own: its loss is −log of the probability of what happened."
)
_FOCAL_WHY = (
    "Cross-entropy times (1 − q)², where q is the probability that the model gave to the truth: "
    "rows that are already right count little. Try plain cross-entropy and another threshold first."
)

ROWS: dict[tuple[str, str], Row] = {
    ("classes", "none"): Row(
        "Cross-entropy",
        _CE_WHY,
        "softmax twice",
        "The loss applies the softmax itself. If it gets probabilities, they go through a second "
        "softmax: the number looks plausible, but it can never come near 0.",
        "softmax_before_logits_loss",
    ),
    ("classes", "some"): Row(
        "Cross-entropy, weighted by class",
        f"{_CE_WHY} Each class counts by its weight, for example 1 over its frequency. The "
        "probabilities are then no longer those of the data.",
        "divided by the rows",
        "A weighted mean divides by the sum of the weights. Dividing by the number of rows instead "
        "makes the loss grow with the weights. Libraries do one or the other; in PyTorch it "
        "depends on the form of the labels.",
    ),
    ("classes", "heavy"): Row(
        "Focal loss",
        _FOCAL_WHY,
        "with α = 0.25",
        "With several classes a single α only scales the loss: the default 0.25, which comes from "
        "object detection, makes a quarter of it. And focal loss is no cross-entropy: report the "
        "log loss as well.",
    ),
    ("soft", "none"): Row(
        "Cross-entropy with a distribution as the target",
        "The surprisal of each class under the model, weighted by the target. Its least value is "
        "the entropy of the target, not 0; the gradient is that of the KL divergence.",
        "argmax of the target",
        "The likeliest class alone leaves out what else a soft target says. This is another loss.",
    ),
    ("binary", "none"): Row(
        "Binary cross-entropy",
        _BCE_WHY,
        "sigmoid twice",
        "The loss applies the sigmoid itself. If it gets probabilities, they go through a second "
        "sigmoid, and none of them comes out below a half.",
        "sigmoid_before_logits_loss",
    ),
    ("binary", "some"): Row(
        "Binary cross-entropy, positives weighted",
        f"{_BCE_WHY} A positive counts pos_weight times, for example the number of negatives over "
        "that of positives. The probabilities are then no longer those of the data.",
        "pos_weight upside down",
        "pos_weight is negatives over positives. Its inverse makes rare positives count even less.",
    ),
    ("binary", "heavy"): Row(
        "Binary focal loss",
        _FOCAL_WHY,
        "with α = 0.25",
        "α is the weight of the positives, and 1 − α that of the negatives. The default 0.25, "
        "which comes from object detection, makes rare positives count less.",
    ),
    ("several", "none"): Row(
        "Binary cross-entropy, label by label",
        f"{_BCE_WHY} So any number of labels can be right at once.",
        "softmax over the labels",
        "A softmax makes the labels compete: their probabilities sum to 1, so two of them cannot "
        "both be likely. Each label needs a sigmoid of its own.",
        "softmax_on_multi_hot",
    ),
    ("token", "none"): Row(
        "Cross-entropy, token by token",
        f"{_CE_WHY} The class is the next token; the mean is over all tokens of the batch except "
        "the padding.",
        "padding counted",
        "Padding must be left out of the sum and of the number that divides it. If it is counted "
        "as token 0, the model learns to predict it. And the labels are the inputs shifted by one: "
        "without the shift a model learns to copy.",
    ),
    ("number", "none"): Row(
        "Squared error",
        "A number is not a class. Squared error is, up to a constant, −log of a normal density of "
        "fixed width: a cross-entropy as well.",
        "(N, 1) against (N,)",
        "A prediction of shape (N, 1) and a target of shape (N,) are broadcast to N by N: each row "
        "is compared with every other, usually without an error message.",
        "broadcast_shapes",
    ),
}
ROWS["several", "some"] = ROWS["binary", "some"]
ROWS["several", "heavy"] = ROWS["binary", "heavy"]

# What each framework's functions take, by the form of the loss.
EXPECTS: dict[str, dict[str, str]] = {
    "torch": {
        "classes": "Logits (N, C) and class numbers (N,), int64. −100 is left out.",
        "soft": "Logits and probabilities, both (N, C). F.kl_div, in contrast, takes "
        'log-probabilities first, and needs reduction="batchmean".',
        "binary": "Logits and floats from 0 to 1 in the same shape.",
        "number": "Two arrays of floats in the same shape.",
    },
    "keras": {
        "classes": "The labels first. Then logits with from_logits=True, else probabilities.",
        "soft": "The target first. Then logits with from_logits=True, else probabilities.",
        "binary": "The target first. Then logits with from_logits=True, else probabilities.",
        "number": "The target first, in the shape of the prediction.",
    },
    "jax": {
        "classes": "Logits and integers. It gives a loss per row; the mean is left to you. Labels "
        "that are no class are not refused.",
        "soft": "Logits and probabilities in the same shape. It gives a loss per row; the mean is "
        "left to you.",
        "binary": "Logits and numbers from 0 to 1 in the same shape. It gives a loss per element; "
        "the mean is left to you.",
        "number": "Two arrays in the same shape. It gives an error per element; the mean is left "
        "to you.",
    },
    "plogq_torch": {
        "classes": "What F.cross_entropy takes. A label that is no class is refused, with its row.",
        "soft": "What F.cross_entropy takes. A target that is no distribution is refused, with its "
        "row.",
        "binary": "Logits and floats from 0 to 1 in the same shape; others are refused.",
        "number": "Two tensors of floats in the same shape.",
    },
    "plogq_keras": {
        "classes": "What Keras takes: the labels first. A label that is no class is refused where "
        "it can be seen.",
        "soft": "The target first. Then logits with from_logits=True; probabilities are not "
        "renormalised, and logits in their place are refused.",
        "binary": "The target first. Then logits with from_logits=True, else probabilities.",
        "number": "Two tensors in the same shape.",
    },
    "plogq_jax": {
        "classes": "Logits and integers. A label that is no class is refused; under jit its loss "
        "is NaN.",
        "soft": "Logits and probabilities in the same shape. A target that is no distribution is "
        "refused; under jit its loss is NaN.",
        "binary": "Logits and numbers from 0 to 1 in the same shape.",
        "number": "Two arrays in the same shape.",
    },
    "plogq_numpy": {
        "classes": "Logits (N, C) and class numbers (N,). A label that is no class is refused.",
        "soft": "Logits and probabilities, both (N, C). A target that is no distribution is "
        "refused.",
        "binary": "Logits and numbers from 0 to 1 in the same shape; others are refused.",
        "number": "Two arrays in the same shape.",
    },
}

# What is taken where the call is written out by hand, or uses a loss per row.
EXPECTS_HERE = {
    ("torch", "classes", "heavy"): "Logits (N, C) and class numbers (N,), int64.",
    ("keras", "classes", "heavy"): "One-hot rows first. Then logits with from_logits=True.",
    ("keras", "binary", "some"): "Logits and numbers from 0 to 1. softplus(−z) is −log σ(z), to "
    "the last digit.",
    ("jax", "binary", "some"): "Logits and numbers from 0 to 1. softplus(−z) is −log σ(z), to the "
    "last digit.",
}

# Small batches to call them on, as a reader would write them.
EXAMPLES: dict[str, dict[str, Any]] = {
    "one": {
        "logits": [[2.0, 0.5, -1.0], [0.1, 1.2, 0.4], [-0.5, 0.3, 1.9]],
        "labels": [0, 1, 2],
        "onehot": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "target": [[0.8, 0.1, 0.1], [0.0, 0.75, 0.25], [0.1, 0.2, 0.7]],
        "weight": [1.0, 4.0, 2.0],
    },
    "yes": {
        "logits": [1.5, -0.4, 0.3, -2.0],
        "target": [1.0, 0.0, 0.0, 0.0],
        "onehot": [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]],
        "soft": [0.9, 0.2, 0.5, 0.1],
        "pos_weight": 3.0,
    },
    "several": {
        "logits": [[1.5, -0.4, 2.0], [-1.0, 0.3, -2.0]],
        "target": [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
        "pos_weight": 2.0,
    },
    "token": {
        "logits": [[[1.0, 2.0, 0.0], [0.5, 0.0, 2.5]], [[0.0, 1.0, 3.0], [-1.0, 0.0, 1.5]]],
        "labels": [[1, 2], [2, -100]],
    },
    "number": {"prediction": [2.5, 0.0, 2.0, 8.0], "target": [3.0, -0.4, 2.1, 7.3]},
}
