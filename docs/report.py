"""Take the pictures of a report that `docs/score.md` shows: `make gallery`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.explorer.running import CHROMIUM  # noqa: E402

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]
WIDTH = 960
HEAD = 1150  # pixels: the first screen, and the loss as a stack
MARGIN = 32  # pixels around a section
PICTURES = {"report.png": ("light", None), "report-dark.png": ("dark", "#reliability")}


def main() -> None:
    """Score what the demo writes, and take the report's head and its reliability picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        run("demo", "--folder", folder)
        run("score", f"{folder}/predictions.parquet", "--id", "id", "--html", str(page))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for picture, (scheme, section) in PICTURES.items():
            shown = browser.new_page(viewport={"width": WIDTH, "height": HEAD}, color_scheme=scheme)
            shown.goto(page.as_uri())
            part = box_of(shown, section) if section else None
            shown.screenshot(path=ROOT / "docs" / picture, clip=part, full_page=part is not None)
        browser.close()


def box_of(page: Page, section: str) -> FloatRect:
    """Return the place of a section in the page, with a margin around it, in pixels."""
    box = page.locator(section).bounding_box()
    assert box is not None
    return {
        "x": box["x"] - MARGIN,
        "y": box["y"],
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + MARGIN,
    }


def run(*arguments: str) -> None:
    """Run a command of plogq, without what it prints."""
    subprocess.run([*PLOGQ, *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
