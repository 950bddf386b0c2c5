"""Healthy cases of values, which look like mistakes and are none."""

import numpy as np

from tests.doctor.corpus.values import draws
from tests.doctor.corpus.values.draws import (
    coins,
    drawn,
    generator,
    logits,
    on,
    one_hot,
    sigmoid,
    softmax,
)

CASES: list = []
healthy = draws.healthy(CASES)

# --- outputs that look like probabilities, or like their logarithms


@healthy
def logits_between_0_and_1():
    x = generator(1).random((40, 5))
    return on(x, drawn(x, 2), "cross_entropy", "torch")


@healthy
def logits_after_a_relu():
    x = np.maximum(logits(40, 5, 3), 0)
    return on(x, drawn(x, 4), "cross_entropy", "torch")


@healthy
def logits_that_are_divided_by_their_sum_but_below_0():
    x = logits(40, 5, 5)
    x -= (x.sum(axis=1, keepdims=True) - 1) / 5
    return on(x, drawn(x, 6), "cross_entropy", "torch")


@healthy
def one_hot_logits_times_ten():
    y = np.arange(40) % 4
    return on(10 * one_hot(y, 4), y, "cross_entropy", "torch")


@healthy
def one_logit_of_100_among_0():
    y = np.arange(40) % 4
    return on((100 * one_hot(y, 4)).astype(np.float16), y, "cross_entropy", "torch")


@healthy
def log_probabilities_into_nll_loss():
    x = logits(40, 5, 7)
    return on(np.log(softmax(x)), drawn(x, 8), "nll_loss", "torch")


@healthy
def log_probabilities_into_cross_entropy_which_does_no_harm():
    x = logits(40, 5, 9)
    return on(np.log(softmax(x)), drawn(x, 10), "cross_entropy", "torch")


@healthy
def log_probabilities_in_bfloat16_as_float32():
    x = np.log(softmax(logits(40, 50, 11)))
    x = (x.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    return on(x, drawn(x, 12), "nll_loss", "torch")


@healthy
def the_logarithm_of_a_mixture_of_softmaxes_into_nll_loss():
    x, z = logits(40, 5, 13), logits(40, 5, 14)
    p = 0.3 * softmax(x) + 0.7 * softmax(z)
    return on(np.log(p), drawn(np.log(p), 15), "nll_loss", "torch")


@healthy
def the_logarithm_of_a_mixture_into_cross_entropy():
    p = 0.5 * softmax(logits(40, 5, 16)) + 0.1
    return on(np.log(p), drawn(np.log(p), 17), "cross_entropy", "torch")


@healthy
def the_logarithm_of_probabilities_and_an_eps():
    p = softmax(logits(40, 1000, 18))
    return on(np.log(p + 1e-6), drawn(np.log(p), 19), "nll_loss", "torch")


@healthy
def softmax_and_the_categorical_loss_of_keras():
    x = logits(40, 5, 20)
    return on(softmax(x).astype(np.float32), drawn(x, 21), "sparse_categorical_crossentropy",
              "keras")  # fmt: skip


@healthy
def probabilities_rounded_to_three_digits():
    x = logits(40, 8, 22)
    p = np.round(softmax(x), 3).clip(0.002, None)
    return on(p, one_hot(drawn(x, 23), 8), "categorical_crossentropy", "keras")


@healthy
def softmax_in_float16_and_keras():
    x = logits(40, 10, 24, 1.0)
    return on(softmax(x).astype(np.float16), drawn(x, 25), "sparse_categorical_crossentropy",
              "keras")  # fmt: skip


@healthy
def unnormalised_counts_as_logits_of_a_bigram_table():
    x = np.log(generator(26).integers(1, 50, (40, 12)))
    return on(x, drawn(x, 27), "cross_entropy", "torch")


@healthy
def cosine_similarities_times_a_temperature():
    x = 14 * np.tanh(logits(40, 40, 28, 0.1) + 0.5 * np.eye(40))
    return on(x, np.arange(40), "cross_entropy", "torch")


@healthy
def all_logits_far_below_0():
    x = logits(40, 5, 29) - 100
    return on(x, drawn(x, 30), "cross_entropy", "torch")


@healthy
def a_vocabulary_with_masked_tokens():
    x = logits(30, 20, 31)
    x[:, 15:] = -np.inf
    return on(x, drawn(x, 32), "cross_entropy", "torch")


# --- sigmoids


@healthy
def logits_between_0_and_1_of_a_binary_model_of_frequent_positives():
    x = 0.4 + 0.15 * generator(33).normal(size=60).clip(-2, 2)
    return on(x, coins(x, 34), "binary_cross_entropy_with_logits", "torch")


@healthy
def a_few_small_positive_logits():
    return on(np.array([0.2, 0.7, 0.4]), np.array([0.0, 1, 0]),
              "binary_cross_entropy_with_logits", "torch")  # fmt: skip


@healthy
def many_labels_under_sigmoids():
    x = logits(40, 6, 35)
    return on(x, coins(x, 36), "binary_cross_entropy_with_logits", "torch")


@healthy
def many_labels_with_one_hot_rows_of_more_than_two_classes():
    x = logits(40, 6, 37)
    return on(x, one_hot(drawn(x, 38), 6), "binary_cross_entropy_with_logits", "torch")


@healthy
def two_independent_labels():
    x = logits(60, 2, 39)
    return on(x, coins(x, 40), "binary_cross_entropy_with_logits", "torch")


@healthy
def soft_targets_of_a_sigmoid():
    x = logits(40, 1, 41)
    return on(x, sigmoid(x + generator(42).normal(size=x.shape)),
              "binary_cross_entropy_with_logits", "torch")  # fmt: skip


@healthy
def a_sigmoid_and_the_binary_loss_of_probabilities():
    x = logits(40, 1, 43)
    return on(sigmoid(x), coins(x, 44), "binary_cross_entropy", "torch")


@healthy
def keras_takes_a_column_and_flat_targets():
    x = logits(40, 1, 45)
    return on(sigmoid(x), coins(x, 46)[:, 0], "binary_crossentropy", "keras")


@healthy
def a_sigmoid_that_is_sure_and_right():
    y = (np.arange(40) % 2).astype(np.float32)
    return on(sigmoid(40 * y - 20).astype(np.float32), y, "binary_cross_entropy", "torch")


@healthy
def probabilities_of_two_softmax_units_in_a_binary_loss():
    x = logits(40, 2, 47)
    return on(softmax(x), coins(x, 48), "binary_crossentropy", "keras")


@healthy
def sigmoids_of_many_labels_that_are_sure_and_right_where_each_row_has_one():
    y = one_hot(np.arange(40) % 4, 4)
    return on(sigmoid(200 * y - 100).round(), y, "binary_crossentropy", "keras")


@healthy
def scikit_learns_lone_column():
    x = logits(40, 1, 49)[:, 0]
    return on(sigmoid(x), coins(x, 50), "log_loss", "numpy")


@healthy
def integers_as_targets_of_a_sigmoid():
    x = logits(40, 1, 51)[:, 0]
    return on(x, coins(x, 52).astype(int), "sigmoid_binary_cross_entropy", "jax")


# --- perfect, tiny and unsure


@healthy
def a_perfect_classifier():
    x = logits(100, 5, 53, 1.0)
    y = np.arange(100) % 5
    return on(x + 12 * one_hot(y, 5), y, "cross_entropy", "torch")


@healthy
def a_perfect_classifier_that_was_trained_with_smoothing():
    y = np.arange(200) % 5
    x = 3.8 * one_hot(y, 5) + 0.15 * generator(54).normal(size=(200, 5))
    return on(x, y, "cross_entropy", "torch")


@healthy
def a_small_batch_that_is_all_right_by_chance():
    x = logits(4, 3, 55, 0.5)
    return on(x, x.argmax(axis=1), "cross_entropy", "torch")


@healthy
def one_row():
    return on(np.array([[1.2, -0.3, 0.4]]), [0], "cross_entropy", "torch")


@healthy
def one_row_without_a_batch():
    return on(np.array([1.2, -0.3, 0.4]), np.array(0), "cross_entropy", "torch")


@healthy
def two_equal_rows():
    return on(np.array([[1.2, -0.3], [1.2, -0.3]]), [0, 1], "cross_entropy", "torch")


@healthy
def rows_of_one_class():
    return on(np.tile([2.0, 0.1, -1.0], (30, 1)), np.zeros(30, int), "cross_entropy", "torch")


@healthy
def a_zero_layer_before_training():
    return on(np.zeros((32, 10)), np.arange(32) % 10, "cross_entropy", "torch", at_start=True)


@healthy
def a_usual_first_layer_before_training():
    x = logits(64, 100, 56, 0.8)
    return on(x, generator(57).integers(0, 100, 64), "cross_entropy", "torch", at_start=True)


@healthy
def a_bias_at_the_base_rate_before_training():
    y = (np.arange(400) % 100 == 0).astype(float)
    x = np.log(0.01 / 0.99) + 0.1 * generator(58).normal(size=400)
    return on(x, y, "binary_cross_entropy_with_logits", "torch", at_start=True)


@healthy
def an_unsure_model_that_is_often_wrong():
    x = logits(60, 3, 59, 0.3)
    return on(x, generator(60).integers(0, 3, 60), "cross_entropy", "torch")


@healthy
def a_sure_model_that_is_often_wrong():
    x = logits(60, 3, 61, 6.0)
    return on(x, generator(62).integers(0, 3, 60), "cross_entropy", "torch")


# --- two classes


@healthy
def two_free_logits():
    x = logits(80, 2, 63)
    return on(x, drawn(x, 64), "cross_entropy", "torch")


@healthy
def logistic_regression_with_weights_that_sum_to_0():
    m = logits(300, 1, 65, 1.0)[:, 0]
    return on(np.stack([-m, m], axis=1), coins(2 * m, 66).astype(int), "cross_entropy", "torch")


@healthy
def zero_and_a_margin():
    m = logits(300, 1, 67)[:, 0]
    return on(np.stack([0 * m, m], axis=1), coins(m, 68).astype(int), "cross_entropy", "torch")


@healthy
def an_unsure_logistic_regression():
    m = logits(100, 1, 69, 0.2)[:, 0]
    return on(np.stack([-m, m], axis=1), coins(3 * m, 70).astype(int), "cross_entropy", "torch")


# --- targets


@healthy
def distillation_with_a_teachers_distribution():
    x = logits(40, 5, 71)
    return on(x, softmax((x + logits(40, 5, 72, 0.5)) / 2), "cross_entropy", "torch")


@healthy
def mixup_targets():
    t = 0.7 * one_hot(np.arange(40) % 5, 5) + 0.3 * one_hot(np.arange(40)[::-1] % 5, 5)
    return on(logits(40, 5, 73), t, "cross_entropy", "torch")


@healthy
def smoothed_targets_written_out():
    x = logits(40, 5, 74)
    return on(x, 0.9 * one_hot(drawn(x, 75), 5) + 0.02, "cross_entropy", "torch")


@healthy
def several_labels_divided_by_their_number():
    x = logits(40, 6, 76)
    t = coins(x, 77) + one_hot(np.arange(40) % 6, 6)
    return on(x, t / t.sum(axis=1, keepdims=True), "cross_entropy", "torch")


@healthy
def one_hot_rows_as_floats_for_cross_entropy():
    x = logits(40, 5, 78)
    return on(x, one_hot(drawn(x, 79), 5), "cross_entropy", "torch")


@healthy
def one_hot_rows_and_rows_of_0_that_do_not_count():
    x = logits(40, 5, 80)
    t = one_hot(drawn(x, 81), 5)
    t[30:] = 0
    return on(x, t, "softmax_cross_entropy", "jax")


@healthy
def labels_of_one_byte():
    x = logits(40, 200, 82)
    return on(x, drawn(x, 83).astype(np.uint8), "cross_entropy", "torch")


@healthy
def float_labels_in_keras():
    x = logits(40, 5, 84)
    return on(softmax(x), drawn(x, 85).astype(np.float32), "sparse_categorical_crossentropy",
              "keras")  # fmt: skip


@healthy
def a_column_of_labels_in_keras():
    x = logits(40, 5, 86)
    return on(softmax(x), drawn(x, 87)[:, None], "sparse_categorical_crossentropy", "keras")


@healthy
def a_margin_of_minus_100_for_padding():
    x = logits(40, 5, 88)
    y = drawn(x, 89)
    y[::3] = -100
    return on(x, y, "cross_entropy", "torch")


@healthy
def void_pixels_that_are_said():
    x = logits(2 * 36, 3, 90).reshape(2, 6, 6, 3)
    y = drawn(x, 91)
    y[:, 0] = 255
    return on(np.moveaxis(x, -1, 1), y, "cross_entropy", "torch", ignore_index=255)


@healthy
def the_padding_token_is_ignored_in_sequences():
    x = logits(6 * 12, 9, 92).reshape(6, 12, 9)
    y = drawn(x, 93)
    y[y == 0] = 1
    for row, length in enumerate([12, 9, 5, 7, 11, 3]):
        y[row, length:] = 0
    return on(np.moveaxis(x, -1, 1), y, "cross_entropy", "torch", ignore_index=0)


@healthy
def the_padding_token_is_ignored_in_joined_sequences():
    x = logits(120, 30, 94)
    y = 1 + drawn(x[:, 1:], 95)
    for end in (24, 50, 80, 120):
        y[end - 12 : end] = 0
    return on(x, y, "cross_entropy", "torch", ignore_index=0)


@healthy
def an_ignored_class_that_no_row_has():
    x = logits(40, 5, 96)
    return on(x, 1 + drawn(x[:, 1:], 97), "cross_entropy", "torch", ignore_index=0)


# --- shapes


@healthy
def tokens_with_the_classes_at_axis_1():
    x = logits(8 * 5, 5, 98).reshape(8, 5, 5)
    return on(np.moveaxis(x, -1, 1), drawn(x, 99), "cross_entropy", "torch")


@healthy
def an_untrained_model_with_as_many_steps_as_classes():
    x = logits(8 * 5, 5, 100, 0.1).reshape(8, 5, 5)
    return on(x, generator(101).integers(0, 5, (8, 5)), "cross_entropy", "torch")


@healthy
def a_similarity_matrix_of_pairs():
    x = 10 * (np.eye(32) + 0.1 * generator(102).normal(size=(32, 32)))
    return on(x, np.arange(32), "cross_entropy", "torch")


@healthy
def doubly_stochastic_probabilities():
    p = 0.6 * np.eye(6) + 0.4 / 6
    return on(p, np.arange(6), "sparse_categorical_crossentropy", "keras")


@healthy
def one_target_for_all_outputs():
    return on(logits(40, 1, 103)[:, 0], np.array(0.5), "mse_loss", "torch")


@healthy
def outputs_and_targets_of_columns():
    x = logits(40, 1, 104)
    return on(x, x + 0.1 * generator(105).normal(size=x.shape), "mse_loss", "torch")


# --- losses of numbers


@healthy
def a_regression_of_numbers_between_0_and_1():
    x = generator(106).random(60)
    return on(x, (x + 0.1 * generator(107).normal(size=60)).clip(0, 1), "mse_loss", "torch")


@healthy
def squared_error_of_probabilities_that_are_not_sure():
    x = logits(60, 1, 108, 1.0)[:, 0]
    return on(sigmoid(x), coins(x, 109), "mse_loss", "torch")


@healthy
def the_brier_score_of_a_sure_model():
    x = logits(60, 1, 110, 9.0)[:, 0]
    return on(sigmoid(x), coins(x / 3, 111), "brier_score_loss", "numpy")


@healthy
def an_autoencoder_of_images():
    t = sigmoid(logits(64, 1, 112)).reshape(1, 8, 8)
    return on(logits(64, 1, 113).reshape(1, 8, 8), t, "binary_cross_entropy_with_logits", "torch")


# --- few, many, unequal


@healthy
def unequal_classes_that_the_model_knows():
    y = (np.arange(600) % 60 == 0).astype(float)
    x = 5 * y - 4.5 + generator(114).normal(size=600)
    return on(x, y, "binary_cross_entropy_with_logits", "torch")


@healthy
def unequal_classes_in_few_rows():
    return on(np.array([-2.0, -1.5, -2.2, 0.3]), np.array([0.0, 0, 0, 1]),
              "binary_cross_entropy_with_logits", "torch")  # fmt: skip


@healthy
def a_language_model_at_some_loss():
    x = logits(50, 2000, 115, 1.5)
    return on(x, drawn(x, 116), "cross_entropy", "torch")


@healthy
def few_rows_of_very_many_classes_before_much_is_learnt():
    x = logits(60, 20_000, 144, 1.0)
    return on(x, generator(145).integers(0, 20_000, 60), "cross_entropy", "torch")


@healthy
def smoothing_while_much_is_to_learn():
    x = logits(60, 10, 117)
    return on(x, generator(118).integers(0, 10, 60), "cross_entropy", "torch", label_smoothing=0.1)


@healthy
def weights_of_classes_with_a_0_among_them():
    x = logits(60, 3, 119)
    return on(x, drawn(x, 120), "cross_entropy", "torch", weight=[1.0, 0.0, 2.0])


# --- ranges


@healthy
def large_logits_in_float16():
    x = (50 * logits(40, 5, 121, 1.0)).astype(np.float16)
    return on(x, x.argmax(axis=1), "cross_entropy", "torch")


@healthy
def many_rows_in_float16_and_a_mean():
    x = logits(20_000, 10, 122, 0.5)
    return on(x.astype(np.float16), drawn(x, 123), "cross_entropy", "torch", reduction="mean")


@healthy
def probabilities_as_small_as_1e_6():
    x = logits(200, 5, 124, 4.0)
    return on(softmax(x), drawn(x, 125), "sparse_categorical_crossentropy", "keras")


@healthy
def a_clip_that_no_true_class_meets():
    y = np.arange(40) % 4
    p = np.clip(softmax(20.0 * one_hot(y, 4)), 1e-7, 1 - 1e-7)
    return on(p, y, "log_loss", "numpy")


# --- divergences


@healthy
def kl_div_as_it_is_meant():
    p, t = np.log(softmax(logits(20, 5, 126))), softmax(logits(20, 5, 127))
    return on(p, t, "kl_div", "torch", reduction="batchmean")


@healthy
def kl_div_with_a_log_target():
    p, t = np.log(softmax(logits(20, 5, 128))), np.log(softmax(logits(20, 5, 129)))
    return on(p, t, "kl_div", "torch", reduction="batchmean", log_target=True)


@healthy
def kl_div_of_one_hot_targets():
    x = logits(20, 5, 130)
    return on(np.log(softmax(x)), one_hot(drawn(x, 131), 5), "kl_div", "torch",
              reduction="sum")  # fmt: skip


@healthy
def kl_divergence_as_keras_has_it():
    return on(softmax(logits(20, 5, 132)), softmax(logits(20, 5, 133)), "kl_divergence", "keras")


# --- tables


@healthy
def a_table_of_logits():
    x = logits(60, 4, 134)
    return {"source": {"logits": x, "labels": drawn(x, 135)}}


@healthy
def a_table_of_log_probabilities():
    x = logits(60, 4, 136)
    return {"source": {"logprobs": np.log(softmax(x)), "labels": drawn(x, 137)}}


@healthy
def a_table_of_rounded_probabilities():
    x = logits(60, 4, 138)
    return {"source": drawn(x, 139), "predictions": np.round(softmax(x), 2).clip(0.01, 1)}


@healthy
def a_column_of_probabilities():
    x = logits(60, 1, 140)[:, 0]
    return {"source": coins(x, 141).astype(int), "predictions": sigmoid(x)}


@healthy
def a_weak_model_that_takes_most_rows_for_one_class():
    x = logits(90, 3, 142, 1.0) + np.array([1.5, 0, 0])
    return {"source": {"logits": x, "labels": drawn(x, 143)}}
