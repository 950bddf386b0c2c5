"""History: who brought cross-entropy to where it is, each with a source and a number."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

import plogq
from plogq.explorer.controls import State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.pages import distillation, softmax
from plogq.explorer.shown import figure, shown

LETTERS = (1 / 2, 1 / 4, 1 / 8, 1 / 8)  # Shannon's example of a source, in section 9
WRONG = 0.01  # what a sure and wrong output gives to the truth
IMAGENET, GPT2 = 1000, 50_257  # classes; tokens
FLOOR = 1.69  # nats a token, the constant E of Hoffmann et al.
T = 3.0
LOGITS: tuple[float, ...] = softmax.PAGE.controls["logits"].spec()["default"]
TEACHER: tuple[float, ...] = distillation.PAGE.controls["teacher"].spec()["default"]


@dataclass(frozen=True)
class Entry:
    """A work of `year` by `authors`; `what` is the figure of it that `code`, one line, gives."""

    year: int
    name: str  # short, for the picture
    authors: str
    title: str
    where: str
    said: str
    what: str
    value: float
    unit: str
    page: str  # of the explorer, about the same
    code: str


def entries() -> list[Entry]:
    """Give the works by year; every figure is computed here."""
    letters, equal = np.array(LETTERS), np.full(4, 1 / 4)
    bent = WRONG * (1 - WRONG)  # the sigmoid's slope
    slope = f"{WRONG} * (1 - {WRONG})"
    return [
        Entry(
            1948,
            "Shannon",
            "Claude E. Shannon",
            "A mathematical theory of communication",
            "Bell System Technical Journal 27, 379–423 and 623–656",
            "How many binary digits does a source need for each of its letters? On average its "
            "entropy, and no fewer. In an example of Shannon’s, four letters come with the "
            "probabilities 1/2, 1/4, 1/8 and 1/8.",
            "Their entropy",
            float(plogq.entropy(letters, unit="bit")),
            "bits a letter",
            "codes",
            f'plogq.entropy({python(LETTERS)}, unit="bit")',
        ),
        Entry(
            1951,
            "Kullback, Leibler",
            "Solomon Kullback and Richard A. Leibler",
            "On information and sufficiency",
            "Annals of Mathematical Statistics 22, 79–86",
            "How well can one observation tell two distributions apart? Their measure is the "
            "average of log p/q, and a cross-entropy is this and the entropy.",
            "Shannon’s four letters against four that are equally likely",
            float(plogq.kl_divergence(letters, equal, unit="bit")),
            "bits",
            "decomposition",
            f'plogq.kl_divergence({python(LETTERS)}, [1/4] * 4, unit="bit")',
        ),
        Entry(
            1952,
            "Good",
            "I. J. Good",
            "Rational decisions",
            "Journal of the Royal Statistical Society B 14, 107–114",
            "Good pays a forecaster by the logarithm of the probability that was given to what "
            "came. Then it is best, on average, to say what one believes.",
            "What it costs to say 0.9 where 0.7 is true",
            float(plogq.kl_divergence([0.7, 0.3], [0.9, 0.1])),
            "nats a forecast",
            "cross_entropy",
            "plogq.kl_divergence([0.7, 0.3], [0.9, 0.1])",
        ),
        Entry(
            1977,
            "Jelinek et al.",
            "Frederick Jelinek, Robert L. Mercer, Lalit R. Bahl and James K. Baker",
            "Perplexity: a measure of the difficulty of speech recognition tasks",
            "Journal of the Acoustical Society of America 62, S63",
            "Speech recognition needs to know how hard it is to guess the next word. Perplexity "
            "tells it as a number of words that are equally likely.",
            "The perplexity of Shannon’s four letters",
            float(plogq.perplexity(letters)),
            "letters",
            "surprisal",
            f"plogq.perplexity({python(LETTERS)})",
        ),
        Entry(
            1986,
            "Rumelhart et al.",
            "David E. Rumelhart, Geoffrey E. Hinton and Ronald J. Williams",
            "Learning representations by back-propagating errors",
            "Nature 323, 533–536",
            "Networks of several layers learn by the gradient of their error: half the squared "
            "difference of output and target. But where a sigmoid is sure and wrong, that gradient "
            "fades.",
            "Its gradient in the logit, where the output is 0.01 and the target 1",
            float(plogq.squared_error(WRONG, 1.0).grad / 2 * bent),
            "",
            "squared_error",
            f"plogq.squared_error({WRONG}, 1.0).grad / 2 * ({slope})",
        ),
        Entry(
            1988,
            "Solla et al.",
            "Sara A. Solla, Esther Levin and Michael Fleisher",
            "Accelerated learning in layered neural networks",
            "Complex Systems 2",
            "They train the same kind of network on the relative entropy of target and output. "
            "This is cross-entropy less what no weight can change, and it learns faster.",
            "The gradient at the same output",
            float(plogq.binary_cross_entropy_from_probs(WRONG, 1.0).grad * bent),
            "nats",
            "convexity",
            f"plogq.binary_cross_entropy_from_probs({WRONG}, 1.0).grad * ({slope})",
        ),
        Entry(
            1990,
            "Bridle",
            "John S. Bridle",
            "Training stochastic model recognition algorithms as networks can lead to maximum "
            "mutual information estimation of parameters",
            "Advances in Neural Information Processing Systems 2, 211–217",
            "Bridle gives networks an output that is a distribution over the classes, names it "
            "softmax, and trains it by the logarithm of what the true class got.",
            f"What softmax gives to the first of the logits {_listed(LOGITS)}",
            float(plogq.softmax(LOGITS)[0]),
            "",
            "softmax",
            f"plogq.softmax({python(LOGITS)})[0]",
        ),
        Entry(
            2012,
            "Krizhevsky et al.",
            "Alex Krizhevsky, Ilya Sutskever and Geoffrey E. Hinton",
            "ImageNet classification with deep convolutional neural networks",
            "Advances in Neural Information Processing Systems 25, 1097–1105",
            "A deep network with a softmax over 1,000 classes is trained by cross-entropy, and "
            "wins the ImageNet competition by far. Since then most classifiers of images are "
            "trained so.",
            "What an even guess among 1,000 classes pays",
            float(plogq.surprisal(1 / IMAGENET)),
            "nats an image",
            "training",
            f"plogq.surprisal(1 / {IMAGENET})",
        ),
        Entry(
            2015,
            "Hinton et al.",
            "Geoffrey Hinton, Oriol Vinyals and Jeff Dean",
            "Distilling the knowledge in a neural network",
            "arXiv:1503.02531",
            "A small network learns from the probabilities of a large one. A temperature makes "
            "those of the wrong classes large enough to be learnt from.",
            f"What a teacher of the logits {_listed(TEACHER)} gives to all but the first at "
            f"T = {T:g}",
            float(np.sum(plogq.softmax(TEACHER, temperature=T)[1:])),
            "",
            "distillation",
            f"np.sum(plogq.softmax({python(TEACHER)}, temperature={T})[1:])",
        ),
        Entry(
            2019,
            "Radford et al.",
            "Alec Radford, Jeffrey Wu, Rewon Child, David Luan, Dario Amodei and Ilya Sutskever",
            "Language models are unsupervised multitask learners",
            "OpenAI, technical report",
            "GPT-2 is trained by nothing but the cross-entropy of the next token, one of 50,257, "
            "and can answer, translate and summarise to some degree.",
            "What an even guess among 50,257 tokens pays",
            float(plogq.surprisal(1 / GPT2)),
            "nats a token",
            "surprisal",
            f"plogq.surprisal(1 / {GPT2})",
        ),
        Entry(
            2022,
            "Hoffmann et al.",
            "Jordan Hoffmann and others",
            "Training compute-optimal large language models",
            "arXiv:2203.15556",
            "From the losses of many language models they extrapolate: a model without limit, "
            "trained on text without limit, would still pay 1.69 nats a token. It is an estimate "
            "of the entropy of their text.",
            "The same in bits",
            float(plogq.from_nats(FLOOR, "bit")),
            "bits a token",
            "decomposition",
            f'plogq.from_nats({FLOOR}, "bit")',
        ),
    ]


def compute(state: State) -> Result:
    """Give the works by year, each with its source and its figure."""
    found = entries()
    value = {entry.year: entry.value for entry in found}
    ratio = value[1988] / value[1986]
    expressions = "".join(f"    {entry.code},\n" for entry in found)
    return {
        "entries": [
            {
                **asdict(entry),
                "figure": figure(entry.value),
                "code": f"import plogq, numpy as np\n{entry.code}",
            }
            for entry in found
        ],
        "readouts": [
            readout("works", len(found), digits=0),
            readout("years from the first to the last", found[-1].year - found[0].year, digits=0),
            readout("cross-entropy’s gradient by squared error’s, 1988 by 1986", ratio, "", "gain"),
        ],
        "notice": (
            "The logarithm comes first, and not from learning: from telegraphs, statistics and "
            "forecasts. Networks begin with squared error. Where an output is sure and wrong, the "
            f"change of 1988 makes the gradient in the logit {shown(ratio, 0)} times as large: "
            f"{shown(value[1988])} instead of {shown(value[1986])}."
        ),
        "code": f"import plogq, numpy as np\n[\n{expressions}]",
        "answer": [entry.value for entry in found],
    }


def _listed(logits: tuple[float, ...]) -> str:
    return ", ".join(shown(x, 2) for x in logits)


PAGE = Page(
    title="History",
    summary="From Shannon’s entropy to language models: eleven works that brought cross-entropy to "
    "where it is. Each with its source and a number, computed here.",
    words="timeline Shannon Kullback Leibler Good Jelinek Rumelhart Hinton Williams Solla Levin "
    "Fleisher Bridle Krizhevsky AlexNet GPT-2 Chinchilla references sources papers",
    controls={},
    compute=compute,
)
