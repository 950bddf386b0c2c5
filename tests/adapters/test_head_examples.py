"""The examples of the head: a plain loop, Lightning, and a Trainer of Hugging Face."""

import pytest

from examples import head_loop, hf_patch, lightning_head

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning, transformers and torch warn


def test_a_plain_loop_has_the_losses_of_logits():
    theirs, ours = (head_loop.train(name, steps=3) for name in head_loop.LOSSES)
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_lightning():
    losses, logged = lightning_head.train(steps=5)
    assert losses[0] > losses[-1] > 0
    assert logged["val_cross_entropy"] > 0


@pytest.mark.slow
def test_a_patched_model_of_hugging_face():
    ours, theirs = (hf_patch.train(patched) for patched in (True, False))
    assert len(ours) == 3
    assert ours == pytest.approx(theirs, rel=1e-5)
