"""Every number in a check's page is computed again here."""

import re

import mpmath
import numpy as np
import pytest
from mpmath import e, exp, log, mpf

from plogq.doctor.check import all_checks

mpmath.mp.dps = 30
NUMBER = re.compile(r"\d[\d,]*\.\d+|\d+,\d{3}")


def entropy(*shares):
    return -sum(mpf(p) * log(mpf(p)) for p in shares)


def double_softmax(classes):
    return log(classes - 1 + e) - 1


def smoothed(classes, epsilon):
    rest = mpf(epsilon) / classes
    return entropy(1 - mpf(epsilon) + rest) + (classes - 1) * entropy(rest)


def softplus(x):
    return log(1 + exp(x))


def sigmoid(x):
    return 1 / (1 + exp(-mpf(x)))


KERAS = -log(mpf("1e-7"))  # what a probability of 0 is charged
LOGS = [log(mpf("0.9")), log(mpf("0.1"))]
HALF, THIRD, FIFTH = mpf("0.5"), mpf("0.3"), mpf("0.2")
WRONG = mpf("0.999")

# By check: the numbers of its page that follow from others, and what they are.
FIGURES = {
    "PQ101": {"0.313": double_softmax(2), "1.461": double_softmax(10),
              "5.909": double_softmax(1000)},
    "PQ102": {"3.129": -log(LOGS[0] / sum(LOGS)), "0.105": -LOGS[0], "0.693": log(2),
              "0.5": 1 / (1 + mpf(1))},
    "PQ103": {"16.118": KERAS},
    "PQ104": {"0.5": sigmoid(0), "0.731": sigmoid(1), "0.313": -log(sigmoid(1)),
              "0.693": -log(1 - sigmoid(0))},
    "PQ105": {"1.193": HALF - log(HALF)},
    "PQ107": {"10.000": 10 - softplus(-10)},
    "PQ109": {"1.273": -log(HALF) - log(1 - THIRD) - log(1 - FIFTH), "0.693": -log(HALF)},
    "PQ110": {"16.118": KERAS},
    "PQ111": {"0.25": HALF * (1 - HALF), "0.693": entropy(HALF, HALF)},
    "PQ112": {"3.466": log(64 / 2)},
    "PQ114": {"0.056": entropy("0.01", "0.99"), "0.693": log(2)},
    "PQ115": {"2.303": log(10), "6.908": log(1000)},
    "PQ116": {"0.002": 2 * WRONG * WRONG * (1 - WRONG)},
    "PQ117": {"65,504": int(np.finfo(np.float16).max), "2,048": int(np.float16(2049)),
              "2.3": log(10), "69,000": 30_000 * mpf("2.3")},
    "PQ118": {"16.118": KERAS},
    "PQ120": {"0.199": smoothed(2, "0.1"), "0.500": smoothed(10, "0.1"),
              "1.015": smoothed(1000, "0.1")},
    "PQ121": {"0.693": log(2)},
    "PQ122": {"1,024": 2**10},
    "PQ123": {"0.988": sigmoid(2 * log(9))},
    "PQ124": {"15.000": mpf("2.5") * 10 - softplus(10)},
    "PQ125": {"1.386": 2 * log(2), "3.296": 3 * log(3)},
    "PQ201": {"0.000061": mpf("0.25") ** 7, "0.25": sigmoid(0) * (1 - sigmoid(0))},
    "PQ202": {"531,441": mpf(3) ** 12},
    "PQ203": {"0.0099": mpf("0.99") * mpf("0.01"), "0.25": sigmoid(0) * (1 - sigmoid(0))},
    "PQ210": {"0.015625": mpf(2) / 2**7, "2.303": log(10),
              "2.297": mpmath.nint(log(10) * 64) / 64},
    "PQ211": {"0.00000003": mpf(2) ** -25, "65,536": 2**16},
    "PQ212": {"0.02": mpf(2) / 10 * mpf("0.1")},
    "PQ213": {"0.693": log(2), "2.303": log(10)},
    "PQ301": {"0.313": double_softmax(2), "1.461": double_softmax(10),
              "5.909": double_softmax(1000)},
    "PQ303": {"16.118": KERAS},
    "PQ304": {"0.5": sigmoid(0), "0.731": sigmoid(1), "0.313": -log(sigmoid(1)),
              "0.693": -log(1 - sigmoid(0))},
    "PQ309": {"0.325": -(log(mpf("0.1")) + 9 * log(mpf("0.9"))) / 10, "2.303": log(10)},
    "PQ316": {"0.002": 2 * WRONG * WRONG * (1 - WRONG), "0.999": WRONG},
    "PQ318": {"18.421": -log(mpf("1e-8"))},
    "PQ333": {"65,504": int(np.finfo(np.float16).max), "69,078": 30_000 * log(10),
              "1,000": 1001 - 1001 % 4},
    "PQ335": {"0.574": sigmoid("0.3")},
}  # fmt: skip
# Numbers that a page begins with.
GIVEN = {
    "PQ101": {"1,000"}, "PQ102": {"0.9", "0.1"}, "PQ105": {"0.5", "1,000"},
    "PQ109": {"0.5", "0.3", "0.2"}, "PQ115": {"1,000"}, "PQ116": {"0.999"},
    "PQ117": {"30,000", "2,049"}, "PQ120": {"0.1", "1,000"}, "PQ122": {"0.5"},
    "PQ123": {"0.9"}, "PQ124": {"2.5"}, "PQ201": {"10,000"}, "PQ202": {"10,000"},
    "PQ203": {"0.99"}, "PQ205": {"1.1"}, "PQ208": {"0.001", "0.01", "0.99"}, "PQ212": {"0.1"},
    "PQ301": {"1,000"}, "PQ316": {"0.001"},
    "PQ332": {"1,000"}, "PQ333": {"30,000", "1,001"}, "PQ335": {"0.3", "0.5"},
}  # fmt: skip


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.code)
def test_every_number_of_a_page_is_what_it_is_said_to_be(check):
    page = check.title + check.sections["What it does"] + check.sections["Why it matters"]
    figures = FIGURES.get(check.code, {})
    assert set(NUMBER.findall(page)) == {*figures, *GIVEN.get(check.code, ())}
    for text, value in figures.items():
        assert mpmath.nint(value * 10 ** len(text.partition(".")[2])) == mpmath.nint(
            mpf(text.replace(",", "")) * 10 ** len(text.partition(".")[2])
        ), text


def test_bfloat16_cannot_count_past_256():
    torch = pytest.importorskip("torch")
    one = torch.ones((), dtype=torch.bfloat16)
    assert float(256 * one + one) == 256
    assert float(255 * one + one) == 256


def test_keras_cuts_logits_of_one_large_class_to_almost_one_hot():
    from plogq.doctor.readings import log_of_shares

    shares = np.exp(log_of_shares(np.array([[3.0, -1.0, -1.0]]), 1e-7))
    np.testing.assert_allclose(shares, [[1 - 1e-7, 1e-7, 1e-7]])


def test_float32_and_bfloat16_round_as_the_pages_say():
    torch = pytest.importorskip("torch")
    far = torch.tensor([0.0, 105.0])
    assert float(torch.softmax(far, 0)[0]) == 0
    assert float(torch.softmax(torch.tensor([0.0, 103.0]), 0)[0]) > 0
    assert float(torch.log_softmax(far, 0)[0]) == -105
    assert float(torch.sigmoid(torch.tensor(18.0))) == 1 > float(torch.sigmoid(torch.tensor(16.0)))
    assert float(torch.ones(1001, dtype=torch.bfloat16).sum()) == 1000
    assert np.float32(1 - 1e-8) == 1 > np.float32(1 - 1e-7)
