# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # MNIST: the classic beginnings, side by side
#
# Everybody's first network reads MNIST, and there are a thousand write-ups of it: one hidden layer
# and 97 %, five epochs or ten, a deep one with learning curves, a confusion matrix, a photograph of
# one's own, and one that reports 99.8 %. Here they are, each with its own numbers, side by side: you
# build two networks of your own, and the notebook lays two more beside them. Five exercises that are
# checked and two questions that a person reads, 60 points, two to three hours. Do `lab_digits`
# first.
#
# **After this lab you can** reproduce a published figure, and say on which digits it was measured;
# read learning curves and a confusion matrix; choose between networks on a validation set and judge
# the chosen one once, on a test set; bring a photograph into the form that a network was trained on.
#
# **What you should know before**: softmax, cross-entropy, epochs and batches, as in `lab_digits`.
#
# | section | exercise | points | minutes |
# |---|---|---|---|
# | 1. Packages | | | 2 |
# | 2. The digits | | | 5 |
# | 3. From pictures to rows | 1, prepare | 10 | 10 |
# | 4. The baseline | 2, baseline | 10 | 16 |
# | 5. The deep one, and the 99.8 % | 3, deep network; a question | 10 + 5 | 35 |
# | 6. Where it errs | 4, confusion matrix | 10 | 20 |
# | 7. A photograph | 5, photograph | 10 | 40 |
# | 8. An experiment | | | 15 |
# | 9. Side by side, and who is missing | a question | 5 | 20 |
#
# **How it works.** Write your code between `### START CODE HERE ###` and `### END CODE HERE ###`,
# in place of `raise NotStarted`. Run the cell, then the check below it. Under each exercise there
# are hints, from a nudge to a bigger nudge; none of them is the answer. You can leave an exercise out
# and go on: where a later cell needs it, the cell says so. The two questions are answered in words.
#
# Four words, as in `lab_digits`: the **training set** is learnt from; a **validation set** is held out
# to choose by; a **test set** is held out to judge by, once; the **generalisation gap** is the distance
# between the figures on training digits and on held-out ones.

# %% [markdown]
# ## 1. Packages
#
# **Objective**: load what the lab uses · **Time**: 2 minutes · **Success**: one line with versions

# %% id="packages" given
import os

assert os.path.exists("utils_mnist.py"), (
    f"There is no utils_mnist.py in {os.getcwd()}: open lab_mnist.ipynb from the folder it came in."
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up notes from TensorFlow

import numpy as np
from PIL import Image

import utils
import utils_mnist

utils.check_packages()
with utils.quiet_start():
    import keras
    import tensorflow as tf
from keras import Input, Sequential
from keras.layers import Dense, Flatten

from public_tests import NotStarted, summary
from public_tests_mnist import (
    EXERCISES,
    test_baseline,
    test_confusion,
    test_deep,
    test_photo,
    test_prepare,
)

print(f"Ready: Keras {keras.__version__}, TensorFlow {tf.__version__}, NumPy {np.__version__}")

# %% [markdown]
# ## 2. The digits
#
# **Objective**: know which digits you have, and what one is made of · **Time**: 5 minutes ·
# **Success**: ten classes, and a digit that you can read off its numbers
#
# MNIST is 70,000 digits: 60,000 to train on and 10,000 to judge by, each 28 by 28 pixels. Keras can
# fetch them (`keras.datasets.mnist`, 11 MB). The next cell looks for them in Keras's cache, in
# `Data/mnist.npz`, and on the network, in this order. If none of the three has them, the lab goes
# on with the 5,000 that came with it: everything works, the numbers are lower, and each figure to
# expect is given for both.

# %% id="full_set" given tags=["figure"]
source = utils_mnist.find_full_set()

# %% id="load" given
x_train, y_train, x_test, y_test = utils_mnist.load_digits()

# %% id="first_look" given tags=["figure"]
print("to train on:", x_train.shape, x_train.dtype, "  labels:", y_train.shape, y_train[:10])
print("to judge by:", x_test.shape, x_test.dtype, "   labels:", y_test.shape, y_test[:10])

# %% [markdown]
# Of the 5,000, every fifth digit of each class is held out (*stratified*): 4,000 to train on, 1,000
# to judge by. The 70,000 come divided, and everybody divides them like that, which is what makes
# write-ups comparable.

# %% id="classes" given tags=["figure"]
utils_mnist.plot_classes(x_train, y_train)

# %% [markdown]
# One digit, with all there is to know about it: 784 numbers between 0 (paper) and 255 (ink). Ink is
# bright here, as in `lab_digits`, but a zero is labelled 0 and the pixels have not been resized.

# %% id="first_image" given tags=["figure"]
utils_mnist.plot_first(x_train[0], y_train[0])

# %% [markdown]
# ## 3. From pictures to rows
#
# **Objective**: give the network numbers it can work with · **Time**: 10 minutes · **Success**: the
# same histogram twice, over 0 to 255 and over 0 to 1
#
# A `Dense` layer takes a row of numbers, and it learns best from numbers of order 1: the random
# weights that Keras starts from are made for such inputs (numbers up to 255 would make sums, and
# gradients, hundreds of times too large). So two things happen to each picture: its bytes are scaled
# to fractions, and it is unrolled into a row.
#
# ### Exercise 1: prepare (10 points)
#
# Write `prepare(images)`: images of shape (m, 28, 28), bytes from 0 to 255, become rows of shape
# (m, 784), fractions from 0 to 1.
#
# - 0 stays 0 and 255 becomes 1, whatever else is in the batch: the same grey always gets the same
#   value.
# - A row reads like a page: the first line of pixels first, each from left to right.
# - It has to work for any number of images, one included, and `images` stays as it is.


# %% graded="prepare" points=10
# UNQ_M1
# GRADED CELL: prepare
def prepare(images):
    """Scale and unroll images for a dense network.

    Parameters
    ----------
    images : ndarray of uint8, shape (m, 28, 28)
        0 is paper, 255 is ink; left as they are.

    Returns
    -------
    ndarray of float, shape (m, 784)
        One row per image, from 0 to 1.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    rows = images.reshape(len(images), -1) / 255
    ### END SOLUTION
    ### END CODE HERE ###
    return rows


# %% test="prepare" tags=["raises-exception"]
test_prepare(prepare)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Two things, in either order: one division, one change of shape. NumPy does each for the whole
# batch at once.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# `reshape` can be told the number of rows and left to work out the rest: -1 stands for "as many as
# it takes". For the division, ask what the largest value of a *byte* is.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *From 0 to 1*: `//` and integer types throw the fractions away.
# - *The order of the pixels*: only `reshape`, without a transpose and without another `order`,
#   keeps each image together and reads it line by line.
# - *Dark images*: dividing by `images.max()` makes a dark batch bright.
#
# </details>

# %% id="rows" given
X_train, X_test = utils_mnist.prepare_or_lend(prepare, x_train, x_test)

# %% id="range" given tags=["figure"]
utils_mnist.plot_range(x_train[:1000], X_train[:1000])

# %% [markdown]
# ## 4. The baseline
#
# **Objective**: the network that every tutorial starts with · **Time**: 16 minutes · **Success**: a
# test accuracy beside the one that the write-ups report
#
# | layer | units | activation | what goes out |
# |---|---|---|---|
# | input | | | (m, 784) |
# | hidden | 128 | ReLU | (m, 128) |
# | output | 10 | softmax | (m, 10), probabilities |
#
# The write-ups that you reproduce put the softmax *into* the network. That is simple to read: what
# comes out are probabilities. (In `lab_digits` the softmax sat in the loss, which is more exact
# with very small probabilities. Either is right; mixing them is not: the loss has to be told what
# it is given, or left to assume probabilities, as here.)
#
# Many write-ups turn each label into a **one-hot** row first, ten numbers of which nine are 0, with
# `keras.utils.to_categorical`, and use the *categorical* cross-entropy. The *sparse* one computes the
# same from the integers, without the detour.
#
# ### Exercise 2: the baseline (10 points)
#
# Make the network of the table as a `Sequential` model named `baseline`, and compile it: optimizer
# Adam, the sparse categorical cross-entropy as loss (the labels are integers), and
# `metrics=["accuracy"]`. Do not fit it yet.

# %% graded="baseline" points=10 tags=["raises-exception"]
# UNQ_M2
# GRADED CELL: baseline
keras.utils.set_random_seed(1234)

### START CODE HERE ###
### BEGIN SOLUTION
baseline = Sequential(
    [
        Input(shape=(784,)),
        Dense(128, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
baseline.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
### END SOLUTION
### END CODE HERE ###

# %% test="baseline" tags=["raises-exception"]
test_baseline(baseline)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# One list for `Sequential`: the input's shape first, then a `Dense` for each line with units. Then
# one call of `baseline.compile`.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# Activations, optimizers and losses can be given by name, in lower case, with underscores between
# words: `"mean_squared_error"` would be such a name. "Sparse" means that a label is one integer,
# not ten zeros and ones.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *The input*: the shape of *one* row, as a tuple, without the number of rows. If you prefer to
#   begin with pictures, (28, 28), the first layer has to be `Flatten()`.
# - *The output layer*: one unit per class, and probabilities.
# - *The loss*: `from_logits=True` belongs to a network without a softmax.
#
# </details>

# %% [markdown]
# Now five epochs, as the shortest of the write-ups has it. One line of progress is written over;
# the figures come after it. An epoch shows the network each training digit once, 32 at a time. The
# accuracy in the line of progress is the mean over an epoch, while the network still changes; the
# figures below it are measured when training has ended, and so are a little higher.

# %% id="five_epochs" given tags=["figure"]
results = utils_mnist.Results(X_train, y_train, X_test, y_test)
callbacks, recorder = utils_mnist.watchers()
with utils.needs("Exercise 2"):
    baseline.fit(
        utils_mnist.as_input(baseline, X_train), y_train, epochs=5, verbose=0, callbacks=callbacks
    )
    results.add("baseline, 5 epochs", baseline, 5, callbacks[0].seconds, batch=32)
    # Keras's own way to say the same: the loss, and the metrics that compile was given.
    test_loss, test_accuracy = baseline.evaluate(
        utils_mnist.as_input(baseline, X_test), y_test, batch_size=500, verbose=0
    )
    print(f"evaluate: loss {test_loss:.4f}, accuracy {test_accuracy:.2%}")
print("The write-up: 97.67 % of the test digits, after training on all 60,000.")
utils_mnist.expected("97.0 to 97.9 % of the test digits", "92 to 93 % of the test digits")

# %% [markdown]
# Another write-up has the same network at ten epochs. Training simply goes on:

# %% id="ten_epochs" given tags=["figure"]
with utils.needs("Exercise 2"):
    baseline.fit(
        utils_mnist.as_input(baseline, X_train),
        y_train,
        initial_epoch=5,
        epochs=10,
        verbose=0,
        callbacks=callbacks,
    )
    results.add("baseline, 10 epochs", baseline, 10, callbacks[0].seconds, batch=32)
utils_mnist.expected("97.2 to 98.1 % of the test digits", "92.5 to 94 % of the test digits")

# %% [markdown]
# Five more epochs bought a good deal on the training digits and little on the others. Keep that in
# mind.
#
# ## 5. The deep one, and the 99.8 %
#
# **Objective**: see overfitting happen · **Time**: 35 minutes · **Success**: two curves that part,
# and the epoch at which the loss on the test digits is least
#
# The next write-up stacks three hidden layers and trains for a hundred epochs:
#
# | layer | units | activation |
# |---|---|---|
# | input | | (784 numbers) |
# | hidden 1 | 128 | ReLU |
# | hidden 2 | 64 | ReLU |
# | hidden 3 | 16 | ReLU |
# | output | 10 | softmax |
#
# ### Exercise 3: the deep network (10 points)
#
# Make it, name it `deep`, compile it as you did the baseline, and fit it to the training rows:
# **100 epochs**, **batches of 1000**, the test rows as **validation data**, `verbose=0` and
# `callbacks=[watch]`. Keep what `fit` returns as `deep_history`.
#
# Nothing is learnt from what Keras calls `validation_data`: it is looked at after each epoch. The
# write-up looks at its test set, and so do you here, to see the same curves. As long as nobody chooses
# anything by them, it stays a test set; in section 8 you choose, and so hold out a third part.

# %% id="watch" given
watch = utils_mnist.watch()  # one line of progress, and a clock

# %% [markdown]
# **Predict, then run.** After 100 epochs the network will read practically all of its training digits
# right. Between epoch 50 and epoch 100, what will happen to the *loss* on the test digits?
#
# - `"a"`: it falls, but more slowly
# - `"b"`: it stands still, as the accuracy does
# - `"c"`: it rises, while the accuracy stands still

# %% id="guess_curves" tags=["figure"]
my_guess = ...

# %% graded="deep" points=10 tags=["raises-exception"]
# UNQ_M3
# GRADED CELL: deep
keras.utils.set_random_seed(1234)

### START CODE HERE ###
### BEGIN SOLUTION
deep = Sequential(
    [
        Input(shape=(784,)),
        Dense(128, activation="relu"),
        Dense(64, activation="relu"),
        Dense(16, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
deep.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
deep_history = deep.fit(
    X_train,
    y_train,
    epochs=100,
    batch_size=1000,
    validation_data=(X_test, y_test),
    verbose=0,
    callbacks=[watch],
)
### END SOLUTION
### END CODE HERE ###

# %% test="deep" tags=["raises-exception"]
test_deep(deep, deep_history, X_train, y_train, X_test, y_test)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# The network is the baseline with two more layers. All that is new is in `fit`; its arguments have
# the names that the exercise uses for them, with underscores.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# `fit` takes the rows and the labels first, then arguments by name. Validation data are one tuple
# of rows and labels. Batches are an argument of `fit`, not of `compile`.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *100 epochs*: `deep_history` is the result of `fit`, not of `compile`.
# - *Batches of 1000*: the check counts the batches of an epoch. 125 of them for 4,000 rows (1,875
#   for 60,000) means batches of 32.
# - *Validation data*: `validation_split` holds out a part of the *training* rows, which is not
#   what was asked.
# - *Training rows only*: running `fit` a second time goes on from where the first ended; run the
#   whole cell.
#
# </details>

# %% id="deep_result" given tags=["figure"]
with utils.needs("Exercise 3"):
    results.add("deep, 100 epochs", deep, len(deep_history.epoch), watch.seconds)
utils_mnist.expected(
    "97.3 to 98.1 % of the test digits, 99.8 % or more in training",
    "92.5 to 94 % of the test digits, 100 % in training",
)

# %% id="curves" given tags=["figure"]
with utils.needs("Exercise 3"):
    utils.plot_history(deep_history, "test digits")
    test_losses = deep_history.history["val_loss"]
    utils_mnist.look_back(
        my_guess,
        "c",
        f"It is {test_losses[49]:.3f} after 50 epochs and {test_losses[-1]:.3f} after "
        f"{len(test_losses)}; the ring marks the epoch at which it is least.",
    )

# %% [markdown]
# Up to the ring the network learns what a digit looks like. After it, the training loss goes on
# falling and the test loss rises: what is learnt from there on is *these* training digits, their
# blots and slips. That is **overfitting**. Note that the test accuracy hardly moves: the network
# does not make more mistakes, it makes them with more confidence, and the loss charges for that.
#
# **Why one write-up can say 99.8 %.** Because it is true, of the training digits. Here are both
# accuracies of *one* network:

# %% id="two_accuracies" given tags=["figure"]
with utils.needs("Exercise 3"):
    utils_mnist.plot_two_accuracies(deep_history)

# %% [markdown]
# Trained on all 60,000, a dense network of this size stops near 98 % on digits that it has not seen
# (near 93 % with the 4,000), whatever it reaches on those it has.
#
# ### Question 1 (5 points)
#
# *A report says: "Our network reads 99.8 % of handwritten digits."* What do you ask its authors, and
# why? Write four to eight sentences into the next cell. A person reads them, and looks for: on which
# digits it was measured; whether anything was trained on them or chosen by them; how sure one can be
# of the figure; what it costs to be wrong.

# %% [markdown] written="report" points=5
# **On which digits?** Of the training set, 99.8 % is what memory gives; ask for digits held out from
# training, and for the figure on both. **Chosen by what?** If epochs or layers were chosen by the test
# set, its figure flatters; a validation set should have been chosen by, and the test set read once.
# **How sure?** Of 10,000 digits 20 errors are 20 give or take 9; ask how many digits and how many runs.
# **Whose digits, and which errors?** Other writers, pens and cameras; which digits go wrong, how sure the
# network is of its errors, and what one of them costs.

# %% [markdown]
# ## 6. Where it errs
#
# **Objective**: from one number to a hundred · **Time**: 20 minutes · **Success**: the pair of
# digits that your network confuses most
#
# "97.6 %" does not say which digits go wrong, nor what they are taken for. A **confusion matrix**
# does: a row for each label, a column for each prediction, and in row 4, column 9 how often a 4
# was read as a 9.
#
# ### Exercise 4: the confusion matrix (10 points)
#
# Write `confusion_matrix(y_true, y_pred)` with NumPy, without a library's own. It returns the
# *counts*, shape (10, 10): ten rows and ten columns even where a digit does not occur.


# %% graded="confusion" points=10
# UNQ_M4
# GRADED CELL: confusion_matrix
def confusion_matrix(y_true, y_pred):
    """Count how often each label was read as each digit.

    Parameters
    ----------
    y_true, y_pred : ndarray of int, shape (m,)
        Labels, and what a network read; 0 to 9.

    Returns
    -------
    ndarray, shape (10, 10)
        A row for each label, a column for each prediction.
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    matrix = np.zeros((10, 10), dtype=int)
    np.add.at(matrix, (y_true, y_pred), 1)
    ### END SOLUTION
    ### END CODE HERE ###
    return matrix


# %% test="confusion" tags=["raises-exception"]
test_confusion(confusion_matrix)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Begin with a matrix of zeros. Each digit adds 1 to one place of it.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# A loop over both arrays at once (`zip`) is fine: 10,000 digits take some milliseconds. Which of
# the two numbers is the row?
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *A first example*: if every place holds 0 or 1, look at what `matrix[rows, columns] += 1` does
#   with a pair that occurs twice.
# - *Digits that do not occur*: the size of the matrix is 10, not the largest digit that you see.
#
# </details>

# %% id="predictions" given tags=["figure"]
with utils.needs("Exercise 2"):
    probabilities = utils_mnist.predict(baseline, X_test)
    digits = probabilities.argmax(axis=1)
    print(f"The baseline reads {(digits == y_test).mean():.2%} of {len(y_test):,} test digits.")

# %% [markdown]
# **Predict, then run.** The deep network makes about as many mistakes as the baseline. Are they the same
# ones? Of the test digits that the baseline reads wrongly, how many does the deep network read *right*?
#
# - `"a"`: fewer than a tenth: what is hard for one network is hard for the other
# - `"b"`: some, a tenth to two thirds of them
# - `"c"`: more than two thirds: each network has mistakes of its own

# %% id="guess_confusion" tags=["figure"]
my_guess = ...

# %% id="confusion_figure" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 4"):
    matrix = confusion_matrix(y_test, digits)
    utils_mnist.plot_confusion(matrix)

# %% [markdown]
# The deep network's, of the same digits. Are they the same pairs? And are they the same digits?

# %% id="deep_confusion" given tags=["figure"]
with utils.needs("Exercise 3", "Exercise 4"):
    deep_probabilities = utils_mnist.predict(deep, X_test)
    deep_digits = deep_probabilities.argmax(axis=1)
    utils_mnist.plot_confusion(confusion_matrix(y_test, deep_digits))
    with utils.needs("Exercise 2"):
        wrong = digits != y_test
        better = (wrong & (deep_digits == y_test)).sum()
        worse = (~wrong & (deep_digits != y_test)).sum()
        utils_mnist.look_back(
            my_guess,
            "b",
            f"Of {wrong.sum()} that the baseline reads wrongly, the deep network reads {better} right; "
            f"of those that the baseline reads right, it reads {worse} wrongly.",
        )

# %% [markdown]
# Counts tell how much work the mistakes make; rates, each row divided by its sum, tell how hard a
# digit is, however often it occurs. Which digit is the hardest for your network? And which
# other digit is it taken for most often? (Of the 5,000 digits, 100 of each class are held out: there,
# counts and percentages are the same numbers.)

# %% id="hardest" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 4"):
    utils_mnist.plot_hardest_pairs(matrix, x_test, y_test, digits)

# %% id="worst" given tags=["figure"]
with utils.needs("Exercise 2"):
    utils_mnist.plot_worst(x_test, y_test, probabilities)

# %% [markdown]
# Some of these you would get wrong as well; a label may even be wrong. Now one digit at random
# (run the cell again for another):

# %% id="one_digit" given tags=["figure"]
with utils.needs("Exercise 2"):
    i = np.random.default_rng().integers(len(y_test))
    utils_mnist.plot_one(x_test[i], y_test[i], probabilities[i])

# %% id="one_digit_deep" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 3", "Exercise 4"):
    utils_mnist.plot_one(x_test[i], y_test[i], deep_probabilities[i])

# %% [markdown]
# The same digit in the deep network, which is often surer: it has been trained until its own training
# digits gave it no reason to doubt.

# %% [markdown]
# ## 7. A photograph
#
# **Objective**: read a digit that no data set has prepared for you · **Time**: 40 minutes ·
# **Success**: at least 10 of the 12 photographs read right with the full set
#
# The last write-up reads its author's own handwriting. The network knows one kind of picture:
# bright ink on black, 28 by 28, the digit scaled into a box of 20 pixels and centred by its mass.
# A photograph has to be brought there, step by step. In `lab_digits` you did this from an array to a
# row of 400; here it is a file, the picture keeps its 28x28, and what comes out is a *batch* of one,
# the form in which Keras wants every input.
#
# ### Exercise 5: a photograph (10 points)
#
# Write `preprocess_photo(path)`. The picture is read for you: bytes, upright, grey (H, W), RGB (H,
# W, 3) or RGBA (H, W, 4).
#
# 1. **Grey**, a number from 0 (black) to 1 (white) for each pixel. Lay transparent pictures on
#    white paper first (`Image.alpha_composite`): what is transparent is often black underneath.
# 2. **Invert**: ink bright, paper 0. The paper is neither white nor evenly lit;
#    `utils.paper_light(grey)` says how bright it is at each pixel.
# 3. **Crop** to the ink. `utils_mnist.ink_box(ink)` gives the rows and columns it covers, as two
#    slices, and refuses a blank picture.
# 4. **Normalise**: the darkest ink becomes 1, faint haze (below 0.3, say) becomes 0.
# 5. **28x28**: scale so that the longer side is 20 pixels and the shape is kept
#    (`utils.resize(picture, height, width)`), and centre that in 28x28
#    (`utils.centre_by_mass(picture, 28)`). Resizing overshoots at sharp edges; clip to [0, 1].
# 6. **Reshape** to a batch of one, (1, 28, 28).
#
# `keep` keeps a step for the figure below; it changes nothing.


# %% graded="photo" points=10
# UNQ_M5
# GRADED CELL: preprocess_photo
def preprocess_photo(path):
    """Turn a photograph of a digit into a picture that the network can read.

    Parameters
    ----------
    path : str
        A picture file: dark ink on light paper.

    Returns
    -------
    ndarray of float, shape (1, 28, 28)
        As MNIST has it: ink near 1, paper 0, the digit in the middle.
    """
    picture = utils.read_image(path)
    utils_mnist.keep("photo", picture)

    # 1. Grey
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    photo = Image.fromarray(picture).convert("RGBA")
    paper = Image.new("RGBA", photo.size, "white")
    grey = np.asarray(Image.alpha_composite(paper, photo).convert("L")) / 255
    ### END SOLUTION
    ### END CODE HERE ###
    utils_mnist.keep("grey", grey)

    # 2. Invert
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    ink = utils.paper_light(grey) - grey
    ### END SOLUTION
    ### END CODE HERE ###
    utils_mnist.keep("inverted", ink)

    # 3. Crop, 4. normalise
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    box = utils_mnist.ink_box(ink)
    crop = np.clip(ink[box] / ink.max(), 0, 1)
    crop[crop < 0.3] = 0
    ### END SOLUTION
    ### END CODE HERE ###
    utils_mnist.keep("cropped", crop)

    # 5. 28x28, clipped to [0, 1], 6. a batch of one
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    factor = 20 / max(crop.shape)
    height, width = (max(1, round(factor * side)) for side in crop.shape)
    small = utils.centre_by_mass(utils.resize(crop, height, width), 28)
    prepared = np.clip(small, 0, 1).reshape(1, 28, 28)
    ### END SOLUTION
    ### END CODE HERE ###
    return prepared


# %% test="photo" tags=["raises-exception"]
test_photo(preprocess_photo)

# %% [markdown]
# <details>
# <summary>Hint 1: a nudge</summary>
#
# One step at a time. Keep the names `grey`, `ink` and `crop` for the results of the first three
# blocks, and look at each: `utils.plot_picture(ink)` draws any grey picture.
#
# </details>
#
# <details>
# <summary>Hint 2: a bigger nudge</summary>
#
# Step 1: `Image.fromarray` makes a picture of an array, `.convert("RGBA")` makes grey, RGB and RGBA
# alike, `Image.new` makes a white one of the same size, and `.convert("L")` makes it grey. Step 2:
# ink is where the picture is darker than its paper. Step 5: one factor for both sides, and at least
# one pixel each.
#
# </details>
#
# <details>
# <summary>Hint 3: I pass the first check but not a later one</summary>
#
# - *From 0 to 1*: a largest value of 255, or of 0.004, is a division that is missing or done twice.
# - *Nothing outside of [0, 1]*: clip after the last resize, not only before it.
# - *Ink bright*: what is dark on the paper has to be bright in the result.
# - *Grey paper, uneven light*: 1 - grey alone leaves the paper's grey and its shadows.
# - *Cropped*: crop before you resize.
# - *Proportions*: two different factors make a blot of a 1.
# - *In the middle*: centre by the mass of the ink, not by its box.
# - *Transparent pictures*: a frame of ink is the black underneath.
#
# </details>

# %% id="photo_stages" given tags=["figure"]
photos, photo_labels = utils_mnist.sample_photos()
with utils.needs("Exercise 2", "Exercise 5"):
    prepared = preprocess_photo(photos[0])
    chances = utils_mnist.predict(baseline, prepared.reshape(1, 784))
    utils_mnist.plot_stages(prepared, chances[0], photo_labels[0])

# %% [markdown]
# **Predict, then run.** Now all twelve. And once more without step 2, dark ink on white paper, as someone
# would give them who forgot to invert: hardly any of those is read right. How sure is the network of what
# it says about *them*? (What is the largest of its ten probabilities, on average?)
#
# - `"a"`: about 0.1: it sees that these are not the pictures it knows
# - `"b"`: about 0.5
# - `"c"`: about 0.9, or more

# %% id="guess_photos" tags=["figure"]
my_guess = ...

# %% id="all_photos" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 5"):
    prepared = np.concatenate([preprocess_photo(photo) for photo in photos])
    chances = utils_mnist.predict(baseline, prepared.reshape(-1, 784))
    utils_mnist.plot_photos(prepared, photo_labels, chances)
    careless = utils_mnist.predict(baseline, 1 - prepared.reshape(-1, 784))
    n_right = (careless.argmax(axis=1) == photo_labels).sum()
    utils_mnist.look_back(
        my_guess,
        "c",
        f"Not inverted: {careless.max(axis=1).mean():.2f} on average, {n_right} of 12 right.",
    )
utils_mnist.expected("10 or more of the 12", "9 or more of the 12")

# %% [markdown]
# A softmax only compares the ten digits with each other. It has no way to say "this is none of them", and
# a network that is sure of itself may still have been given something that it has never seen.
#
# The twelve are synthesised from MNIST digits to look like photographs (`Data/README.md` tells
# how). **Now yours**: write one digit with a dark pen, photograph it, and save it beside this
# notebook as `my_digit.png` or `my_digit.jpg`.

# %% id="own_picture" given tags=["figure"]
own = utils.find_own_picture()  # my_digit.png or my_digit.jpg
with utils.needs("Exercise 2", "Exercise 5"):
    if own:
        prepared = preprocess_photo(str(own))
        chances = utils_mnist.predict(baseline, prepared.reshape(1, 784))
        utils_mnist.plot_stages(prepared, chances[0])
    else:
        print("There is no my_digit.png or my_digit.jpg beside this notebook yet.")

# %% [markdown]
# ## 8. An experiment
#
# **Objective**: choose between networks without fooling yourself · **Time**: 15 minutes · **Success**:
# a table, a figure, and one reading of the test part
#
# How many hidden units should it be, 5, 25 or 100? Does `Dropout`, which switches units off at random
# while it trains, help? Choosing needs a third part. The 5,000 digits are divided into 3,000 to train
# on, 1,000 to choose by (validation) and 1,000 to judge by (test). Training stops early, when the
# *validation* loss has not got better for five epochs (or after 60): that too is a choice, so the test
# part may have no say in it. (If you work with the 5,000 digits, those 1,000 are the test digits of the
# sections before. They have been looked at; nothing was chosen by them.)

# %% id="experiment" given tags=["figure"]
experiment = utils_mnist.Experiment()
experiment.try_out(units=5, dropout=0.0)

# %% [markdown]
# Try the others in the same way, in the next cell or in cells of your own, and put what you read into
# the table in place of the dots: the accuracy on the validation part. Which one do you expect to win?

# %% id="experiment_table" tags=["figure"]
# experiment.try_out(units=25, dropout=0.0)
table = {  # (units, dropout): accuracy on the validation part
    (5, 0.0): ...,
    (25, 0.0): ...,
    (100, 0.0): ...,
    (5, 0.3): ...,
    (25, 0.3): ...,
    (100, 0.3): ...,
}

# %% id="experiment_figure" given tags=["figure"]
experiment.draw(table)

# %% [markdown]
# Differences of less than about 0.015 are within the luck of 1,000 digits. Now choose, by the
# validation part alone, write your choice into the next cell, and read the test part: once.

# %% id="experiment_choice" tags=["figure"]
units, dropout = ..., ...
experiment.judge(units, dropout)

# %% [markdown]
# You took the best of six, and a part of being best is luck with those 1,000 digits. That part does not
# come along: over many such experiments, the winner's test accuracy is a little below its validation
# accuracy. In a single one, yours, two parts of 1,000 digits can differ by more than that either way.
#
# ## 9. Side by side, and who is missing
#
# **Objective**: compare like with like · **Time**: 20 minutes · **Success**: a table of your own
#
# All of these networks see a digit as a row of 784 numbers and have no idea that two of them are
# neighbours. A **convolutional** network slides small **filters** over the picture and learns what to
# look for in them: edges first, then corners and loops. Each filter is used everywhere, so it needs
# fewer weights for more. This one is small, and not graded. Beside it a dense network gets the very
# same schedule (optimizer, learning rates, epochs, batches): what differs between the two is that one
# of them knows which pixels are neighbours.

# %% id="convolutional" given tags=["figure"]
from keras.layers import Conv2D, Dropout, MaxPooling2D, ReLU, Softmax
from keras.optimizers.schedules import CosineDecay

keras.utils.set_random_seed(1234)
n_epochs = 4 if len(y_train) == 60_000 else 6
convolutional = Sequential(
    [
        Input(shape=(28, 28, 1)),
        Conv2D(32, 5, strides=2, activation="relu"),  # 32 filters of 5x5, every second pixel
        Conv2D(64, 3, activation="relu"),  # 64 filters of 3x3 over what those found
        MaxPooling2D(),  # of four neighbours, the strongest
        Flatten(),
        Dropout(0.4),  # forget four in ten at random: against overfitting
        Dense(48),
        ReLU(),
        Dense(10),
        Softmax(),
    ]
)
same_schedule = Sequential(
    [
        Input((784,)),
        Dense(112, activation="relu"),
        Dropout(0.4),
        Dense(48, activation="relu"),
        Dense(10),
        Softmax(),
    ]
)
for name, network in (("dense", same_schedule), ("convolutional", convolutional)):
    network.compile(
        # Large steps first, smaller and smaller ones towards the end.
        optimizer=keras.optimizers.Adam(CosineDecay(0.002, n_epochs * len(y_train) // 100)),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
        steps_per_execution=20,
    )
    clock = utils_mnist.watch()
    rows = utils_mnist.as_input(network, X_train)
    network.fit(rows, y_train, epochs=n_epochs, batch_size=100, verbose=0, callbacks=[clock])
    results.add(f"{name}, {n_epochs} epochs", network, n_epochs, clock.seconds)
utils_mnist.expected("99.0 % of the test digits or more", "95 to 97 % of the test digits")

# %% id="table" given tags=["figure"]
results

# %% [markdown]
# Read the last two columns together. The deep network knows its training digits best; the
# convolutional one, with about as many parameters as the dense one above it and the same schedule,
# reads *new* digits best. That two pixels are neighbours is worth more than layers or epochs.
#
# ### Question 2 (5 points)
#
# *Who is missing from these digits, and who bears the errors at a bank?* `Data/README.md` says who
# wrote MNIST. Think of a bank that reads the amounts on cheques with your network. Four to eight
# sentences; a person reads them, and looks for: who wrote these digits and who did not; how that shows
# in the errors; whom an error costs what; what the bank should do before and after it starts.

# %% [markdown] written="missing" points=5
# **Who wrote them**: employees of the US Census Bureau and school pupils, in one country, decades ago.
# **Who is missing**: people who write a 1 with an upstroke or a 7 with a bar, who learnt other scripts,
# whose hands tremble, who photograph rather than scan. **How it shows**: the accuracy of 98 % is a mean
# over MNIST's writers; on others it is lower, and nobody measured it. **Who bears it**: not the bank that
# chose the network, but the customer whose amount is misread, and more often those who are missing from
# the data. **What to do**: measure on the bank's own customers, by group; let the network say when it is
# unsure and give those to a person; make errors easy to report and to undo.

# %% [markdown]
# **Look inside.** The explorer opens on your own networks: follow a digit unit by unit, draw one, or
# click a mistake in the confusion matrix and find the units responsible. *Model* chooses the network:
# of the convolutional one it shows what each filter finds in the digit.

# %% id="explorer" given tags=["figure"]
with utils.needs("Exercise 2", "Exercise 3"):
    utils_mnist.explore(baseline, recorder, deep, deep_history, convolutional, X_test, y_test)

# %% [markdown]
# **Where next.** *Augmentation*: shift each training digit by a pixel or two in some direction, or turn
# it a little (`keras.layers.RandomTranslation`, `RandomRotation` in front of the network), so that it
# never sees the same picture twice. What becomes of the generalisation gap? Then read your own
# handwriting with the convolutional network: its `predict` takes what `preprocess_photo` gives.
#
# **Glossary**
#
# | word | what it means here |
# |---|---|
# | baseline | the simplest network that is worth comparing with |
# | one-hot | a label as ten numbers: 1 at its digit, 0 elsewhere |
# | training set | what is learnt from |
# | validation set | held out, to choose by |
# | test set | held out, to judge by, once |
# | overfitting | learning the training digits by heart |
# | generalisation gap | the distance between the figures on training digits and on held-out ones |
# | early stopping | to stop when the validation loss no longer gets better |
# | Dropout | units switched off at random while training |
# | confusion matrix | counts: a row per label, a column per prediction |
# | filter | a small square of weights that a convolutional layer slides over the picture |
# | augmentation | changed copies of training pictures, to train on more of them |

# %% id="summary" given tags=["figure"]
summary(EXERCISES)
