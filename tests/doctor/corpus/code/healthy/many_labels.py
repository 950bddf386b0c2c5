# Many labels: a sigmoid of each class.
import keras

model = keras.Sequential([keras.layers.Dense(20, activation="sigmoid")])
model.compile(loss="binary_crossentropy", optimizer="adam")
