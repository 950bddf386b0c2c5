"""Take the pictures of the explorer's pages and write `docs/explorer.md`: `make gallery`."""

import base64
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from plogq.explorer.pages import PAGES  # noqa: E402
from tests.explorer.running import CHROMIUM, explorer, settled  # noqa: E402

PICTURES = ROOT / "docs" / "explorer"
VIEWS = {  # colour scheme, width, and the height at which a long page is cut off
    "light": ("light", 1280, 1400),
    "dark": ("dark", 1280, 1400),
    "phone": ("light", 390, 1400),
}

HEADER = """# The explorer: all pages

```
plogq explore                # opens a browser
plogq explore --no-browser   # only prints the address
```

It is served on 127.0.0.1, to this machine alone, and loads nothing from elsewhere. Every number
comes from the package, by the line of Python that stands beside it. What you turn is in the
address: it opens the same page again. Sliders, choices and charts work by keyboard (Tab, arrow
keys), `/` searches. Ctrl-C ends it.

The pages build on each other, from the surprise of a coin to the gradient of a network. Each is
shown as it opens, on a light and a dark screen and on a phone. `make gallery` took the pictures and
wrote this page.
"""


def main() -> None:
    """Take the pictures, and write the page."""
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.webp"):
        old.unlink()
    with explorer() as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for view in VIEWS:
            take(browser, url, view)
        browser.close()
    (ROOT / "docs" / "explorer.md").write_text(gallery(), encoding="utf-8")
    size = sum(path.stat().st_size for path in PICTURES.iterdir())
    print(f"{len(list(PICTURES.iterdir()))} pictures, {size / 1e6:.1f} MB")


def take(browser: Browser, url: str, view: str) -> None:
    """Take the pictures of all pages in one view."""
    scheme, width, most = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    for name in ("", *PAGES):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{url}/{name}")
        settled(page)
        full = page.evaluate("Math.ceil(document.documentElement.scrollHeight)")
        page.set_viewport_size({"width": width, "height": min(full, most)})
        settled(page)  # drawn again: its picture may be higher now
        # Playwright itself takes PNG and JPEG alone, which are three times as large.
        taken = context.new_cdp_session(page).send(
            "Page.captureScreenshot", {"format": "webp", "quality": 70}
        )
        picture = PICTURES / f"{name or 'start'}-{view}.webp"
        picture.write_bytes(base64.b64decode(taken["data"]))
    context.close()


def gallery() -> str:
    """Write the page."""
    parts = [HEADER, views("start", "The start page")]
    for number, (name, page) in enumerate(PAGES.items(), 1):
        parts.append(f"## {number}. {page.title}\n\n{page.summary}\n\n{views(name, page.title)}")
    return "\n".join(parts)


def views(name: str, title: str) -> str:
    """Show the views of a page beside each other."""
    pictures = [
        f'<img src="explorer/{name}-{view}.webp" width="{share}%" align="top"'
        f' alt="{title}, {said}">'
        for view, share, said in (
            ("light", 40, "in light colours"),
            ("dark", 40, "in dark colours"),
            ("phone", 15, "on a phone"),
        )
    ]
    return "<p>\n" + "\n".join(pictures) + "\n</p>\n"


if __name__ == "__main__":
    main()
