# expect: PQ310
from tensorflow import keras

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="softmax"),
])  # fmt: skip
model.compile(loss="binary_crossentropy", optimizer="adam")
