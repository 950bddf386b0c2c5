# expect: PQ306
import keras

model = keras.Sequential([keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def train(x, y):
    return x, y


(x_train, y_train), _ = keras.datasets.mnist.load_data()
labels = keras.utils.to_categorical(y_train, 10)
history = model.fit(x_train.reshape(-1, 784), labels, epochs=2)
