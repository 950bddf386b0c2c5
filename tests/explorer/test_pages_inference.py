"""The evidence lower bound, information gain, estimators: their numbers against exact ones."""

import math
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp
from scipy.optimize import minimize_scalar

from plogq.demo.run import read_digits
from plogq.explorer.pages.elbo import Model
from plogq.explorer.pages.estimators import CASES, MOST, SAMPLES, samples
from tests import oracles
from tests.explorer.answers import answer, some, values

# The evidence lower bound


def by_integrals(x, weight, noise, mean, sd):
    """Return reconstruction, code, evidence and gap, by their definitions."""
    weight, noise, mean, sd = map(mp.mpf, (weight, noise, mean, sd))
    sds = range(-12, 13, 2)

    def over(centre, width, of):
        return mp.quad(of, [centre + k * width for k in sds])

    def likelihood(z):
        return mp.npdf(x, weight * z, noise)

    def q(z):
        return mp.npdf(z, mean, sd)

    total = mp.hypot(weight, noise)
    centre, width = weight * x / total**2, noise / total
    evidence = over(centre, width, lambda z: mp.npdf(z) * likelihood(z))
    return (
        over(mean, sd, lambda z: q(z) * mp.log(likelihood(z))),
        over(mean, sd, lambda z: q(z) * mp.log(q(z) / mp.npdf(z))),
        mp.log(evidence),
        over(mean, sd, lambda z: q(z) * mp.log(q(z) * evidence / (mp.npdf(z) * likelihood(z)))),
    )


@some("elbo", 15)
def test_the_bound_is_its_integrals(got):
    bound, *parts = values(got)
    state = got["state"]
    right = by_integrals(*(state[name] for name in ("x", "weight", "noise", "mean", "sd")))
    for ours, exact in zip(parts, right, strict=True):
        assert math.isclose(ours, exact, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(bound, right[0] - right[1], rel_tol=1e-9)


@some("elbo", 100)
def test_what_the_page_says_of_the_bound(got):
    bound, reconstruction, code, evidence, gap = values(got)
    size = 1e-11 * (1 + abs(reconstruction) + code)
    assert abs(bound - reconstruction + code) < size
    assert abs(bound + gap - evidence) < size
    assert ("is tight" in got["notice"]) == (gap < 1e-9)
    state, q = got["state"], got["posterior"]
    assert ("mean is too low" in got["notice"]) <= (state["mean"] < q["mean"]["value"])
    assert ("too wide" in got["notice"]) <= (state["sd"] > q["sd"]["value"])
    assert all(cost["value"] >= 0 for cost in got["costs"].values())  # lengths that are drawn
    curve = np.array(got["curve"])
    assert curve[:, 1].max() <= evidence + size
    at = np.abs(curve[:, 0] - state["mean"]).argmin()
    if abs(curve[at, 0] - state["mean"]) < 1e-12:
        assert math.isclose(curve[at, 1], bound, rel_tol=1e-9)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.5, 3.0])
@pytest.mark.parametrize("noise", [0.4, 0.8, 2.0])
def test_the_posterior_can_be_taken_and_is_tight(weight, noise):
    for x in (-3.0, 0.0, 3.0):
        mean, sd = Model(weight, noise).posterior(x)
        got = answer("elbo", {"x": x, "weight": weight, "noise": noise, "mean": mean, "sd": sd})
        assert values(got)[4] == 0
        assert got["notice"].startswith("q is the posterior, so the bound is tight")


def test_the_bound_at_the_defaults():
    got = answer("elbo")
    assert [r["text"] for r in got["readouts"]] == [
        "−3.2096",
        "−3.0415",
        "0.1681",
        "−2.1416",
        "1.0680",
    ]
    assert "its mean is too low and" in got["notice"]
    got = answer("elbo", {"mean": 0, "sd": 1})
    assert values(got)[2] == 0
    assert got["notice"].endswith("An autoencoder whose codes all end so has collapsed.")
    assert "the posterior is the prior" in answer("elbo", {"weight": 0, "mean": 1})["notice"]


def test_the_posterior_is_taken_by_a_button(visit):
    page = visit("/elbo")
    page.get_by_role("button", name="Take the posterior").press("Enter")
    page.wait_for_url("**/elbo?mean=*")
    page.get_by_text("q is the posterior, so the bound is tight").wait_for()


# Information gain

DIGITS = read_digits()
CLASSES = {
    "nine": lambda digit: int(digit != 9),
    "three": {3: 0, 8: 1}.get,
    "four": {1: 0, 4: 1, 7: 2, 9: 3}.get,
}


def table(task, row, column, threshold):
    """Count the digits by answer and class, one by one."""
    counts = {}
    for image, digit in zip(DIGITS.pixels, DIGITS.labels.tolist(), strict=True):
        if (k := CLASSES[task](digit)) is not None:
            above = int(16 * image[8 * (row - 1) + column - 1] > threshold)
            counts[above, k] = counts.get((above, k), 0) + 1
    classes = range(1 + max(k for _, k in counts))
    return [[counts.get((b, k), 0) for k in classes] for b in (0, 1)]


def removed(counts, impurity):
    """Return an impurity's fall by its definition, exactly where the impurity is exact."""
    node, total = [sum(column) for column in zip(*counts, strict=True)], sum(map(sum, counts))
    return impurity(node) - sum(
        Fraction(sum(branch), total) * impurity(branch) for branch in counts if sum(branch)
    )


def gini(counts):
    total = sum(counts)
    return 1 - sum(Fraction(n, total) ** 2 for n in counts)


def mistakes(counts):
    return 1 - Fraction(max(counts), sum(counts))


def exact_gain(counts, unit):
    with mp.workdps(40):
        nats = oracles.entropy_of_counts([sum(column) for column in zip(*counts, strict=True)])
        for branch in counts:
            share = mp.mpf(sum(branch)) / sum(map(sum, counts))
            nats -= share * oracles.entropy_of_counts(branch) if sum(branch) else 0
        return nats / (mp.log(2) if unit == "bit" else 1)


@some("information_gain", 40)
def test_gains_are_those_of_the_definitions(got):
    entropy, left, gain, of_gini, of_mistakes, most = values(got)
    state = got["state"]
    counts = table(*(state[name] for name in ("task", "row", "column", "threshold")))
    assert [node["counts"] for node in got["nodes"][1:]] == counts
    assert math.isclose(gain, exact_gain(counts, state["unit"]), rel_tol=1e-9, abs_tol=1e-14)
    assert math.isclose(entropy - left, gain, abs_tol=1e-12)
    assert math.isclose(of_gini, removed(counts, gini), rel_tol=1e-9, abs_tol=1e-15)
    assert math.isclose(of_mistakes, removed(counts, mistakes), rel_tol=1e-12)
    assert 0 <= gain <= most
    assert ("sees no gain" in got["notice"]) == (of_mistakes == 0 < gain)
    assert ("All digits go one way" in got["notice"]) == (0 in map(sum, counts))


@pytest.mark.parametrize("task", CLASSES)
def test_the_best_thresholds_are_the_best(task):
    got = answer("information_gain", {"task": task, "row": 5, "column": 2})
    every = [table(task, 5, 2, t) for t in range(16)]
    for measure, of in zip(
        got["measures"],
        (
            lambda c: exact_gain(c, "bit"),
            lambda c: removed(c, gini),
            lambda c: removed(c, mistakes),
        ),
        strict=True,
    ):
        falls = [of(counts) for counts in every]
        assert measure["best"] == (falls.index(max(falls)) if max(falls) > 0 else None)
        assert [point[0] for point in measure["curve"]] == [*range(16)]


@pytest.mark.parametrize("task", CLASSES)
def test_no_pixel_gains_more_than_the_best(task):
    top = answer("information_gain", {"task": task})["top"]
    got = answer("information_gain", {"task": task, **top})
    assert values(got)[2] == values(got)[5]
    assert got["measures"][0]["best"] == top["threshold"]
    pixels = np.array(got["pixels"])
    assert pixels.max() == pixels[got["pixel"][0], got["pixel"][1]]
    assert math.isclose(pixels.max(), values(got)[5] / values(got)[0])


def test_a_pixel_without_ink_tells_nothing():
    got = answer("information_gain", {"row": 1, "column": 1})
    assert got["notice"].startswith("All digits go one way.")
    assert [m["best"] for m in got["measures"]] == [None, None, None]
    assert values(got)[2:5] == [0, 0, 0]


def test_the_best_pixel_is_asked_by_a_button(visit):
    page = visit("/information_gain")
    page.get_by_role("button", name="Ask the best pixel").press("Enter")
    top = answer("information_gain")["top"]
    page.wait_for_url(f"**threshold={top['threshold']}")
    page.get_by_text(answer("information_gain", top)["notice"]).wait_for()


# Estimators


def gamma_ratio(n):
    """Return E √(mean of n squares of standard normal numbers)."""
    return float(mp.sqrt(mp.mpf(2) / n) * mp.gamma((n + 1) / mp.mpf(2)) / mp.gamma(n / mp.mpf(2)))


def median_variance(n):
    """Return the variance of the median of an odd number of standard normal numbers."""
    k = (n - 1) // 2

    def density(x):
        below = mp.ncdf(x)
        return mp.npdf(x) * (below * (1 - below)) ** k / mp.beta(k + 1, k + 1)

    return float(mp.quad(lambda x: x**2 * density(x), [-9, -2, -0.5, 0, 0.5, 2, 9]))


def exact_errors(name, n, true):
    """Return both mean squared errors."""
    if name == "mean":
        return 1 / n, median_variance(n)
    if name == "sd":
        return 2 * true**2 * (1 - gamma_ratio(n)), true**2 * (math.pi / 2 - 1) / n
    variance = true * (1 - true)
    return variance / n, (n * variance + (1 - 2 * true) ** 2) / (n + 2) ** 2


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("n", [1, 3, 25, 151])
@pytest.mark.parametrize("name", CASES)
def test_errors_are_those_of_theory(name, n, seed):
    got = answer("estimators", {"case": name, "n": n, "seed": seed})
    true = values(got)[2]
    exact = np.sqrt(exact_errors(name, n, true))
    assert got["answer"] == pytest.approx(exact, rel=5 / math.sqrt(2 * SAMPLES))
    assert values(got)[6] == (values(got)[5] / values(got)[4]) ** 2
    limit = {"mean": 2 / math.pi, "sd": 1 / (math.pi - 2), "coin": 1.0}[name]
    if n == 151:
        assert (values(got)[5] / exact[1]) ** 2 == pytest.approx(limit, abs=4 / n)
    assert f"{limit:.4f}" in got["notice"] or name == "coin"


@pytest.mark.parametrize(("sd", "p"), [(2.0, 0.3), (0.5, 0.02)])
def test_the_bound_is_of_the_curve_of_the_divergence(sd, p):
    """Fisher's information is ∂² KL(true ‖ θ) / ∂θ² at the truth."""
    divergences = {
        "mean": (0, lambda t: oracles.normal_kl(0, 0, t, 0)),
        "sd": (sd, lambda t: oracles.normal_kl(0, 2 * mp.log(mp.mpf(sd)), 0, 2 * mp.log(t))),
        "coin": (p, lambda t: p * mp.log(p / t) + (1 - p) * mp.log((1 - p) / (1 - t))),
    }
    for name, (true, divergence) in divergences.items():
        with mp.workdps(40):
            information = mp.diff(divergence, mp.mpf(true), 2)
        got = answer("estimators", {"case": name, "n": 7, "sd": sd, "p": p})
        assert values(got)[5] == pytest.approx(float(1 / mp.sqrt(7 * information)), rel=1e-9)


# The cross-entropy of the model on the data, over the parameter and over functions of it.
COSTS = {
    ("sd", "standard deviation"): lambda x, sd: math.log(sd) + np.mean(x**2) / (2 * sd**2),
    ("sd", "variance"): lambda x, v: math.log(v) / 2 + np.mean(x**2) / (2 * v),
    ("sd", "entropy, nats"): lambda x, h: h + np.mean(x**2) * math.exp(-2 * h + LOG_2PIE) / 2,
    ("coin", "chance of heads"): lambda x, p: -np.mean(np.log(np.where(x, p, 1 - p))),
    ("coin", "log-odds"): lambda x, z: np.mean(np.logaddexp(0, np.where(x, -z, z))),
    ("mean", "mean"): lambda x, mean: np.mean((x - mean) ** 2),
}
LOG_2PIE = math.log(2 * math.pi * math.e)


@pytest.mark.parametrize(("name", "function"), COSTS)
def test_functions_of_the_estimate_cost_least(name, function):
    got = answer("estimators", {"case": name, "n": 60})
    x = samples(name, values(got)[2], 0)[0, :60]
    (row,) = [row for row in got["functions"] if row["name"] == function]
    here = row["estimate"]["value"]
    bounds = (here - 0.2, here + 0.2)
    found = minimize_scalar(
        lambda t: COSTS[name, function](x, t), bounds=bounds, method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    assert found.x == pytest.approx(here, abs=1e-6)


@some("estimators", 25)
def test_what_the_page_says_of_the_estimators(got):
    state, (one, other, true, *_) = got["state"], values(got)
    n, name = state["n"], state["case"]
    x = samples(name, true, state["seed"])
    assert x.shape == (SAMPLES, MOST)
    first = x[0, :n]
    by_hand = {
        "mean": (math.fsum(first) / n, sorted(first)),
        "sd": (math.sqrt(math.fsum(first**2) / n), 0),
        "coin": (math.fsum(first) / n, (math.fsum(first) + 1) / (n + 2)),
    }[name]
    assert one == pytest.approx(by_hand[0], rel=1e-12, abs=1e-14)
    if name == "mean":
        middle = by_hand[1]
        assert other == (middle[(n - 1) // 2] + middle[n // 2]) / 2
    if name == "coin":
        assert other == pytest.approx(by_hand[1])
        mine, laplace = exact_errors(name, n, true)
        assert ("that helps" in got["notice"]) <= (laplace < mine)
        assert ("that hurts" in got["notice"]) <= (laplace > mine)
    for curve, here in zip(got["errors"], got["answer"], strict=True):
        assert dict(map(tuple, curve)).get(n, here) == here
    for curve, here in zip(got["growing"], (one, other), strict=True):
        assert dict(map(tuple, curve)).get(n, here) == pytest.approx(here, rel=1e-12, abs=1e-14)


def test_thousands_of_digits_are_written_as_numbers(visit):
    page = visit("/information_gain")
    assert "1,000" in page.locator(".page-picture svg text").all_text_contents()
    assert "×10" not in page.locator(".page-picture").text_content()


def test_log_odds_may_have_no_average(visit):
    got = answer("estimators", {"case": "coin", "p": 0.5, "n": 3})
    assert got["functions"][1]["average"] == {"value": None, "text": "–"}
    assert (
        answer("estimators", {"case": "coin", "p": 0.02})["functions"][1]["average"]["text"] == "−∞"
    )
    page = visit("/estimators?case=coin&p=0.5&n=3")
    page.get_by_text("and so infinite log-odds").wait_for()
