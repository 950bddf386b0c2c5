# expect: PQ318
import tensorflow as tf


def loss(y, p, eps=1e-8):
    return -tf.reduce_mean(y * tf.math.log(p + eps) + (1 - y) * tf.math.log(1 - p + eps))
