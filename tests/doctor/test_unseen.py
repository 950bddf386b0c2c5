"""Trainings that the checks were not made by: what is found in each is what the page says."""

import json

import pytest

from tests.doctor.corpus import measure

# Those that led to a change of a check, or of what a check is given, and are quick.
MENDED = (
    "a_discriminator_that_keeps_its_generators_gradients",
    "a_distance_of_equal_rows",
    "a_hinge_gan_with_spectral_norms",
    "a_loss_added_up_sample_by_sample",
    "a_loss_by_hand_under_autocast",
    "a_masked_language_model_that_masks_nothing",
    "a_sum_over_all_and_a_division_at_the_end",
    "attributes_with_a_sigmoid_in_the_head",
    "churn_with_two_sigmoids",
    "dropout_that_does_not_know_the_mode",
    "eval_after_the_first_epoch_for_good",
    "features_joined_by_the_wrong_key",
    "masked_words_accumulated_by_their_own_means",
    "padded_lines_divided_by_the_number_of_batches",
    "pseudo_labels_of_the_same_pass",
    "returns_normalised_over_one_step",
    "rows_that_are_summed_by_hand",
    "two_first_steps_that_kill_the_units",
    "two_shards_of_unequal_size",
    "values_and_returns_of_two_shapes",
    "views_that_agree_with_a_stopped_gradient",
)
CASES = {case.name: case for case in measure.UNSEEN}
NOW = json.loads(measure.NOW.read_text())


@pytest.mark.parametrize("name", MENDED)
def test_what_was_mended_stays_so(name):
    assert measure.found_in_trainings(CASES[name]) == set(NOW[name])


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore:reduction")  # torch's, of a KL divergence by kl_div's mean
@pytest.mark.parametrize("name", [name for name in CASES if name not in MENDED])
def test_each_training_has_the_findings_of_the_page(name):
    assert measure.found_in_trainings(CASES[name]) == set(NOW[name])


def test_every_training_is_in_one_first_run_and_in_the_last():
    first_runs = [name for path in measure.FIRST_RUNS for name in json.loads(path.read_text())]
    assert len(first_runs) == len(set(first_runs))
    assert set(first_runs) == set(CASES) == set(NOW)
    assert len(CASES) == len(measure.UNSEEN)
    assert all((case.kind == "sick") == bool(case.codes) for case in measure.UNSEEN)
    for kind in ("sick", "healthy"):
        for path in (measure.FIRST_RUNS[0], measure.FIRST_RUNS[2]):
            assert sum(case.kind == kind for case, _ in measure.recorded(path)) >= 22
