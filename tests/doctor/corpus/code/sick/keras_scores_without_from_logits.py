# expect: PQ303
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

model = Sequential([Dense(32, activation="relu"), Dense(10)])
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
