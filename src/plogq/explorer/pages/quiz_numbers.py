"""The quiz's questions with numbers: what three common mistakes make of the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import plogq
from plogq.codes import code_cost
from plogq.explorer.page import python
from plogq.explorer.pages.quiz_draft import DIGITS, Choice, Draft, logits, said, shares
from plogq.explorer.shown import shown


def _surprisal(rng: np.random.Generator) -> Draft:
    p = int(rng.integers(2, 41)) / 100
    bits = float(plogq.surprisal(p, unit="bit"))
    nats, hartleys = float(plogq.surprisal(p)), float(plogq.surprisal(p, unit="hartley"))
    return Draft(
        "surprisal",
        f"Something with probability {p:g} happens. How surprising is that?",
        "bits",
        f'import plogq\nplogq.surprisal({python(p)}, unit="bit")',
        Choice(bits, f"−log₂ {p:g} is the number of halvings that lead from 1 to {p:g}."),
        (
            Choice(nats, "This is in nats, with the natural logarithm. Bits take base 2."),
            Choice(hartleys, "This is in hartleys, with base 10. Bits take base 2."),
            Choice(p * bits, "This is p · −log₂ p, the part of the event in the entropy. Here the "
                   "event did happen, so the factor p does not belong."),
        ),
    )  # fmt: skip


def _entropy(rng: np.random.Generator) -> Draft:
    p = shares(rng, 3)
    bits = float(plogq.entropy(p, unit="bit"))
    return Draft(
        "surprisal",
        f"A source has three outcomes, with probabilities {said(p)}. What is its entropy?",
        "bits",
        f'import plogq\nplogq.entropy({python(p)}, unit="bit")',
        Choice(bits, "The mean of the surprisals, each weighted by its probability: −Σ p log₂ p."),
        (
            Choice(float(plogq.entropy(p)),
                   "This is in nats: the sum is right, but the logarithm is the natural one."),
            Choice(float(plogq.perplexity(p)),
                   "This is the perplexity, 2 to the entropy: a number of equally likely outcomes, "
                   "not of bits."),
            Choice(float(np.mean(plogq.surprisal(p, unit="bit"))),
                   "This is the plain mean of the three surprisals, as if all outcomes came "
                   "equally often."),
        ),
    )  # fmt: skip


_LENGTHS = ((1, 2, 2), (1, 2, 3, 3), (1, 3, 3, 3), (2, 2, 2, 3, 3), (1, 2, 3, 4, 4))


def _code_length(rng: np.random.Generator) -> Draft:
    lengths = _LENGTHS[int(rng.integers(len(_LENGTHS)))]
    p = shares(rng, len(lengths))
    cost, turned = code_cost(lengths, p), code_cost(lengths[::-1], p)
    return Draft(
        "codes",
        f"Symbols come with probabilities {said(p)}. In this order their code words have "
        f"{', '.join(map(str, lengths[:-1]))} and {lengths[-1]} binary digits. How many digits "
        "does a symbol take on average?",
        "binary digits",
        f"from plogq.codes import code_cost\n"
        f"code_cost({python(lengths)}, {python(p)}).expected_length",
        Choice(cost.expected_length,
               "The mean of the lengths, each weighted by its probability: Σ p ℓ."),
        (
            Choice(cost.entropy,
                   "This is the entropy. No decodable code takes less on average, and this one "
                   "takes more."),
            Choice(float(np.mean(lengths)),
                   "This is the plain mean of the lengths, as if all symbols came equally often."),
            Choice(turned.expected_length,
                   "This takes the lengths in the opposite order. Each length belongs to its own "
                   "symbol."),
        ),
    )  # fmt: skip


def _cross_entropy(rng: np.random.Generator) -> Draft:
    p, q = shares(rng, 3), shares(rng, 3)
    return Draft(
        "cross_entropy",
        f"The truth is p = {said(p)}, the model says q = {said(q)}. What is the cross-entropy "
        "of the model on the truth, H(p, q)?",
        "bits",
        f'import plogq\nplogq.cross_entropy({python(p)}, {python(q)}, unit="bit")',
        Choice(float(plogq.cross_entropy(p, q, unit="bit")),
               "The truth gives the weights, the model gives the surprisals: −Σ p log₂ q."),
        (
            Choice(float(plogq.cross_entropy(q, p, unit="bit")),
                   "This is H(q, p), with p and q exchanged. The logarithm is of the model, q."),
            Choice(float(plogq.cross_entropy(p, q)),
                   "This is in nats: the sum is right, but the logarithm is the natural one."),
            Choice(float(plogq.kl_divergence(p, q, unit="bit")),
                   "This is only the excess, KL(p ‖ q). The entropy of the truth is missing."),
        ),
    )  # fmt: skip


def _divergence(rng: np.random.Generator) -> Draft:
    p, q = shares(rng, 2), shares(rng, 2)
    return Draft(
        "decomposition",
        f"The truth is p = {said(p)}, the model says q = {said(q)}. How large is the "
        "Kullback–Leibler divergence KL(p ‖ q)?",
        "nats",
        f"import plogq\nplogq.kl_divergence({python(p)}, {python(q)})",
        Choice(float(plogq.kl_divergence(p, q)),
               "Σ p ln(p / q) is what the model costs beyond the entropy of the truth."),
        (
            Choice(float(plogq.kl_divergence(q, p)),
                   "This is KL(q ‖ p), the other direction. Its weights are the model, not the "
                   "truth."),
            Choice(float(plogq.kl_divergence(p, q, unit="bit")),
                   "This is in bits, with base 2. Nats take the natural logarithm."),
            Choice(float(plogq.cross_entropy(p, q)),
                   "This is the whole cross-entropy. The entropy of the truth must be subtracted."),
        ),
    )  # fmt: skip


def _softmax_loss(rng: np.random.Generator) -> Draft:
    x, y = np.array(logits(rng)), int(rng.integers(1, 3))
    loss = float(plogq.cross_entropy_from_logits(x, y).value)
    return Draft(
        "softmax",
        f"A network gives the logits {said(tuple(x.tolist()))} for the classes 0, 1 and 2. The "
        f"true class is {y}. What is the loss?",
        "nats",
        f"import plogq, numpy as np\n"
        f"plogq.cross_entropy_from_logits(np.array({python(x.tolist())}), {y}).value",
        Choice(loss, f"Softmax, then −ln of the probability of class {y}."),
        (
            Choice(float(plogq.cross_entropy_from_logits(plogq.softmax(x), y).value),
                   "Softmax was taken twice: its probabilities were used as logits."),
            Choice(float(plogq.cross_entropy_from_logits(x, y - 1).value),
                   f"This is the loss of class {y - 1}. Classes are counted from 0, not from 1."),
            Choice(float(plogq.from_nats(np.array(loss), "bit")),
                   "This is in bits, with base 2. Training losses are in nats."),
        ),
    )  # fmt: skip


def _binary(rng: np.random.Generator) -> Draft:
    p, label = int(rng.integers(2, 19)) / 20, float(rng.integers(2))
    prob, given = np.array(p), p if label else 1 - p
    loss = float(plogq.binary_cross_entropy_from_probs(prob, label).value)
    return Draft(
        "binary",
        f"A model gives label 1 the probability {p:g}. The label is {label:g}. What is the binary "
        "cross-entropy?",
        "nats",
        f"import plogq, numpy as np\n"
        f"plogq.binary_cross_entropy_from_probs(np.array({python(p)}), {label}).value",
        Choice(loss, f"Minus the logarithm of the probability of what happened: −ln {given:g}."),
        (
            Choice(float(plogq.binary_cross_entropy_from_probs(prob, 1 - label).value),
                   f"This is the loss of the other label, {1 - label:g}."),
            Choice(float(plogq.squared_error(prob, label).value),
                   "This is the squared error, (p − label)²."),
            Choice(float(plogq.from_nats(np.array(loss), "bit")),
                   "This is in bits, with base 2. Nats take the natural logarithm."),
        ),
    )  # fmt: skip


def _gradient(rng: np.random.Generator) -> Draft:
    x, y = np.array(logits(rng)), int(rng.integers(3))
    probs = plogq.softmax(x)
    slope = float(plogq.cross_entropy_from_logits(x, y).grad[y])
    return Draft(
        "softmax",
        f"A network gives the logits {said(tuple(x.tolist()))} for the classes 0, 1 and 2. The "
        f"true class is {y}. What is the derivative of the loss with respect to the logit of class "
        f"{y}?",
        "nats per logit",
        f"import plogq, numpy as np\n"
        f"plogq.cross_entropy_from_logits(np.array({python(x.tolist())}), {y}).grad[{y}]",
        Choice(slope, f"The prediction minus the truth: {shown(float(probs[y]), DIGITS)} − 1."),
        (
            Choice(float(probs[y]),
                   "This is q without the − 1. It would be right for a class that is not true."),
            Choice(-slope, "This is 1 − q, which has the sign of the step. The step goes against "
                   "the gradient."),
            Choice(float(plogq.cross_entropy_from_probs(probs, y).grad[y]),
                   "This is −1 / q, the derivative with respect to the probability q."),
        ),
    )  # fmt: skip


NUMBERS: tuple[Callable[[np.random.Generator], Draft], ...] = (
    _surprisal,
    _entropy,
    _code_length,
    _cross_entropy,
    _divergence,
    _softmax_loss,
    _binary,
    _gradient,
)
