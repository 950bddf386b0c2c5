# For two classes both losses are the same number.
import keras

model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
model.compile(loss="binary_crossentropy", optimizer="adam")
