"""docs/glossary.md: its functions and fields exist, and its formulas are what they compute."""

import importlib
import re

import numpy as np
import pytest

import plogq
from plogq.codes import huffman_lengths, is_prefix_free, kraft_sum
from plogq.lm import TokensResult, score_tokens
from plogq.reports.findings.figures import PER_ROW, PLAIN
from plogq.reports.findings.measures import MEASURES
from plogq.score import Result, score
from plogq.score.parts import Measures
from tests.pages.scripts import DOCS

PAGE = (DOCS / "glossary.md").read_text()
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.*?) ?\| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)
ROWS = [row for row in ROW.findall(PAGE) if row[0] not in ("term", "---")]
RECORDS = {"Result": Result, "TokensResult": TokensResult}

rng = np.random.default_rng(0)
P, Q = rng.dirichlet(np.ones(4), size=2)
JOINT = rng.dirichlet(np.ones(6)).reshape(2, 3)
X, T = rng.normal(size=(2, 4))
Y, C = 2, 4
S = np.exp(X) / np.exp(X).sum()
HOT = np.eye(C)[Y]
W = np.array([1.0, 2.0, 3.0, 4.0])


def h(p):
    return -np.sum(p * np.log(p))


def kl(p, q):
    return np.sum(p * np.log(p / q))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def of_x(name, *arguments, **options):
    """Return the value of a loss of the logits x and the label y."""
    return getattr(plogq, name)(X, *(arguments or (Y,)), **options).value


MIDDLE = (P + Q) / 2
OF_X, OF_Y = JOINT.sum(axis=1), JOINT.sum(axis=0)
LABELS, ASKED = np.array([0, 0, 1, 2, 1, 0]), np.array([0, 1, 1, 1, 0, 0])


def gain():
    """Return the entropy of the labels, less that of each branch by its share of the rows."""
    left = sum(
        np.mean(branch == ASKED)
        * h(np.unique(LABELS[branch == ASKED], return_counts=True)[1] / np.sum(branch == ASKED))
        for branch in (0, 1)
    )
    return h(np.bincount(LABELS) / len(LABELS)) - left


def smoothed():
    import torch

    import plogq.torch as pt

    loss = pt.cross_entropy(torch.tensor(X)[None], torch.tensor([Y]), label_smoothing=0.1)
    return float(loss)


# By term: what plogq gives, and what the formula of the page comes to.
FORMULAS = {
    "surprisal": (lambda: plogq.surprisal(P), lambda: -np.log(P)),
    "entropy": (lambda: plogq.entropy(P), lambda: h(P)),
    "cross-entropy": (lambda: plogq.cross_entropy(P, Q), lambda: -np.sum(P * np.log(Q))),
    "KL divergence": (
        lambda: plogq.kl_divergence(P, Q),
        lambda: [kl(P, Q), plogq.cross_entropy(P, Q) - h(P)],
    ),
    "forward and reverse KL": (
        lambda: [plogq.kl_divergence(P, S), plogq.reverse_kl_from_logits(np.log(P), X).value],
        lambda: [kl(P, S), kl(S, P)],
    ),
    "Jensen–Shannon divergence": (
        lambda: plogq.js_divergence(P, Q),
        lambda: (kl(P, MIDDLE) + kl(Q, MIDDLE)) / 2,
    ),
    "Jensen–Shannon distance": (
        lambda: plogq.js_distance(P, Q),
        lambda: np.sqrt((kl(P, MIDDLE) + kl(Q, MIDDLE)) / 2),
    ),
    "joint entropy": (lambda: plogq.joint_entropy(JOINT), lambda: h(JOINT)),
    "conditional entropy": (lambda: plogq.conditional_entropy(JOINT), lambda: h(JOINT) - h(OF_X)),
    "mutual information": (
        lambda: plogq.mutual_information(JOINT),
        lambda: h(OF_Y) - (h(JOINT) - h(OF_X)),
    ),
    "information gain": (lambda: plogq.information_gain(LABELS, ASKED), gain),
    "perplexity": (lambda: plogq.perplexity(P, Q), lambda: np.exp(-np.sum(P * np.log(Q)))),
    "nat, bit, hartley": (lambda: plogq.from_nats(np.log(2), "bit"), lambda: 1),
    "likelihood": (lambda: np.exp(-of_x("cross_entropy_from_logits")), lambda: S[Y]),
    "evidence lower bound": (
        lambda: plogq.elbo(np.array(-2.0), np.array([0.5]), np.array([-1.0])),
        lambda: -2 - (0.25 + np.exp(-1) - 1 + 1) / 2,
    ),
    "differential entropy": (
        lambda: plogq.normal_entropy(np.array([-1.0])),
        lambda: np.log(2 * np.pi * np.e * np.exp(-1)) / 2,
    ),
    "softmax": (lambda: plogq.softmax(X), lambda: S),
    "log-sum-exp": (lambda: plogq.logsumexp(X), lambda: np.log(np.sum(np.exp(X)))),
    "temperature": (lambda: plogq.softmax(X, temperature=2.0), lambda: softmax(X / 2)),
    "sigmoid": (lambda: plogq.sigmoid(X), lambda: 1 / (1 + np.exp(-X))),
    "log loss": (
        lambda: of_x("cross_entropy_from_logits"),
        lambda: np.log(np.sum(np.exp(X))) - X[Y],
    ),
    "binary cross-entropy": (
        lambda: of_x("binary_cross_entropy_from_logits", np.full(4, 0.3)),
        lambda: -0.3 * np.log(1 / (1 + np.exp(-X))) - 0.7 * np.log(1 - 1 / (1 + np.exp(-X))),
    ),
    "soft label": (lambda: of_x("cross_entropy_from_logits", P), lambda: -np.sum(P * np.log(S))),
    "label smoothing": (smoothed, lambda: -np.sum((0.9 * HOT + 0.1 / C) * np.log(S))),
    "class weight": (
        lambda: of_x("cross_entropy_from_logits", Y, weight=W),
        lambda: -W[Y] * np.log(S[Y]),
    ),
    "focal loss": (
        lambda: of_x("focal_from_logits", Y, gamma=2.0),
        lambda: -((1 - S[Y]) ** 2) * np.log(S[Y]),
    ),
    "Brier score": (
        lambda: plogq.squared_error_from_probs(Q, Y).value,
        lambda: np.sum((Q - HOT) ** 2),
    ),
    "z-loss": (
        lambda: plogq.z_loss_from_logits(X).value,
        lambda: np.log(np.sum(np.exp(X))) ** 2,
    ),
    "distillation": (
        lambda: of_x("distillation_from_logits", T, temperature=3.0),
        lambda: 9 * kl(softmax(T / 3), softmax(X / 3)),
    ),
    "generalised cross-entropy": (
        lambda: of_x("generalised_cross_entropy_from_logits", Y, q=0.7),
        lambda: (1 - S[Y] ** 0.7) / 0.7,
    ),
    "poly loss": (
        lambda: of_x("poly_from_logits", Y, epsilon=2.0),
        lambda: -np.log(S[Y]) + 2 * (1 - S[Y]),
    ),
    "Kraft sum": (lambda: float(kraft_sum([1, 2, 3])), lambda: 1 / 2 + 1 / 4 + 1 / 8),
    "prefix code": (lambda: is_prefix_free(["0", "01"]), lambda: False),
    "Huffman code": (lambda: sorted(huffman_lengths([0.5, 0.25, 0.25])), lambda: [1, 2, 2]),
}

PROBS = rng.dirichlet(np.ones(3), size=400)
TRUTH = np.array([rng.choice(3, p=q) for q in PROBS])
SHARES = np.bincount(TRUTH) / 400
SURE = PROBS.max(axis=1)
RIGHT = PROBS.argmax(axis=1) == TRUTH
COST = -np.log(PROBS[np.arange(400), TRUTH])
OWN = -np.sum(PROBS * np.log(PROBS), axis=1)
BIN = np.minimum((SURE * 15).astype(int), 14)
# By field of a score of these rows: what the formula of the page comes to.
SCORED = {
    "cross_entropy": COST.mean(),
    "cross_entropy_finite": COST.mean(),
    "label_entropy": h(SHARES),
    "information_gain": h(SHARES) - COST.mean(),
    "explained": 1 - COST.mean() / h(SHARES),
    "prediction_entropy": OWN.mean(),
    "overconfidence": COST.mean() - OWN.mean(),
    "perplexity": np.exp(COST.mean()),
    "accuracy": RIGHT.mean(),
    "brier": np.mean(np.sum((PROBS - np.eye(3)[TRUTH]) ** 2, axis=1)),
    "measures.ece": sum(abs(np.sum((SURE - RIGHT)[b == BIN])) / 400 for b in np.unique(BIN)),
    "measures.brier_uncertainty": np.sum(SHARES * (1 - SHARES)),
}


def test_the_page_is_read():
    assert len(ROWS) == PAGE.count("\n| ") - 2 * PAGE.count("| --- |\n")
    assert len(ROWS) > 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_functions_and_fields_exist(row):
    for name in re.findall(r"`([^`]+)`", row[3]):
        first, *rest = name.split(".")
        if first in RECORDS:
            record = Measures if rest[0] == "measures" else RECORDS[first]
            assert rest[-1] in record.__annotations__, name
            continue
        *path, last = name.split(".")
        assert hasattr(importlib.import_module(".".join(path)), last), name


def test_most_terms_have_a_page_of_the_explorer():
    """That the links lead to headings which are there is held by tests/pages/test_links.py."""
    without = [row[0] for row in ROWS if "explorer.md#" not in row[4]]
    assert without == ["bits per token", "bits per byte", "perplexity per word"]


@pytest.mark.parametrize("term", FORMULAS)
def test_formulas_are_what_is_computed(term):
    ours, formula = FORMULAS[term]
    assert any(row[0] == term for row in ROWS)
    np.testing.assert_allclose(ours(), formula(), rtol=1e-12, atol=1e-14)


def test_each_formula_of_information_and_losses_is_evaluated():
    part = PAGE.partition("## What a score reports")[0]
    with_formula = {row[0] for row in ROW.findall(part) if row[2].startswith("`")}
    assert with_formula - {"logits"} <= FORMULAS.keys()


def test_formulas_of_a_score_are_what_is_computed():
    result = score(TRUTH, PROBS, unit="nat")
    for name, expected in SCORED.items():
        value = result
        for part in name.split("."):
            value = getattr(value, part)
        assert value == pytest.approx(expected, rel=1e-9), name
    assert result.refinement == pytest.approx(result.cross_entropy - result.miscalibration)
    assert result.resolution == pytest.approx(result.label_entropy - result.refinement)
    m = result.measures
    left = result.brier - m.brier_reliability + m.brier_resolution - m.brier_uncertainty
    assert m.brier_within == pytest.approx(left, abs=1e-12)


def test_formulas_of_soft_labels_are_what_is_computed():
    soft = rng.dirichlet(np.ones(3), size=50)
    result = score(soft, PROBS[:50], unit="nat")
    assert result.entropy_floor == pytest.approx(np.mean([h(p) for p in soft]))
    assert result.kl == pytest.approx(
        np.mean([kl(p, q) for p, q in zip(soft, PROBS[:50], strict=True)])
    )


def test_formulas_of_tokens_are_what_is_computed():
    import pyarrow as pa

    costs = np.array([1.0, 2.0, 3.0])
    table = {"doc": ["a"] * 3, "logprob": -costs, "bytes": [4, 5, 3], "words": [1, 0, 1]}
    result = score_tokens(pa.table(table), unit="bit")
    bits = costs.sum() / np.log(2)
    assert result.cross_entropy_per_token == pytest.approx(bits / 3)
    assert result.cross_entropy_per_byte == pytest.approx(bits / 12)
    assert result.perplexity_per_word == pytest.approx(np.exp(6 / 2))


def test_every_figure_of_a_report_has_its_term():
    terms = {row[0] for row in ROWS}
    figures = {name for names in (PER_ROW, PLAIN, MEASURES) for name, _ in names.values()}
    assert figures <= terms
