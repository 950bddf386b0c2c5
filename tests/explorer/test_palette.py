"""The colours are told apart by every eye, and stand out from the paper, in light and in dark."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

TOKENS = (Path(__file__).parents[2] / "web" / "src" / "styles" / "tokens.css").read_text()
THEMES = ["light", "dark"]
MEANING = ["gain", "keep", "waste"]
# Machado, Oliveira and Fernandes (2009), severity 1, on linear light.
EYES = {
    "most": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], LUMINANCE, [0.0193, 0.1192, 0.9505]])


def colour(name, theme):
    """Give a token's linear red, green and blue."""
    pair = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", TOKENS).groups()
    text = pair[THEMES.index(theme)]
    sent = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(sent <= 0.04045, sent / 12.92, ((sent + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Give WCAG's ratio of contrast."""
    low, high = sorted(LUMINANCE @ c for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(linear):
    x = TO_XYZ @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("name", "least"),
    [("ink", 7), ("soft", 4.5), ("gain", 3), ("keep", 3), ("waste", 3), ("rest", 3)],
)
def test_contrast_with_the_paper(name, least, theme):
    assert contrast(colour(name, theme), colour("paper", theme)) >= least


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_colours_with_a_meaning_differ(eye, theme):
    for one, other in itertools.combinations(MEANING, 2):
        seen = [lab(EYES[eye] @ colour(name, theme)) for name in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 25, (one, other)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_with_a_meaning_differ_in_grey(theme):
    lightness = sorted(lab(colour(name, theme))[0] for name in MEANING)
    assert min(np.diff(lightness)) > 8
