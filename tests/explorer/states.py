"""States of a page for Hypothesis, from its controls."""

from hypothesis import strategies as st

from plogq.explorer.controls import Choice, Names, Number, Numbers, Shares, Whole, Words


def states(page):
    """Give states as a browser would send them; lists are mostly of one length, as pages want."""
    lists = [c for c in page.controls.values() if isinstance(c, Numbers | Words)]
    least, most = max((c.least for c in lists), default=1), min((c.most for c in lists), default=1)

    @st.composite
    def state(draw):
        size = draw(st.integers(least, most)) if least <= most and draw(st.integers(0, 9)) else None
        body = {name: draw(values(c, size)) for name, c in page.controls.items()}
        left = draw(st.sets(st.sampled_from(sorted(body)))) if body and size is None else set()
        return {name: value for name, value in body.items() if name not in left}

    return state()


def values(control, size=None):
    """Give what a control may be set to: bounds, default and all between."""
    match control:
        case Whole():
            return st.integers(control.low, control.high)
        case Number():
            return st.sampled_from((control.low, control.default, control.high)) | st.floats(
                control.low, control.high
            )
        case Choice():
            return st.sampled_from(sorted(control.options))
        case Numbers():
            one = st.sampled_from((control.low, control.high)) | st.floats(
                control.low, control.high
            )
            many = st.lists(one, **sizes(control, size))
            return (
                many.filter(lambda bars: sum(bars) > 1e-6) if isinstance(control, Shares) else many
            )
        case Names():
            letters = st.characters(exclude_categories=["C", "Zs", "Zl", "Zp"]) | st.just(" ")
            name = st.text(letters, max_size=control.longest) | st.sampled_from(control.default)
            return st.lists(name, max_size=len(control.default))
        case Words():
            return st.lists(
                st.text(control.letters, max_size=control.longest), **sizes(control, size)
            )
    raise TypeError(control)


def sizes(control, size):
    if size is None:
        return {"min_size": control.least, "max_size": control.most}
    return {"min_size": size, "max_size": size}


def corners(page):
    """Give states with every control at its default, at its least, and at its most."""
    yield {}
    for end in ("least", "most"):
        yield {name: corner(control, end) for name, control in page.controls.items()}
    for name, control in page.controls.items():
        if isinstance(control, Choice):
            for option in control.options:
                yield {name: option}
                for end in ("least", "most"):
                    others = {n: corner(c, end) for n, c in page.controls.items()}
                    yield others | {name: option}
        elif not isinstance(control, Names | Numbers | Words):
            yield {name: control.low}
            yield {name: control.high}


def corner(control, end):
    """Give the least or the most that a control may be."""
    match control:
        case Shares():
            bars = [0.0] * getattr(control, end)
            return [1.0, *bars[1:]] if end == "least" else [1.0 for _ in bars]
        case Numbers():
            return [control.low if end == "least" else control.high] * getattr(control, end)
        case Names():
            return ["" if end == "least" else "W" * control.longest] * len(control.default)
        case Words():
            return ["" if end == "least" else control.letters[0] * control.longest] * getattr(
                control, end
            )
        case Choice():
            return list(control.options)[0 if end == "least" else -1]
    return control.low if end == "least" else control.high
