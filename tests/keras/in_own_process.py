"""Programs for processes of their own: `python -m tests.keras.in_own_process NAME [NUMBER …]`."""

import sys

import numpy as np

from tests.memory import growth


def memory(rows=2000, classes=50_000):
    """Print the memory that a step takes beside the logits, as a share of theirs."""
    import keras

    import plogq.keras as pk

    loss = pk.SparseCategoricalCrossentropy(True, label_smoothing=0.1, ignore_class=0)
    logits = np.random.default_rng(0).random((rows, classes), "float32")
    labels = np.random.default_rng(1).integers(0, classes, rows).astype("int32")
    copied, step = STEPS[keras.backend.backend()](loss, logits.shape)
    step(copied(logits[:40]), labels[:40])
    taken = growth(lambda: step(copied(logits), labels))
    print(taken / logits.nbytes - 1)  # without the logits' own copy


def _on_torch(loss, _):
    import torch

    def step(x, y):
        x.requires_grad_()
        loss(y, x).backward()
        return x.grad

    return torch.tensor, step


def _on_jax(loss, shape):
    import jax

    def of_shape(*shape):
        kinds = jax.ShapeDtypeStruct(shape, "float32"), jax.ShapeDtypeStruct(shape[:1], "int32")
        return jax.jit(jax.grad(lambda x, y: loss(y, x))).lower(*kinds).compile()

    compiled = {rows: of_shape(rows, shape[1]) for rows in (40, shape[0])}
    return jax.numpy.array, lambda x, y: jax.block_until_ready(compiled[len(x)](x, y))


def _on_tensorflow(loss, _):
    import tensorflow as tf

    def step(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(y, x)
        return tape.gradient(value, x)

    return tf.constant, step


STEPS = {"torch": _on_torch, "jax": _on_jax, "tensorflow": _on_tensorflow}


def mirrored():
    """Print the losses of training on two devices of TensorFlow, and of training on one."""
    import keras
    import tensorflow as tf

    import plogq.keras as pk

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
    y = np.random.default_rng(1).integers(0, 4, 64)

    def losses():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
        loss = pk.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, weighted_metrics=[pk.BitsPerLabel(from_logits=True)])
        history = model.fit(x, y, batch_size=32, epochs=2, shuffle=False, verbose=0).history
        return history["loss"] + history["bits_per_label"]

    alone = losses()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        print(np.abs(np.array(losses()) / alone - 1).max())


def accuracy():
    """Print the errors of the losses on this backend as lines of a table."""
    from tests.keras.accuracy import table

    print(table())


if __name__ == "__main__":
    {"memory": memory, "mirrored": mirrored, "accuracy": accuracy}[sys.argv[1]](
        *map(int, sys.argv[2:])
    )
