# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Handwritten digits: from 5,000 pictures to your own handwriting
#
# You build a small neural network in Keras that reads handwritten digits, work out by hand what
# its training does, find out how far you can trust it, and then let it read a photograph. Eight
# exercises, 100 points, about three hours: take two sittings, with the break after section 5.
#
# **After this lab you can** compute a softmax, a dense layer and a cross-entropy with its gradient
# in NumPy; build, train and use a network in Keras; hold data out, and say from its learning curves
# and its confusion matrix how far to trust a network; bring a picture from outside into the form
# that a network was trained on.
#
# **What you should know before**: Python functions and loops; NumPy arrays, their shapes and
# slices; the product of two matrices; what a derivative is. Nothing about neural networks.
#
# | section | exercise | points | minutes |
# |---|---|---|---|
# | 1. Packages | | | 2 |
# | 2. The digits | | | 8 |
# | 3. ReLU and softmax | 1, softmax | 10 | 15 |
# | 4. The network | 2, model; 3, dense layer | 15 + 10 | 25 |
# | 5. Digits to train on, digits to judge by | 4, split | 15 | 25 |
# | 6. What training does | 5, loss | 15 | 30 |
# | 7. Training | 6, train | 10 | 12 |
# | 8. What it predicts, and where it fails | 7, predict | 10 | 15 |
# | 9. Your own handwriting | 8, preprocess | 15 | 40 |
# | 10. Look inside, and where next | | | 5 |
#
# **How it works.** Write your code between `### START CODE HERE ###` and `### END CODE HERE ###`,
# in place of `raise NotStarted`. Run the cell, then the check below it: it says what is right,
# what is not, and what to do next. You may run a check as often as you like. Under each exercise
# there are hints, from a nudge to a bigger nudge; none of them is the answer.
#
# Run the cells from top to bottom. When you come back after a break, choose *Run > Run All Above
# Selected Cell*. You can leave an exercise out and go on: where a later cell needs it, the cell
# says so. You may add cells of your own. Words in **bold** are explained where they first occur,
# and the twelve that matter most once more in the glossary at the end.

# %% [markdown]
# ## 1. Packages
#
# **Objective**: load what the lab uses · **Time**: 2 minutes · **Success**: one line with
# versions
#
# TensorFlow, on which Keras computes here, takes some seconds to start. You write NumPy and Keras;
# `utils` draws, `public_tests` checks.

# %% id="packages" given
import os

assert os.path.exists("utils.py"), (
    f"There is no utils.py in {os.getcwd()}: open lab_digits.ipynb from the folder it came in."
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes from TensorFlow on your hardware

import numpy as np
from PIL import Image

import utils

utils.check_packages()
with utils.quiet_start():
    import keras
    import tensorflow as tf
from keras import Input, Sequential
from keras.layers import Dense
from keras.losses import SparseCategoricalCrossentropy
from keras.optimizers import Adam

from public_tests import (
    NotStarted,
    linear,
    relu,
    summary,
    test_cross_entropy,
    test_model,
    test_my_dense,
    test_my_softmax,
    test_predict_digits,
    test_preprocess,
    test_split_data,
    test_training,
)

print(f"Ready: Keras {keras.__version__}, TensorFlow {tf.__version__}, NumPy {np.__version__}")

# %% [markdown]
# ## 2. The digits
#
# **Objective**: know what a row of `X` means · **Time**: 8 minutes · **Success**: 64 digits, each
# under its own label
#
# The problem: given the picture of one handwritten digit, say which of the ten digits it is. A
# bank reads cheques this way, a post office reads postcodes.
#
# You have 5,000 digits, 500 of each, from MNIST: written by employees of the US Census Bureau and
# by school pupils, scanned and centred. Here each is 20 by 20 pixels, unrolled into one row of
# 400 numbers.

# %% id="load" given
X, y = utils.load_data()  # Data/ex3data1.mat

# %% id="first_look" given tags=["figure"]
print("X:", X.shape, X.dtype, "  y:", y.shape, y.dtype)
print("Part of X[0]:", X[0, 166:170])
print("Labels:", np.unique(y))

# %% [markdown]
# Two things in this output are worth a second look.
#
# - `X[0]` holds a number above 1. The digits were reduced from 28x28 with a cubic filter, which
#   overshoots a little at sharp edges. Ink is near 1, paper near 0, and that is all the network
#   needs.
# - There is a label 10 and no label 0. The file comes from a course taught in MATLAB, which
#   counts from 1: its 10 is the zero. Keras wants classes from 0, so the next cell puts the zero
#   back. (`y - 1` would run as well, and every answer would be off by one.)

# %% id="remap" given
y = np.where(y == 10, 0, y)

# %% [markdown]
# The second trap is the order of the 400 numbers. MATLAB unrolls a picture column by column,
# NumPy row by row.

# %% id="orders" given tags=["figure"]
utils.plot_two_orders(X[2500], y[2500])

# %% [markdown]
# The network that you build does not mind: it would learn as well from shuffled pixels, as long as
# they are *always* shuffled the same way. You meet this again in section 9, where your own photograph has
# to be unrolled as these digits were.

# %% id="samples" given tags=["figure"]
utils.plot_samples(X, y)

# %% id="classes" given tags=["figure"]
utils.plot_classes(X, y)

# %% [markdown]
# The rows of `X` are sorted: 500 zeros, 500 ones, and so on. Remember that for section 5.

# %% [markdown]
# ## 3. ReLU and softmax
#
# **Objective**: two functions that turn sums into decisions · **Time**: 15 minutes · **Success**:
# bars of probability that sum to 1
#
# A **dense layer** is a row of *units*. Each unit multiplies every number that comes in by a weight
# of its own, adds up the products, and adds one more number, its bias. For all units at once this is
# $z = aW + b$: $a$ is the row that comes in, each column of $W$ holds one unit's weights, and $b$
# holds the biases.
#
# Two such layers in a row are no more than one: a product of matrices is a matrix. So something that
# bends comes in between, the **activation**. **ReLU** is the plainest that works: it keeps what is
# positive and drops the rest.

# %% id="relu" given tags=["figure"]
utils.plot_relu(relu)

# %% [markdown]
# The last layer gives ten numbers, one per digit: the **logits**. A larger logit speaks for its
# digit, but what would "7.3 for the 4" mean? **Softmax** makes probabilities of them:
#
# $$p_i = \frac{e^{z_i}}{\sum_{j=0}^{N-1} e^{z_j}}$$
#
# Each $p_i$ is positive, their sum is 1, and the order stays what it was.
#
# ### Exercise 1: softmax (10 points)
#
# Write `my_softmax(z)` in NumPy, for a vector `z` of any length. It has to give finite answers
# for logits as large as 1000 as well: $e^{1000}$ does not fit into a float. Leave `z` itself
# unchanged.


# %% graded="softmax" points=10
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
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Two steps: exponentials of all elements first, then one division by their sum. NumPy does each
# of them on a whole vector at once; a loop is right too, if it reaches the last element.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# For large logits, use that softmax does not change when the same number is subtracted from every
# logit:
#
# $$\frac{e^{z_i - c}}{\sum_j e^{z_j - c}} = \frac{e^{-c}\, e^{z_i}}{e^{-c} \sum_j e^{z_j}} = p_i$$
#
# Any $c$ is safe on paper. In a computer, choose $c$ so that no exponent is above 0: then the
# largest exponential is exactly 1, the sum is at least 1, and what underflows to 0 was negligible
# anyway.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Negative inputs*: they are logits like any other. An absolute value or a clip changes the
#   answer.
# - *Large inputs*: think about which number you shift by. The mean or the smallest element leaves
#   large exponents.
# - *z is left alone*: `z -= ...` writes into the caller's array. Put the result into a new
#   variable.
#
# </details>

# %% id="softmax_figure" given tags=["figure"]
with utils.needs("Exercise 1"):
    utils.plot_softmax(my_softmax)

# %% [markdown]
# ## 4. The network
#
# **Objective**: build the network, and know what a layer computes · **Time**: 25 minutes ·
# **Success**: your logits and those of Keras on one diagonal
#
# Three dense layers: 25 units, then 15, then 10, one for each digit.
#
# | layer | units | activation | what comes in | what goes out |
# |---|---|---|---|---|
# | input | | | | (m, 400) |
# | hidden 1 | 25 | ReLU | (m, 400) | (m, 25) |
# | hidden 2 | 15 | ReLU | (m, 25) | (m, 15) |
# | output | 10 | linear | (m, 15) | (m, 10), logits |
#
# The output layer is *linear*: the network gives logits, and softmax is left to the **loss**, the
# number that training makes small (section 6). Why? The loss needs the logarithm of a probability.
# Computed in two steps, the probability can round to 0 first, and $\log 0$ is $-\infty$. Computed
# in one step from the logits, the exponential and the logarithm cancel on paper and nothing is lost.

# %% id="overflow" given tags=["figure"]
utils.plot_overflow()

# %% [markdown]
# So: logits from the network, a loss that takes logits (sections 6 and 7), softmax when you want to
# *read* probabilities (section 8).
#
# ### Exercise 2: the model (15 points)
#
# Put the table above into a Keras `Sequential` model named `model`. Say the input's shape, so
# that the weights exist from the start. `Sequential`, `Input` and `Dense` are imported. The seed
# above your code makes the initial weights, and so your results, repeatable.

# %% graded="model" points=15 tags=["raises-exception"]
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

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# `Sequential` takes *one list*: the input first, then a `Dense` for each further line of the
# table, in that order. [The Keras guide](https://keras.io/guides/sequential_model/) shows the
# pattern on another network.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# `Dense` wants the number of units and an `activation`, which may be a name such as `"relu"`.
# `Input` wants a `shape`: that of *one* digit, without the number of rows, and a tuple even for a
# single number: `(5,)` for five inputs.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Units*: count along the table. The order is 25, 15, 10: one output per class.
# - *Activations*: only the hidden layers bend. Nothing may follow the logits: no softmax, no
#   `Dropout`.
# - *Parameters*: a unit has one weight for each input and one bias. Compute the total by hand for
#   the first layer and compare it with `model.summary()`.
# - *Weights to start from*: leave the initialiser to Keras.
#
# </details>

# %% id="summary_of_model" given tags=["figure"]
with utils.needs("Exercise 2"):
    model.summary()
    for number, layer in enumerate(model.layers, 1):
        W, b = layer.get_weights()
        print(f"layer {number}: W {W.shape}, b {b.shape}, {W.size + b.size:,} parameters")

# %% [markdown]
# A column of `W` belongs to one unit, a row to one input. Most of the parameters are in the first
# layer, because 400 pixels meet 25 units there.
#
# ### Exercise 3: one dense layer by hand (10 points)
#
# What does `Dense` do with those arrays? Write `my_dense(a_in, W, b, g)`: the weighted sums plus
# the biases, then the activation `g`. It has to work for one digit, `a_in` of shape (n_in,), and
# for a batch, (m, n_in), without a loop.


# %% graded="dense" points=10
# UNQ_C3
# GRADED CELL: my_dense
def my_dense(a_in, W, b, g):
    """Compute one dense layer for one example or for a batch.

    Parameters
    ----------
    a_in : ndarray, shape (n_in,) or (m, n_in)
        What comes in: one example, or m of them, one per row.
    W : ndarray, shape (n_in, n_out)
        Weights, one column per unit.
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
# <details>
# <summary>Hint 1: a nudge</summary>
#
# It is the formula at the top of section 3, in NumPy, and then `g` of the result. `g` is a
# function: call it.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge, about shapes</summary>
#
# The sum over the inputs is a matrix product. Look at the shapes: (n_in,) times (n_in, n_out) is
# (n_out,), and (m, n_in) times (n_in, n_out) is (m, n_out). The order of the two matters. A bias
# of shape (n_out,) is added to each row by itself: that is broadcasting.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *A batch*: does your code treat the first axis as rows? A transpose that helps one digit
#   breaks a batch.
# - *The bias*: add it before the activation, once for each unit.
# - *The activation*: use the `g` you are given, not one that you know by name.
#
# </details>

# %% [markdown]
# Three of these in a row are the whole network. The next cell feeds 50 digits to yours and to
# Keras.

# %% id="agreement" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 3"):
    a = X[::100]
    for layer, g in zip(model.layers, [relu, relu, linear], strict=True):
        a = my_dense(a, *layer.get_weights(), g)
    utils.plot_agreement(a, model(X[::100]))

# %% [markdown]
# ## 5. Digits to train on, digits to judge by
#
# **Objective**: hold out digits that the network never trains on · **Time**: 25 minutes ·
# **Success**: every digit present in both parts
#
# A network with 10,575 parameters can learn 5,000 digits nearly by heart. How well it does on
# *those* says little; what counts is a digit that it has not seen. So you hold some out, from the
# start. Three words that are often mixed up:
#
# - the **training set** is what the network learns from;
# - a **validation set** is held out to *choose* by: how many units, how many epochs;
# - a **test set** is held out to *judge* by, once, when everything has been chosen.
#
# A set that you choose by is no longer a fair judge: you took what happened to suit it. In this lab
# nothing is chosen (the network and its 40 epochs are given), so one held-out part is enough, and
# it is a test set. `lab_mnist` has an experiment with all three.
#
# Keras offers `validation_split=0.2` to hold out a fifth of the rows. **Predict, then run**: a small
# one-layer network is about to be trained on the other four fifths of `X`, which it sees twice. How
# many of the held-out digits will it read right?
#
# - `"a"`: about 80 %, a little less than of the training rows
# - `"b"`: about 10 %, as a guess would
# - `"c"`: none at all
#
# Put your answer into the next cell in place of the dots. It is not graded.

# %% id="guess_sorted" tags=["figure"]
my_guess = ...

# %% [markdown]
# Now watch:

# %% id="sorted_trap" given tags=["figure"]
keras.utils.set_random_seed(1234)
trial = utils.one_layer_model().fit(X, y, epochs=2, batch_size=500, validation_split=0.2, verbose=0)
print(f"accuracy on the training rows: {trial.history['accuracy'][-1]:.3f}")
print(f"accuracy on the held-out rows: {trial.history['val_accuracy'][-1]:.3f}")
utils.look_back(
    my_guess, "c", "The rows are sorted: no held-out digit was among the training rows."
)

# %% [markdown]
# Good in training, and not one held-out digit right. `validation_split` takes the *last* fifth of
# the rows, before any shuffling. These rows are sorted: the last fifth is all the eights and
# nines, and the network has never seen either.
#
# ### Exercise 4: split the data (15 points)
#
# Write `split_data`. The generator `rng` is given; use it for everything random, so that the same
# seed gives the same split.
#
# - The test part gets `test_fraction` of **each** digit (*stratified*), the training part gets
#   the rest.
# - Every row goes to exactly one part, and takes its label along.
# - Both parts are in shuffled order.
#
# Leave the row numbers in `train` and `test`: the last line uses them.


# %% graded="split" points=15
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

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Work with row *numbers*, not with rows: if you only ever move numbers about, no digit can lose
# its label.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# For one digit: find the numbers of its rows (`np.flatnonzero` of a comparison), shuffle them
# (`rng.permutation`), and cut the shuffled list in two. Do that for each digit in `np.unique(y)`,
# and join the pieces with `np.concatenate`.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Stratified*: one shuffle of all 5,000 rows gives about 100 of each digit, not 100. Cut digit
#   by digit.
# - *Shuffled*: joining the pieces puts the digits in order again. One more permutation, at the
#   end.
# - *Repeatable*: only `rng` may be random; `np.random.shuffle` does not know your seed.
# - *Another fraction, classes of other sizes*: is 0.2, 100 or 1000 written somewhere in your code?
#
# </details>

# %% id="held_out" given
# As long as Exercise 4 cannot be used, this lends you a simple split.
X_train, X_test, y_train, y_test = utils.split_or_lend(lambda: split_data(X.copy(), y.copy()), X, y)

# %% id="split_figure" given tags=["figure"]
utils.plot_split(y_train, y_test)

# %% [markdown]
# From here on, `X_test` and `y_test` are a test set: you read off how well the network does on them,
# and change nothing because of it. Otherwise they are held out in name only.
#
# ## 6. What training does
#
# **Objective**: know what is minimised, and compute one step of it by hand · **Time**: 30 minutes,
# half of it for the exercise · **Success**: your step lowers the loss, and your gradient agrees with
# differences
#
# **Measuring a mistake.** A network gives each digit a probability. The **cross-entropy** looks at
# one of them, that of the right digit, and takes minus its logarithm. Three digits, by hand:
#
# | the right digit gets | $-\ln p$ | in words |
# |---|---|---|
# | 0.90 | 0.11 | right, and sure of it: cheap |
# | 0.50 | 0.69 | half sure |
# | 0.01 | 4.61 | sure of something else: expensive |
#
# The **loss** of these three is the mean, $(0.11 + 0.69 + 4.61) / 3 = 1.80$. Only certainty in the
# right digit costs nothing. A guess gives each digit 1/10 and costs $-\ln(1/10) = 2.30$: remember
# this number. A network that has learnt nothing scores about that; yours will, in a moment.
#
# **The gradient.** Training asks of each logit: would the loss fall if you were a little larger, or
# if you were a little smaller? The answer is one number per logit, the **gradient**. For softmax
# and cross-entropy together it is as simple as it gets. For one row with label $k$,
#
# $$\frac{\partial\, \text{loss}}{\partial z_j} = p_j - [j = k]$$
#
# where $[j = k]$ is 1 at the label and 0 elsewhere (a **one-hot** row). The right digit's element is
# negative, from $p_k - 1$: raise this logit. The others are positive: lower those, in proportion to
# the probability that was wasted on them. Of a batch of $m$ rows the loss is the mean, so each row's
# part is divided by $m$.
#
# ### Exercise 5: the loss and its gradient (15 points)
#
# Write `cross_entropy(logits, y)` in NumPy: from logits (m, N) and integer labels (m,), the mean loss
# of the batch, and its gradient with respect to the logits, (m, N). It has to be right for logits of
# 1000 as well, where a probability rounds to 0. So work out on paper first what $-\ln p_k$ is in
# terms of the logits:
#
# $$-\ln \frac{e^{z_k}}{\sum_j e^{z_j}} = \;?$$


# %% graded="loss" points=15
# UNQ_C5
# GRADED CELL: cross_entropy
def cross_entropy(logits, y):
    """Compute the mean cross-entropy of a batch, and its gradient with respect to the logits.

    Parameters
    ----------
    logits : ndarray, shape (m, N)
        One row per example; left as they are.
    y : ndarray of int, shape (m,)
        Labels from 0 to N - 1.

    Returns
    -------
    loss : float
        The mean over the m rows.
    gradient : ndarray, shape (m, N)
        How the loss changes with each logit.
    """
    m = len(y)
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(m), y].mean()
    gradient = np.exp(log_p)
    gradient[np.arange(m), y] -= 1
    gradient = gradient / m
    ### END SOLUTION
    ### END CODE HERE ###
    return loss, gradient


# %% test="loss" tags=["raises-exception"]
test_cross_entropy(cross_entropy, X, y)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Two results, and most of the work is shared. Get it right for one row first, then for a batch: what
# you wrote in exercise 1 is the beginning, now with `axis=1` and `keepdims=True`, so that each row
# keeps its own largest logit and its own sum.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# The logarithm of a quotient is a difference of two logarithms, and one of them undoes its
# exponential: what is left is the logarithm of the sum, minus the logit itself. No probability
# appears, so none can round to 0. Shift each row first, as in exercise 1.
#
# To pick from each row the column of its label, NumPy wants two lists of the same length: the row
# numbers and the column numbers. `a[[0, 1, 2], [3, 1, 4]]` picks three elements, one from each row.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *All logits 0*: the loss is 2.303 for ten digits, whatever the labels are. A multiple of that is
#   a sum in place of a mean, or a mean over too much.
# - *Logits of 1000*: `inf` or `nan` means that a probability was computed first. A small number
#   added to it hides that, and gives a wrong loss.
# - *The gradient*: 1 is taken away at one place in each row; `p[y]` is whole rows. Is the mean in it?
# - *Loss and gradient belong together*: move one logit by 0.01. The loss should change by 0.01 times
#   its element.
#
# </details>

# %% [markdown]
# Your network has weights, and has not learnt anything yet. Its loss on the training rows should be
# near that of a guess:

# %% id="untrained_loss" tags=["figure"] given
with utils.needs("Exercise 2", "Exercise 5"):
    untrained_loss, _ = cross_entropy(utils.logits_of(utils.fresh(model), X_train), y_train)
    print(f"untrained: {untrained_loss:.2f}; a guess: {np.log(10):.2f}")

# %% [markdown]
# **One step.** Take the smallest network there is: one layer, its logits $XW$, all weights 0. From
# the logits' gradient follows that of the weights, $X^T$ times it: a weight matters as much as the
# pixels it is multiplied with. A step moves all weights against the gradient:
#
# $$W \leftarrow W - \text{learning rate} \times X^T \frac{\partial\, \text{loss}}{\partial z}$$
#
# The next cell takes that step with *your* gradient, on all training rows, and checks one weight by
# differences: moved up and down a little, does the loss change as the gradient says?

# %% id="one_step" given tags=["figure"]
with utils.needs("Exercise 5"):
    utils.plot_one_step(cross_entropy, X_train, y_train)

# %% [markdown]
# After a single step, each column of weights drawn as a picture begins to look like its own digit:
# bright where ink speaks for it, dark where ink speaks against it. Nobody told it what a 3 is.
#
# How long should a step be? That is the **learning rate**. Here are thirty steps with three of them:

# %% id="learning_rates" given tags=["figure"]
with utils.needs("Exercise 5"):
    utils.plot_learning_rates(cross_entropy, X_train, y_train)

# %% [markdown]
# Too small, and you wait. Too large, and the first steps jump across the valley and up the other
# side: the loss is many times that of a guess before it falls.
#
# **Three more words.** A **batch** is the rows of which one step takes the mean gradient: 32 here,
# because a rough gradient 125 times is worth more than an exact one once. An **epoch** is one pass
# over all training rows: 125 such steps. **Adam** gives each weight a step length of its own, from
# the recent size of its gradients, and keeps some of the direction of the steps before.
#
# In a network with hidden layers the gradient is handed back, layer by layer, by the chain rule: this
# is *backpropagation*, and Keras does it for you. The explorer at the end of this lab shows it in
# your own network, on its *Learning* panel: the same gradient, checked against differences, and the
# same step.
#
# One thing that nobody sees: where Keras is given probabilities, it clips them to between $10^{-7}$
# and $1 - 10^{-7}$ before the logarithm. So no loss is infinite, and none is above 16.1. The network
# that is most wrong gets no gradient from the clipped part; with logits nothing is clipped.
#
# ## 7. Training
#
# **Objective**: train the network, and read its learning curves · **Time**: 12 minutes ·
# **Success**: held-out accuracy of about 0.92
#
# `compile` says how a mistake is measured and how the weights are moved; `fit` does it.
#
# ### Exercise 6: compile and fit (10 points)
#
# Compile `model` and train it. Decide for yourself:
#
# - **Loss**: the cross-entropy of section 6, for labels that are integers and outputs that are
#   logits. `keras.losses` has several; one word in their names tells them apart.
# - **Optimizer**: Adam, with a learning rate of a thousandth.
# - **Metric**: while it trains, you want to read how many digits it gets right.
# - **Rows**: which of the arrays of section 5 may it learn from?
#
# The rest is given: add `**speed` to what you give `compile`, and `**schedule` to what you give `fit`.
# (Two stars hand the entries of a dictionary on as arguments.) Keep what `fit` returns in `history`.

# %% id="callbacks" given
callbacks, recorder = utils.training_callbacks(
    X_test, y_test
)  # held-out figures, one line of progress
schedule = {"epochs": 40, "batch_size": 32, "verbose": 0, "callbacks": callbacks}
speed = {"steps_per_execution": 125}  # an epoch at a time: the same weights in half the time

# %% graded="train" points=10 tags=["raises-exception"]
# UNQ_C6
# GRADED CELL: compile and fit
keras.utils.set_random_seed(1234)

### START CODE HERE ###
### BEGIN SOLUTION
model.compile(
    loss=SparseCategoricalCrossentropy(from_logits=True),
    optimizer=Adam(learning_rate=0.001),
    metrics=["accuracy"],
    **speed,
)
history = model.fit(X_train, y_train, **schedule)
### END SOLUTION
### END CODE HERE ###

# %% test="train" tags=["raises-exception"]
test_training(model, history, X_train, y_train, X_test, y_test)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Two calls, `model.compile(...)` and `model.fit(...)`. The first three decisions are arguments of
# `compile`, by the names that the list gives them (metrics are a list), the last one goes to `fit`.
# The second call returns something that you need.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# The loss and the optimizer are objects here, not names: you make each of them with its own
# argument. *Sparse* means that a label is one integer. Your output layer gives logits, so the loss
# has to apply softmax itself; look for the argument in [its
# documentation](https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class).
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Accuracy near 0.2, or a loss that stays put*: the loss takes your logits for probabilities.
# - *Training rows only*: `fit` gets two of the four arrays of section 5, never `X` and `y`.
# - *I want to start again*: `fit` goes on from the weights that are there. Run Exercise 2's cell
#   first, then the one that makes `callbacks`, then this one.
#
# </details>
#
# **Predict, then run.** You are about to see loss and accuracy after each of the 40 epochs, on the
# training rows and on the held-out ones. What does the *loss on the held-out rows* do in the end?
#
# - `"a"`: it falls to the end, like that of the training rows
# - `"b"`: it falls, levels off, and then rises again
# - `"c"`: it rises from the beginning

# %% id="guess_curves" tags=["figure"]
my_guess = ...

# %% id="curves" given tags=["figure"]
with utils.needs("Exercise 6"):
    utils.plot_history(history)
    utils.look_back(my_guess, "b", "The ring marks the epoch at which it is least.")

# %% [markdown]
# Read the two curves together. On the training rows the network gets better until the end, almost
# to 1. On the held-out rows the loss has its least value somewhere between epoch 15 and 30, and rises
# from there, while the accuracy stays or still creeps up by a few thousandths: the network does not
# read more digits wrongly, it becomes too sure of the wrong ones. What it learns from there on is these
# 4,000 digits by heart. That is **overfitting**, and the distance between the two curves is the
# **generalisation gap**. A network is as good as its *held-out* accuracy; a report of 99 % that does
# not say on which digits may mean the other one.
#
# ## 8. What it predicts, and where it fails
#
# **Objective**: get digits and probabilities for many rows in one call; know the mistakes ·
# **Time**: 15 minutes · **Success**: a strong diagonal
#
# One held-out digit first, on its way through the network: pixels, the units of both hidden
# layers, ten logits, ten probabilities. A unit whose bar is 0 is switched off by its ReLU.

# %% id="one_prediction" given tags=["figure"]
with utils.needs("Exercise 1", "Exercise 6"):
    utils.plot_prediction(model, X_test[0], y_test[0], my_softmax)

# %% [markdown]
# ### Exercise 7: predict a batch (10 points)
#
# Write `predict_digits(model, X)`: from a batch of rows to the digits and their probabilities.
# Call `model.predict` once for all rows: each call has a fixed cost, and a thousand calls pay it
# a thousand times. With `batch_size=len(X)` it computes them in one piece too, and with
# `verbose=0` without a progress bar. The model gives logits; you want probabilities.


# %% graded="predict" points=10
# UNQ_C7
# GRADED CELL: predict_digits
def predict_digits(model, X):
    """Predict a batch of digits in one call.

    Parameters
    ----------
    model : keras.Model
        Gives 10 logits per row.
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
    logits = model.predict(X, batch_size=len(X), verbose=0)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    digits = np.argmax(probabilities, axis=1)
    ### END SOLUTION
    ### END CODE HERE ###
    return digits, probabilities


# %% test="predict" tags=["raises-exception"]
test_predict_digits(predict_digits, model, X)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Three steps: logits for the batch, probabilities row by row, the position of the largest one in
# each row.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# `my_softmax` is for one vector. Use it row by row, or do the same steps on the array with
# `axis=1` and `keepdims=True`; without `keepdims`, (m, 10) and (m,) do not fit together.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Digits, one per row*: `argmax` without an axis gives one number for the whole array, with
#   `axis=0` ten numbers.
# - *Probabilities*: a value above 1 or below 0 is a logit.
# - *One row*: a batch of one is `X[:1]`, shape (1, 400). `X[0]` has lost its batch axis.
#
# </details>

# %% id="predictions" given tags=["figure"]
with utils.needs("Exercise 7"):
    digits, probabilities = predict_digits(model, X_test)
    utils.plot_predictions(X_test, y_test, digits)

# %% [markdown]
# **Predict, then run.** A **confusion matrix** has a row for each label and a column for each
# prediction; what is right stands on the diagonal. Your network reads about 92 of 100 digits right.
# The other 8 are in 90 cells. How many of them are in the ten fullest of these cells?
#
# - `"a"`: about a tenth: no two digits are confused more than others
# - `"b"`: a third to a half: some pairs look alike
# - `"c"`: nearly all: only these pairs are confused

# %% id="guess_confusion" tags=["figure"]
my_guess = ...

# %% id="confusion" given tags=["figure"]
with utils.needs("Exercise 7"):
    utils.plot_confusion(y_test, digits)
    utils.look_back(my_guess, "b", utils.share_of_pairs(y_test, digits))

# %% [markdown]
# Off the diagonal, look for pairs: which digits are taken for each other, and is it mutual? Then
# look at the mistakes themselves. In some of them you would hesitate too; in others the network
# has no excuse, and is sure all the same.

# %% id="mistakes" given tags=["figure"]
with utils.needs("Exercise 7"):
    utils.plot_mistakes(X_test, y_test, digits, probabilities)

# %% [markdown]
# ## 9. Your own handwriting
#
# **Objective**: make a photograph look like a row of `X` · **Time**: 40 minutes · **Success**: at
# least 10 of the 12 photographs read right
#
# A network knows one kind of picture: the kind it was trained on. A photograph differs in
# everything: colour, dark ink on light paper, uneven light, size, place. Give it as it is, and
# the answer is worthless. These twelve are synthesised from MNIST digits to look like
# photographs: paper, pens, shadows and all.
#
# **Predict, then run.** If they are only made 20 by 20 and grey, and nothing else, how many of the
# twelve will the network read right?
#
# - `"a"`: nearly all; it has learnt what digits look like
# - `"b"`: about half
# - `"c"`: one or two, as a guess would

# %% id="guess_photos" tags=["figure"]
my_guess = ...

# %% id="photo" given tags=["figure"]
photos, photo_labels = utils.load_handwriting()
utils.plot_photos(photos, photo_labels)
with utils.needs("Exercise 6", "Exercise 7"):
    careless = np.array([utils.only_resized(photo) for photo in photos])
    n_right = int((predict_digits(model, careless)[0] == photo_labels).sum())
    utils.look_back(my_guess, "c", f"Right as they are: {n_right} of 12.")

# %% [markdown]
# ### Exercise 8: preprocess (15 points)
#
# Write `preprocess(image)`: from a photograph, an array of whole numbers 0 to 255, to a row of
# 400. This is the way MNIST's digits were made, and then these 20x20 ones:
#
# 1. **Grey**, 0 to 1. `image` may be grey, RGB or RGBA. What is transparent has black underneath:
#    lay the picture on a white sheet first (`Image.alpha_composite`), then convert it
#    (`.convert("L")`).
# 2. **Ink bright, paper 0.** The paper is not white, and not equally lit.
#    `utils.paper_light(grey)` gives the paper's own brightness at each pixel: how much darker
#    than that is the picture? Scale the ink to 1, and set what is faint (below 0.3, say: noise,
#    shadows, printed lines) to 0.
# 3. **Crop** to the ink: the rows and columns from the first pixel that is clearly ink (above
#    0.5) to the last.
# 4. **Scale** so that the longer side is 20 pixels and the shape is kept: `utils.resize(picture,
#    height, width)`.
# 5. **Centre**: `utils.centre_by_mass(picture, 28)` puts it on a 28x28 square, its centre of mass
#    in the middle.
# 6. **20x20**: `utils.resize` once more, and unroll the picture in the order of `X`.


# %% graded="preprocess" points=15
# UNQ_C8
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
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Do one step at a time and look at it: `utils.plot_picture(ink)` draws any 2-D array.
# `Image.fromarray(image)` makes a Pillow picture of an array, `np.asarray(picture)` an array of a
# picture.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# Step 1: `.convert("RGBA")` makes all three forms alike, and `Image.new("RGBA", size, "white")`
# is a white sheet. Step 2: ink is where paper minus picture is large. Step 3: `np.nonzero` of a
# comparison gives the rows and the columns of all ink pixels; their smallest and largest are the
# edges of the box. Step 4: one factor for both sides, and at least one pixel each.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *Ink bright*: if the corners of your result are near 1, it is not inverted.
# - *Transparent pictures*: a frame of ink around the digit is the black under the transparent
#   part.
# - *Crop*: a slice ends *before* its second number.
# - *Uneven paper*: how dark is ink *beside the paper around it*? A fixed grey does not know.
# - *Margin*: a digit of 20 pixels belongs on a 28x28 square before it becomes 20x20.
# - *A wide sign*: `resize` wants the height first, then the width.
# - *Column order*: look at the two pictures in section 2 again. Which `order` did the upright one
#   have?
# - *Range*: a value above 2 has been left at 0 to 255.
#
# </details>

# %% id="preprocessed" given tags=["figure"]
with utils.needs("Exercise 8"):
    utils.plot_preprocess(photos[0], preprocess(photos[0]), photo_labels[0])

# %% id="handwriting" given tags=["figure"]
with utils.needs("Exercise 7", "Exercise 8"):
    photo_rows = np.array([preprocess(photo) for photo in photos])
    photo_digits, photo_probabilities = predict_digits(model, photo_rows)
    utils.plot_handwriting(photo_rows, photo_labels, photo_digits, photo_probabilities)

# %% [markdown]
# **Now yours.** Write one digit on paper with a dark pen, take a photograph, crop it roughly, and
# save it beside this notebook as `my_digit.png` or `my_digit.jpg`. Then run the next cell. A
# drawing program on white does as well. If the network gets it wrong, look at the picture on the
# right: would *you* read it?

# %% id="own_picture" given tags=["figure"]
own = utils.find_own_picture()  # my_digit.png or my_digit.jpg
with utils.needs("Exercise 7", "Exercise 8"):
    if own:
        row = preprocess(utils.read_image(own))
        utils.plot_preprocess(utils.read_image(own), row)
        digit, probability = predict_digits(model, row[np.newaxis])
        print(f"The network reads a {digit[0]}, with probability {probability.max():.1%}.")
    else:
        print("There is no my_digit.png or my_digit.jpg beside this notebook yet.")

# %% [markdown]
# ## 10. Look inside, and where next
#
# **Objective**: follow one digit through *your* network · **Time**: 5 minutes, or as long as you
# like · **Success**: the explorer's prediction is yours
#
# The explorer draws your own network. Step through a prediction unit by unit, draw a digit,
# change a weight, move the epoch slider back to the beginning, or click a mistake in the
# confusion matrix and find the units responsible. Its *Learning* panel shows section 6 in your own
# network: the gradient of one digit's loss, weight by weight, and a step against it.

# %% id="explorer" given tags=["figure"]
with utils.needs("Exercise 6"):
    utils.explore(model, X_test, y_test, recorder, history)

# %% [markdown]
# **Where next.** `lab_mnist.ipynb` goes on with all 70,000 digits at 28x28: deeper networks, what
# 100 epochs do, why some write-ups report 99.8 %, and your photographs again. On the way there,
# try this network with 5 hidden units, or with 100; try 10 epochs; give `preprocess` a photograph
# without cropping it, and watch the answer.
#
# **Glossary**
#
# | word | what it means here |
# |---|---|
# | logits | the ten numbers that the network gives, one per digit, before the softmax |
# | softmax | turns logits into probabilities: positive, in the same order, with sum 1 |
# | cross-entropy | minus the logarithm of the probability of the right digit |
# | gradient | for each number that can be changed: how the loss changes with it |
# | learning rate | how far a step goes against the gradient |
# | batch | the rows that one step looks at |
# | epoch | one pass over all training rows |
# | training set | what the network learns from |
# | validation set | held out, to choose by |
# | test set | held out, to judge by, once |
# | overfitting | learning the training rows by heart |
# | generalisation gap | the distance between the figures on training rows and on held-out ones |
#
# **Your score.** The next cell sums up the public checks. Marking runs further checks of the same
# kind on inputs that you have not seen: they look for the same things, so code that does what the
# exercise says passes them as well.

# %% id="score" given tags=["figure"]
summary()
