"""The explorer in a real browser: its numbers, at every size, by keyboard, and when things fail."""

import itertools
import json
import re
import time
from collections import Counter
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from plogq.explorer.controls import CLASS_NAMES, Choice, Names, Number, Numbers, Whole, Words
from plogq.explorer.pages import PAGES
from tests.explorer.conftest import looks_right, violations
from tests.explorer.running import FRAMES, explorer, settled
from tests.explorer.states import corner

# What a page must show at its defaults: the worked numbers that the explorer promises.
SHOWN = {
    "surprisal": ["3.2744"],
    "codes": ["1.7497", "1.75", "2.3488"],
    "cross_entropy": ["0.3567"],
    "decomposition": ["1.2955", "0.2997", "1.5952"],
    "softmax": ["0.7101", "0.1584", "0.0354", "0.0961", "0.3423", "0.8783",
                "−0.290", "0.158", "0.035", "0.096"],
    "binary": ["0.8176", "0.2014", "−0.1824"],
    "squared_error": ["0.09", "−0.6", "0.3567", "−1.4286"],
    "convexity": ["−4.31", "0.400", "0.186"],
    "gradient_flow": ["0.6457", "0.5729", "0.4964", "0.7005", "−0.5036", "0.0246", "0.0017"],
    "distillation": ["2.2030", "0.3483", "0.6885"],
    "likelihood": ["0.1159"],
    "history": ["1.7500", "0.2500", "3.3636", "−0.0098", "−0.9900", "101.0101"],
}  # fmt: skip
ORDER = list(PAGES)
OWN_WAY = {"training", "quiz", "predictions"}  # with tests of their own
TURNED = [name for name, page in PAGES.items() if page.controls and name not in OWN_WAY]


def readouts(page):
    return page.locator(".page-side .readouts output").all_inner_texts()


def expected(answer):
    return [figure["text"] for figure in answer["readouts"]]


@contextmanager
def asked(page, name):
    """Give, when it is done, the state that was sent, after checking what is shown for it."""
    found = {}
    with page.expect_response(f"**/api/page/{name}") as waiting:
        yield found
    found.update(json.loads(waiting.value.request.post_data))
    assert waiting.value.json() == PAGES[name].answer(found)
    shows(page, name, found)


def shows(page, name, state):
    """Wait until the page shows the readouts of a state; then all else must be of it as well."""
    answer = PAGES[name].answer(state)
    page.wait_for_function(
        """texts => JSON.stringify([...document.querySelectorAll(".page-side .readouts output")]
          .map((e) => e.innerText)) === texts""",
        arg=json.dumps(expected(answer), ensure_ascii=False, separators=(",", ":")),
    )
    words = page.locator(".page-words")
    assert words.locator("p").first.inner_text() == answer["notice"]
    found_by = f"The doctor finds this mistake as {' and '.join(answer['checks'])}:"
    assert (found_by in words.inner_text()) == bool(answer["checks"])
    assert words.locator(".code-line pre").last.inner_text() == answer["code"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_at_its_defaults(name, visit, axe):
    page = visit(f"/{name}")
    shown = page.inner_text("main")
    assert page.inner_text("h1") == PAGES[name].title
    assert [text for text in SHOWN.get(name, []) if text not in shown] == []
    if name not in OWN_WAY:
        assert readouts(page) == expected(PAGES[name].answer({}))
    at = ORDER.index(name)
    links = page.locator(".onward a").all()
    onward = {link.get_attribute("rel"): link.get_attribute("href") for link in links}
    around = {"prev": ORDER[at - 1] if at else None, "next": [*ORDER, None][at + 1]}
    assert onward == {rel: f"/{other}" for rel, other in around.items() if other}
    looks_right(page)
    assert violations(page, axe) == []


@pytest.mark.matrix
@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_a_phone_in_the_dark(name, visit, axe):
    page = visit(f"/{name}", "phone")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    looks_right(page)
    assert violations(page, axe) == []
    moving = page.evaluate(
        """() => document.getAnimations().length + [...document.querySelectorAll("*")]
          .filter((e) => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"""
    )
    assert moving == 0  # its user asked for no motion
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button, main input, main select, .onward a")]
          .filter((e) => e.getClientRects().length && !e.closest("label, td, .search"))
          .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect().height])
          .filter(([, height]) => height < 24)"""
    )
    assert small == []


@pytest.mark.matrix
@pytest.mark.parametrize("name", TURNED)
def test_every_control_by_keyboard(name, visit):
    page = visit(f"/{name}")
    begin = {
        one: json.loads(json.dumps(c.spec()["default"])) for one, c in PAGES[name].controls.items()
    }
    state, turned, presses = begin, set(), Counter()
    while field := next_field(page, presses):
        with asked(page, name) as found:
            press(page, field)
        (one,) = changed(state, found)
        state, turned = found, turned | {one}
    assert turned == set(begin)
    for more in page.get_by_role("button", name=re.compile("one (more|less)$")).all():
        if more.is_disabled():
            continue
        with asked(page, name) as found:
            more.press("Enter")
        assert changed(state, found)
        state = found

    page.wait_for_url(lambda url: in_address(url, begin) == state)
    before = page.inner_text("main")
    page.reload()
    settled(page)
    assert page.inner_text("main") == before
    looks_right(page)

    with asked(page, name) as found:
        page.get_by_role("button", name="Back to the defaults").press("Enter")
    assert found == begin
    page.wait_for_url(lambda url: "?" not in url)


@pytest.mark.matrix
@pytest.mark.parametrize("end", ["least", "most"])
@pytest.mark.parametrize("name", TURNED)
def test_a_page_at_the_ends_of_its_controls(name, end, visit):
    state = {one: corner(control, end) for one, control in PAGES[name].controls.items()}
    page = visit(f"/{name}?{urlencode({n: address(v) for n, v in state.items()}, safe=',')}")
    try:
        PAGES[name].answer(state)
        refusal = None
    except ValueError as error:
        refusal = str(error)
    if refusal:
        assert page.get_by_role("alert").inner_text().startswith(refusal)
        assert "400" in visit.complaints.pop()
        return
    shows(page, name, state)
    looks_right(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(FRAMES)
    looks_right(page)


def address(value):
    """Write a control's value as an address does."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def in_address(url, begin):
    """Read the state that an address gives, where `begin` has the defaults."""
    said = parse_qs(urlsplit(url).query, keep_blank_values=True)
    return begin | {name: like(begin[name], text) for name, (text,) in said.items()}


def like(value, text):
    """Read a text as what a value is."""
    if isinstance(value, list):
        return [like(value[0], item) for item in text.split(",")]
    return text if isinstance(value, str) else float(text)


def next_field(page, presses):
    """Give an input that has not been turned, count it, and leave choices for the last.

    Which others there are may hang on a choice, so all its options are gone through.
    """
    fields = page.locator(".controls input")
    names = fields.evaluate_all(
        "all => all.map((e) => e.type === 'radio' ? e.name : e.ariaLabel ?? e.labels[0].innerText)"
    )
    options = Counter(names)
    rest = [(options[key], i) for i, key in enumerate(names) if presses[key] < options[key] - 1]
    rest += [(0, i) for i, key in enumerate(names) if options[key] == 1 and not presses[key]]
    if not rest:
        return None
    _, i = min(rest)
    presses[names[i]] += 1
    return fields.nth(i)


def changed(one, other):
    return {name for name in one if one[name] != other[name]}


def press(page, field):
    """Turn an input one step, as its own keys do."""
    match field.get_attribute("type"):
        case "range":
            before = field.input_value()
            field.press("ArrowRight")
            if field.input_value() == before:
                field.press("ArrowLeft")
        case "radio":
            name = field.get_attribute("name")
            page.locator(f"input[name='{name}']:checked").press("ArrowDown")
        case "text":
            field.press("End")
            field.press("Backspace")


def test_sliders_can_be_moved_far_and_fast(visit):
    """What the page shows in the end is the last state, whatever came between."""
    page = visit("/softmax")
    slider = page.get_by_label("temperature T")
    slider.focus()
    for key in ["ArrowRight"] * 30 + ["Home", "End"] + ["ArrowLeft"] * 20:
        page.keyboard.press(key)
    assert slider.input_value() == "4"
    shows(page, "softmax", {"temperature": 4})
    page.wait_for_url("**/softmax?temperature=4")


TURN = """([value, ours]) => {
  const slider = document.querySelector("input[type=range]");
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  if (ours) location.reload();
}"""


@pytest.mark.parametrize("late", [0, 0.6])
@pytest.mark.parametrize("ours", [True, False])
def test_a_reload_straight_after_a_change_keeps_it(ours, late, visit):
    """The address is written when the state has come to rest, and a reload may come sooner.

    Where it comes late the address is written meanwhile, by the page that is left.
    """
    page = visit("/softmax?temperature=2")
    page.route("**/softmax?*", lambda route: (time.sleep(late), route.continue_()))
    for value in ("0.5", "-2.5") if not ours else ("-2.5",):
        page.evaluate(TURN, [value, ours])
    if ours:
        page.wait_for_timeout(100 + 1000 * late)
    else:
        page.reload()
    state = {"logits": [-2.5, 0.5, -1, 0], "temperature": 2}
    shows(page, "softmax", state)
    page.wait_for_url("**/softmax?logits=-2.5,0.5,-1,0&temperature=2")
    page.evaluate(TURN, ["3", False])
    page.goto("/binary")
    page.go_back()
    shows(page, "softmax", state | {"logits": [3, 0.5, -1, 0]})
    page.evaluate(TURN, ["4", False])
    page.goto("/softmax?temperature=3")  # an address that is called means what it says
    shows(page, "softmax", {"temperature": 3})


NAMED = [n for n, p in PAGES.items() if any(isinstance(c, Names) for c in p.controls.values())]
WITH_NAMES = {"surprisal": {"source": "own"}}  # where names are not asked for at the default


@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize("name", NAMED)
def test_classes_are_called_what_the_reader_calls_them(name, context, visit, axe):
    state = WITH_NAMES.get(name, {})
    page = visit(f"/{name}?{urlencode(state)}", context)
    fields = page.locator(".names input")
    given = ["<b>owl, 100%</b>", "", "<b>owl, 100%</b>"][: fields.count()]
    for field, text in zip(fields.all(), given, strict=False):
        field.fill(text)
    state = state | {"names": given}
    answer = PAGES[name].answer(state)
    page.wait_for_function(
        "(notice) => document.querySelector('.page-words p').innerText === notice",
        arg=answer["notice"],
    )
    last = answer["state"]["names"][len(given) - 1]  # which the notice may not say
    page.wait_for_function(
        "(name) => document.querySelector('main').textContent.includes(name)", arg=last
    )
    shows(page, name, state)
    told = page.locator(".page-picture, .page-extra, .page-words").all_text_contents()
    assert given[0] in " ".join(told)
    assert given[0] in " ".join(page.locator(".slider").all_text_contents()) or name == "losses"
    assert "cat" not in re.findall(r"\w+", " ".join(told))
    assert page.locator("main b", has_text=re.compile("^owl")).count() == 0  # never markup
    looks_right(page)
    assert violations(page, axe) == []
    page.wait_for_url("**names=*")
    kept = page.locator("main").inner_text()
    page.reload()
    settled(page)
    assert [field.input_value() for field in fields.all()][: len(given)] == given
    assert page.locator("main").inner_text() == kept


def test_names_are_of_one_place():
    for name in NAMED:
        (control,) = (c for c in PAGES[name].controls.values() if isinstance(c, Names))
        assert control.default == CLASS_NAMES[: len(control.default)]


def test_from_the_first_page_to_the_last_and_back(visit):
    page = visit(f"/{ORDER[0]}")
    for name in ORDER[1:3]:
        page.locator("a[rel=next]").press("Enter")
        page.wait_for_url(f"**/{name}")
        settled(page)
    page.go_back()
    page.wait_for_url(f"**/{ORDER[1]}")
    page.locator(".home").press("Enter")
    page.wait_for_selector(".cards")


def test_search_by_keyboard(visit):
    page = visit("/")
    page.keyboard.press("/")
    page.keyboard.type("temperature")
    found = page.locator(".search-found a").all_inner_texts()
    words = {name: f"{p.title} {p.summary} {p.words}".lower() for name, p in PAGES.items()}
    assert sorted(found) == sorted(
        PAGES[name].title for name, text in words.items() if "temperature" in text
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/softmax")  # its title has the word
    settled(page)
    page.locator("input[type=search]").fill("no page is about this")
    assert "No page is about that." in page.inner_text(".search-found")
    page.keyboard.press("Escape")
    page.wait_for_selector(".search-found", state="detached")


@pytest.mark.parametrize("name", PAGES)
def test_a_summary_is_one_or_two_sentences(name):
    assert 1 <= len(re.findall(r"[.?!](?= |$)", PAGES[name].summary)) <= 2


@pytest.mark.parametrize("context", ["desk", "phone"])
def test_the_start_page_shows_every_page(context, visit, axe):
    page = visit("/", context)
    cards = page.locator(".card")
    assert [card.get_attribute("href") for card in cards.all()] == [f"/{name}" for name in PAGES]
    assert cards.locator("b").all_inner_texts() == [p.title for p in PAGES.values()]
    drawn = page.evaluate(
        """() => [...document.querySelectorAll(".card-picture")].map((e) => {
          const box = e.getBoundingClientRect();
          return [...e.querySelectorAll("*")].filter((part) => {
            const r = part.getBoundingClientRect();
            return r.width > 4 && r.height > 0 && r.top < box.bottom && r.left < box.right;
          }).length;
        })"""
    )
    assert [name for name, parts in zip(PAGES, drawn, strict=True) if parts < 4] == []
    lines = page.evaluate(
        """() => [...document.querySelectorAll(".card-words > :last-child")].map((e) =>
          Math.round(e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight)))"""
    )
    assert [name for name, many in zip(PAGES, lines, strict=True) if many > 4] == []
    looks_right(page)
    assert violations(page, axe) == []


DRAWN = """() => [...document.querySelectorAll(".card-picture")].map((frame) => {
  const [inside, paper] = [frame.getBoundingClientRect(), getComputedStyle(frame).backgroundColor];
  return [...frame.querySelectorAll("path, line, rect, circle")].some((part) => {
    const [box, style] = [part.getBoundingClientRect(), getComputedStyle(part)];
    return box.width > inside.width / 2 && box.height > inside.height / 3
      && box.top >= inside.top && box.bottom <= inside.bottom
      && ![paper, "none"].includes(style.stroke);
  });
})"""


@pytest.mark.parametrize("context", ["desk", "phone"])
def test_no_frame_of_the_start_page_is_empty_while_figures_are_computed(context, contexts, axe):
    page, held = contexts[context].new_page(), []
    page.route("**/api/page/*", lambda route: held.append(route))
    page.goto("/")
    page.wait_for_selector(".card")
    page.evaluate(FRAMES)
    assert page.evaluate(DRAWN) == [True] * len(PAGES)
    looks_right(page)
    assert violations(page, axe) == []
    heights = "[...document.querySelectorAll('.card')].map((card) => card.offsetHeight)"
    before = page.evaluate(heights)
    for route in held:
        route.continue_()
    settled(page)
    assert page.evaluate(heights) == before  # nothing jumps
    page.close()


CHAIN = """() => {
  const inside = ({ left, right, top, bottom }, box) =>
    left >= box.left - 0.5 && right <= box.right + 0.5 && top >= box.top && bottom <= box.bottom;
  const svg = document.querySelector(".page-picture svg");
  const box = (e) => e.getBoundingClientRect();
  const circles = [...svg.querySelectorAll("circle")].map(box);
  const heads = [...svg.querySelectorAll("path.fill-keep")].map(box);
  const arrows = [...svg.querySelectorAll("line.stroke-keep")].map(box);
  return {
    circles: circles.map((c) => [c.left, c.right]),
    loss: [...svg.querySelectorAll("circle.stroke-waste")].map((e) => [box(e).left, box(e).right]),
    arrows: arrows.map((a, i) => [heads[i].left, a.right]),
    inside: [...circles, ...heads, ...arrows].every((r) => inside(r, box(svg)) && r.width > 3),
  };
}"""


@pytest.mark.parametrize("depth", [1, 3, 7, 20])
@pytest.mark.parametrize("context", ["desk", "phone"])
def test_every_unit_of_the_chain_and_the_loss_are_drawn(context, depth, visit):
    page = visit(f"/gradient_flow?depth={depth}", context)
    drawn = page.evaluate(CHAIN)
    circles, arrows = drawn["circles"], drawn["arrows"]
    assert drawn["inside"]
    assert len(circles) == depth + 2
    assert drawn["loss"] == circles[-1:]  # last, and none is over another
    assert all(a[1] < b[0] for a, b in itertools.pairwise(circles))
    # From each unit but the input an arrow leads to the one before it: from the loss, too.
    assert len(arrows) == depth
    middles = [sum(ends) / 2 for ends in circles]
    for (tip, tail), to, origin in zip(arrows, middles[1:], middles[2:], strict=False):
        assert to < tip < tail < origin
    looks_right(page)


@pytest.mark.matrix
@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize(
    "name", ["softmax", "training", "predictions", "convexity", "history", "errata", "quiz"]
)
def test_no_frame_of_a_page_is_empty_while_figures_are_computed(name, context, contexts, axe):
    page, held = contexts[context].new_page(), []
    page.route("**/api/page/*", lambda route: held.append(route))
    page.goto(f"/{name}")
    page.wait_for_selector(".page-picture")
    page.evaluate(FRAMES)
    assert page.evaluate(DRAWN.replace(".card-picture", ".page-picture")) == [True]
    looks_right(page)
    assert violations(page, axe) == []
    for route in held:
        route.continue_()
    settled(page)
    page.close()


@pytest.mark.parametrize("context", ["desk", "phone"])
def test_training_shows_its_data_and_both_networks_before_a_step(context, visit, axe):
    page = visit("/training?steps=0&hidden=4&batch=4", context)
    answer = PAGES["training"].answer({"steps": 0, "hidden": 4, "batch": 4})
    panels, digits = page.locator(".page-picture .chart").all()
    curves = 3 + len(answer["layers"])  # accuracy, two losses, the gradient of each layer
    assert panels.locator("circle").count() == 2 * curves
    assert digits.locator("path").count() == 4 * 10  # in four shades
    networks = [answer["moments"][0][key] for key in ("cross_entropy", "squared_error")]
    texts = digits.locator("svg text").all_text_contents()
    rows = [texts[i : i + 11] for i in (1, 12)]
    labels = list(range(10))
    for (name, *shown), network in zip(rows, networks, strict=True):
        assert [int(guess) for guess in shown] == network["guesses"]
        right = sum(a == b for a, b in zip(network["guesses"], labels, strict=True))
        assert name.endswith(f"{right} of 10 right")
    looks_right(page)
    assert violations(page, axe) == []


def test_a_file_is_dropped_on_the_form(visit):
    page = visit("/predictions")
    dropped = page.evaluate_handle(
        """() => { const data = new DataTransfer();
          const rows = "prob_0,prob_1,label\\n0.5,0.5,0\\n0.25,0.75,1\\n";
          data.items.add(new File([rows], "mine.csv"));
          return data; }"""
    )
    form = page.locator("form.bring")
    form.dispatch_event("dragover", {"dataTransfer": dropped})
    assert "bring-over" in form.get_attribute("class")
    form.dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Score it").press("Enter")
    page.wait_for_selector(".bring-example", state="detached")
    assert "mine.csv" in page.inner_text("main")


BRACES = """() => [...document.querySelectorAll(".braced")].map((part) => {
  const box = (e) => e.getBoundingClientRect();
  const drawn = [...part.querySelectorAll(".brace path, .brace rect")].map(box);
  const inside = [...part.children].filter((e) => !e.matches(".brace")).map(box);
  const name = box(part.nextElementSibling);
  const color = getComputedStyle(part.querySelector(".brace path")).stroke;
  return {
    part: [Math.min(...inside.map((r) => r.left)), Math.max(...inside.map((r) => r.right))],
    foot: Math.max(...inside.map((r) => r.bottom)),
    pieces: drawn.map((r) => [r.left, r.right]),
    upright: [Math.min(...drawn.map((r) => r.top)), Math.max(...drawn.map((r) => r.bottom))],
    name: name.top,
    own: color === getComputedStyle(part).color,
  };
})"""


@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize("name", ["decomposition", "codes", "likelihood"])
def test_a_brace_is_as_wide_as_what_it_stands_under(name, context, visit):
    page = visit(f"/{name}", context)
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        found = page.evaluate(BRACES)
        assert found
        for brace in found:
            left, right = brace["part"]
            ends = [end for piece in brace["pieces"] for end in piece]
            assert (min(ends), max(ends)) == pytest.approx(
                (left, right), abs=4
            )  # the space of a sign
            for one, other in itertools.pairwise(brace["pieces"]):  # no gap between its pieces
                assert one[1] == pytest.approx(other[0], abs=0.5)
            assert brace["foot"] <= brace["upright"][0] + 1
            assert brace["upright"][1] <= brace["name"] + 1
            assert brace["own"]


def test_the_skip_link_and_the_theme(visit):
    page = visit(f"/{ORDER[0]}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to the page"
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark theme").press("Enter")
    page.locator("html[data-theme=dark]").wait_for()
    assert page.evaluate(paper) != light


# What goes wrong


def wrong_values():
    """Give (page, control, what the address says of it): something that it does not take."""
    for name in TURNED:
        for one, control in PAGES[name].controls.items():
            match control:
                case Number() | Whole():
                    yield name, one, f"{control.high + 94:g}"
                case Numbers():
                    yield name, one, ",".join(["9e9"] * control.least)
                case Choice():
                    yield name, one, "no_such"
                case Names():
                    yield name, one, "W" * (control.longest + 1)
                case Words():
                    yield name, one, ",".join(["<b>"] * control.least)


FIRST_WRONG = {name: (name, one, text) for name, one, text in reversed([*wrong_values()])}


@pytest.mark.parametrize(("name", "control", "text"), FIRST_WRONG.values())
def test_a_wrong_address_says_so_and_leads_back(name, control, text, visit):
    page = visit(f"/{name}?{control}={text}")
    alert = page.get_by_role("alert")
    assert alert.inner_text().startswith(control)
    assert "expected" in alert.inner_text()
    assert "400" in visit.complaints.pop()
    alert.get_by_role("button").press("Enter")
    shows(page, name, {})
    assert page.get_by_role("alert").count() == 0
    page.wait_for_url(lambda url: "?" not in url)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("temperature=99", "temperature: expected a number from 0.1 to 5.0, got 99"),
        ("temperature=warm", "temperature: expected a number from 0.1 to 5.0"),
        ("logits=1,2,x", "logits[2]: expected a number from -5 to 5"),
        ("logits=", "logits: expected a list of 2 to 8 numbers, got [0]"),
        ("target=%3Cimg%20src=x%20onerror=alert(1)%3E", "target: expected a whole number"),
    ],
)
def test_what_is_wrong_with_an_address(query, said, visit):
    page = visit(f"/softmax?{query}")
    assert page.get_by_role("alert").inner_text().startswith(said)
    assert "400" in visit.complaints.pop()


def test_what_an_address_need_not_say(visit):
    page = visit("/softmax?no_such=1&target=2&constructor=1&__proto__=2#top")
    assert readouts(page) == expected(PAGES["softmax"].answer({"target": 2}))


@pytest.mark.parametrize("name", ["no_such_page", "constructor"])
def test_no_such_page(name, visit):
    page = visit(f"/{name}")
    assert f"no page “{name}”" in page.get_by_role("alert").inner_text()
    assert page.locator(".card").count() == len(PAGES)
    assert "404" in visit.complaints.pop()


def test_the_server_was_stopped(browser):
    with explorer() as (url, process):
        page = browser.new_page()
        page.goto(f"{url}/softmax")
        settled(page)
        before = readouts(page)
        process.send_signal(2)
        process.wait(timeout=30)
        page.get_by_label("temperature T").press("ArrowRight")
        page.get_by_role("alert").wait_for()
        assert re.match("The server does not answer", page.get_by_role("alert").inner_text())
        assert readouts(page) == before
        page.close()
