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
        Choice(bits, f"−log₂ {p:g}: so many halvings lead from 1 to {p:g}."),
        (
            Choice(nats, "Nats: this is the natural logarithm. Bits take the one to base 2."),
            Choice(hartleys, "Hartleys: this is the logarithm to base 10. Bits take base 2."),
            Choice(p * bits, "This weighs the surprisal by how often it comes, p · −log₂ p: its "
                   "part of the entropy. Here it did happen."),
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
        Choice(bits, "The surprisals, each weighted by how often it comes: −Σ p log₂ p."),
        (
            Choice(float(plogq.entropy(p)),
                   "Nats: the sum is right, the logarithm is the natural one."),
            Choice(float(plogq.perplexity(p)),
                   "The perplexity, 2 to the entropy: as many equally likely outcomes, not bits."),
            Choice(float(np.mean(plogq.surprisal(p, unit="bit"))),
                   "The plain mean of the three surprisals: as if all came equally often."),
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
        Choice(cost.expected_length, "Every length, weighted by how often it is sent: Σ p ℓ."),
        (
            Choice(cost.entropy,
                   "The entropy: no decodable code takes less on average; this one takes more."),
            Choice(float(np.mean(lengths)),
                   "The plain mean of the lengths: as if all symbols came equally often."),
            Choice(turned.expected_length,
                   "The lengths in the opposite order: each word must meet its own symbol."),
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
               "The truth decides how often, the model decides how surprising: −Σ p log₂ q."),
        (
            Choice(float(plogq.cross_entropy(q, p, unit="bit")),
                   "H(q, p): the two have changed places. The logarithm belongs to the model."),
            Choice(float(plogq.cross_entropy(p, q)),
                   "Nats: the sum is right, the logarithm is the natural one."),
            Choice(float(plogq.kl_divergence(p, q, unit="bit")),
                   "Only the excess, KL(p ‖ q): the entropy of the truth itself is missing."),
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
               "Σ p ln(p / q): what the model costs beyond the entropy of the truth."),
        (
            Choice(float(plogq.kl_divergence(q, p)),
                   "KL(q ‖ p): the other direction, which weighs by the model, not by the truth."),
            Choice(float(plogq.kl_divergence(p, q, unit="bit")),
                   "Bits: this is the logarithm to base 2. Nats take the natural one."),
            Choice(float(plogq.cross_entropy(p, q)),
                   "The whole cross-entropy: the entropy of the truth has to come off."),
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
                   "Softmax was taken twice: its probabilities went in where logits belong."),
            Choice(float(plogq.cross_entropy_from_logits(x, y - 1).value),
                   f"The loss of class {y - 1}: classes are counted from 0, not from 1."),
            Choice(float(plogq.from_nats(np.array(loss), "bit")),
                   "Bits: this is the logarithm to base 2. Training losses are in nats."),
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
        Choice(loss, f"−ln of what the model gave to what happened: −ln {given:g}."),
        (
            Choice(float(plogq.binary_cross_entropy_from_probs(prob, 1 - label).value),
                   f"The loss of label {1 - label:g}: the other one."),
            Choice(float(plogq.squared_error(prob, label).value),
                   "The squared error, (p − label)²."),
            Choice(float(plogq.from_nats(np.array(loss), "bit")),
                   "Bits: this is the logarithm to base 2. Nats take the natural one."),
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
        Choice(slope, f"The prediction less the truth: {shown(float(probs[y]), DIGITS)} − 1."),
        (
            Choice(float(probs[y]),
                   "q without the − 1: so it is at a class that is not the true one."),
            Choice(-slope, "1 − q, with the sign of the step. The step goes against the gradient."),
            Choice(float(plogq.cross_entropy_from_probs(probs, y).grad[y]),
                   "−1 / q: the derivative with respect to the probability, not to the logit."),
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
