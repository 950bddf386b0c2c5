"""Equations of docstrings as MathML: which are found, what they become, and that they are true."""

import inspect
import math
import re
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest

import plogq
from docs.site.equations import equations, typeset
from tests.explorer import mathml

FOUND = [
    "⟦H(p, q) = −Σ p log q = H(p) + D_KL(p ‖ q)⟧: p is the truth, q the model",
    "⟦JS(p, q) = ½ D_KL(p ‖ m) + ½ D_KL(q ‖ m)⟧ with ⟦m = (p + q)/2⟧: symmetric, in ⟦[0, ln 2]⟧.",
    "⟦D_KL(p ‖ q) = ∫ p(x) log(p(x)/q(x)) dx⟧ by quadrature; inf where q is 0 and p is not.",
    "Evidence lower bound, shape (…): ⟦E_q[log p(x|z)] − D_KL(q(z|x) ‖ N(0, I))⟧.",
    "⟦ε⟧: t becomes ⟦(1 − ε) t + ε/2⟧.",
    "Nothing is clipped: ⟦p = 1e-9⟧ for a positive is 20.72 nats, and its gradient −1e9.",
    "⟦T² · D_KL(softmax(teacher/T) ‖ softmax(student/T))⟧; gradient: ⟦T (q_T − p_T)⟧.",
    "its matrix is ⟦W + scale · B A⟧, which is never formed",
    "⟦H_k = Σ (n_{cs} / n) log₂ (n_c / n_{cs})⟧: bits per symbol",
    "and ⟦r = Σ_{j≠k} exp(x_j − m)⟧:",
    "exists if and only if ⟦K ≤ 1⟧ (Kraft), and so does any",
    "⟦I(X; Y) = D_KL(p(x, y) ‖ p(x) p(y)) = H(Y) − H(Y | X) ≥ 0⟧, for p of shape (…, X, Y)",
    "⟦σ(z) = 1 / (1 + exp(−z))⟧, by ⟦exp(−|z|)⟧, so that neither side overflows.",
    "⟦w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r))⟧, ⟦p = σ(z)⟧",
]
PROSE = [
    "A loss is −r, an r of −inf gives −inf, and a temperature that is not > 0 raises (see there).",
    "examples/mnist, keras: guides/transfer_learning.py 513; https://a.org/2019/04/25/a and 3/2",
    "top_k, ignore_index and z_loss; float32 and x86-64-v3; shape (N, C, d1, …) of a batch",
    "At least > 99.9 % of H, in 10⁻¹² of I, a p value or a q; 32 × 10 rows",
]


@pytest.mark.parametrize("text", FOUND)
def test_an_equation_ends_where_prose_begins(text):
    plain = text.replace("⟦", "").replace("⟧", "")
    for start, end, _ in reversed(equations(plain)):
        plain = f"{plain[:start]}⟦{plain[start:end]}⟧{plain[end:]}"
    assert plain == text


@pytest.mark.parametrize("text", PROSE)
def test_prose_stays_prose(text):
    assert equations(text) == []


def test_what_is_below_and_above_a_letter():
    assert typeset("log p_j²") == (
        '<math><mi>log</mi><mspace width=".2em"/> <msubsup><mi>p</mi>'
        "<mrow><mi>j</mi></mrow><mrow><mn>2</mn></mrow></msubsup></math>"
    )
    assert typeset("a < b & c") == (
        '<math><mi>a</mi><mo form="infix">&lt;</mo><mi>b</mi></math> &amp; c'
    )


def test_a_line_may_end_in_a_long_equation_before_a_sign():
    html = typeset("H(p, q) = −Σ p log q = H(p) + D_KL(p ‖ q)")
    pieces = ElementTree.fromstring(f"<p>{html}</p>")
    texts = ["".join(piece.itertext()).replace(" ", "") for piece in pieces]
    assert texts == ["H(p,q)", "=−∑plogq", "=H(p)", "+DKL(p", "‖q)"]
    assert [piece.tail for piece in pieces] == [" ", " ", " ", " ", None]


FORMULAS = [name for name in plogq.__all__ if inspect.isroutine(getattr(plogq, name))]


def prose(text):
    """Give the paragraphs of a docstring, without code and headings."""
    text = re.sub(r"`[^`]*`", "·code·", text.partition("Examples\n---")[0])
    return text.split("\n\n")


@pytest.mark.parametrize("name", FORMULAS)
def test_every_equation_of_a_formula_is_found_and_says_the_same(name):
    for text in prose(inspect.getdoc(getattr(plogq, name))):
        found = equations(text)
        rest = text
        for start, end, written in reversed(found):
            source = re.sub(r"[\s^_{}]", "", text[start:end])
            for plain, sign in {"Σ": "∑", "Π": "∏", "²": "2", "ⁿ": "n", "₊": "+", "₋": "−"}.items():
                source = source.replace(plain, sign)
            tree = ElementTree.fromstring(f"<math>{written.replace(chr(0), '')}</math>")
            assert re.sub(r"[\s_]", "", "".join(tree.itertext())) == source
            rest = rest[:start] + rest[end:]
        assert re.findall(r"[Σ∫^½]|\b[a-zA-Z]_[a-zA-Z]\b|\w = \w", rest) == []


def node(element):
    """Give an element as `tests/explorer/mathml.py` reads it, without spaces."""
    inside = [node(child) for child in element if child.tag != "mspace"]
    text = "" if inside else unescape(element.text or "")
    return {"tag": element.tag, "text": text, "braced": False, "inside": inside}


def numbers(text):
    [(_, _, written)] = equations(text)
    return mathml.read(node(ElementTree.fromstring(f"<math>{written.replace(chr(0), '')}</math>")))


X = np.array([0.5, -1.0, 2.0])
P = np.exp(X / 2) / np.exp(X / 2).sum()
TRUE = {  # what its letters stand for, and what the left side is not
    "softmax": ({"p": P, "x": X, "T": 2.0, "j": 1}, {"p": P**2}),
    "log_softmax": ({"p": P, "x": X, "T": 2.0, "j": 2}, {"p": P**2}),
    "sigmoid": ({"σ": lambda z: 1 / (1 + math.exp(-z)), "z": 0.3}, {"σ": math.tanh}),
    "surprisal": ({"h": lambda p: -math.log(p), "p": 0.2}, {"h": math.log}),
}


@pytest.mark.parametrize("name", TRUE)
def test_the_mathml_of_a_formula_is_true(name):
    given, wrong = TRUE[name]
    given = {"exp": np.exp, "over": {"k": range(3)}} | given
    line = inspect.getdoc(getattr(plogq, name)).partition(", ")[0].partition(" of each")[0]
    assert mathml.holds(numbers(line), given)[0]
    assert not mathml.holds(numbers(line), given | wrong)[0]
