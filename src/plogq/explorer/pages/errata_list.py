"""What is wrong in print about these ideas: what is said, what is right, and the line that shows it."""  # noqa: E501

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import plogq
from plogq.codes import ambiguity, is_prefix_free
from plogq.explorer.shown import shown

HABITS = {
    "units": "Nats called bits",
    "zeros": "A zero replaced or left out",
    "rounding": "Rounded numbers used again",
    "slips": "A slip in the arithmetic",
    "inputs": "The wrong input",
    "words": "The wrong word",
}
BOOK = "Cover and Thomas, *Elements of Information Theory*"
ISSUES = "https://github.com/pytorch/pytorch/issues"
SOURCES = {  # of an erratum by its name: where the error can be read, or a text that has it right
    "impossible": f"Right in: {BOOK}, section 2.1: 0 log 0 is 0, which is a term of the sum.",
    "two dice": "Right in: Desurvire, *Classical and Quantum Information Theory*, table 4.1.",
    "minus sign": "Read in: optax 0.2.8, the documentation of "
    "`softmax_cross_entropy_with_integer_labels`. Its code has the sign.",
    "nll_loss": f"Met in: [pytorch/pytorch#10033]({ISSUES}/10033).",
    "kl_div": f"Met in: [pytorch/pytorch#5282]({ISSUES}/5282).",
    "a maximum": f"Right in: {BOOK}, theorem 2.6.4, which is about the entropy.",
    "prefix property": f"Right in: {BOOK}, section 5.1.",
    "forward KL": "Right in: Goodfellow, Bengio and Courville, *Deep Learning*, section 5.5.",
}
DICE = np.array([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]) / 36  # of the sums 2 to 12


@dataclass(frozen=True)
class Erratum:
    """One error. `code` computes `values`: the right figures, or what shows that a claim is false.

    `published` are the wrong figures, one for each of `values`; a claim in words has none.
    """

    habit: str  # of HABITS
    name: str  # a few words
    what: str
    said: str  # as it is published
    right: str
    why: str
    code: str
    values: tuple[float, ...]
    published: tuple[float, ...] = ()

    @property
    def share(self) -> float | None:
        """Published over right, of the figure that is furthest off; 0 where right is infinite."""
        shares = (wrong / right for wrong, right in zip(self.published, self.values, strict=False))
        return max(shares, key=lambda share: abs(share - 1), default=None)


def _figure(
    habit: str, name: str, what: str, published: float, said: str, unit: str, why: str, code: str,
    right: float,
) -> Erratum:  # fmt: skip
    return Erratum(
        habit, name, what, said, f"{shown(right)} {unit}", why,
        f"import plogq, numpy as np\n{code}", (right,), (published,),
    )  # fmt: skip


def errata() -> list[Erratum]:
    """Give all errata by habit; every right figure is computed here."""
    every = [*_units(), *_zeros(), *_rounding(), *_slips(), *_inputs(), *_words()]
    order = list(HABITS)
    return sorted(every, key=lambda erratum: order.index(erratum.habit))


def _units() -> list[Erratum]:
    return [
        _figure(
            "units",
            "loss at 0.9",
            "The loss of a prediction of 0.9 that comes true",
            0.105,
            "0.105 bits",
            "bits",
            f"The figure is in nats: −ln 0.9 = {shown(float(plogq.surprisal(0.9)))}. A bit is ln 2 "
            "nats, so the number of bits is larger.",
            'plogq.surprisal(0.9, unit="bit")',
            float(plogq.surprisal(0.9, unit="bit")),
        ),
        _figure(
            "units",
            "loss at 0.6",
            "The loss of a prediction of 0.6 that comes true",
            0.511,
            "0.511 bits",
            "bits",
            f"This figure is in nats, too: −ln 0.6 = {shown(float(plogq.surprisal(0.6)))}.",
            'plogq.surprisal(0.6, unit="bit")',
            float(plogq.surprisal(0.6, unit="bit")),
        ),
    ]


def _zeros() -> list[Erratum]:
    clipped = float(plogq.surprisal(1e-10, unit="bit"))
    return [
        _figure(
            "zeros",
            "sure of tails",
            "The cross-entropy of a coin that shows heads with 0.7, to someone sure of tails",
            23.25,
            "23.25 bits",
            "bits",
            "The probability 0 had been replaced by 10⁻¹⁰, and the text does not say so. The "
            f"figure only shows how small the replacement was: 0.7 · log₂ 10¹⁰ = "
            f"{shown(0.7 * clipped, 2)}. An outcome of probability 0 that does happen is "
            "infinitely surprising.",
            'plogq.cross_entropy([0.7, 0.3], [0.0, 1.0], unit="bit")',
            float(plogq.cross_entropy([0.7, 0.3], [0.0, 1.0], unit="bit")),
        ),
        _figure(
            "zeros",
            "sure of heads",
            "The cross-entropy of the same coin, to someone sure of heads",
            9.97,
            "9.97 bits",
            "bits",
            f"This is the same 10⁻¹⁰: 0.3 · log₂ 10¹⁰ = {shown(0.3 * clipped, 2)}. Both people are "
            "sure and wrong, and the cross-entropy of both is infinite. The replacement makes one "
            "look better than the other.",
            'plogq.cross_entropy([0.7, 0.3], [1.0, 0.0], unit="bit")',
            float(plogq.cross_entropy([0.7, 0.3], [1.0, 0.0], unit="bit")),
        ),
        _figure(
            "zeros",
            "impossible",
            "The information in an event of probability 0",
            0.0,
            "0 bits",
            "bits",
            "−log p grows without limit as p goes to 0. What is 0 is the part of such an event in "
            "the entropy: its probability, 0, times its surprisal.",
            'plogq.surprisal(0.0, unit="bit")',
            float(plogq.surprisal(0.0, unit="bit")),
        ),
    ]


def _rounding() -> list[Erratum]:
    rounded = DICE.round(2)
    surprisals = plogq.surprisal(DICE[[0, 1, 2, 3, 5]], unit="bit")
    *most, last = (shown(x, 3) for x in surprisals)
    return [
        _figure(
            "rounding",
            "two dice",
            "The entropy of the sum of two dice",
            3.3,
            "3.3 bits",
            "bits",
            "The eleven probabilities had been rounded to two decimals. They then sum to "
            f"{shown(float(rounded.sum()), 2)}, and numbers that sum to more than 1 are no "
            "distribution.",
            'plogq.entropy(\n    np.array([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]) / 36, unit="bit")',
            float(plogq.entropy(DICE, unit="bit")),
        ),
        Erratum(
            "rounding",
            "sums of dice",
            "The surprisals of the sums 2, 3, 4, 5 and 7 of two dice",
            "5.06, 4.06, 3.64, 3.18 and 2.56 bits",
            f"{', '.join(most)} and {last} bits",
            f"The same rounded probabilities were used: 1/36 was taken as 0.03, and −log₂ 0.03 is "
            f"{shown(float(plogq.surprisal(0.03, unit='bit')), 2)}. Rounding to two "
            "decimals can change a small probability most, relative to its size.",
            "import plogq, numpy as np\n"
            'plogq.surprisal(np.array([1, 2, 3, 4, 6]) / 36, unit="bit")',
            tuple(map(float, surprisals)),
            (5.06, 4.06, 3.64, 3.18, 2.56),
        ),
    ]


def _slips() -> list[Erratum]:
    gradient = plogq.cross_entropy_from_probs(np.array([0.05, 0.95]), 0).grad[0]
    without = float(np.sum([0.5, 0.5] * np.log2([0.9, 0.1])))
    return [
        _figure(
            "slips",
            "divergence",
            "The KL divergence of (0.5, 0.5) from (0.9, 0.1)",
            0.237,
            "0.237 bits",
            "bits",
            f"One logarithm is wrong by 1: log₂(0.5 / 0.1) is {shown(float(np.log2(0.5 / 0.1)), 3)}"
            ", not 1.322. It has the weight 0.5 in the sum, so the sum lacks half a bit.",
            'plogq.kl_divergence([0.5, 0.5], [0.9, 0.1], unit="bit")',
            float(plogq.kl_divergence([0.5, 0.5], [0.9, 0.1], unit="bit")),
        ),
        _figure(
            "slips",
            "cross-entropy",
            "The cross-entropy of the same two",
            1.237,
            "1.237 bits",
            "bits",
            "The wrong divergence was used again, and the entropy of 1 bit was added to it. The "
            "two figures agree with each other, and both are wrong.",
            'plogq.cross_entropy([0.5, 0.5], [0.9, 0.1], unit="bit")',
            float(plogq.cross_entropy([0.5, 0.5], [0.9, 0.1], unit="bit")),
        ),
        _figure(
            "slips",
            "slope at 0.05",
            "How steep the log loss is where the true class got the probability 0.05",
            19.0,
            "about 19",
            "nats per unit of probability",
            f"The derivative of −ln q is −1 / q, and 1 / 0.05 is {shown(abs(float(gradient)), 0)}.",
            "-plogq.cross_entropy_from_probs(np.array([0.05, 0.95]), 0).grad[0]",
            abs(float(gradient)),
        ),
        Erratum(
            "slips",
            "minus sign",
            "The formula of cross-entropy",
            "H(p, q) = Σ p log q",
            "H(p, q) = −Σ p log q",
            "The minus sign is lost. The logarithm of a probability is never above 0, so the sum "
            f"without the sign is never above 0 either. For (0.5, 0.5) and (0.9, 0.1) it is "
            f"{shown(without)} bits: it would become smaller as the model becomes worse.",
            "import plogq, numpy as np\n"
            "p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])\n"
            '[np.sum(p * np.log2(q)), plogq.cross_entropy(p, q, unit="bit")]',
            (without, float(plogq.cross_entropy([0.5, 0.5], [0.9, 0.1], unit="bit"))),
        ),
    ]


def _inputs() -> list[Erratum]:
    q = np.array([0.7, 0.2, 0.1])
    loss, itself = float(plogq.surprisal(q[0])), float(np.sum(q * (np.log(q) - q)))
    setup = (
        "import torch\nimport torch.nn.functional as F\n"
        "q = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)\n"
    )
    return [
        Erratum(
            "inputs",
            "nll_loss",
            "What PyTorch’s nll_loss takes",
            "nll_loss takes the output of a softmax.",
            "It takes log-probabilities, which are the output of log_softmax.",
            "nll_loss takes no logarithm. It changes the sign of one number in each row and takes "
            f"the mean. If it gets the probabilities (0.7, 0.2, 0.1) and the class 0, it returns "
            f"{shown(-q[0], 2)}. If it gets their logarithms, it returns the loss, {shown(loss)}.",
            f"{setup}[F.nll_loss(x, torch.tensor([0])).item() for x in (q, q.log())]",
            (-float(q[0]), loss),
        ),
        Erratum(
            "inputs",
            "kl_div",
            "What PyTorch’s kl_div takes",
            "kl_div takes the outputs of two softmaxes.",
            "Its first argument is log-probabilities, and its second is probabilities, unless "
            "log_target is set.",
            "The divergence of a distribution from itself is 0. If kl_div gets (0.7, 0.2, 0.1) as "
            f"both arguments, it returns {shown(itself)}. If the first is the logarithms, it "
            "returns 0.",
            f'{setup}[F.kl_div(x, q, reduction="sum").item() for x in (q, q.log())]',
            (itself, 0.0),
        ),
    ]


def _words() -> list[Erratum]:
    models = [[0.5, 0.5], [0.7, 0.3], [0.9, 0.1]]
    suffixes = ["0", "01", "011"]
    uniform = float(np.log(10))
    small = float(plogq.surprisal(1e-6))
    return [
        _figure(
            "words",
            "a maximum",
            "The largest cross-entropy of a classifier with 10 classes",
            2.3026,
            "2.3026 nats, from uniform predictions",
            "nats: there is no largest",
            f"ln 10 = {shown(uniform)} is the largest entropy. A cross-entropy has no limit: a "
            f"model that gives the true class the probability 10⁻⁶ pays {shown(small)} nats, and "
            "one that gives it 0 pays ∞. Uniform predictions are not the worst ones but the "
            "safest: no class costs more than ln 10.",
            "plogq.cross_entropy(np.eye(10)[0], np.eye(10)[1])",
            float(plogq.cross_entropy(np.eye(10)[0], np.eye(10)[1])),
        ),
        Erratum(
            "words",
            "prefix property",
            "Codes that can be decoded uniquely",
            "Every code that can be decoded uniquely has the prefix property.",
            "Every code with the prefix property can be decoded uniquely, and so can some others.",
            "A code has the prefix property if no word begins another word. In the code 0, 01, 011 "
            "each word begins the next one. Yet every stream can be read in one way: each 0 begins "
            "a new word.",
            "from plogq.codes import ambiguity, is_prefix_free\n"
            'words = ["0", "01", "011"]\n'
            "[is_prefix_free(words), ambiguity(words) is None]",
            (float(is_prefix_free(suffixes)), float(ambiguity(suffixes) is None)),
        ),
        Erratum(
            "words",
            "forward KL",
            "What training does to the KL divergence of the model from the data",
            "Training maximises the forward KL divergence.",
            "Training minimises it. What it maximises is the likelihood.",
            "KL(data ‖ model) is 0 where the model gives the probabilities of the data, here (0.7, "
            "0.3), and larger for every other model.",
            "import plogq\n"
            "models = [[0.5, 0.5], [0.7, 0.3], [0.9, 0.1]]\n"
            "[plogq.kl_divergence([0.7, 0.3], q) for q in models]",
            tuple(float(plogq.kl_divergence([0.7, 0.3], q)) for q in models),
        ),
    ]
