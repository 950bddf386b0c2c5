"""The quiz's questions about ideas: each has one right choice, and a line of Python that shows it."""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import plogq
from plogq.explorer.page import python
from plogq.explorer.pages.quiz_draft import Choice, Draft, said, shares
from plogq.explorer.shown import shown


def _uniform(rng: np.random.Generator) -> Draft:
    classes = int(rng.choice([4, 5, 8, 10, 20, 50, 100, 1000]))
    nats, bits = (float(plogq.surprisal(1 / classes, unit=u)) for u in ("nat", "bit"))
    return Draft(
        "surprisal",
        f"A model gives each of {classes} classes the same probability. What is its loss, "
        "whichever class is the true one?",
        "nats",
        f"import plogq\nplogq.surprisal(1 / {classes})",
        Choice(nats, f"−ln (1 / {classes}) = ln {classes}. An untrained network starts near it."),
        (
            Choice(bits,
                   f"This is log₂ {classes}, the same loss in bits. The question asks for nats."),
            Choice(1 - 1 / classes,
                   "This is how often a guess among equally frequent classes is wrong: an error "
                   "rate, not a loss."),
            Choice(nats / classes,
                   "This divides by the number of classes. The loss is the surprisal of the one "
                   "class that came, and no mean over classes."),
        ),
    )  # fmt: skip


def _one_hot(rng: np.random.Generator) -> Draft:
    q, y = shares(rng, 3), int(rng.integers(3))
    onehot = [float(k == y) for k in range(3)]
    return Draft(
        "cross_entropy",
        f"The truth is one class, written as a one-hot vector p = {said(tuple(onehot))}. What is "
        "left of the cross-entropy −Σ p ln q?",
        "",
        f"import plogq\nq = {python(q)}\n"
        f"[plogq.cross_entropy({python(onehot)}, q), plogq.surprisal(q[{y}])]",
        Choice("−ln q of the true class",
               "Every other term is multiplied by 0. The probabilities of the other classes "
               "matter only because all of them sum to 1."),
        (
            Choice("the sum of −ln q over all classes",
                   "In this sum every class has the weight 1. Here p gives the weight 1 to the "
                   "true class and 0 to the others."),
            Choice("the entropy of q",
                   "The entropy of q takes q for the weights: −Σ q ln q. Here the weights are p."),
            Choice("1 − q of the true class",
                   "This has no logarithm. It is at most 1, but −ln q grows without limit as q "
                   "goes to 0."),
        ),
    )  # fmt: skip


def _why_cross(rng: np.random.Generator) -> Draft:
    one = other = ""
    while one == other:
        p, q = shares(rng, 3), shares(rng, 3)
        one, other = (shown(float(plogq.cross_entropy(a, b)), 3) for a, b in ((p, q), (q, p)))
    return Draft(
        "cross_entropy",
        f"The truth is p = {said(p)}, the model says q = {said(q)}. Why is −Σ p ln q called "
        "a cross-entropy?",
        "",
        f"import plogq\np, q = {python(p)}, {python(q)}\n"
        "[plogq.cross_entropy(p, q), plogq.cross_entropy(q, p), plogq.cross_entropy(p, p)]",
        Choice("it crosses two distributions: p gives the weights, q the surprisals",
               "If both are the same distribution, it is the entropy of that distribution."),
        (
            Choice("p and q can change places",
                   f"They cannot: here H(p, q) is {one} nats, and H(q, p) is {other} nats."),
            Choice("it multiplies the p of each class with the q of every other class",
                   "Each term of the sum takes p and q of one and the same class."),
            Choice("it is the entropy of a mixture of p and q",
                   "The entropy of the mixture (p + q) / 2 is part of another measure, the "
                   "Jensen–Shannon divergence."),
        ),
    )  # fmt: skip


def _perfect(rng: np.random.Generator) -> Draft:
    classes = int(rng.integers(3, 11))
    y = int(rng.integers(classes))
    return Draft(
        "cross_entropy",
        f"A model of {classes} classes gives the true class, {y}, the probability 1. What is the "
        "loss?",
        "nats",
        f"import plogq, numpy as np\n"
        f"plogq.cross_entropy_from_probs(np.eye({classes})[{y}], {y}).value",
        Choice(float(plogq.cross_entropy_from_probs(np.eye(classes)[y], y).value),
               "−ln 1 = 0. No prediction costs less, and a perfect one costs nothing."),
        (
            Choice(1.0, "This is the probability. The loss is minus its logarithm."),
            Choice(float(np.log(classes)),
                   f"This is ln {classes}: the loss of a model that gives every class the same "
                   "probability."),
            Choice(float(plogq.surprisal(0.0)),
                   "This is the loss if the true class gets the probability 0."),
        ),
    )  # fmt: skip


def _two_classes(rng: np.random.Generator) -> Draft:
    x, y = float(rng.integers(-30, 31)) / 10, int(rng.integers(2))
    said_x = f"{x:g}".replace("-", "−")
    return Draft(
        "binary",
        f"One model has two classes and the logits (0, {said_x}). Another model answers yes or no "
        f"with the one logit {said_x}. How do the categorical cross-entropy of the first and the "
        "binary cross-entropy of the second compare?",
        "",
        f"import plogq, numpy as np\n"
        f"[plogq.cross_entropy_from_logits(np.array([0.0, {python(x)}]), {y}).value,\n"
        f" plogq.binary_cross_entropy_from_logits(np.array({python(x)}), {y}.0).value]",
        Choice("they are equal",
               "The softmax of (0, x) gives class 1 the probability 1 / (1 + e⁻ˣ), which is the "
               f"sigmoid of x. Both models give it {shown(float(plogq.sigmoid(x)), 3)}."),
        (
            Choice("the categorical one is twice as large",
                   "It has two terms, but the truth is one of the two classes: one of the terms "
                   "is multiplied by 0."),
            Choice("they differ by ln 2",
                   "ln 2 is what both are at the logit 0. It is no difference between them."),
            Choice("they cannot be compared, as softmax is no sigmoid",
                   "The sigmoid is a softmax of two logits, one of which is 0."),
        ),
    )  # fmt: skip


def _squared(rng: np.random.Generator) -> Draft:
    x = -float(rng.integers(6, 13))
    p = plogq.sigmoid(np.array(x))
    squared = plogq.squared_error(p, 1.0)
    slope = float(squared.grad * p * (1 - p))
    other = float(plogq.binary_cross_entropy_from_logits(np.array(x), 1.0).grad)
    return Draft(
        "squared_error",
        f"The label is 1, and the logit of a model is −{-x:g}: it is sure and wrong. Why does it "
        "learn little from the squared error of its probability?",
        "",
        f"import plogq, numpy as np\nlogit = np.array({python(x)})\np = plogq.sigmoid(logit)\n"
        "[plogq.squared_error(p, 1.0).grad * p * (1 - p),\n"
        " plogq.binary_cross_entropy_from_logits(logit, 1.0).grad]",
        Choice("its gradient with respect to the logit is nearly 0",
               f"The gradient is {shown(slope)}, as the sigmoid is flat there. That of "
               f"cross-entropy is {shown(other)}."),
        (
            Choice("the error itself is nearly 0",
                   f"The error is {shown(float(squared.value))}, close to its maximum of 1. A loss "
                   "may be large and flat."),
            Choice("its gradient with respect to the logit is too large",
                   f"The gradient is {shown(slope)}. The gradient that becomes very large is that "
                   "of −ln q with respect to the probability q."),
            Choice("the error is not smallest at the right probability",
                   "Its mean is smallest where the probability is right. It is a good measure of a "
                   "model, but a bad one to train with."),
        ),
    )  # fmt: skip


def _logits_or_probabilities(rng: np.random.Generator) -> Draft:
    classes = int(rng.choice([5, 10, 20, 50, 100]))
    sure = np.eye(classes)[0]
    twice = shown(float(plogq.cross_entropy_from_logits(sure, 0).value), 3)
    most = shown(float(plogq.softmax(sure)[0]), 3)
    return Draft(
        "which_loss",
        f"The last layer of a network gives {classes} numbers. What does a loss need that takes "
        "logits, such as F.cross_entropy of PyTorch?",
        "",
        f"import plogq, numpy as np\nsure = np.eye({classes})[0]\n"
        "[plogq.cross_entropy_from_logits(sure, 0).value, plogq.softmax(sure)[0]]",
        Choice("these numbers as they are",
               "They are the logits. The loss takes the softmax itself, and the logarithm in the "
               "same step."),
        (
            Choice("their softmax",
                   f"Then softmax is taken twice, and even a perfect prediction costs {twice} nats "
                   "instead of 0."),
            Choice("the sigmoid of each",
                   "A sigmoid lies between 0 and 1. The softmax of such numbers gives no class a "
                   f"probability above {most}."),
            Choice("the number of the class that has the largest one",
                   "A class number has no gradient, so the network could not learn. Class numbers "
                   "are what the loss takes as labels."),
        ),
    )  # fmt: skip


def _smoothing(rng: np.random.Generator) -> Draft:
    classes, smoothing = int(rng.integers(3, 11)), float(rng.choice([0.1, 0.2, 0.3]))
    target = np.full(classes, smoothing / classes)
    target[0] += 1 - smoothing
    rest = f"{target[1]:.3g}"
    return Draft(
        "losses",
        f"A model of {classes} classes is trained with label smoothing {smoothing:g}. What is the "
        "least loss that it can reach?",
        "nats",
        f"import plogq, numpy as np\ntarget = np.full({classes}, {smoothing} / {classes})\n"
        f"target[0] += 1 - {smoothing}\nplogq.entropy(target)",
        Choice(float(plogq.entropy(target)),
               f"The entropy of the smoothed target, which gives {target[0]:.3g} to the label and "
               f"{rest} to each other class. Smoothing forbids the model to be sure: if it gives "
               "the label the probability 1, it pays ∞."),
        (
            Choice(0.0, "A loss of 0 needs a target that is certain. The smoothed target gives "
                   f"each other class {rest}."),
            Choice(float(plogq.surprisal(target[0])),
                   "This is the surprisal of the label alone, under the best prediction. The "
                   "smoothed target gives weight to the other classes, too."),
            Choice(smoothing,
                   "This is the probability that smoothing spreads over the classes. It is no "
                   "loss."),
        ),
    )  # fmt: skip


IDEAS: tuple[Callable[[np.random.Generator], Draft], ...] = (
    _uniform,
    _one_hot,
    _why_cross,
    _perfect,
    _two_classes,
    _squared,
    _logits_or_probabilities,
    _smoothing,
)
