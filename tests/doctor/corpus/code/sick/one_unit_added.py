# expect: PQ310
# The softmax is added after the layer of one unit.
import keras
from keras import layers

model = keras.Sequential()
model.add(layers.Dense(32, activation="relu"))
model.add(layers.Dense(1))
model.add(layers.Activation("softmax"))
model.compile("adam", "binary_crossentropy")
