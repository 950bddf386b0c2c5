# Keras' losses take probabilities unless they are told otherwise.
from tensorflow.keras import layers, models

model = models.Sequential([layers.Dense(64, activation="relu"), layers.Dense(10, "softmax")])
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
