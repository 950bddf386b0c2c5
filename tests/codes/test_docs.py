"""The picture in the documents is what the library draws, and says what it says."""

import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_picture_is_current():
    spec = importlib.util.spec_from_file_location("draw_codes", DOCS / "codes.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    drawn = script.draw()
    assert (DOCS / "codes.svg").read_text(encoding="utf-8") == drawn
    said = " ".join(ET.fromstring(drawn).itertext())
    for number in ("1.7497", "1.7500", "0.5991", "2.3488", "2.3700"):  # balls_entropy, balls_cross
        assert number in said


def test_page_is_short_and_shows_it():
    text = (DOCS / "codes.md").read_text(encoding="utf-8")
    taught = text.split("## The file format")[0]
    assert "](codes.svg)" in taught
    assert len(taught.splitlines()) < 80
