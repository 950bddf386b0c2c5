# expect: PQ335
import tensorflow as tf

model = build()
model.compile(
    optimizer="adam",
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=["accuracy", tf.keras.metrics.AUC()],
)
