"""Sick cases of values: what people hand to losses by mistake."""

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


def sick(*codes):
    return draws.sick(CASES, *codes)


# --- a softmax, a sigmoid or a logarithm too many, or too few


@sick("PQ101")
def softmax_layer_before_cross_entropy():
    x = logits(64, 10, 1)
    return on(softmax(x), drawn(x, 2), "cross_entropy", "torch")


@sick("PQ101")
def softmax_in_float16_of_1000_classes():
    x = logits(40, 1000, 3)
    return on(softmax(x).astype(np.float16), drawn(x, 4), "cross_entropy", "torch")


@sick("PQ101")
def softmax_of_two_classes():
    x = logits(30, 2, 5)
    return on(softmax(x), drawn(x, 6), "cross_entropy", "torch")


@sick("PQ101")
def softmax_before_optax_with_one_hot_rows():
    x = logits(32, 5, 7)
    return on(softmax(x), one_hot(drawn(x, 8), 5), "softmax_cross_entropy", "jax")


@sick("PQ101")
def softmax_activation_and_from_logits():
    x = logits(32, 4, 9)
    return on(softmax(x), drawn(x, 10), "sparse_categorical_crossentropy", "keras",
              from_logits=True)  # fmt: skip


@sick("PQ101")
def a_batch_of_one_image_after_softmax():
    x = logits(1, 10, 11)
    return on(softmax(x), [3], "cross_entropy", "torch")


@sick("PQ101")
def softmax_of_a_segmentation():
    x = logits(2 * 8 * 8, 3, 12).reshape(2, 8, 8, 3)
    y = drawn(x, 13)
    return on(np.moveaxis(softmax(x), -1, 1), y, "cross_entropy", "torch")


@sick("PQ102")
def log_softmax_activation_in_keras():
    x = logits(40, 6, 14)
    return on(np.log(softmax(x)), drawn(x, 15), "sparse_categorical_crossentropy", "keras")


@sick("PQ102")
def log_softmax_before_a_binary_loss():
    x = logits(40, 4, 16)
    return on(np.log(softmax(x)), one_hot(drawn(x, 17), 4), "binary_cross_entropy_with_logits",
              "torch")  # fmt: skip


@sick("PQ102")
def log_probabilities_into_sklearns_log_loss():
    x = logits(40, 3, 18)
    return on(np.log(softmax(x)), drawn(x, 19), "log_loss", "numpy")


@sick("PQ103")
def a_dense_layer_without_activation_in_keras():
    x = logits(40, 6, 20)
    return on(x, drawn(x, 21), "sparse_categorical_crossentropy", "keras")


@sick("PQ103")
def logits_into_keras_binary_crossentropy():
    x = logits(40, 1, 22)
    return on(x, coins(x, 23), "binary_crossentropy", "keras")


@sick("PQ103")
def logits_into_nll_loss():
    x = logits(40, 6, 24)
    return on(x, drawn(x, 25), "nll_loss", "torch")


@sick("PQ103")
def probabilities_into_nll_loss():
    x = logits(40, 6, 26)
    return on(softmax(x), drawn(x, 27), "nll_loss", "torch")


@sick("PQ103")
def logits_into_binary_cross_entropy():
    x = logits(40, 1, 28)[:, 0]
    return on(x, coins(x, 29), "binary_cross_entropy", "torch")


@sick("PQ103")
def negative_logits_into_nll_loss():
    x = logits(40, 6, 30, 1.0) - 8
    return on(x, drawn(x, 31), "nll_loss", "torch")


@sick("PQ104")
def sigmoid_before_bce_with_logits():
    x = logits(64, 1, 32)[:, 0]
    return on(sigmoid(x), coins(x, 33), "binary_cross_entropy_with_logits", "torch")


@sick("PQ104")
def sigmoids_of_many_labels_before_bce_with_logits():
    x = logits(32, 8, 34)
    return on(sigmoid(x), coins(x, 35), "binary_cross_entropy_with_logits", "torch")


@sick("PQ104")
def sigmoid_of_an_untrained_model():
    x = logits(32, 1, 36, 0.2)
    y = (np.arange(32) % 2).astype(float)[:, None]
    return on(sigmoid(x), y, "sigmoid_binary_cross_entropy", "jax")


@sick("PQ104")
def sigmoid_activation_and_from_logits():
    x = logits(50, 1, 37)
    return on(sigmoid(x), coins(x, 38), "binary_crossentropy", "keras", from_logits=True)


@sick("PQ104")
def a_saturated_sigmoid_in_float32():
    x = logits(50, 1, 39, 30.0)[:, 0]
    return on(sigmoid(x).astype(np.float32), coins(x, 40), "binary_cross_entropy_with_logits",
              "torch")  # fmt: skip


# --- divergences


@sick("PQ105")
def kl_div_of_probabilities():
    p, t = softmax(logits(20, 5, 41)), softmax(logits(20, 5, 42))
    return on(p, t, "kl_div", "torch", reduction="batchmean")


@sick("PQ105")
def kl_div_of_logits():
    return on(logits(20, 5, 43), softmax(logits(20, 5, 44)), "kl_div", "torch",
              reduction="batchmean")  # fmt: skip


@sick("PQ105")
def kl_div_with_its_arguments_exchanged():
    p, t = np.log(softmax(logits(20, 5, 45))), softmax(logits(20, 5, 46))
    return on(t, p, "kl_div", "torch", reduction="batchmean")


@sick("PQ105")
def kl_div_with_a_log_target_that_is_not_said():
    p, t = np.log(softmax(logits(20, 5, 47))), np.log(softmax(logits(20, 5, 48)))
    return on(p, t, "kl_div", "torch", reduction="batchmean")


@sick("PQ105")
def kl_div_with_mean():
    p, t = np.log(softmax(logits(20, 5, 49))), softmax(logits(20, 5, 50))
    return on(p, t, "kl_div", "torch", reduction="mean")


@sick("PQ105")
def kl_divergence_of_logits_in_keras():
    return on(logits(20, 5, 51), softmax(logits(20, 5, 52)), "kl_divergence", "keras")


@sick("PQ105")
def kl_divergence_of_probabilities_in_optax():
    p, t = softmax(logits(20, 5, 53)), softmax(logits(20, 5, 54))
    return on(p, t, "kl_divergence", "jax")


# --- targets of another kind, or out of range


@sick("PQ106")
def one_hot_rows_into_nll_loss():
    x = logits(30, 4, 55)
    return on(np.log(softmax(x)), one_hot(drawn(x, 56), 4).astype(int), "nll_loss", "torch")


@sick("PQ106")
def one_hot_integers_into_cross_entropy():
    x = logits(30, 4, 57)
    return on(x, one_hot(drawn(x, 58), 4).astype(int), "cross_entropy", "torch")


@sick("PQ106")
def class_indices_as_floats():
    x = logits(30, 4, 59)
    return on(x, drawn(x, 60).astype(np.float32), "cross_entropy", "torch")


@sick("PQ106")
def to_categorical_and_the_sparse_loss():
    x = logits(30, 4, 61)
    return on(softmax(x), one_hot(drawn(x, 62), 4), "sparse_categorical_crossentropy", "keras")


@sick("PQ106")
def indices_and_the_loss_of_one_hot_rows():
    x = logits(30, 4, 63)
    return on(softmax(x), drawn(x, 64), "categorical_crossentropy", "keras")


@sick("PQ106")
def indices_into_optaxs_loss_of_distributions_of_as_many_rows_as_classes():
    x = logits(4, 4, 65)
    return on(x, np.array([0, 2, 1, 3]), "softmax_cross_entropy", "jax")


@sick("PQ106")
def soft_labels_cast_to_integers():
    x = logits(30, 4, 66)
    return on(x, softmax(logits(30, 4, 67)).astype(int), "cross_entropy", "torch")


@sick("PQ107")
def labels_that_count_from_1():
    x = logits(40, 5, 68)
    return on(x, drawn(x, 69) + 1, "cross_entropy", "torch")


@sick("PQ107")
def a_padding_label_that_is_not_said():
    x = logits(40, 5, 70).reshape(4, 10, 5)
    y = drawn(x, 71)
    y[:, 7:] = -1
    return on(x, y, "softmax_cross_entropy_with_integer_labels", "jax")


@sick("PQ107")
def the_void_label_of_a_segmentation():
    x = logits(2 * 36, 3, 72).reshape(2, 6, 6, 3)
    y = drawn(x, 73)
    y[0, :2] = 255
    return on(np.moveaxis(x, -1, 1), y, "cross_entropy", "torch")


@sick("PQ107")
def labels_of_minus_1_and_1_for_a_sigmoid():
    x = logits(40, 1, 74)[:, 0]
    return on(x, 2 * coins(x, 75) - 1, "binary_cross_entropy_with_logits", "torch")


@sick("PQ107")
def a_mask_of_0_and_255():
    x = logits(36, 1, 76).reshape(1, 1, 6, 6)
    return on(x, 255 * coins(x, 77), "binary_cross_entropy_with_logits", "torch")


@sick("PQ107")
def one_label_of_a_class_that_came_later():
    x = logits(200, 9, 78)
    y = drawn(x, 79)
    y[137] = 9
    return on(softmax(x), y, "sparse_categorical_crossentropy", "keras")


@sick("PQ108")
def the_first_class_is_ignored_as_if_it_were_padding():
    x = logits(100, 5, 80)
    return on(x, drawn(x, 81), "cross_entropy", "torch", ignore_index=0)


@sick("PQ108")
def the_background_of_a_segmentation_is_ignored():
    x = logits(2 * 36, 3, 82).reshape(2, 6, 6, 3)
    return on(np.moveaxis(x, -1, 1), drawn(x, 83), "cross_entropy", "torch", ignore_index=0)


@sick("PQ108")
def ignore_class_is_the_last_class_in_keras():
    x = logits(60, 4, 84)
    return on(softmax(x), drawn(x, 85), "sparse_categorical_crossentropy", "keras", ignore_class=3)


# --- binary and multiclass


@sick("PQ109")
def two_logits_and_one_hot_rows_in_a_binary_loss():
    x = logits(40, 2, 86)
    return on(x, one_hot(drawn(x, 87), 2), "binary_cross_entropy_with_logits", "torch")


@sick("PQ109")
def softmax_and_binary_crossentropy_in_keras():
    x = logits(40, 10, 88)
    return on(softmax(x), one_hot(drawn(x, 89), 10), "binary_crossentropy", "keras")


@sick("PQ109")
def sigmoid_and_categorical_crossentropy_in_keras():
    x = logits(40, 6, 90)
    return on(sigmoid(x), one_hot(drawn(x, 91), 6), "categorical_crossentropy", "keras")


@sick("PQ109")
def sigmoid_and_the_sparse_loss_in_keras():
    x = logits(40, 3, 92)
    return on(sigmoid(x), drawn(x, 93), "sparse_categorical_crossentropy", "keras")


@sick("PQ110")
def cross_entropy_over_one_logit():
    return on(logits(30, 1, 94), np.zeros(30, int), "cross_entropy", "torch")


@sick("PQ110", "PQ118", "PQ121")
def softmax_over_one_unit_and_binary_crossentropy():
    x = logits(30, 1, 95)
    return on(softmax(x), coins(x, 96), "binary_crossentropy", "keras")


@sick("PQ110")
def categorical_crossentropy_over_one_unit():
    return on(np.ones((30, 1)), np.ones((30, 1)), "categorical_crossentropy", "keras")


@sick("PQ110", "PQ107")
def one_logit_and_labels_0_and_1_in_cross_entropy():
    x = logits(30, 1, 97)
    return on(x, coins(x[:, 0], 98).astype(int), "cross_entropy", "torch")


# --- shapes


@sick("PQ111")
def squared_error_of_a_column_and_a_row():
    x = logits(30, 1, 99)
    return on(x, x[:, 0] + 0.1 * generator(100).normal(size=30), "mse_loss", "torch")


@sick("PQ111")
def a_column_of_logits_and_flat_targets_in_optax():
    x = logits(30, 1, 101)
    return on(x, coins(x, 102)[:, 0], "sigmoid_binary_cross_entropy", "jax")


@sick("PQ111")
def flat_outputs_and_a_column_of_targets():
    x = logits(30, 1, 103)[:, 0]
    return on(x, (x + 0.1)[:, None], "mse_loss", "torch")


@sick("PQ112")
def batch_time_class_with_as_many_steps_as_classes():
    x = logits(8 * 5, 5, 104, 3.0).reshape(8, 5, 5)
    return on(x, drawn(x, 105), "cross_entropy", "torch")


@sick("PQ112")
def batch_time_class_of_other_lengths():
    x = logits(4 * 7, 5, 106).reshape(4, 7, 5)
    return on(x, drawn(x, 107), "cross_entropy", "torch")


@sick("PQ112")
def softmax_over_the_batch():
    x = logits(20, 4, 108)
    return on(softmax(x, axis=0), drawn(x, 109), "sparse_categorical_crossentropy", "keras")


@sick("PQ112")
def log_softmax_over_the_batch():
    x = logits(20, 4, 110)
    return on(np.log(softmax(x, axis=0)), drawn(x, 111), "nll_loss", "torch")


@sick("PQ112")
def channels_first_in_optax():
    x = logits(4 * 7, 5, 112).reshape(4, 7, 5)
    return on(np.moveaxis(x, -1, 1), drawn(x, 113),
              "softmax_cross_entropy_with_integer_labels", "jax")  # fmt: skip


# --- which rows count, and what the loss is beside


@sick("PQ113")
def a_batch_of_padding_alone():
    return on(logits(6, 5, 114), np.full(6, -100), "cross_entropy", "torch")


@sick("PQ113")
def a_class_of_weight_0_alone():
    return on(logits(6, 3, 115), np.full(6, 2), "cross_entropy", "torch", weight=[1.0, 1.0, 0.0])


@sick("PQ113")
def distributions_of_nothing():
    return on(logits(6, 3, 116), np.zeros((6, 3)), "cross_entropy", "torch")


@sick("PQ113")
def a_mask_that_is_false_everywhere():
    return on(logits(6, 3, 117), np.zeros(6, int), "cross_entropy", "numpy",
              mask=np.zeros(6, bool))  # fmt: skip


@sick("PQ114")
def frauds_that_the_model_knows_nothing_of():
    y = np.zeros(2000)
    y[::100] = 1
    x = -4.6 + 0.3 * generator(118).normal(size=2000)
    return on(x, y, "binary_cross_entropy_with_logits", "torch")


@sick("PQ114")
def one_class_of_five_in_nearly_all_rows():
    y = np.zeros(400, int)
    y[::40] = 1 + np.arange(10) % 4
    x = np.array([5.0, 0, 0, 0, 0]) + 0.5 * generator(119).normal(size=(400, 5))
    return on(x, y, "cross_entropy", "torch")


@sick("PQ114")
def rare_positives_in_keras():
    y = np.zeros((500, 1))
    y[::50] = 1
    p = np.clip(0.02 + 0.005 * generator(120).normal(size=(500, 1)), 0.001, 0.1)
    return on(p, y, "binary_crossentropy", "keras")


@sick("PQ115")
def a_last_layer_that_begins_too_large():
    x = logits(128, 10, 121, 12.0)
    return on(x, generator(122).integers(0, 10, 128), "cross_entropy", "torch", at_start=True)


@sick("PQ115")
def labels_among_the_inputs():
    y = generator(123).integers(0, 10, 128)
    return on(6 * one_hot(y, 10), y, "cross_entropy", "torch", at_start=True)


@sick("PQ115")
def a_last_bias_that_is_far_off():
    x = logits(64, 1, 124, 0.1) - 6
    y = (np.arange(64) % 2).astype(float)[:, None]
    return on(x, y, "binary_cross_entropy_with_logits", "torch", at_start=True)


@sick("PQ116")
def squared_error_of_a_sigmoid_that_is_surely_wrong():
    x = logits(200, 1, 125, 6.0)[:, 0]
    y = coins(x, 126)
    y[:20] = x[:20] < 0
    return on(sigmoid(x), y, "mse_loss", "torch")


@sick("PQ116")
def squared_error_of_a_softmax():
    x = logits(100, 4, 127, 6.0)
    y = drawn(x, 128)
    y[:15] = x[:15].argmin(axis=1)
    return on(softmax(x), one_hot(y, 4), "mean_squared_error", "keras")


@sick("PQ116")
def squared_error_of_a_model_that_says_no_to_all():
    x = -7 + 0.5 * generator(129).normal(size=100)
    return on(sigmoid(x), (np.arange(100) % 2).astype(float), "squared_error", "jax")


# --- ranges of numbers


@sick("PQ117", "PQ119")
def an_overflow_in_float16():
    x = logits(20, 4, 130).astype(np.float16)
    x[7, 2] = np.inf
    return on(x, np.zeros(20, int) + np.arange(20) % 4, "cross_entropy", "torch")


@sick("PQ117")
def logits_next_to_the_largest_of_float16():
    x = (20000 * logits(20, 4, 131, 1.0)).clip(-60000, 60000).astype(np.float16)
    return on(x, x.argmax(axis=1), "cross_entropy", "torch")


@sick("PQ117")
def a_sum_of_losses_beyond_float16():
    x = logits(40_000, 10, 132, 0.5)
    return on(x.astype(np.float16), drawn(x, 133), "cross_entropy", "torch", reduction="sum")


@sick("PQ117", "PQ106")
def class_indices_in_float16():
    x = logits(30, 5000, 134, 1.0).astype(np.float32)
    return on(x, drawn(x, 135).astype(np.float16), "cross_entropy", "torch")


@sick("PQ118")
def probabilities_clipped_at_1e_7():
    p = np.clip(softmax(logits(200, 4, 136, 14.0)), 1e-7, 1 - 1e-7)
    y = generator(137).integers(0, 4, 200)
    return on(p, y, "log_loss", "numpy")


@sick("PQ118")
def a_true_class_of_probability_0():
    p = np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    return on(p, [1, 1, 2], "sparse_categorical_crossentropy", "keras")


@sick("PQ118")
def an_eps_that_float32_cannot_tell():
    p = softmax(logits(20, 3, 138)).astype(np.float32)
    return on(p, np.arange(20) % 3, "log_loss", "numpy", eps=1e-15)


@sick("PQ118")
def a_sigmoid_that_is_1_where_it_is_wrong():
    x = np.array([40.0, -1.0, 2.0, 0.3])
    return on(sigmoid(x).astype(np.float32), np.array([0.0, 0, 1, 1]), "binary_cross_entropy",
              "torch")  # fmt: skip


@sick("PQ119")
def nan_in_one_row():
    x = logits(30, 4, 139)
    x[11] = np.nan
    return on(x, np.arange(30) % 4, "cross_entropy", "torch")


@sick("PQ119")
def nan_in_soft_targets():
    t = softmax(logits(30, 4, 140))
    t[3, 1] = np.nan
    return on(logits(30, 4, 141), t, "cross_entropy", "torch")


@sick("PQ119")
def the_true_class_is_masked():
    x = logits(30, 4, 142)
    y = drawn(x, 143)
    x[5, y[5]] = -np.inf
    return on(x, y, "cross_entropy", "torch")


@sick("PQ119")
def every_class_is_masked():
    x = logits(30, 4, 144)
    y = drawn(x, 145)
    x[9] = -np.inf
    return on(x, y, "cross_entropy", "torch")


@sick("PQ119")
def infinite_outputs_of_a_regression():
    x = logits(30, 1, 146)[:, 0]
    y = x + 0.1
    x[29] = np.inf
    return on(x, y, "mse_loss", "torch")


# --- floors, constants, copies


@sick("PQ120")
def a_trained_model_judged_with_smoothing():
    y = np.arange(60) % 10
    x = 4.5 * one_hot(y, 10) + 0.1 * generator(147).normal(size=(60, 10))
    return on(x, y, "cross_entropy", "torch", label_smoothing=0.1)


@sick("PQ120")
def heavy_smoothing_of_two_classes():
    x = logits(60, 2, 148)
    return on(x, drawn(x, 149), "cross_entropy", "numpy", label_smoothing=0.4)


@sick("PQ120")
def smoothing_of_a_keras_model():
    y = np.arange(60) % 5
    p = softmax(4.0 * one_hot(y, 5) + 0.1 * generator(150).normal(size=(60, 5)))
    return on(p, one_hot(y, 5), "categorical_crossentropy", "keras", label_smoothing=0.1)


@sick("PQ121")
def a_dead_layer():
    x = np.tile(logits(1, 5, 151), (40, 1)).astype(np.float32)
    return on(x, np.arange(40) % 5, "cross_entropy", "torch")


@sick("PQ121")
def a_binary_model_that_always_says_the_same():
    return on(np.full(40, 0.4), (np.arange(40) % 3 == 0).astype(float),
              "binary_cross_entropy_with_logits", "torch")  # fmt: skip


@sick("PQ121")
def a_constant_softmax_in_keras_but_for_rounding():
    p = np.tile(softmax(logits(1, 3, 152)), (30, 1)).astype(np.float32)
    p[::2] = np.nextafter(p[::2], np.float32(1))
    return on(p, np.arange(30) % 3, "sparse_categorical_crossentropy", "keras")


@sick("PQ122")
def labels_that_the_model_chose():
    x = logits(200, 4, 153, 1.0)
    return on(x, x.argmax(axis=1), "cross_entropy", "torch")


@sick("PQ122")
def soft_targets_that_are_the_models_own():
    x = logits(40, 4, 154)
    return on(x, softmax(x), "cross_entropy", "torch")


@sick("PQ122")
def squared_error_of_the_outputs_and_themselves():
    x = logits(40, 1, 155)
    return on(x, x.copy(), "mse_loss", "torch")


@sick("PQ122")
def a_binary_label_that_is_rounded_output():
    x = logits(200, 1, 156, 0.6)[:, 0]
    return on(sigmoid(x), (x > 0).astype(float), "binary_cross_entropy", "torch")


@sick("PQ123")
def a_margin_stacked_with_its_negative():
    m = logits(300, 1, 157)[:, 0]
    return on(np.stack([-m, m], axis=1), coins(m, 158).astype(int), "cross_entropy", "torch")


@sick("PQ123")
def a_decision_function_as_two_logits():
    m = logits(400, 1, 159, 1.5)[:, 0]
    return on(np.stack([-m, m], axis=1), coins(m, 160).astype(int), "cross_entropy", "numpy")


@sick("PQ123")
def a_margin_in_float32_with_one_hot_rows():
    m = logits(300, 1, 161, 3.0)[:, 0].astype(np.float32)
    y = one_hot(coins(m, 162).astype(int), 2)
    return on(np.stack([-m, m], axis=1), y, "softmax_cross_entropy", "jax")


@sick("PQ124")
def prices_under_a_binary_loss():
    x = logits(40, 1, 163)
    return on(x, 3 + generator(164).gamma(2.0, size=(40, 1)), "binary_cross_entropy_with_logits",
              "torch")  # fmt: skip


@sick("PQ124")
def measured_numbers_as_classes():
    return on(logits(40, 5, 165), 4 * generator(166).random(40), "cross_entropy", "torch")


@sick("PQ124")
def standardised_rows_as_distributions():
    return on(logits(40, 5, 167), generator(168).normal(size=(40, 5)), "cross_entropy", "torch")


@sick("PQ124")
def standardised_images_as_targets_of_a_sigmoid():
    p = sigmoid(logits(64, 1, 169)).reshape(1, 8, 8, 1)
    return on(p, generator(170).normal(size=(1, 8, 8, 1)), "binary_crossentropy", "keras")


@sick("PQ125")
def several_labels_under_cross_entropy():
    x = logits(40, 6, 171)
    return on(x, coins(x, 172), "cross_entropy", "torch")


@sick("PQ125")
def several_labels_under_categorical_crossentropy():
    x = logits(40, 6, 173)
    return on(softmax(x), coins(x - 1, 174), "categorical_crossentropy", "keras")


@sick("PQ125")
def two_tags_in_one_row_of_many():
    x = logits(40, 6, 175)
    t = one_hot(drawn(x, 176), 6)
    t[17] = [1, 0, 0, 0, 1, 0]
    return on(x, t, "softmax_cross_entropy", "jax")


# --- tables


@sick("PQ126")
def a_table_whose_columns_are_in_another_order_than_the_labels():
    x = logits(90, 3, 181, 3.0)
    return {"source": {"logits": x[:, [1, 2, 0]], "labels": drawn(x, 182)}}


@sick("PQ126")
def a_table_of_cosines():
    x = np.tanh(logits(60, 4, 183, 1.0))
    return {"source": {"logits": x, "labels": drawn(x, 184)}}


@sick("PQ126", "PQ101")
def a_table_of_probabilities_that_are_called_logits():
    x = logits(60, 4, 185)
    return {"source": {"logits": softmax(x), "labels": drawn(x, 186)}}


@sick("PQ126", "PQ104")
def a_column_of_probabilities_that_is_called_a_logit():
    x = logits(80, 1, 187)[:, 0]
    return {"source": coins(x, 188).astype(int), "logits": sigmoid(x)}


@sick("PQ122", "PQ126")
def a_table_of_predictions_and_what_the_model_chose():
    x = logits(120, 4, 189, 1.0)
    return {"source": x.argmax(axis=1), "predictions": softmax(x)}


# --- several at once


@sick("PQ101", "PQ107")
def softmax_and_labels_from_1():
    x = logits(40, 5, 177)
    return on(softmax(x), drawn(x, 178) + 1, "cross_entropy", "torch")


@sick("PQ103", "PQ108")
def logits_into_nll_loss_with_a_class_ignored():
    x = logits(80, 5, 179)
    return on(x, drawn(x, 180), "nll_loss", "torch", ignore_index=2)
