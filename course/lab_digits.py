# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Handwritten digits

# %% [markdown]
# ## 1. Packages

# %% id="packages" given
import os

assert os.path.exists("utils.py"), (
    f"There is no utils.py in {os.getcwd()}: open lab_digits.ipynb from the folder it came in."
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # fewer start-up notes from TensorFlow

import numpy as np
from PIL import Image

import utils
from public_tests import (
    NotStarted,
    linear,
    relu,
    summary,
    test_model,
    test_my_dense,
    test_my_softmax,
    test_predict_digits,
    test_preprocess,
    test_split_data,
    test_training,
)

utils.check_packages()

import keras
from keras import Input, Sequential
from keras.layers import Dense
from keras.losses import SparseCategoricalCrossentropy
from keras.optimizers import Adam

# %% [markdown]
# ## 2. The digits

# %% id="load" given
X, y = utils.load_data()

# %% id="remap" given
y = np.where(y == 10, 0, y)

# %% id="samples" given tags=["figure"]
utils.plot_samples(X, y)

# %% [markdown]
# ## 3. ReLU and softmax

# %% graded="softmax" points=15
# UNQ_C1
# GRADED CELL: my_softmax
def my_softmax(z):
    """Turn logits into probabilities.

    Parameters
    ----------
    z : ndarray, shape (N,)
        Logits; left as they are.

    Returns
    -------
    ndarray, shape (N,)
        Probabilities: between 0 and 1, and they sum to 1.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    exponentials = np.exp(z - np.max(z))
    probabilities = exponentials / np.sum(exponentials)
    ### END SOLUTION
    ### END CODE HERE ###
    return probabilities

# %% test="softmax" tags=["raises-exception"]
test_my_softmax(my_softmax)

# %% [markdown]
# ## 4. The network

# %% graded="model" points=25 tags=["raises-exception"]
# UNQ_C2
# GRADED CELL: Sequential model
keras.utils.set_random_seed(1234)

### START CODE HERE ###
### BEGIN SOLUTION
model = Sequential(
    [
        Input(shape=(400,)),
        Dense(25, activation="relu"),
        Dense(15, activation="relu"),
        Dense(10, activation="linear"),
    ]
)
### END SOLUTION
### END CODE HERE ###

# %% test="model" tags=["raises-exception"]
test_model(model, 10, 400)

# %% graded="dense" points=10
# UNQ_C3
# GRADED CELL: my_dense
def my_dense(a_in, W, b, g):
    """Compute one dense layer for one example or for a batch.

    Parameters
    ----------
    a_in : ndarray, shape (n_in,) or (m, n_in)
        What comes in: one example, or m of them, one a row.
    W : ndarray, shape (n_in, n_out)
        Weights, one column a unit.
    b : ndarray, shape (n_out,)
        Biases.
    g : function
        Activation; takes an array and returns one of the same shape.

    Returns
    -------
    ndarray, shape (n_out,) or (m, n_out)
        What goes out.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    z = a_in @ W + b
    a_out = g(z)
    ### END SOLUTION
    ### END CODE HERE ###
    return a_out

# %% test="dense" tags=["raises-exception"]
test_my_dense(my_dense)

# %% [markdown]
# ## 5. Digits to train on, digits to judge by

# %% graded="split" points=10
# UNQ_C4
# GRADED CELL: split_data
def split_data(X, y, test_fraction=0.2, seed=1234):
    """Split the rows into a training part and a test part, class by class.

    Parameters
    ----------
    X : ndarray, shape (m, n)
    y : ndarray of int, shape (m,)
    test_fraction : float
        Which part of every class goes to the test part.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Every row is in one of the two parts, with its label, and the order is shuffled.
    """
    rng = np.random.default_rng(seed)
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    train, test = [], []
    for digit in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == digit))
        n_test = round(test_fraction * len(rows))
        test.append(rows[:n_test])
        train.append(rows[n_test:])
    train = rng.permutation(np.concatenate(train))
    test = rng.permutation(np.concatenate(test))
    ### END SOLUTION
    ### END CODE HERE ###
    return X[train], X[test], y[train], y[test]

# %% test="split" tags=["raises-exception"]
test_split_data(split_data, X, y)

# %% id="held_out" given
X_train, X_test, y_train, y_test = utils.split_or_lend(split_data, X, y)

# %% [markdown]
# ## 6. Training

# %% id="callbacks" given
callbacks, recorder = utils.training_callbacks()

# %% graded="train" points=15 tags=["raises-exception"]
# UNQ_C5
# GRADED CELL: compile and fit
keras.utils.set_random_seed(1234)

### START CODE HERE ###
### BEGIN SOLUTION
model.compile(
    loss=SparseCategoricalCrossentropy(from_logits=True),
    optimizer=Adam(learning_rate=0.001),
    metrics=["accuracy"],
    steps_per_execution=125,
)
history = model.fit(
    X_train,
    y_train,
    epochs=40,
    batch_size=32,
    validation_data=(X_test, y_test),
    verbose=0,
    callbacks=callbacks,
)
### END SOLUTION
### END CODE HERE ###

# %% test="train" tags=["raises-exception"]
test_training(model, history, X_train, y_train, X_test, y_test)

# %% [markdown]
# ## 7. Predictions

# %% graded="predict" points=10
# UNQ_C6
# GRADED CELL: predict_digits
def predict_digits(model, X):
    """Predict a batch of digits in one call.

    Parameters
    ----------
    model : keras.Model
        Gives 10 logits a row.
    X : ndarray, shape (m, 400)

    Returns
    -------
    digits : ndarray of int, shape (m,)
        The most probable digit of every row.
    probabilities : ndarray, shape (m, 10)
        The probability of every digit, row by row.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    logits = model.predict(X, verbose=0)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    digits = np.argmax(probabilities, axis=1)
    ### END SOLUTION
    ### END CODE HERE ###
    return digits, probabilities

# %% test="predict" tags=["raises-exception"]
test_predict_digits(predict_digits, model, X)

# %% [markdown]
# ## 8. Your own handwriting

# %% graded="preprocess" points=15
# UNQ_C7
# GRADED CELL: preprocess
def preprocess(image):
    """Turn a photograph of a digit into a row that the network can read.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W), (H, W, 3) or (H, W, 4)
        Dark ink on light paper: grey, RGB or RGBA.

    Returns
    -------
    ndarray of float, shape (400,)
        A row in the convention of X.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    photo = Image.fromarray(image).convert("RGBA")
    sheet = Image.new("RGBA", photo.size, "white")
    grey = np.asarray(Image.alpha_composite(sheet, photo).convert("L")) / 255
    ink = utils.paper_light(grey) - grey
    ink = np.clip(ink / ink.max(), 0, 1)
    ink[ink < 0.3] = 0
    rows, columns = np.nonzero(ink > 0.5)
    ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = 20 / max(ink.shape)
    height, width = (max(1, round(scale * side)) for side in ink.shape)
    digit = utils.centre_by_mass(utils.resize(ink, height, width), 28)
    row = utils.resize(digit, 20, 20).ravel(order="F")
    ### END SOLUTION
    ### END CODE HERE ###
    return row

# %% test="preprocess" tags=["raises-exception"]
test_preprocess(preprocess)

# %% [markdown]
# ## 9. Where next

# %% id="summary" given tags=["figure"]
summary()
