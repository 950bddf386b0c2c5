"""Equations in plain text, as docstrings write them, to MathML, which browsers draw by themselves.

`H(p) = −Σ p log p along axis` has an equation that ends before "along". An equation is the longest
piece of text that this grammar reads, and that has more in it than one letter or number:

    relation = sum {("=" | "≤" | "→" | …) sum}
    sum      = ["−"] product {("+" | "−") product}
    product  = factor {[("·" | "/")] factor}
    factor   = (number | letter | function | "Σ" | "(" list ")" | …) scripts
    list     = relation {("," | "‖" | "|") relation}
    scripts  = {"_" index | "^" factor | "²" | "₂" | …}
"""

from __future__ import annotations

import re
from html import escape

FUNCTIONS = {
    *("log", "log1p", "ln", "exp", "max", "min", "argmax", "lse"),
    *("softmax", "softplus", "sigmoid", "tanh"),
}
RELATIONS = set("=≤≥<>≈≠→∝")
PLUS, TIMES = set("+−±"), set("·×/")
SEPARATORS = set(",;‖|")
BREAKING = RELATIONS | PLUS | set("‖·")  # a line may end before them
LARGE = {"Σ": "∑", "Π": "∏", "∫": "∫"}
PAIRS = {"(": ")", "[": "]", "⌈": "⌉", "⌊": "⌋"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ", "0123456789+−nT", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+−", strict=True))
# Letters that are words, unless a sign stands beside them, and words that a sign makes no factor.
ARTICLES = {"a", "A", "I"}
PROSE = {
    *("and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "least", "most", "not"),
    *("of", "only", "or", "than", "that", "the", "to", "with", "where"),
}
NAMED = {"JS", "dx"}  # factors of more than one letter

TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d+(?:,\d{3})+|\d*\.?\d+(?:e[-−+]?\d+)?|[½∞…])"
    r"|(?P<greek>∂[A-Za-zα-ω]+|[α-ωΓΔ][\u0300-\u036f]*)"
    r"|(?P<word>[A-Za-zℓ][\u0300-\u036f]*(?:[A-Za-z]+\d?)*(?:_(?!KL\b|[ijk]{2}\b)[A-Za-z]{2,})*)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ]+)|(?P<lowered>[₀₁₂₃₄₅₆₇₈₉₊₋]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
INDEX = re.compile(r"_(\{[^{}]*\}|KL|[ijk]{2}|[A-Za-z0-9](?![A-Za-z0-9]))")


LONG = 30  # characters that a phone's line holds
BREAK = "\0"  # in MathML: here a line may end


class NoEquationError(Exception):
    """Here the text is not one."""


def typeset(text: str) -> str:
    """Return text as HTML, with each equation in it as MathML."""
    parts, at = [], 0
    for start, end, mathml in equations(text):
        parts += [escape(text[at:start], quote=False), lines(mathml, end - start > LONG)]
        at = end
    return "".join([*parts, escape(text[at:], quote=False)])


def lines(mathml: str, long: bool) -> str:
    """Return an equation; a long one in pieces, between which a line may end before a sign."""
    first, *others = mathml.split(BREAK) if long else [mathml.replace(BREAK, "")]
    later = [piece.replace('"infix"', '"infix" lspace="0"', 1) for piece in others]
    return " ".join(f"<math>{piece}</math>" for piece in [first, *later])


def equations(text: str) -> list[tuple[int, int, str]]:
    """Return where each equation of a text begins and ends, and its MathML."""
    found, at = [], 0
    while at < len(text):
        reader = Reader(text, at)
        inside_word = at and (text[at - 1].isalnum() or text[at - 1] in "_.’'-")
        try:
            if inside_word or text[at].isspace():
                raise NoEquationError
            mathml = reader.relation()
        except NoEquationError:
            at += 1
            continue
        cut = re.compile(r"[._-]?\w").match(text, reader.at) and text[reader.at - 1].isalnum()
        lettered = "<mi>" in mathml and ("<mo" in mathml or "<mtext>" not in mathml)
        if reader.strong and lettered and not cut:
            found.append((at, reader.at, mathml))
        at = reader.at
    return found


class Reader:
    """Reads an equation from a place on; `strong` says that it is not a mere letter or number."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.depth = 0
        self.strong = False

    def next(self) -> tuple[str, str, int]:
        """Return the kind, text and end of what follows, past spaces."""
        at = self.at
        while (match := TOKEN.match(self.text, at)) and match.lastgroup == "space":
            at = match.end()
        if match is None:
            return "end", "", at
        return match.lastgroup or "", match[0], match.end()

    def sign(self, among: set[str]) -> str | None:
        """Take a sign if it is one of some."""
        _, text, end = self.next()
        if text not in among:
            return None
        self.at = end
        return text

    def attempt(self, signs: set[str], what: str) -> str | None:
        """Take a sign and what stands after it, or nothing."""
        at, strong = self.at, self.strong
        if (sign := self.sign(signs)) is None:
            return None
        spaces = [self.text[i : i + 1].isspace() for i in (at, self.at)]
        if sign in PLUS and spaces[0] != spaces[1]:  # "is −1" has no difference
            self.at = at
            return None
        try:
            after = getattr(self, what)()
        except NoEquationError:
            self.at, self.strong = at, strong
            return None
        self.strong |= sign not in SEPARATORS
        return (BREAK if sign in BREAKING else "") + operator(sign) + after

    def relation(self) -> str:
        """Read sums with relations between them."""
        found = self.sum()
        while (more := self.attempt(RELATIONS, "sum")) is not None:
            found += more
        return found

    def sum(self) -> str:
        """Read terms."""
        minus = self.sign({"−"})
        found = (operator("−", "prefix") if minus else "") + self.product()
        while (more := self.attempt(PLUS, "product")) is not None:
            found += more
        return found

    def product(self) -> str:
        """Read factors, with signs or without; a space in the text is one of the equation."""
        found = self.factor()
        while True:
            at, strong = self.at, self.strong
            if (more := self.attempt(TIMES, "factor")) is not None:
                found += more
                continue
            try:
                space = self.text[at : at + 1].isspace()
                found += ('<mspace width=".2em"/> ' if space else "") + self.factor(aside=space)
            except NoEquationError:
                self.at, self.strong = at, strong
                return found

    def factor(self, aside: bool = False) -> str:
        """Read one factor; `aside` says that nothing but a space joins it to the one before."""
        kind, text, end = self.next()
        if text in PAIRS or (text == "|" and not aside):
            return self.scripts(self.bracket(text, aside))
        if kind == "number":
            if aside and not self.after_function:
                raise NoEquationError
            self.at = end
            return self.scripts(f"<mn>{text}</mn>")
        if kind == "greek":
            self.at, self.strong = end, True
            return self.scripts(f"<mi>{text}</mi>")
        if text in LARGE or text == "√":
            self.at, self.strong = end, True
            sign = f'<mo movablelimits="true">{LARGE[text]}</mo>' if text in LARGE else "<mo>√</mo>"
            return self.scripts(sign, "munder") + self.space() + self.operand()
        if kind == "word":
            return self.word(text, end, aside)
        raise NoEquationError

    after_function = False

    def operand(self) -> str:
        """Read what a function or a large sign is of."""
        self.after_function = True
        try:
            return self.sum() if self.next()[1] == "−" else self.factor()
        finally:
            self.after_function = False

    def space(self) -> str:
        """Return a space where the text has one."""
        return '<mspace width=".2em"/> ' if self.text[self.at : self.at + 1].isspace() else ""

    def word(self, text: str, end: int, aside: bool) -> str:
        """Read a letter, a function's name, or a word that stands for a number."""
        self.at, before = end, self.at
        if text in PROSE or self.text[end : end + 1] == "-":
            raise NoEquationError
        if text in FUNCTIONS:
            under = "munder" if text in ("max", "min") else "msub"
            name = self.scripts(f"<mi>{text}</mi>", under, applied=False)
            try:
                found = name + self.space() + self.operand()
            except NoEquationError:
                if not self.near_sign(before):
                    raise
                return name
            self.strong = True
            return found
        marked = "\u0300" <= text[-1] <= "\u036f"
        named = len(text) == 1 + marked or text in NAMED
        called = self.text[end : end + 1] == "("
        article = text in ARTICLES and not (text == "A" and aside)
        if not (called or (named and not article) or self.near_sign(before)):
            raise NoEquationError
        if aside and not (named or self.depth or (called and "_" in text)):
            raise NoEquationError
        self.strong |= marked
        return self.scripts(f"<mi>{text}</mi>" if named else f"<mtext>{text}</mtext>")

    def near_sign(self, before: int) -> bool:
        """Whether a sign of arithmetic, an index or a bracket joins a word to the equation."""
        after, ahead = self.text[self.at :], self.text[:before]
        if INDEX.match(after) or after[:1] in RAISED:
            return True
        signs = "".join((RELATIONS - {"→"}) | PLUS | TIMES | {"‖"})
        if self.depth:
            signs += ",;|()[]"
            return ahead.rstrip()[-1:] in signs and after.lstrip()[:1] in signs
        spaced = rf"\s[{re.escape(signs)}]"  # without spaces it is a path, or a name
        return bool(re.match(spaced, after) or re.search(spaced + r"\s*$", ahead))

    def bracket(self, opening: str, aside: bool) -> str:
        """Read a list between brackets."""
        start = self.at
        self.sign({opening})
        closing = PAIRS.get(opening, "|")
        inner = Reader(self.text, self.at)
        inner.depth = self.depth + 1
        found = inner.relation()
        while (more := inner.attempt(SEPARATORS - {closing}, "relation")) is not None:
            found += more
        if inner.sign({closing}) is None:
            raise NoEquationError
        lone = not inner.strong and not re.search(r"[\d,‖|]", self.text[start : inner.at])
        attached = re.match(r"[\w\u0300-\u036f][(\[]", self.text[max(start - 1, 0) :])
        word = re.search(r"\w{2}", self.text[start : inner.at])
        if lone and word and not attached and opening != "[":
            raise NoEquationError
        self.at = inner.at
        self.strong |= inner.strong
        fence = '<mo stretchy="false">{}</mo>'
        return fence.format(opening) + found + fence.format(closing)

    def scripts(self, base: str, under: str = "msub", applied: bool = True) -> str:
        """Read what stands below and above a base, and what it is a function of."""
        below = above = ""
        while True:
            kind, text, end = self.next()
            if end - len(text) != self.at:
                break
            if (index := INDEX.match(self.text, self.at)) and not below:
                below, self.at = indices(index[1].strip("{}")), index.end()
            elif kind == "lowered":
                below, self.at = below + indices("".join(LOWERED[c] for c in text)), end
            elif kind == "raised":
                above, self.at = indices("".join(RAISED[c] for c in text)), end
            elif text == "^":
                self.at = end
                above = self.exponent()
            else:
                break
            self.strong = True
        if below or above:
            base = base.replace(BREAK, "")
            base = base if base.count("<m") == 1 else f"<mrow>{base}</mrow>"
        if below and above:
            base = f"<msubsup>{base}{below}{above}</msubsup>"
        elif below:
            base = f"<{under}>{base}{below}</{under}>"
        elif above:
            base = f"<msup>{base}{above}</msup>"
        called = base.endswith(("</mi>", "</mtext>", "</msub>"))
        if applied and called and self.text[self.at : self.at + 1] in ("(", "["):
            try:
                at, strong = self.at, self.strong
                inner = self.scripts(self.bracket(self.text[self.at], aside=False))
            except NoEquationError:
                self.at, self.strong = at, strong
            else:
                self.strong = True
                return base + inner
        return base

    def exponent(self) -> str:
        """Read what a base is raised to: one letter with its index, a number, or a bracket."""
        kind, text, end = self.next()
        if text == "(":
            return f"<mrow>{self.bracket(text, aside=False)}</mrow>".replace(BREAK, "")
        if kind not in ("number", "greek", "word") or len(text) > 1:
            raise NoEquationError
        self.at = end
        found = indices(text)
        if (lowered := self.next())[0] == "lowered" and lowered[2] - len(lowered[1]) == self.at:
            self.at = lowered[2]
            found = f"<msub>{found}{indices(''.join(LOWERED[c] for c in lowered[1]))}</msub>"
        return found


def operator(sign: str, form: str = "infix") -> str:
    """Return a sign as an operator."""
    if sign in ("/", "|"):
        return f'<mo lspace="0.1em" rspace="0.1em" stretchy="false">{sign}</mo>'
    if sign == "‖":
        return '<mo form="infix" stretchy="false">‖</mo>'
    return f'<mo form="{form}">{escape(sign)}</mo>'


def indices(text: str) -> str:
    """Return what stands below or above: letters, numbers and words as they are."""
    kinds = {"number": "mn", "greek": "mi", "word": "mi"}
    parts = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        if match[0] == "KL" or len(match[0]) == 1 or kind == "number":
            tag = kinds.get(kind, "mo")
            parts.append(f"<{tag}>{escape(match[0])}</{tag}>")
        elif kind == "word" and re.fullmatch("[ijkncsty]+|cs", match[0]):
            parts += [f"<mi>{letter}</mi>" for letter in match[0]]
        elif kind == "word" and "_" in match[0]:
            parts.append(f"<mtext>{match[0]}</mtext>")
        else:
            parts.append(f"<mtext> {escape(match[0])} </mtext>")
    return "<mrow>" + "".join(parts) + "</mrow>"
