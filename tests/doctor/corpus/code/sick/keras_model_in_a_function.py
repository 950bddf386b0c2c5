# expect: PQ303
import tensorflow as tf


def build(classes):
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Dense(64, activation="relu"))
    model.add(tf.keras.layers.Dense(classes))
    return model


model = build(10)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
