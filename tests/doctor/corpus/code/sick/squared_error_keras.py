# expect: PQ316
from tensorflow.keras import layers, models

model = models.Sequential()
model.add(layers.Flatten(input_shape=(28, 28)))
model.add(layers.Dense(10, activation="softmax"))
model.compile(optimizer="sgd", loss="mean_squared_error", metrics=["accuracy"])
