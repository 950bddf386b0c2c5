"""Every formula of a page, evaluated: at the page's state it gives the page's own numbers.

`PAGES_SAY` has, for each page, states to try, and a function that gives for each formula, in order,
what its letters are and which readouts it must come to. Letters that a formula defines are those
that the page shows, so that both sides of it are compared.
"""

import copy
import math
from urllib.parse import urlencode

import numpy as np
import pytest
from mpmath import mp

import plogq
from plogq.explorer.controls import read_state
from plogq.explorer.pages import PAGES, convexity
from plogq.explorer.pages.divergences import GRID, Bumps, Normal
from plogq.explorer.pages.estimators import CASES
from plogq.explorer.pages.training_runs import Run, Settings, batches
from tests.explorer.mathml import FORMULAS, holds, read, text
from tests.explorer.test_explorer_pages import address


def values(figures, key):
    return np.array([figure[key]["value"] for figure in figures])


def shown(answer):
    return {figure["name"]: figure["value"] for figure in answer["readouts"]}


def logistic(z):
    return 1 / (1 + math.exp(-z))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def each(env, index, over):
    """Give an environment for each value of a free index."""
    return [env | {index: i} for i in over]


LOG = {"bit": np.log2, "nat": np.log}


def surprisal(state, answer):
    n = len(answer["outcomes"])
    p, h = values(answer["outcomes"], "prob"), values(answer["outcomes"], "surprisal")
    env = {
        "log": LOG[state["unit"]], "p": p, "over": {"j": range(n)},
        "h": lambda prob: h[list(p).index(prob)], "H": lambda of: shown(answer)["entropy"],
    }  # fmt: skip
    yield each(env, "j", range(n)), []
    yield [env], ["entropy"]


def codes(state, answer):
    p = np.array(state["probs"])
    length = np.array([s["length"] for s in answer["symbols"]])
    found = shown(answer)
    env = {
        "over": {"j": range(4)}, "p": p, "ℓ": length, "H": lambda of: found["entropy"],
        "digits per symbol": found["expected length of your words"],
    }  # fmt: skip
    yield [env], ["Kraft sum, the share of the budget that is spent"]
    yield [env], ["expected length of your words"]


def cross_entropy(state, answer):
    p, q = (np.array([c[key]["value"] for c in answer["classes"]]) for key in ("truth", "prob"))
    yield [{
        "log": LOG[state["unit"]], "p": p, "q": q, "y": state["target"],
        "over": {"j": range(len(p))}, "H": lambda p, q: shown(answer)["loss"],
        "one class y": state["target_kind"] == "hard",
    }], ["loss"]  # fmt: skip


def decomposition(state, answer):
    p, q, found = np.array(state["p"]), np.array(state["q"]), shown(answer)
    h, kl, both, _ = found
    yield [{
        "log": LOG[state["unit"]], "p": p, "q": q, "over": {"j": range(len(p))},
        "H": lambda *given: found[h if len(given) == 1 else both], "KL": lambda p, q: found[kl],
    }], [h, kl, both]  # fmt: skip


def softmax_page(state, answer):
    x, T, y = np.array(state["logits"]), state["temperature"], state["target"]
    q, grad = values(answer["classes"], "prob"), values(answer["classes"], "grad")
    n = len(x)
    env = {
        "x": x, "T": T, "y": y, "q": q, "e": math.e, "over": {"k": range(n)},
        "∂(−logqy)/∂x": grad,
    }  # fmt: skip
    yield each(env, "j", range(n)), ["probability of the true class"]
    yield each(env, "j", range(n)), []


def binary(state, answer):
    p, loss, gradient = (figure["value"] for figure in answer["readouts"])
    env = {
        "t": float(state["label"]), "z": state["logit"], "e": math.e, "σ": logistic, "p": p,
        "L": loss, "∂L/∂z": gradient,
    }  # fmt: skip
    yield [env], ["probability of label 1"]
    yield [env], ["loss"]
    yield [env], ["gradient"]


def squared_error(state, answer):
    found, z = shown(answer), answer["logit"]
    square, cross = (
        f"{loss}, gradient in the logit" for loss in ("squared error", "cross-entropy")
    )
    env = {
        "p": state["prob"], "t": float(state["target"]),
        "∂p/∂z": math.exp(-z) * logistic(z) ** 2,
        "∂(p−t)2/∂z": found[square], "∂CE/∂z": found[cross],
    }  # fmt: skip
    yield [env], []
    yield [env], [square]
    yield [env], [cross]


def gradient_flow(state, answer):
    layers = answer["layers"]
    h = np.array([state["input"], *values(layers, "value")])
    w, grads = (np.array([math.nan, *values(layers, key)]) for key in ("weight", "grad"))
    env = {
        "h": h, "w": w, "b": state["bias"], "σ": logistic, "z": logits(h),
        "∂L/∂z": grads,
    }  # fmt: skip
    depth = len(layers)
    yield each(env, "k", range(1, depth + 1)), ["output p"]
    yield each(env, "k", range(1, depth)), ["gradient at layer 1"]


def logits(h):
    """Give the z of which each value but the input is the sigmoid."""
    return np.array([math.nan, *(math.log(value / (1 - value)) for value in h[1:])])


def losses(state, answer):
    x, T = np.array([state["logit"], 0, 0]), state["temperature"]
    epsilon = state["smoothing"]
    q = softmax(x / T)
    t = (1 - epsilon) * np.eye(3)[0] + epsilon / 3
    env = {
        "L": shown(answer)["loss"], "w": np.array([state["weight"], 1, 1]), "t": t, "q": q,
        "γ": state["gamma"], "ζ": state["z_loss"], "T": T, "x": x, "e": math.e, "ε": epsilon,
        "C": 3, "y": 0, "softmax": softmax, "over": {"j": range(3)},
    }  # fmt: skip
    yield [env], ["loss"]
    yield each(env, "j", range(3)), []


def likelihood(state, answer):
    found = list(shown(answer).items())
    (nll, _), (mean, of_one) = found[3:5]
    if state["data"] == "coin":
        x = [1] * state["heads"] + [0] * state["tails"]
        density = {1: state["p"], 0: 1 - state["p"]}.__getitem__
    else:
        x, mu, sigma = list(state["values"]), state["mean"], state["sd"]
        density = lambda at: math.exp(-(((at - mu) / sigma) ** 2) / 2) / (sigma * math.tau**0.5)  # noqa: E731
    env = {
        "x": np.array(x), "q": density, "N": len(x), "over": {"i": range(len(x))}, "p^": None,
        "H": lambda p, q: of_one, "cross-entropy": of_one,
    }  # fmt: skip
    yield [env], [nll, mean]
    if state["data"] == "coin":
        yield [], []  # the other formula is of a normal
        return
    one = {
        "q": density,
        "μ": mu,
        "σ": sigma,
        "h": lambda sd: 0.5 * math.log(math.tau * math.e * sd**2),
    }
    yield [one | {"x": at, "z": (at - mu) / sigma} for at in x], []


def divergences(state, answer):
    step = GRID[1] - GRID[0]
    log_p = Bumps(state["apart"], state["weight"], state["width"]).log_density(GRID)
    log_q = Normal(state["mean"], state["sd"]).log_density(GRID)
    p, q = (softmax(log) / step for log in (log_p, log_q))
    (grid,) = np.nonzero((p > 0) & (q > 0))  # elsewhere a float64 has nothing of one of them
    forward, reverse = (name for name in shown(answer) if name.startswith("KL("))
    found = shown(answer)
    for name in (forward, reverse):
        yield [{
            "p": lambda at: p[at], "q": lambda at: q[at],
            "∫": lambda of: step * math.fsum(map(of, grid)),
            "KL": lambda one, other, name=name: found[name],
        }], [name]  # fmt: skip


def training(state, answer):
    run = Run(Settings(**{name: value for name, value in state.items() if name != "steps"}))
    (network,) = {id(n): n for n in run._networks.values()}.values()
    pixels, labels = next(batches(run.settings))
    layers = network.layers(pixels)
    of = {
        "CE": plogq.cross_entropy_from_logits(layers[-1], labels).grad,
        "SE": plogq.squared_error_from_logits(layers[-1], labels).grad,
    }
    gradient = network.gradient(layers, of["CE"] / len(labels))
    after = network.descend(gradient, state["rate"])
    yield [{
        "w": network.weights[0], "η": state["rate"], "∂L/∂w": gradient.weights[0],
        "then": {"w": after.weights[0]},
    }], []  # fmt: skip
    row = {
        "q": softmax(layers[-1][0]), "t": np.eye(10)[labels[0]], "over": {"k": range(10)},
        **{f"∂{name}/∂x": grad[0] for name, grad in of.items()},
    }  # fmt: skip
    yield each(row, "j", range(10)), []


def information_gain(state, answer):
    """Compute entropies and divergences from the counts that the page shows."""
    node, *branches = (np.array(node["counts"]) for node in answer["nodes"])
    log = LOG[state["unit"]]
    p = [counts / counts.sum() for counts in (node, *branches)]

    def entropy(y, b=None):
        shares = p[0] if b is None else p[1 + b]
        return -sum(share * log(share) for share in shares if share)

    def divergence(branch, _):
        return sum(one * log(one / all_) for one, all_ in zip(branch, p[0], strict=True) if one)

    env = {
        "gain": shown(answer)["information gain"], "H": entropy, "KL": divergence, "Y": None,
        "p": p[1:], "n": [counts.sum() for counts in branches], "N": node.sum(),
        "over": {"b": range(2)},
    }  # fmt: skip
    yield [env], ["information gain"]
    yield [env], ["information gain"]


def convexity_page(state, answer):
    found = shown(answer)
    for name, loss in (("CE", convexity.CE), ("SE", convexity.SE)):
        readout = f"{loss}, second derivative"
        p = 1 / (1 + np.exp(-found[f"{loss}, weight"] * convexity.X))
        yield [{
            f"∂2{name}/∂w2": found[readout], "x": convexity.X, "t": convexity.T, "p": p,
            "N": len(p), "over": {"i": range(len(p))},
        }], [readout]  # fmt: skip


def distillation(state, answer):
    x, v = (np.array(state[who]) for who in ("student", "teacher"))
    x, v = x - x.mean(), v - v.mean()
    _, plain, hard, mixed, *_ = shown(answer)

    def at(T):
        p, q = softmax(v / T), softmax(x / T)
        slopes = plogq.distillation_from_logits(x, v, temperature=T).grad
        return {"T": T, "p": p, "q": q, "∂T2KL/∂x": slopes, "large T": T > 100, "x": x, "v": v}

    here, large = at(state["temperature"]), at(1e5)
    found = shown(answer)
    yield [{
        **here, "L": found[mixed], "α": state["alpha"], "y": state["label"],
        "KL": lambda p, q: found[plain], "CE": lambda y: found[hard],
    }], [mixed]  # fmt: skip
    p, q = (values(answer["classes"], who) for who in ("teacher", "student"))
    yield [here | {"softmax": softmax, "p": p, "q": q}], []
    yield each(here, "j", range(4)) + each(large | {"C": 4}, "j", range(4)), []


def elbo(state, answer):
    x, weight, noise, mean, sd = (state[k] for k in ("x", "weight", "noise", "mean", "sd"))
    bound, reconstruction, code, evidence, gap = shown(answer)
    found = shown(answer)
    nodes, shares = np.polynomial.hermite_e.hermegauss(20)

    def over_q(of):
        return math.fsum(shares * [of(mean + sd * node) for node in nodes]) / math.fsum(shares)

    def normal(at, sd):
        return math.exp(-((at / sd) ** 2) / 2) / (sd * math.tau**0.5)

    q = {"q": "q", "x": x, "z": "z", "ELBO": found[bound]}
    yield [q | {
        "p": lambda of, *given: "posterior" if given else normal(of, math.hypot(weight, noise)),
        "KL": lambda q, other: found[gap] if other == "posterior" else None,
    }], [evidence]  # fmt: skip
    to_prior = {"KL": lambda q, prior: found[code]}
    yield [q | to_prior | {
        "p": lambda of, *given: normal(of - weight * given[0], noise) if given else "prior",
        "E": ("z", over_q), "reconstruction": found[reconstruction], "code": found[code],
    }], [bound, reconstruction, code]  # fmt: skip
    yield [q | to_prior | {"p": lambda z: "prior", "μ": mean, "σ": sd}], [code]


def estimators(state, answer):
    name, true = state["case"], answer["true"]
    case, found = CASES[name], shown(answer)
    first, _, _, _, error, bound, _ = found
    mean, sd = (None, 1) if name == "mean" else (0, None)
    nodes, shares = np.polynomial.hermite_e.hermegauss(20)

    def density(x, theta):
        centre, width = (theta, sd) if mean is None else (mean, theta)
        return mp.npdf(x, centre, width)

    def over_x(of):
        points = nodes + true if name == "mean" else nodes * true
        return float(mp.fdot(shares, map(of, points)) / mp.fsum(shares))

    information = (state["n"] ** 0.5 * found[bound]) ** -2
    fisher = {"I": lambda theta: information, "θ": true}
    # The other estimator is right on average: what it errs by is its standard deviation.
    yield [fisher | {"n": state["n"], "sd": lambda of: found[error], "θ^": None}], [bound]
    yield [fisher | {
        "q": density, "log": mp.log, "E": ("x", over_x),
        "∂2/∂θ2": lambda of: mp.diff(of, true, 2),
    }], []  # fmt: skip
    yield [
        {"g": lambda of, g=g: g(np.array([of]))[0], "θ^": found[first],
         "g(θ)^": row["estimate"]["value"]}
        for g, row in zip(case.functions.values(), answer["functions"], strict=True)
    ], []  # fmt: skip


# Each page: the states to try. At these each sign and each letter of a formula counts.
PAGES_SAY = {
    "surprisal": (surprisal, [{"source": "own", "own": [0.5, 0.3, 0.2]},
                              {"source": "own", "own": [0.6, 0.4], "unit": "nat"}]),
    "codes": (codes, [{}, {"words": ["0", "10", "110", "1110"]}]),
    "cross_entropy": (cross_entropy, [{"probs": [0.5, 0.3, 0.2], "target": 1},
                                      {"target_kind": "soft", "unit": "bit"}]),
    "information_gain": (information_gain, [{}, {"task": "four", "unit": "nat"}]),
    "decomposition": (decomposition, [{}, {"p": [0.5, 0.3, 0.2], "q": [0.2, 0.2, 0.6],
                                           "unit": "nat"}]),
    "softmax": (softmax_page, [{"temperature": 2, "target": 1}, {"logits": [1.5, -2, 0.5]}]),
    "binary": (binary, [{}, {"label": "0", "logit": -0.7}]),
    "squared_error": (squared_error, [{}, {"prob": 0.2, "target": "0"}]),
    "convexity": (convexity_page, [{}, {"start": 3, "steps": 4}]),
    "gradient_flow": (gradient_flow, [{}, {"depth": 5, "input": -1.5, "target": "0",
                                           "loss": "squared_error", "weights": [2, -3, 1.5]}]),
    "losses": (losses, [{"smoothing": 0.2, "gamma": 1.5, "weight": 2, "temperature": 1.7,
                         "z_loss": 0.1, "logit": 1.1}, {"smoothing": 0}]),
    "distillation": (distillation, [{"alpha": 0.3}, {"label": 2, "temperature": 1.5}]),
    "likelihood": (likelihood, [{"values": [32, 27.5], "mean": 29, "sd": 3},
                                {"data": "coin", "heads": 5, "tails": 2, "p": 0.4}]),
    "estimators": (estimators, [{}, {"case": "sd", "sd": 1.5}]),
    "elbo": (elbo, [{}, {"x": -1, "mean": -0.7, "sd": 1.3}]),
    "divergences": (divergences, [{}, {"mean": 1.5, "sd": 2}]),
    "training": (training, [{"steps": 0, "hidden": 5, "batch": 4, "rate": 0.7}]),
}  # fmt: skip


@pytest.fixture
def formulas(visit):
    """Give the formulas of a page at a state."""

    def found(name, state):
        query = urlencode({key: address(value) for key, value in state.items()}, safe=",")
        return visit(f"/{name}?{query}").evaluate(FORMULAS)

    return found


def true(formula, envs, answer, names):
    """Whether a formula holds in every environment, and comes to the readouts of these names."""
    held, parts = True, []
    for env in envs:
        one, found = holds(read(formula), env)
        held, parts = held and one, parts + found
    numbers = [part for part in parts if np.ndim(part) == 0]
    return held and all(
        any(math.isclose(shown(answer)[name], number, rel_tol=1e-9) for number in numbers)
        for name in names
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_formula_can_be_read(name, formulas):
    found = formulas(name, {})
    assert all(map(read, found))
    assert bool(found) == (name in PAGES_SAY)


@pytest.mark.parametrize("name", PAGES_SAY)
def test_every_formula_gives_the_numbers_of_its_page(name, formulas):
    told, states = PAGES_SAY[name]
    noticed = {}
    for body in states:
        state, answer = read_state(PAGES[name].controls, body), PAGES[name].answer(body)
        cases = list(told(state, answer))
        found = formulas(name, body)
        assert len(found) == len(cases)
        for i, (formula, (envs, names)) in enumerate(zip(found, cases, strict=True)):
            assert true(formula, envs, answer, names), text(formula)
            for what, mutant in mutants(formula):
                try:
                    same = true(mutant, envs, answer, names)
                except (ArithmeticError, LookupError, RuntimeWarning, SyntaxError, ValueError):
                    same = False
                noticed[i, text(formula), what] = (
                    noticed.get((i, text(formula), what), False) or not same
                )
    assert [change for change, seen in noticed.items() if not seen] == []


def mutants(formula):
    """Give the formula with a minus dropped, a fraction upside down, …: one change in each."""
    places = list(nodes(formula))
    for k, (node, _) in enumerate(places):
        change = CHANGES.get((node["tag"], node["text"])) or CHANGES.get((node["tag"], ""))
        if change is None or (node["tag"] == "mfrac" and text(node).startswith("∂")):
            continue
        mutant = copy.deepcopy(formula)
        one, around = list(nodes(mutant))[k]
        change(one, around)
        yield f"{k}: {text(node)}", mutant


def nodes(node, around=None):
    """Give each node of a formula that is computed with, and the node it is in."""
    yield node, around
    if node["tag"] == "mfrac" and text(node["inside"][0]).startswith("∂"):
        return  # the name of a derivative
    for inner in node["inside"]:
        yield from nodes(inner, node)


def drop(node, around):
    around["inside"] = [one for one in around["inside"] if one is not node]


def upside_down(node, around):
    node["inside"].reverse()


def without_exponent(node, around):
    *kept, _ = node["inside"]
    node.update(copy.deepcopy(kept[0]) if len(kept) == 1 else {"tag": "msub", "inside": kept})


CHANGES = {
    ("mo", "−"): drop,
    ("mo", "+"): lambda node, around: node.update(text="−"),
    ("mfrac", ""): upside_down,
    ("msup", ""): without_exponent,
    ("msubsup", ""): without_exponent,
    ("mn", "2"): lambda node, around: node.update(text="3"),
    ("mi", "log"): drop,
    ("mo", "≥"): lambda node, around: node.update(text="≤"),
}
