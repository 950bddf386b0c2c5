"""The explorer from slider to screen, in Debian's chromium, with `plogq explore` on this machine.

On each page that has a slider its first one is moved 100 times, as a hand would, one move after the
other. A move's time is from its input event until the frame is drawn in which a number beside the
picture has another text: the question to Python, its answer and the drawing are all in it, and the
wait for the screen's next frame, 8 ms in the mean at 60 frames a second. Prints median and 95th
percentile per page and the size of what a browser loads, and writes them to
benchmarks/results/explorer.txt.
"""

import argparse
import gzip
import statistics
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from _side_by_side import machine, print_and_keep
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from plogq.explorer.pages import PAGES
from tests.explorer.running import CHROMIUM, explorer, settled

RESULTS = Path(__file__).parent / "results" / "explorer.txt"

MOVE = """async ({selector, index, moves}) => {
  const slider = document.querySelectorAll(selector)[index];
  const numbers = document.querySelector(".readouts");
  const put = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
  const places = Math.round((high - low) / step);
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const drawn = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;  // after the frame that is about to be drawn
    requestAnimationFrame(() => port2.postMessage(0));
  });
  const move = (place) => new Promise((done) => {
    const before = numbers.innerText;
    const late = setTimeout(() => { watch.disconnect(); done(null); }, 3000);
    const watch = new MutationObserver(async () => {
      if (numbers.innerText === before) return;
      clearTimeout(late);
      watch.disconnect();
      await drawn();
      done(performance.now() - begin);
    });
    watch.observe(numbers, { subtree: true, childList: true, characterData: true });
    put.call(slider, low + step * (place % (places + 1)));
    const begin = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const times = [];
  for (let i = 1; i <= moves; i += 1) {
    await frame();
    const time = await move(1 + i * Math.max(1, Math.floor(places / 7)));
    if (time === null) return null;
    times.push(time);
  }
  return times;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--write", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    print_and_keep(report(arguments.moves), arguments.write)


def report(moves: int) -> Iterator[str]:
    yield __doc__.partition("\n")[0]
    yield ""
    with explorer() as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield machine("starlette", "uvicorn", "numpy")
        yield f"browser: chromium {browser.version}, headless, 1280 × 900"
        yield ""
        yield f"{'page':16} {'slider':24} {'median':>9} {'95th percentile':>16}"
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name in PAGES:
            page.goto(f"{url}/{name}")
            settled(page)
            found = times(page, moves)
            if found is None:
                continue
            label, taken = found
            ninetyfifth = statistics.quantiles(taken, n=20)[-1]
            yield (
                f"{name:16} {label[:24]:24} {statistics.median(taken):6.1f} ms "
                f"{ninetyfifth:13.1f} ms"
            )
        browser.close()
    yield ""
    for name in ("explorer.js", "explorer.css"):
        content = resources.files("plogq.explorer").joinpath("static", name).read_bytes()
        yield f"{name}: {len(content):,} bytes, gzipped {len(gzip.compress(content, 9)):,}"


def times(page: Page, moves: int) -> tuple[str, list[float]] | None:
    """Milliseconds of each move of the first slider that changes the numbers, and its name."""
    selector = ".controls input[type=range]"
    sliders = page.locator(selector)
    for index in range(sliders.count()):
        taken = page.evaluate(MOVE, {"selector": selector, "index": index, "moves": moves})
        if taken is not None:
            slider = sliders.nth(index)
            spoken = slider.get_attribute("aria-label")
            return spoken or slider.evaluate("e => e.labels[0].innerText"), taken
    return None


if __name__ == "__main__":
    main()
