# expect: PQ301
import keras
from keras import layers

inputs = keras.Input((28, 28, 1))
x = layers.Flatten()(inputs)
x = layers.Dense(128, activation="relu")(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
