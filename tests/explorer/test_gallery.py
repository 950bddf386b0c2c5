"""The gallery shows every page as it is called now."""

import importlib.util
import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_gallery_is_of_these_pages():
    spec = importlib.util.spec_from_file_location("draw_explorer", DOCS / "explorer.py")
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    page = (DOCS / "explorer.md").read_text(encoding="utf-8")
    assert page == drawing.gallery(), "make gallery"
    named = {DOCS / picture for picture in re.findall(r'src="([^"]+)"', page)}
    assert named == set((DOCS / "explorer").iterdir())
