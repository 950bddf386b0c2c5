# Logits, and a loss that is told so.
import keras

inputs = keras.Input((8,))
outputs = keras.layers.Dense(10)(inputs)
model = keras.Model(inputs, outputs)
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
probabilities = keras.Sequential([model, keras.layers.Softmax()])
