# expect: PQ304
import tensorflow as tf

model = tf.keras.models.Sequential(
    [tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True))
