"""Each token is scored once, with as much context as fits; windows go together by length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.lm.from_model.batches import batches
from plogq.lm.from_model.windows import Plan, plan

SIZES = st.tuples(
    st.integers(0, 200), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2), st.booleans()
)


@given(SIZES)
def test_each_token_is_scored_once_with_context(sizes):
    tokens, context, stride, prefix, every = sizes
    most = context + 1 - prefix if every and prefix else context
    if most < 1 or context + 1 - prefix < 1:
        return
    stride = min(stride, most)
    cut = Plan(context, stride, tuple(range(prefix)), every)
    scored = []
    for window in cut.windows(tokens):
        scored += range(window.first, window.end)
        assert 1 <= cut.inputs(window) <= context
        before = window.first - window.start + (prefix if window.prefixed else 0)
        assert before >= 1
        if window.first > 1:  # a further window: full, and so with the context that was promised
            assert cut.inputs(window) == context or window.start == 0
            assert before >= context + 1 - stride or window.start == 0
        assert window.prefixed == (prefix > 0 and (every or window.first == 0))
    assert scored == list(range(0 if prefix else 1, tokens))


def rolling(tokens, longest, context):
    """lm-evaluation-harness: what is predicted, and how much is seen, window by window.

    Its documents begin with a token of their own; later windows have none. A window predicts
    longest − context + 1 tokens, the first one `longest`.
    """
    found = [(0, min(longest, tokens))]
    while found[-1][1] < tokens:
        found.append((found[-1][1], min(tokens, found[-1][1] + longest - context + 1)))
    return [(a, b, 0 if a == 0 else b - longest - 1) for a, b in found]


@given(st.integers(1, 200), st.integers(2, 40), st.data())
def test_with_bos_first_windows_are_those_of_the_harness(tokens, context, data):
    shared = data.draw(st.integers(1, context))
    cut = Plan(context, context - shared + 1, (0,), every=False)
    ours = [(w.first, w.end, w.start) for w in cut.windows(tokens)]
    assert ours == rolling(tokens, context, shared)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"context": 65}, "context must be at most 64, the positions that the model has; got 65"),
        ({"context": 0}, "context must be at least 1; got 0"),
        ({"context": 2.5}, "context must be an integer; got 2.5"),
        ({"context": 8, "stride": 9}, "stride must be at most 8, or tokens between two windows"),
        ({"stride": 0}, "stride must be at least 1; got 0"),
        ({"context": 1, "prefix": (0, 0)}, "context must hold the 2 tokens that begin a window"),
        ({"context": 4, "prefix": (0, 0), "stride": 4}, "stride must be at most 3"),
    ],
)
def test_sizes_that_do_not_fit(asked, said):
    given = {"context": None, "stride": None, "prefix": (), "every": True} | asked
    with pytest.raises((ValueError, TypeError), match=said):
        plan(**given, positions=64, without_limit=2048)


def test_sizes_that_are_not_given():
    def sizes(**given):
        found = plan(**{"context": None, "stride": None, "prefix": (), "every": True} | given,
                     without_limit=2048)  # fmt: skip
        return found.context, found.stride

    assert sizes(positions=64) == (64, 32)
    assert sizes(positions=None) == (2048, 1024)
    assert sizes(positions=64, context=1) == (1, 1)
    assert sizes(positions=64, context=2, prefix=(0, 0)) == (2, 1)


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 80), st.booleans())
def test_a_batch_holds_what_fits(lengths, most, padded):
    found = batches(lengths, most, padded=padded)
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        each = [lengths[place] for place in batch]
        assert len(batch) == 1 or len(batch) * max(each) <= most
        assert padded or len(set(each)) == 1
        assert each[0] == max(each)
