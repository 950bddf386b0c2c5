"""The page on language models shows what the demo printed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_is_shown_as_printed():
    page = (ROOT / "docs" / "lm.md").read_text()
    printed = (ROOT / "benchmarks" / "results" / "demo_lm.txt").read_text()
    shown = re.search(r"```\n(The same held-out.*?)```", page, re.DOTALL)
    assert shown is not None
    assert shown[1] in printed


def test_a_model_is_shown_as_printed():
    page = (ROOT / "docs" / "lm.md").read_text()
    printed = (ROOT / "benchmarks" / "results" / "lm_model.txt").read_text()
    shown = re.search(r"```\n([$] plogq lm --model .*?)\n```", page, re.DOTALL)
    assert shown is not None
    assert shown[1] in printed
