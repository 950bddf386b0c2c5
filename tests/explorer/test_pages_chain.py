"""Surprisal, codes, likelihood, the two divergences: their numbers against exact ones."""

import itertools
import json
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mpmath import mp
from scipy.optimize import minimize

from plogq.explorer.pages.codes import readings
from plogq.explorer.pages.divergences import Bumps, Normal, fits, forward, reverse
from plogq.explorer.shown import shown_exp
from tests.explorer.answers import answer, some, values

WORKED = {
    entry["id"]: entry["expected"]
    for entry in json.loads(
        (Path(__file__).parents[1] / "data" / "worked_numbers.json").read_text()
    )
}
LETTERS = {"b": "blue", "r": "red", "g": "green", "y": "yellow"}


# Surprisal


@pytest.mark.parametrize(
    ("source", "entropy"),
    [
        ("dice", WORKED["two_dice"]["entropy"]),
        *zip(("fair", "biased", "certain"), WORKED["coins"]["entropy"], strict=True),
    ],
)
def test_entropies_that_are_known(source, entropy):
    got = answer("surprisal", {"source": source})
    assert math.isclose(got["answer"], entropy, rel_tol=1e-15)


@some("surprisal", 60)
def test_entropy_is_the_average_surprisal(got):
    with mp.workdps(40):
        unit = mp.log(2) if got["unit"] == "bits" else mp.mpf(1)
        probs = [mp.mpf(o["prob"]["value"]) for o in got["outcomes"]]
        exact = -sum(p * mp.log(p) for p in probs if p) / unit
    assert math.isclose(got["entropy"]["value"], exact, rel_tol=1e-13, abs_tol=1e-300)
    assert math.isclose(
        math.fsum(o["term"]["value"] for o in got["outcomes"]), exact, rel_tol=1e-13, abs_tol=1e-300
    )


# Codes


def test_codes_at_the_defaults():
    got = answer("codes")
    length, huffman, entropy, kraft, crossed = values(got)
    assert (length, huffman, kraft) == (1.75, 1.75, 1)
    assert math.isclose(entropy, WORKED["balls_entropy"]["entropy"], rel_tol=1e-15)
    assert math.isclose(crossed, WORKED["balls_cross"]["cross_entropy"], rel_tol=1e-15)
    assert math.isclose(
        got["costs"][3]["excess"]["value"], WORKED["balls_cross"]["excess"], rel_tol=1e-14
    )
    assert got["stream"]["digits"] == "01001101110010"
    assert got["ambiguous"] is None


WORDS = st.lists(st.text("01", max_size=4), min_size=4, max_size=4)


def two_readings(words, longest):
    """Tell whether some stream of so few digits has two readings, by writing them all."""
    streams, seen = [""], set()
    for stream in streams:
        for word in words:
            longer = stream + word
            if len(longer) > longest:
                continue
            if longer in seen:
                return True
            seen.add(longer)
            streams.append(longer)
    return False


@settings(max_examples=150)
@given(words=WORDS)
@example(words=["0", "01", "011", "0111"])
@example(words=["0", "01", "10", "11"])
@example(words=["00", "00", "1", "01"])
def test_what_the_page_says_of_words(words):
    got = answer("codes", {"words": words})
    kraft = sum(Fraction(1, 2 ** len(word)) for word in words)
    assert values(got)[3] == float(kraft)
    begins = any(
        i != j and b.startswith(a) for (i, a), (j, b) in itertools.permutations(enumerate(words), 2)
    )
    said = got["notice"]
    if "" in words:
        assert said.startswith(f"The word for {[*LETTERS.values()][words.index('')]} has no digits")
        return
    assert said.startswith("No word is the beginning of another") == (not begins)
    found = got["ambiguous"]
    assert (found is not None) == two_readings(words, 14)
    if found:
        for way in found["readings"]:
            assert "".join(w["word"] for w in way) == found["digits"]
        assert found["readings"][0] != found["readings"][1]
        assert not two_readings(words, len(found["digits"]) - 1)
        assert ("above 1" in said) == (kraft > 1)
    else:
        assert kraft <= 1
        assert "The receiver reads rbrgyrrb, " in got["stream"]["said"]
    if not begins:
        assert ("The whole budget is spent" in said) == (kraft == 1)


@settings(max_examples=80)
@given(words=WORDS.filter(all))
def test_words_take_their_part_of_the_budget(words):
    got = answer("codes", {"words": words})["symbols"]
    cells = [
        {i for i in range(16) if s["from"] <= i / 16 < s["from"] + s["share"]} for s in got
    ]  # fmt: skip
    for (i, a), (j, b) in itertools.combinations(enumerate(words), 2):
        assert bool(cells[i] & cells[j]) == (a.startswith(b) or b.startswith(a))
    assert [s["clash"] for s in got] == [
        any(cells[i] & cells[j] for j in range(4) if i != j) for i in range(4)
    ]
    slots = [(s["word"], s["slot"]) for s in got]
    assert len(set(slots)) == 4
    assert all(0 <= s["slot"] < s["slots"] for s in got)


@given(words=st.lists(st.text("01", min_size=1, max_size=3), min_size=2, max_size=4),
       picks=st.lists(st.integers(0, 3), max_size=5))  # fmt: skip
def test_readings_are_counted(words, picks):
    def ways(digits):
        return (
            1 if not digits else sum(ways(digits[len(w) :]) for w in words if digits.startswith(w))
        )

    digits = "".join(words[i % len(words)] for i in picks)
    assert readings(tuple(words), digits) == ways(digits)


@some("codes", 60)
def test_what_words_cost(got):
    probs = [Fraction(s["prob"]["value"]) for s in got["symbols"]]
    length, huffman, entropy, _, crossed = values(got)
    assert math.isclose(
        length, sum(p * s["length"] for p, s in zip(probs, got["symbols"], strict=True))
    )
    assert math.isclose(
        huffman, sum(p * len(s["huffman"]) for p, s in zip(probs, got["symbols"], strict=True))
    )
    inner = [node for node in got["tree"] if not node["name"]]
    assert math.isclose(huffman, math.fsum(node["prob"]["value"] for node in inner), rel_tol=1e-12)
    assert entropy - 1e-12 <= huffman < entropy + 1 + 1e-12
    with mp.workdps(30):
        exact = mp.mpf(0)
        for p, s in zip(probs, got["symbols"], strict=True):
            if q := s["source"]["value"]:
                exact += mp.inf if p == 0 else -mp.mpf(q) * mp.log(mp.mpf(float(p)), 2)
    assert math.isclose(crossed, exact, rel_tol=1e-12, abs_tol=1e-15)
    readable = got["ambiguous"] is None and all(s["word"] for s in got["symbols"])
    if readable:
        assert length >= huffman - 1e-12
    assert ("is so short" in got["notice"]) == (length < entropy - 1e-9)
    assert ("Huffman’s words take" in got["notice"]) == (readable and length > huffman + 1e-9)
    for cost in got["costs"]:
        if cost["entropy"] is None:
            assert not readable
        elif cost["total"]["value"] != "inf":
            parts = cost["entropy"]["value"] + cost["excess"]["value"]
            assert math.isclose(parts, cost["total"]["value"], abs_tol=2e-9)


# Likelihood


def test_likelihood_at_the_defaults():
    got = answer("likelihood")
    assert math.isclose(values(got)[0], WORKED["normal_density"]["density"], rel_tol=1e-14)
    assert math.isclose(
        got["answer"], WORKED["normal_density"]["negative_log_likelihood"], rel_tol=1e-14
    )
    assert got["readouts"][0]["text"] == "0.1159"


def exact_likelihood(state):
    """Give the likelihood, by the definition."""
    if state["data"] == "coin":
        p = Fraction(state["p"])
        other = Fraction(1 - state["p"])
        exact = p ** state["heads"] * other ** state["tails"]
        return mp.mpf(exact.numerator) / exact.denominator, state["heads"] + state["tails"]
    mean, sd = mp.mpf(state["mean"]), mp.mpf(state["sd"])
    return mp.fprod(mp.npdf(mp.mpf(x), mean, sd) for x in state["values"]), len(state["values"])


@some("likelihood", 120)
def test_likelihood_is_the_product(got):
    product, multiplied, log, nll, mean, least = values(got)
    said = got["notice"]
    with mp.workdps(50):
        exact, n = exact_likelihood(got["state"])
        if exact == 0:
            assert (product, log, nll) == (0, "-inf", math.inf)
            assert said.startswith("The model calls impossible")
            return
        assert math.isclose(nll, -mp.log(exact), rel_tol=1e-11, abs_tol=1e-11)
        mantissa, _, power = got["readouts"][0]["text"].partition("×10")
        text = mp.mpf(mantissa) * mp.mpf(10) ** (int(power.translate(LOWERED)) if power else 0)
        assert abs(text - exact) < mp.mpf("0.0051") * exact or (
            abs(text - exact) < 6e-5 and not power
        )
    assert log == -nll
    assert math.isclose(mean * n, nll)
    assert mean >= least - 1e-9
    assert ("to 0. " in said) == (multiplied == 0)
    assert ("This is the maximum" in said) == (mean - least <= 1e-9)
    curve = np.array(got["curve"])
    assert (curve[:, 1] >= least - 1e-9).all()
    assert abs(curve[curve[:, 1].argmin(), 0] - got["best"][0]) <= 0.1
    at = [*curve[:, 0]].index(got["here"][0]) if got["here"][0] in curve[:, 0] else None
    if at is not None:
        assert math.isclose(curve[at, 1], mean, rel_tol=1e-9)


LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def test_underflow_is_shown_beside_the_likelihood():
    got = answer("likelihood", {"data": "coin", "heads": 1000, "tails": 1000})
    assert [r["text"] for r in got["readouts"][:3]] == ["8.71×10⁻⁶⁰³", "0.0000", "−1,386"]
    assert "multiply to 0" in got["notice"]
    got = answer("likelihood", {"values": [40.0], "mean": 20.0, "sd": 0.5})
    assert "its one factor rounds to 0. Its logarithm fits: −800.23." in got["notice"]


def test_no_flips_are_refused():
    with pytest.raises(ValueError, match=re.escape("heads: expected at least one flip")):
        answer("likelihood", {"data": "coin", "heads": 0, "tails": 0})


@given(power=st.integers(-900, 900), digits=st.floats(1, 10, exclude_max=True))
@example(power=-400, digits=9.999)
def test_powers_beyond_float64(power, digits):
    nats = float(mp.log(digits) + power * mp.log(10))
    assume(abs(nats) > 701)
    mantissa, raised = shown_exp(nats).split("×10")
    assert 1 <= float(mantissa) < 10
    with mp.workdps(30):
        written = mp.mpf(mantissa) * mp.mpf(10) ** int(raised.translate(LOWERED))
        assert abs(written / mp.exp(mp.mpf(nats)) - 1) < 0.0051


# Forward and reverse KL


def mixture(p, x):
    return p.weight * mp.npdf(x, -mp.mpf(p.apart) / 2, p.width) + (1 - mp.mpf(p.weight)) * mp.npdf(
        x, mp.mpf(p.apart) / 2, p.width
    )


def by_quadrature(p, q):
    """Give both divergences as integrals."""
    bend = math.log(p.weight / (1 - p.weight)) * p.width**2 / p.apart if p.apart else 0

    def over(centres, sd, of):
        ends = {c + k * sd for c in centres for k in (-9, -4, -2, -1, 0, 1, 2, 4, 9)}
        fine = {bend + k * p.width**2 / max(p.apart, 1) for k in (-8, -3, -1, 0, 1, 3, 8)}
        cuts = sorted(ends | {x for x in fine if min(ends) < x < max(ends)})
        return mp.quad(of, cuts)

    def normal(x):
        return mp.npdf(x, q.mean, q.sd)

    return (
        over((-p.apart / 2, p.apart / 2), p.width,
             lambda x: mixture(p, x) * mp.log(mixture(p, x) / normal(x))),
        over((q.mean,), q.sd, lambda x: normal(x) * mp.log(normal(x) / mixture(p, x))),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Bumps(5.0, 0.6, 0.8), Normal(0.0, 2.0)),
        (Bumps(8.0, 0.05, 0.4), Normal(6.0, 5.0)),
        (Bumps(8.0, 0.5, 0.4), Normal(0.0, 0.3)),
        (Bumps(8.0, 0.95, 0.4), Normal(-6.0, 5.0)),
        (Bumps(1.0, 0.3, 2.0), Normal(0.5, 1.5)),
        (Bumps(8.0, 0.5, 2.0), Normal(-6.0, 0.3)),
        (Bumps(0.0, 0.5, 0.4), Normal(6.0, 0.3)),
    ],
)
def test_the_sums_are_the_integrals(p, q):
    exact = by_quadrature(p, q)
    assert math.isclose(forward(p, q), exact[0], rel_tol=1e-8, abs_tol=1e-9)
    assert math.isclose(reverse(p, q), exact[1], rel_tol=1e-8, abs_tol=1e-9)


@pytest.mark.parametrize("apart", [0.0, 1.5, 2.0, 3.0, 8.0])
@pytest.mark.parametrize("weight", [0.05, 0.5])
@pytest.mark.parametrize("width", [0.4, 0.8])
def test_no_normal_is_better_than_the_best(apart, weight, width):
    p = Bumps(apart, weight, width)
    for of, fit in zip((forward, reverse), fits(p), strict=True):
        found = [
            minimize(lambda v, of=of: of(p, Normal(v[0], math.exp(v[1]))), (mean, math.log(sd)),
                     method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-11}).fun
            for mean, sd in ((-apart / 2, width), (apart / 2, width), (0.0, width + apart / 2))
        ]  # fmt: skip
        assert fit.left <= min(found) + 1e-8
        assert math.isclose(fit.left, of(p, fit.normal), abs_tol=1e-15)


@settings(max_examples=20)
@given(apart=st.floats(0, 8), weight=st.floats(0.05, 0.95), width=st.floats(0.4, 2))
def test_the_mirror_image_has_the_mirrored_fits(apart, weight, width):
    one, other = (fits(Bumps(apart, w, width)) for w in (weight, 1 - weight))
    for fit, mirrored in zip(one, other, strict=True):
        assert math.isclose(fit.left, mirrored.left, rel_tol=1e-6, abs_tol=1e-8)
    assert math.isclose(one[0].normal.mean, -other[0].normal.mean, abs_tol=1e-9)


def test_divergences_at_the_defaults():
    got = answer("divergences")
    assert [r["text"] for r in got["readouts"]] == ["0.6070", "0.4992", "1.0277", "0.5086"]
    assert "sits on the left bump" in got["notice"]
    right = answer("divergences", {"weight": 0.4})
    assert "sits on the right bump" in right["notice"]
    assert "one on the other bump is as good" in answer("divergences", {"weight": 0.5})["notice"]


@some("divergences", 60)
def test_what_the_page_says_of_the_divergences(got):
    cost, least, back, least_back = values(got)
    assert cost >= least - 1e-9 >= -1e-9
    assert back >= least_back - 1e-9 >= -1e-9
    covers, seeks = (
        (got["fits"][name]["mean"]["value"], got["fits"][name]["sd"]["value"])
        for name in ("covers", "seeks")
    )
    assert seeks[1] <= covers[1] + 1e-6
    state = got["state"]
    if "sits on the" in got["notice"]:
        side = -1 if "the left bump" in got["notice"] else 1
        assert abs(seeks[0] - side * state["apart"] / 2) < 0.11 * state["apart"]
    for name, total in (("forward", cost), ("reverse", back)):
        x, y = np.array(got["curves"][name]).T
        if (
            abs(state["mean"]) + 6 * state["sd"] < 10
            and state["apart"] / 2 + 6 * state["width"] < 10
        ):
            assert math.isclose(np.trapezoid(y, x), total, rel_tol=2e-3, abs_tol=2e-3)
