# expect: PQ303
import keras

inputs = keras.Input((12,))
outputs = keras.layers.Dense(1)(keras.layers.Dense(8, "relu")(inputs))
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(loss=keras.losses.BinaryCrossentropy(), optimizer="adam")
