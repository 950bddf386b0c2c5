"""Why a check was wrong in a first run, or missed something: a sentence for each."""

REASONS = {
    # wrong in the first run of the first batch
    ("a_sum_over_all_and_a_division_at_the_end", "PQ207"): "The gradients of several batches are "
    "divided after they are added. They are now compared with what the batches' gradients sum to.",
    ("adapters_of_low_rank_in_attention", "PQ208"): "The case is at fault: its frozen body was "
    "never trained, and its frozen head cannot say more than it does. Left as it is.",
    ("a_loss_added_up_sample_by_sample", "PQ213"): "48 calls of the loss were 4 updates. Updates "
    "are now counted.",
    ("a_discriminator_that_keeps_its_generators_gradients", "PQ122"): "The labels of a "
    "discriminator's batch are all alike, and a constant gets them right. Of two classes, such "
    "batches now say nothing.",
    ("spam_with_a_softmax_of_one_unit", "PQ118"): "True, and not foreseen: a probability of 1 "
    "leaves the other class 0, which torch charges 100 nats.",
    ("returns_normalised_over_one_step", "PQ110"): "A loss of 0 was taken for the cross-entropy of "
    "one class, which is 0, too. A loss of 0 now names no function.",
    # missed in the first run of the first batch
    ("parameters_drawn_with_randn", "PQ202"): "Layers are modules here, and this model multiplies "
    "by parameters of its own. Left: nothing is seen between two modules.",
    ("two_first_steps_that_kill_the_units", "PQ203"): "Units had to be dead in all of the steps. "
    "Now also where more are dead at each step.",
    ("two_shards_of_unequal_size", "PQ205"): "Both calls of the model came before both losses, and "
    "only the last call was remembered.",
    (
        "a_loss_added_up_sample_by_sample",
        "PQ207",
    ): "Each loss is of one row of one call. Left: such a row is not what the model returns.",
    ("eval_after_the_first_epoch_for_good", "PQ209"): "Only the first step was asked for its mode. "
    "Now each step is, until one is in eval mode.",
    ("a_loss_by_hand_under_autocast", "PQ210"): "The loss is no function that is known. The loss "
    "itself is now computed in float64.",
    ("features_joined_by_the_wrong_key", "PQ213"): "Only losses over classes had a base rate. "
    "Yes-or-no labels now have one.",
    ("churn_with_two_sigmoids", "PQ104"): "Before training the outputs fit no better as "
    "probabilities. The graph now says that a sigmoid made them.",
    ("tags_along_the_wrong_axis", "PQ112"): "As many tags as words: before training no axis fits "
    "better. Left: no shape tells.",
    ("a_masked_language_model_that_masks_nothing", "PQ113"): "The loss was NaN, and so that of no "
    "known function. A mean over no labels is now known by it.",
    # of the second batch
    ("the_first_sixty_steps_of_a_patient_training", "PQ213"): "A training that is slow on purpose "
    "looks settled: its loss has not moved in 60 steps. Left.",
    ("masked_words_accumulated_by_their_own_means", "PQ205"): "The logits of a model that computes "
    "its loss itself were let go before the update.",
    ("dropout_that_does_not_know_the_mode", "PQ209"): "Only modules were asked whether they drop. "
    "Functions now are, too.",
    (
        "rows_that_are_summed_by_hand",
        "PQ207",
    ): "The loss is a number for each row, and their sum is "
    "taken outside of it. The sum is now followed.",
    # wrong in the first run of the third batch
    ("views_that_agree_with_a_stopped_gradient", "PQ206"): "The loss needs no labels, and calls "
    "the argument `_`. A loss that names it so is not asked any more.",
    ("a_hinge_gan_with_spectral_norms", "PQ215"): "The weight of a layer under a spectral norm "
    "belongs to another module, and its bias alone has no gradient, since real and made rows "
    "cancel. Both are now one layer.",
    ("a_distance_of_equal_rows", "PQ206"): "At the start each row says the same of all classes, "
    "so each label costs as much. Such outputs now say nothing.",
    # missed in the first run of the third batch
    ("orthogonal_weights_with_a_gain_of_three", "PQ202"): "The case is at fault: outputs grow as "
    "much as gradients, so that all weights have as much of it. Found was PQ204, three steps on.",
    ("lenet_of_tanh_on_raw_pixels", "PQ203"): "Of the first tanh's outputs 86 % are flat, and nine "
    "of ten are asked for. Left: a limit is not moved by a case.",
    ("a_thousand_words_in_float16_without_a_scaler", "PQ211"): "The case is at fault: its "
    "gradients are small, but none of float16's becomes 0.",
    ("padded_lines_divided_by_the_number_of_batches", "PQ205"): "A function that leaves out the "
    "label 0 was no loss that is known. It is now found without its padding.",
    (
        "the_state_after_a_hundred_pads",
        "PQ213",
    ): "The loss falls in its sixth digit, without noise, "
    "and was said to fall still. A fall that leads nowhere is now none.",
    ("values_and_returns_of_two_shapes", "PQ111"): "Of the losses that broadcast only `mse_loss` "
    "was known. Now `l1_loss`, `smooth_l1_loss` and `huber_loss` are.",
    ("a_new_head_drawn_from_a_unit_normal", "PQ115"): "The case is at fault: its first loss is 3.0 "
    "nats, near 2.3.",
}
