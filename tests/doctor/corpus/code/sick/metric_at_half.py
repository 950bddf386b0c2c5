# expect: PQ335
import keras

loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
network.compile(loss=loss_fn, metrics=[keras.metrics.BinaryAccuracy()])
