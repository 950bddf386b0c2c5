"""Formulas of the pages, read from their MathML and evaluated.

A formula is one or more statements, divided by commas: parts with relations between them, as in
`H(p) = −∑ p log p`. Reading one gives functions of an environment, which has

    a number or an array  for a letter; `p_j` is an item of p, and a derivative is named "∂L/∂z"
    a function            for what stands before parentheses
    "over"                {index: what a sum or product over it runs through}
    "∫"                   a function that integrates functions of x
    "E"                   (letter, a function that averages functions of that letter)
    "∂2/∂θ2"              a function that derives functions of θ
    "then"                what letters are after a step, left of ←
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

# What a browser gives of every formula of a page: {tag, text, inside}, without what only spaces.
FORMULAS = """() => {
  const read = (e) => ({
    tag: e.localName,
    text: e.children.length ? "" : e.textContent,
    braced: e.matches(".braced"),
    inside: [...e.children].filter((c) => !c.matches(".brace, mspace")).map(read),
  });
  return [...document.querySelectorAll(".formula math")].map(read);
}"""

RELATIONS = set("=≤≥<>≈∼∝→←")
SEPARATING = set(",‖|∣;")  # what a function is of
CLOSING = set(")]") | SEPARATING | RELATIONS
TIMES = set("·⋅×")


@dataclass
class Statement:
    """`parts[0] relations[0] parts[1] …`; a relation may have a condition above it."""

    parts: list
    relations: list = field(default_factory=list)  # (sign, condition)


def read(formula):
    """Give a formula's statements; what stands over a brace and its name are one more."""
    row = Row(formula["inside"], [])
    return row.statements() + row.braces


def text(node):
    return node["text"] + "".join(map(text, node["inside"]))


def spread(nodes):
    """Give the nodes of a row, with rows inside it taken out of their boxes."""
    for node in nodes:
        if node["tag"] in ("mrow", "mstyle", "semantics"):
            yield from spread(node["inside"])
        else:
            yield node


def sign_of(node):
    """Give the operator that a node is, also where something stands above or below it."""
    if node is not None and node["tag"] in ("mover", "munder"):
        node = node["inside"][0]
    return node["text"] if node is not None and node["tag"] == "mo" else None


class Row:
    """A row of MathML, read from left to right; `braces` takes what is named below a brace."""

    def __init__(self, nodes, braces):
        self.nodes, self.braces, self.at = list(spread(nodes)), braces, 0

    def here(self):
        return self.nodes[self.at] if self.at < len(self.nodes) else None

    def sign(self):
        """Give the operator that is next, or None."""
        return sign_of(self.here())

    def take(self, sign=None):
        node = self.here()
        if node is None or (sign is not None and self.sign() != sign):
            raise SyntaxError(f"expected {sign or 'more'} after {self.nodes[: self.at]}")
        self.at += 1
        return node

    def whole(self):
        """Read a row that is one expression."""
        value = self.sum()
        if self.here() is not None:
            raise SyntaxError(f"{text(self.here())} is left over")
        return value

    def inner(self, node):
        """Read what stands in a box of its own: a base, an exponent, one side of a fraction."""
        return Row([node], self.braces).whole()

    def statements(self):
        found = [self.statement()]
        while self.sign() == ",":
            self.take()
            found.append(self.statement())
        if self.here() is not None:
            raise SyntaxError(f"{text(self.here())} is left over")
        return found

    def statement(self):
        one = Statement([self.sum()])
        while self.sign() in RELATIONS:
            node = self.take()
            condition = text(node["inside"][1]) if node["inside"] else None
            one.relations.append((sign_of(node), condition))
            one.parts.append(self.sum())
        return one

    def sum(self):
        terms = []
        while not terms or self.sign() in ("+", "−"):
            minus = self.sign() == "−"
            if self.sign() in ("+", "−"):
                self.take()
            terms.append((-1 if minus else 1, self.product()))
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return lambda env: sum(sign * term(env) for sign, term in terms)

    def product(self):
        factors = []
        while self.here() is not None and self.sign() not in CLOSING | {"+", "−"}:
            if self.here()["text"] == "d" and factors:  # of an integral, which takes it
                break
            divides = self.sign() == "/"
            if divides or self.sign() in TIMES:
                self.take()
            factors.append((divides, self.factor()))
        if not factors:
            raise SyntaxError(f"nothing to multiply in {''.join(map(text, self.nodes))}")
        if len(factors) == 1 and not factors[0][0]:
            return factors[0][1]

        def value(env):
            result = 1.0
            for divides, factor in factors:
                result = result / factor(env) if divides else result * factor(env)
            return result

        return value

    def factor(self):
        node = self.here()
        tag, inside = node["tag"], node["inside"]
        if (sign := self.sign()) is not None:
            return self.operator(sign)
        self.take()
        match tag:
            case "mn":
                return lambda env: float(node["text"])
            case "mi" if node["text"] == "log":
                of = self.factor()
                return lambda env: env.get("log", np.log)(of(env))
            case "mi" | "msub" if text([*inside, node][0]) == "E":
                of = self.product()
                return lambda env: averaged(of, env)
            case "mi" | "mover":
                return self.named(lambda env: env[text(node)])
            case "mtext":
                return lambda env: env[node["text"]]
            case "msub":
                index = self.inner(inside[1])
                return self.named(lambda env: item(env[text(inside[0])], index(env)))
            case "msup":
                base, exponent = map(self.inner, inside)
                return lambda env: base(env) ** exponent(env)
            case "msubsup":
                index, exponent = map(self.inner, inside[1:])
                return lambda env: item(env[text(inside[0])], index(env)) ** exponent(env)
            case "mfrac" if text(node) == "∂2∂θ2":
                of = self.product()
                return lambda env: env["∂2/∂θ2"](lambda value: of(env | {"θ": value}))
            case "mfrac" if text(inside[0]).startswith("∂"):
                return self.derivative(*inside)
            case "mfrac":
                over, under = map(self.inner, inside)
                return lambda env: over(env) / under(env)
            case "msqrt":
                of = Row(inside, self.braces).whole()
                return lambda env: of(env) ** 0.5
            case "munder" if inside[0]["braced"]:
                return self.braced(*inside)
            case "munder":  # min, max, an expectation: read, and not computed
                return self.unknown(node)
        raise SyntaxError(f"{tag} {text(node)}")

    def operator(self, sign):
        node = self.take()
        if sign in "∑∏":
            index, of = text(node["inside"][1]), self.product()
            fold = math.fsum if sign == "∑" else math.prod
            return lambda env: fold(of(env | {index: i}) for i in env["over"][index])
        if sign == "∫":
            of = self.product()
            self.take()  # the d of dx
            x = text(self.take())
            return lambda env: env["∫"](lambda value: of(env | {x: value}))
        if sign == "(":
            value = self.sum()
            self.take(")")
            return value
        if sign == "[":  # 1 where it is so, and 0 where not
            one = self.statement()
            self.take("]")
            return lambda env: float(np.all(one.parts[0](env) == one.parts[1](env)))
        if len(sign) > 1:
            return self.unknown(node)
        raise SyntaxError(f"{sign} where a value was expected")

    def unknown(self, node):
        def value(env):
            raise NotImplementedError(text(node))

        return value

    def named(self, value):
        """Read a letter, and where it is a function, what that is of."""
        if self.sign() != "(":
            return value
        self.take()
        given = [self.sum()]
        while self.sign() in SEPARATING:
            self.take()
            given.append(self.sum())
        self.take(")")

        def applied(env):
            values, found = [one(env) for one in given], value(env)
            return found(*values) if callable(found) else found * values[0]

        return applied

    def derivative(self, over, under):
        *_, by = spread([under])
        index = self.inner(by["inside"][1]) if by["tag"] == "msub" else None
        letter = text(by["inside"][0]) if by["tag"] == "msub" else text(by)
        name = f"{text(over)}/∂{letter}"
        return lambda env: env[name] if index is None else item(env[name], index(env))

    def braced(self, base, name):
        value = Row([base], self.braces).whole()
        self.braces.append(Statement([self.inner(name), value], [("=", None)]))
        return value


def averaged(of, env):
    letter, average = env["E"]
    return average(lambda value: of(env | {letter: value}))


def item(values, index):
    return values[int(index)]


def holds(statements, env):
    """Whether each statement is true, and what the parts come to that are not just a name."""
    true, found = True, []
    for one in statements:
        becomes = one.relations[:1] == [("←", None)]
        left = one.parts[0](env | env["then"] if becomes else env)
        found += [] if one.relations else [left]
        for (sign, condition), part in zip(one.relations, one.parts[1:], strict=True):
            if condition is not None and not env[condition]:
                break
            right = part(env)
            found += [right] if sign in "=←" else [left, right]
            match sign:
                case "=" | "←":
                    true &= bool(np.allclose(left, right, rtol=1e-9, atol=1e-12))
                case "≤":
                    true &= bool(left <= right + 1e-9)
                case "≥":
                    true &= bool(left >= right - 1e-9)
                case "→":
                    true &= bool(np.allclose(left, right, rtol=1e-3, atol=1e-3))
                case _:
                    raise SyntaxError(sign)
            left = right
    return true, found
