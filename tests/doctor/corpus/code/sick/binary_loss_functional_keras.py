# expect: PQ309
import tensorflow as tf

inp = tf.keras.layers.Input(shape=(100,))
out = tf.keras.layers.Dense(20, activation=tf.nn.softmax)(inp)
model = tf.keras.models.Model(inputs=inp, outputs=out)
model.compile(optimizer="adam", loss=tf.keras.losses.binary_crossentropy)
