"""What pages say where the usual sentence would be false: ties, symmetry, and what rounds to 0."""

import math

import pytest

from plogq.explorer.controls import Names
from plogq.explorer.pages import PAGES
from plogq.explorer.pages.training_runs import EVERY
from plogq.explorer.shown import shown


def said(name, **state):
    return PAGES[name].answer(state)["notice"]


def test_a_true_class_that_shares_the_top_is_not_beaten():
    assert "a wrong one" not in said("softmax", logits=[1.0, 1.0, -1.0], target=1)
    assert "On top is cat: a wrong one." in said("softmax", logits=[1.0, 1.0, -1.0], target=2)


def test_logits_that_are_alike_do_not_heed_the_temperature():
    sentence = said("softmax", logits=[2.0, 2.0, 2.0], target=2)
    assert sentence.endswith("3.00 equally likely classes: with all logits alike, no T changes it.")


@pytest.mark.parametrize("bars", [[0.07, 0.02, 0.01], [0.49, 0.14, 0.07], [0.63, 0.18, 0.09]])
def test_bars_in_proportion_are_one_distribution(bars):
    assert said("decomposition", p=[0.7, 0.2, 0.1], q=bars).startswith("The model is the truth")


def test_a_divergence_that_is_the_same_both_ways():
    assert "0.4890 both ways here" in said("decomposition", p=[0.3, 0.7], q=[0.7, 0.3])
    assert "0.2997 one way, 0.3610 the other" in said("decomposition")


def test_minus_0_is_0():
    assert shown(-0.0, 2) == "0.00"
    assert "past the logit 0.00" in said("losses", smoothing=1.0)


def test_a_gradient_that_rounds_to_0_needs_no_weight_of_0():
    sentence = said("gradient_flow", depth=20, weights=[5, 1e-73, 5])
    assert "a weight of 0, or as near to it as here" in sentence


@pytest.mark.parametrize("apart", [5.6, 7.2])
def test_bumps_may_be_apart_and_one_normal_still_best(apart):
    sentence = said("divergences", apart=apart, width=2.0, weight=0.45)
    assert "nearly one normal is best by both" in sentence
    assert "near to each other" not in sentence


@pytest.mark.parametrize(
    ("state", "sure"),
    [({}, True), ({"hidden": 4}, False), ({"start": "small"}, False), ({"units": "sigmoid"}, True)],
)
def test_only_a_network_that_is_sure_and_wrong_is_called_so(state, sure):
    got = PAGES["training"].answer({"steps": 0, **state})
    cost = got["moments"][0]["cross_entropy"]["losses"]["cross_entropy"]
    assert ("sure of itself, and mostly wrong" in got["notice"]) == sure
    assert (cost > 2 * math.log(10)) == sure
    assert f"They pay {shown(cost, 2)} nats" in got["notice"]


def test_held_out_digits_are_dated_to_when_they_were_looked_at():
    for steps in (3, 12, 15):
        looked = steps - steps % EVERY
        assert f"After {looked} steps cross-entropy gets" in said("training", steps=steps)


def test_two_classes_of_one_name_are_told_apart():
    control = Names()
    long = "W" * control.longest
    read = control.read([long, "cat 2", "cat", "cat", long, "\u00a0frog\n"], "names")
    assert read == (long, "cat 2", "cat", "cat 3", f"{long[:-2]} 2", "frog", "deer", "mouse")
    assert control.read(list(read), "names") == read
    for wrong in ("cat", [1], ["\u202ecat"], ["\0"], ["\ud800"], [f"{long}W"], ["cat"] * 9):
        with pytest.raises(ValueError, match=r"^names(\[0\])?: expected .*, got"):
            control.read(wrong, "names")
