"""Codes: a word of digits for each symbol, what the words cost, and which codes can be decoded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

import plogq
from plogq.codes import Code
from plogq.explorer.controls import Shares, State, Words
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown

NAMES = ("blue", "red", "green", "yellow")
COLORS = dict(zip(NAMES, ("gain", "waste", "rest", "keep"), strict=True))
LETTERS = {name[0]: name for name in NAMES}
LONGEST = 6  # digits of a word
CLOSE = 1e-9  # bits: lengths that differ by less are called equal


def compute(state: State) -> Result:
    """Give the words' places, what they cost on both sources, and how a stream reads back."""
    p, q = np.array(state["probs"]), np.array(state["source"])
    code = Code(dict(zip(NAMES, state["words"], strict=True)))
    huffman = Code.huffman(dict(zip(NAMES, state["probs"], strict=True)))
    entropy = float(plogq.entropy(p, unit="bit"))
    length, least = code.expected_length(p), huffman.expected_length(p)
    crossed = float(plogq.cross_entropy(q, p, unit="bit"))
    other = float(plogq.entropy(q, unit="bit"))
    return {
        "deepest": max(3, *map(len, code.words)),
        "symbols": [
            {
                "name": name,
                "prob": figure(p[j]),
                "source": figure(q[j]),
                "ideal": figure(plogq.surprisal(p[j], unit="bit")),
                "huffman": huffman[name],
                **_place(code, j),
            }
            for j, name in enumerate(NAMES)
        ],
        "stream": _stream(code, state["stream"][0]),
        "ambiguous": _ambiguous(code),
        "tree": _tree(huffman, dict(zip(NAMES, state["probs"], strict=True))),
        "costs": [
            _cost("first source, your words", length, entropy),
            _cost("first source, Huffman’s words", least, entropy),
            _cost("second source, your words", code.expected_length(q), other),
            _cost("second source, lengths −log₂ p of the first", crossed, other),
        ],
        "readouts": [
            readout("expected length of your words", length, "digits", "gain"),
            readout("Huffman’s words, the shortest that can be decoded", least, "digits"),
            readout("entropy", entropy, "bits", "keep"),
            readout("Kraft sum, the share of the budget that is spent", code.kraft_sum),
            readout("second source, with lengths that suit the first", crossed, "bits", "waste"),
        ],
        "notice": f"{_verdict(code)} {_price(code, length, least, entropy)}",
        "code": (
            "from plogq.codes import Code\n"
            f"code = Code({python(state['words'])})\n"
            f"code.expected_length({python(state['probs'])})"
        ),
        "answer": length,
    }


def _place(code: Code, j: int) -> Result:
    """Give a word's part of the budget: where its digits lead, and which words share it."""
    word = code.words[j]
    share = Fraction(1, 2 ** len(word))
    same = [i for i, other in enumerate(code.words) if other == word]
    clash = any(
        i != j and (other.startswith(word) or word.startswith(other))
        for i, other in enumerate(code.words)
    )
    return {
        "word": word,
        "length": len(word),
        "share": float(share),
        "share_text": str(share),
        "from": float(int(word or "0", 2) * share),
        "slot": same.index(j),
        "slots": len(same),
        "clash": clash,
        "color": COLORS[NAMES[j]],
    }


def _spelt(code: Code, symbols: list[Any]) -> list[Result]:
    return [{"name": s, "letter": s[0], "word": code[s], "color": COLORS[s]} for s in symbols]


def _stream(code: Code, letters: str) -> Result:
    """Give a message word by word, and what its receiver can make of the digits."""
    symbols = [LETTERS[letter] for letter in letters]
    digits = code.digits(symbols)
    if not symbols:
        said = "Nothing is sent."
    else:
        said = (
            f"{_count(len(digits), 'digit')} for {_count(len(symbols), 'symbol')}: "
            f"{shown(len(digits) / len(symbols), 2)} each. {_reading(code, symbols, digits)}"
        )
    return {"words": _spelt(code, symbols), "digits": digits, "said": said}


def _reading(code: Code, symbols: list[str], digits: str) -> str:
    if "" in code.words:
        return "A symbol whose word has no digits leaves no trace: nobody can tell if it was sent."
    if code.is_uniquely_decodable:
        back = "".join(symbol[0] for symbol in code.parse(digits))
        return f"The receiver reads {back}, and needs no sign between the words."
    ways = readings(code.words, digits)
    if ways == 1:
        return "This stream has one reading, but other streams of this code have two."
    return f"The receiver can read it in {ways:,} ways, and cannot know which one was meant."


def readings(words: tuple[str, ...], digits: str) -> int:
    """Count the ways to cut digits into words, none of which is empty.

    Examples
    --------
    >>> readings(("0", "01", "10"), "010")
    2
    """
    ways = [1] + [0] * len(digits)
    for end in range(1, len(digits) + 1):
        ways[end] = sum(ways[end - len(w)] for w in words if digits[:end].endswith(w))
    return ways[-1]


def _ambiguous(code: Code) -> Result | None:
    """Give the shortest stream with two readings, cut both ways."""
    if (found := code.ambiguous_stream()) is None or not found[0]:
        return None
    digits, first, second = found
    return {"digits": digits, "readings": [_spelt(code, first), _spelt(code, second)]}


def _tree(code: Code, probs: dict[str, float]) -> list[Result]:
    """Give the nodes of a prefix code's tree: the digits that lead to each, and how often."""
    paths = sorted({word[:end] for word in code.words for end in range(len(word) + 1)})
    named = {word: name for name, word in zip(NAMES, code.words, strict=True)}
    return [
        {
            "path": path,
            "name": named.get(path, ""),
            "color": COLORS[named[path]] if path in named else "ink",
            "prob": figure(sum(probs[s] for s in NAMES if code[s].startswith(path)), 2),
        }
        for path in paths
    ]


def _cost(name: str, total: float, entropy: float) -> Result:
    """Split a length into entropy and excess: no code that can be decoded is below the entropy."""
    below = total < entropy - CLOSE
    return {
        "name": name,
        "total": figure(total),
        "entropy": None if below else figure(entropy),
        "excess": None if below else figure(max(0.0, total - entropy)),
    }


def _verdict(code: Code) -> str:
    """Say whether the words can be read again, and why."""
    kraft = code.kraft_sum
    if "" in code.words:
        silent = NAMES[code.words.index("")]
        return f"The word for {silent} has no digits: a stream does not show where it stands."
    if (found := code.ambiguous_stream()) is not None:
        digits, first, second = found
        told = f"The stream {digits} can be read as {_listed(first)} and as {_listed(second)}."
        if kraft > 1:
            return (
                f"{told} The Kraft sum is {kraft}, above 1: the words are too short for the "
                "budget, and no others of these lengths could be decoded."
            )
        return (
            f"{told} The Kraft sum is {kraft}, within the budget, so other words of the same "
            "lengths could be decoded."
        )
    if not code.is_prefix_free:
        return (
            "One word is the beginning of another, so a receiver must look ahead. Yet no stream "
            f"has two readings. The Kraft sum is {kraft}."
        )
    if kraft < 1:
        return (
            "No word is the beginning of another: each is known as soon as its last digit has "
            f"come. {1 - kraft} of the budget is left, so some word could be shorter."
        )
    return (
        "No word is the beginning of another: each is known as soon as its last digit has come. "
        "The whole budget is spent: if a word becomes shorter, another must become longer."
    )


def _price(code: Code, length: float, least: float, entropy: float) -> str:
    """Say what the words cost beside the best, and beside the entropy."""
    said = f"On average a symbol takes {shown(length)} digits"
    if not code.is_uniquely_decodable:
        if length < entropy - CLOSE:
            return f"{said}, less than the entropy: no code that can be decoded is so short."
        return f"{said}."
    if length > least + CLOSE:
        return f"{said}; Huffman’s words take {shown(least)}, and the entropy is {shown(entropy)}."
    if length > entropy + CLOSE:
        return (
            f"{said}, and no words that can be decoded take less. The entropy is {shown(entropy)}; "
            "the difference is the price of whole digits."
        )
    return f"{said}. That is the entropy, and no code that can be decoded takes less."


def _listed(symbols: list[Any]) -> str:
    return " ".join(map(str, symbols))


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


PAGE = Page(
    title="Codes",
    summary="A code gives short words to what comes often. Their average length has a lower "
    "limit: the entropy.",
    words="Kraft McMillan prefix Huffman tree compression uniquely decodable bits expected length",
    controls={
        "words": Words(
            "code words", ("10", "0", "110", "111"), "01", LONGEST, least=4, most=4, names=NAMES
        ),
        "stream": Words(
            "to send: b, r, g and y", ("rbrgyrrb",), "".join(LETTERS), 24, least=1, most=1
        ),
        "probs": Shares(
            "first source p", (0.25, 0.5, 0.13, 0.12), least=4, most=4, names=NAMES
        ),
        "source": Shares(
            "second source", (0.13, 0.25, 0.5, 0.12), least=4, most=4, names=NAMES
        ),
    },
    compute=compute,
)  # fmt: skip
