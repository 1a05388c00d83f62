"""The recipe that lab_digits replaces, as notebooks of this kind are usually written.

A py:percent notebook, run by :mod:`bench.notebook`: an 8x8 figure of 64 digits; 400-25-15-10 on all
5,000, 40 epochs in batches of 32 with the progress that Keras prints; then the 8x8 figure once more,
each digit predicted by a call of its own. Left out are that kind's other figures, its widgets and
its unit tests.
"""

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from scipy.io import loadmat
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Dense

# %%
data = loadmat(os.path.join("Data", "ex3data1.mat"))
X, y = data["X"], data["y"]
y[y == 10] = 0

# %%
figure, axes = plt.subplots(8, 8, figsize=(8, 8))
figure.tight_layout(pad=0.1, rect=[0, 0.03, 1, 0.92])
for axis in axes.flat:
    row = np.random.randint(len(X))
    axis.imshow(X[row].reshape(20, 20).T, cmap="gray")
    axis.set_title(y[row, 0])
    axis.set_axis_off()
figure.suptitle("Label, image", fontsize=14)
plt.show()

# %%
tf.random.set_seed(1234)
model = Sequential(
    [
        tf.keras.Input(shape=(400,)),
        Dense(25, activation="relu"),
        Dense(15, activation="relu"),
        Dense(10, activation="linear"),
    ]
)
model.summary()

# %%
model.compile(
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=tf.keras.optimizers.Adam(0.001),
)
history = model.fit(X, y, epochs=40)

# %%
figure, axes = plt.subplots(8, 8, figsize=(8, 8))
figure.tight_layout(pad=0.1, rect=[0, 0.03, 1, 0.92])
for axis in axes.flat:
    row = np.random.randint(len(X))
    axis.imshow(X[row].reshape(20, 20).T, cmap="gray")
    logits = model.predict(X[row].reshape(1, 400))
    digit = np.argmax(tf.nn.softmax(logits))
    axis.set_title(f"{y[row, 0]},{digit}", fontsize=10)
    axis.set_axis_off()
plt.show()
