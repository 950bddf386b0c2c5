# expect: PQ301
import tensorflow as tf


def loss(logits, labels):
    probabilities = tf.nn.softmax(logits)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=probabilities)
