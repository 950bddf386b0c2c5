"""Draw `docs/codes.svg` from the numbers of the library: `python docs/codes.py`."""

from pathlib import Path

import numpy as np

from plogq.codes import Code

PICTURE = Path(__file__).with_suffix(".svg")

NAMES = ("red", "blue", "green", "yellow")
P = np.array([0.5, 0.25, 0.13, 0.12])  # what the code is made for
Q = np.array([0.25, 0.13, 0.5, 0.12])  # what it is used for
COLOURS = ("#ee8866", "#77aadd", "#44bb99", "#eedd88")  # of Tol's light scheme

WIDTH, HEIGHT = 750, 326
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222; }
.title { font-weight: 600; font-size: 14px; }
.small { font-size: 12px; fill: #555; }
.word { font: 13px ui-monospace, monospace; fill: #000; }
.axis { stroke: #555; fill: none; }
.taken { fill: #8883; }
.budget { fill: none; stroke: #8886; }
.ideal { stroke: #222; stroke-width: 2; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #eee; } .small { fill: #bbb; } .axis { stroke: #bbb; } .ideal { stroke: #fff; }
}
"""


def draw() -> str:
    """Give the picture."""
    code = Code.huffman(dict(zip(NAMES, P, strict=True)))
    own, other = code.cost(P, P), code.cost(Q, P)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="A prefix code as shares of a budget, and what it costs on two sources">',
        f"<style>{STYLE}</style>",
        *budget(code, 20, 20),
        *cost(
            270,
            20,
            P,
            "Made for p, used for p",
            f"H(p) = {own.entropy:.4f} bits a symbol",
            f"its words: {own.expected_length:.4f}",
        ),
        *cost(
            500,
            20,
            Q,
            "Made for p, used for q",
            f"H(q) + KL(q‖p) = {other.entropy:.4f} + {other.kl:.4f}",
            f"= {other.entropy + other.kl:.4f}; its words: {other.expected_length:.4f}",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def budget(code: Code, x: float, y: float) -> list[str]:
    """Draw the tree as an icicle: a word of ℓ digits takes 2^-ℓ of the width, and all below it."""
    width, deep = 210, 46
    out = [text(x, y, "A word takes its share", "title")]
    top, bottom = y + 22, y + 22 + 4 * deep
    out.append(rect(x, top, width, 4 * deep, "budget"))
    for name, colour in zip(NAMES, COLOURS, strict=True):
        word = code[name]
        share = 2.0 ** -len(word)
        left = x + width * int(word, 2) * share
        at = top + (len(word) - 1) * deep
        out.append(rect(left, at + deep, width * share, bottom - at - deep, "taken"))
        out.append(box(left, at, width * share, deep, colour))
        out.append(text(left + width * share / 2, at + 20, word, "word", "middle"))
        if share > 0.2:
            out.append(text(left + width * share / 2, at + 37, name, "word", "middle"))
    for length in range(1, 5):
        out.append(text(x - 4, top + (length - 0.4) * deep, str(length), "small", "end"))
    out.append(text(x, bottom + 20, f"Kraft sum {code.kraft_sum}: the budget is spent.", "small"))
    out.append(text(x, bottom + 37, "Below a word nothing is left:", "small"))
    out.append(text(x, bottom + 54, "no other can begin with it.", "small"))
    return out


def cost(x: float, y: float, q: np.ndarray, title: str, *captions: str) -> list[str]:
    """Draw what symbols cost: as wide as each is frequent, as high as its ideal word is long."""
    width, height, most = 190, 4 * 46, 4.0
    bottom = y + 22 + height
    out = [text(x, y, title, "title")]
    out += [
        text(x - 6, bottom - bits * height / most + 4, str(bits), "small", "end")
        for bits in range(5)
    ]
    left, steps = x, []
    for share, paid, best, colour, name in zip(
        q, -np.log2(P), -np.log2(q), COLOURS, NAMES, strict=True
    ):
        w, h, ideal = share * width, paid * height / most, best * height / most
        out.append(box(left, bottom - h, w, h, colour))
        out.append(text(left + w / 2, bottom + 14, name[0], "small", "middle"))
        steps.append(f"{left:.1f},{bottom - ideal:.1f} {left + w:.1f},{bottom - ideal:.1f}")
        left += w
    out.append(f'<polyline class="ideal" points="{" ".join(steps)}"/>')
    out.append(f'<path class="axis" d="M{x},{bottom - height} V{bottom} H{x + width}"/>')
    out.append(text(x, bottom + 34, "width: how often; height: −log₂ p", "small"))
    out.append(text(x, bottom + 51, "line: −log₂ of how often", "small"))
    out += [text(x, bottom + 74 + 17 * i, line) for i, line in enumerate(captions)]
    return out


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """Write a line."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{content}</text>'


def box(x: float, y: float, w: float, h: float, colour: str) -> str:
    """Draw a filled box."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="{colour}" '
        'stroke="#fff" stroke-width="1"/>'
    )


def rect(x: float, y: float, w: float, h: float, kind: str) -> str:
    """Draw a box of the style sheet's."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" class="{kind}"/>'


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
