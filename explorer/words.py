"""The explorer's texts, by the names that ``explorer/src`` calls them: ``say("name", 1, 2)``.

They travel in the bundle's header, not in the script, which holds only what must be said when there is
no bundle to read. ``{0}`` stands for the first value, ``{1}`` for the second. The choices of a
question are parted by ``|``.
"""

from __future__ import annotations

_FRAME = {
    "sentence": (
        "This small neural network reads handwritten digits. Draw one and watch, step by step, how it "
        "becomes an answer."
    ),
    "sentenceData": (
        "This is a small neural network. Pick one of its examples and watch, step by step, how it "
        "becomes an answer."
    ),
    "moreTools": "More",
    "figures": "The figures of this model",
    "drawHere": "Draw a digit",
    "drawOn": "Draw a digit here",
    "blank": "The sheet is empty. Draw a digit, or pick one: then there is something to see here.",
    "shown": "The example that is shown",
    "pick": "Show a {0} from the data",
    "pickOne": "Show an example of class",
    "notYet": "not computed yet",
    "oneUnit": "One unit alone: step by Layer to the answer.",
    "otherClasses": "and {0} more classes, together {1}",
    "drawnOver": "a {0} of the data, drawn on",
    "oneOf": "digit {0} of {1}",
    "trainedHere": (
        "The network as it was trained in this page. Mistakes and Compare count the very digits it was "
        "trained on: with new ones it may do worse."
    ),
    "facts": "{0} · {1} · {2} weights · {3} digits · matches Keras: largest difference {4}",
    "thinned": "{0} of {1}",
    "edited": "Weights changed by hand: {0}.",
    "early": "The network as it was after epoch {0}.",
    "unreadable": "“{0}” is not a picture that this browser can read. Try a PNG or JPEG file.",
    "damaged": "The picture in this address cannot be read. Load it again.",
    "paper": (
        "The digit. Draw with mouse, finger or pen; with the keyboard, arrows move, Space puts the "
        "pen down or lifts it, Delete clears."
    ),
    "right": "✓ right, digit {1} of {2}",
    "wrong": "✗ it is a {0}, digit {1} of {2}",
    "leftOut": "{0}, without {1}",
}

_INPUT = {
    "inputLead": (
        "The network knows digits of one kind only: bright ink on 0, of one size, in the middle. "
        "Leave a stage out and see what becomes of the prediction."
    ),
    "inputTable": "The network’s input, pixel by pixel",
    "fromData": (
        "This digit comes from the data, where all of this is done already; here it is put back on "
        "paper first."
    ),
    "afterStage": "After stage {0}: {1} by {2} pixels",
    "outcome": "Now: {0}. With every stage: {1}.",
    "grey.on": "Colour to brightness: 0.299 R + 0.587 G + 0.114 B.",
    "grey.off": "The red channel alone.",
    "invert.on": "Paper minus brightness: ink is high, paper is 0.",
    "invert.off": "Paper stays bright, ink dark.",
    "crop.on": "Cut to the ink.",
    "crop.off": "The whole sheet is kept.",
    "scale.on": "The longer side becomes 20 pixels, the aspect stays.",
    "scale.off": "Stretched over the whole field.",
    "centre.on": "The centre of mass goes to the middle of 28 × 28.",
    "centre.off": "Left in the corner.",
    "resize.on": "28 × 28 to the network’s size, smoothly.",
    "resize.off": "Each pixel takes the nearest one.",
    "normalise.on": "Divided by 255: 0 to 1.",
    "normalise.off": "0 to 255, as it is.",
    "unroll.on": "Read out in the order the network learnt.",
    "unroll.off": "Read out in the other order: turned over.",
}

_NETWORK = {
    "stage": "Units of the network. Arrow keys move between them.",
    "unitsTable": "Every unit: weighted sum and activation",
    "dead": "dead: 0 for every digit ",
    "habits": "Dead ReLU units: {0}, always on: {1}, judged on {2} digits.",
    "counting": "Counting dead units …",
    "tiles": "Each tile: a unit's weights, and its value as a bar. ",
    "lines": "Of the lines between two layers, only the strongest are drawn. ",
    "backwardNote": (
        "Backward: each line is the slope of the loss in its weight, each pixel the slope in its ink, "
        "for the right answer {0}. "
    ),
    "folded": "Show more of the {0} parts of {1} that are folded away",
    "foldedNote": "Folded away, a page at a time: {0}. ",
    "stepOf": "Step {0} of {1}:",
    "phase.input": "the input is {3} numbers; nothing is computed yet. What will the answer be?",
    "phase.layer": (
        "{0} has {4}. Each multiplies the {3} numbers before it by weights of its own and adds them "
        "up{5}."
    ),
    "phase.other": "{0}: {4}, {7}.",
    "does.relu": "; a sum below 0 becomes 0 (relu)",
    "does.linear": "",
    "does.sigmoid": "; the sum is squeezed between 0 and 1 (sigmoid)",
    "does.tanh": "; the sum is squeezed between −1 and 1 (tanh)",
    "does.elu": "; a sum below 0 is bent towards a least value (elu)",
    "does.leaky_relu": "; a sum below 0 is made much smaller (leaky_relu)",
    "does.softmax": "; softmax makes the sums into shares of 1",
    "phase.unit": "{0}, {1}.",
    "phase.term": "{0}, {1}: {2} of {3} terms added up.",
    "phase.bias": "{0}, {1}: the bias is added.",
    "phase.activation": "{0}, {1}: the activation is taken{5}.",
    "phase.answer": "softmax makes the last sums into probabilities; the largest is that of {6}.",
    "looksFor": "weights w: what it looks for",
    "looksForSays": "Weights of the unit, from {0} to {1}",
    "found": "w · x: what it found",
    "foundSays": "Contributions of the pixels, from {0} to {1}",
    "ofChannel": " (channel {0} of {1}, the one that counts most)",
    "mapSays": "The map on this digit; choose a point to see its arithmetic.",
    "runningLabel": "Running sum: each term is added to those before it",
    "running": "Running sum of the terms, up to {0}",
    "termsTable": "Weight and contribution of every input",
    "earlierTerms": "{0} earlier terms add up to {1}.",
    "moreTerms": "{0} more terms, together {1}; then the bias {2}.",
    "allTerms": "All {0} terms, together {1}; then the bias {2}.",
    "change": "Weight from {0}",
    "unitOn": "This unit is on",
    "mapOn": "This map is on",
    "turnedOff": "turned off",
    "offSays": "With it off the network says {0}; with it on, {1}.",
    "silenced": "Turned off: {0}.",
    "chooseWeight": "Or choose a weight w in the table.",
    "take": "Change the weight from {0}, {1}",
}

_SOFTMAX = {
    "softmax": (
        "The last layer gives a number for each digit, a logit. Softmax makes them positive with "
        "exp and divides by their sum, so that they add up to 1; the order stays the same, and the "
        "largest one is the answer."
    ),
    "subtract": "Subtract the largest logit first",
    "overflow": (
        "exp({0}) is more than a 32-bit float can hold (3.4 × 10³⁸), so it becomes ∞, and ∞ / ∞ is "
        "not a number. Subtract the largest logit first: every exp is then at most 1."
    ),
    "largest": (
        "The largest is {0}, with {1}. Adding the same number to every logit changes nothing."
    ),
    "tie": (
        "The logit of {0} is {2} above that of {1}. Exp makes a factor of that difference: {0} has "
        "exp({2}) = {3} times the share of {1}. All the others together have {4} times the share of "
        "{0}, so {0} has 1 / (1 + {4}) = {5} of the whole, and {1} has {5} / {3} = {6}."
    ),
    "fromLogits": (
        "Why from_logits=True: the loss of label {0} is log Σ exp(z) − z[{0}] = {1} when it is "
        "computed from the logits. By way of the probabilities it is −log p = {2}"
    ),
    "sameLoss": ", the same as long as nothing overflows.",
    "lostLoss": ": the way through p has lost it.",
}

_TRAINING = {
    "rewind": "The training in the notebook, over again",
    "trainHere": (
        "Press Train: the network goes on learning in this page, on the {0} digits that it holds. "
        "The drawing, the other panels and every weight move along. Nothing is kept."
    ),
    "noTraining": (
        "This network has a BatchNormalization, which in training uses the statistics of each batch. "
        "That is not done here: train it in the notebook, and give a Recorder."
    ),
    "trainedWithout": ("Left out here: {0}. It acts only while Keras trains."),
    "trainFirst": "Nothing has been trained here yet. What will one step change?",
    "trainingBegins": "The training begins …",
    "trainedSo": "After {0} epochs here: loss {1}, {2} right, in training.",
    "trainedAstray": (
        "The weights are not finite any more: the steps were too long. Go back, and try a smaller rate."
    ),
    "lossHere": "Loss on the batches, epoch by epoch",
    "accuracyHere": "Accuracy on the batches",
    "matrixHere": "Confusion matrix now, of the digits it is trained on: accuracy {0}",
    "matrixOf": "Confusion of the network trained here, on the digits it is trained on",
    "mapsHere": "Weights of the first layer’s units, now",
    "unrecorded": (
        "There are no snapshots of this training. Record them: recorder = Recorder(); "
        "model.fit(…, callbacks=[recorder]); Explorer(model, X, y, history=recorder)."
    ),
    "curve": "{0} in the notebook: solid training, dashed validation",
    "trainingLost": "The training in this page was put aside; the model is shown again.",
    "strip": "Probability of each digit for the one on the sheet, epoch by epoch",
    "stripSays": "After this epoch: {0} with {1}",
    "matrix": "Confusion: rows actual, columns predicted; right answers count a twelfth",
    "matrixSays": "Confusion matrix after epoch {0}: accuracy {1}",
    "epochConfusion": "Confusion matrix at this epoch: rows actual, columns predicted",
    "settled": "The reading {0} stands from epoch {1} on.",
    "always": "It was a {0} from the beginning.",
}

_MISTAKES = {
    "confusionCaption": "Rows: what it is. Columns: what the network says. Open a cell to see its digits.",
    "cell": "{0} of actual {1} read as {2}",
    "cellRight": "A {1} read as a {1}: {0} digits{3}",
    "cellWrong": "A {1} taken for a {2}: {0} digits{3}",
    "mistakes": "{0} mistakes in {1} digits (accuracy {2}), the worst first{3}",
    "more": ", {0} of them here",
    "why": "Why {0} and not {1}?",
    "evidence": "Filled: ink that speaks for {0}. Hollow: ink that speaks for {1}.",
    "evidenceSays": "Ink that speaks for {0}, filled, and for {1}, hollow",
    "evidenceTable": "What each input adds to the difference: its value times the slope",
    "others": "the others",
    "outweigh": " The others are small, but together they weigh more than those that are named.",
    "lead": (
        "What units add to the last sum for {0}, less what they add to that for {1}. Open one to see its "
        "arithmetic."
    ),
    "leadInput": "What each adds to the last sum for {0}, less what it adds to that for {1}.",
}

_LEARNING = {
    "learningLead": (
        "Which way should every weight move, so that this digit is read better? The slopes of the loss "
        "say it."
    ),
    "askTarget": (
        "Say which digit it is meant to be: without a right answer there is no loss to learn from."
    ),
    "gradientTable": "Gradient of the loss in every unit’s weighted sum",
    "saliency": "dL/dx: more ink here raises (filled) or lowers (hollow) the loss",
    "saliencySays": "Slope of the loss in every pixel",
    "checked": (
        "Checked: the steepest weight of {0} has slope {1} by the chain rule and {2} by moving it "
        "a little."
    ),
    "descent": (
        "Every weight moves a little against its slope: w ← w − rate · dL/dw. On this digit alone; "
        "nothing else is changed."
    ),
    "predictFirst": "Predict first: will the loss fall? By how much?",
    "lower": "Steps taken: {0}. The loss is {1} lower.",
    "higher": "Steps taken: {0}. The loss is {1} higher: the steps are too long.",
    "same": "Steps taken: {0}. The loss is the same.",
}

_COMPARE = {
    "compareLead": "The same digits, read by this network and by another one.",
    "alone": (
        "There is nothing to compare with yet. Give a second model, "
        'Explorer(model, X, y, compare={"another": model2}), or a Recorder as history.'
    ),
    "sameModel": "the same model after epoch {0}",
    "atEpoch": "{0} after epoch {1}",
    "asTrained": "{0}, trained in this page",
    "asGiven": "{0}, before the training in this page",
    "disagree": "They disagree on {0} of {1} digits",
    "disagreement": "Digits on which they disagree",
}

_QUESTIONS = {
    "notSo": "“{0}” is not so; “{1}” is.",
    "questions": (
        "Commit yourself first; then look. The answers are measured on this model and this digit."
    ),
    "zeros": "How many of the {0} units of {1} are at 0 for this digit?",
    "zeros.choices": "None|Up to a third|Up to two thirds|More",
    "zeros.why": (
        "{0} of {1}: ReLU lets nothing below 0 through, so most digits use only some of the units."
    ),
    "corner": (
        "The digit is left in the corner instead of the middle. Does the network still read {0}?"
    ),
    "corner.choices": "Yes|No",
    "corner.why": (
        "It reads {0} ({1}). A dense layer has a weight for each place: moved ink meets other "
        "weights."
    ),
    "shift": "100 is added to every logit. What becomes of the probabilities?",
    "shift.choices": "They stay|The largest grows|They all come closer",
    "shift.why": "exp(z + 100) = exp(z) · exp(100): the factor stands above and below the fraction.",
    "step": "One step of gradient descent at rate 0.1, on this digit as a {0}. What does the loss do?",
    "step.choices": "It falls|It stays within 0.0001|It rises",
    "step.why": (
        "From {0} to {1}: the slope is p minus the right answer. Where the network is sure and right, "
        "that is next to nothing; where it is unsure or wrong, the step is large."
    ),
    "hardest": "Which digit does the network get wrong most often, of {0}?",
    "hardest.why": "{0}: {1} of them are read as something else.",
    "halfway": (
        "Training took {0} epochs. When had the loss made nine tenths of its way down from the "
        "first epoch’s?"
    ),
    "halfway.choices": "In the first quarter|In the second|Later",
    "halfway.why": "After epoch {0}: the loss was at {1} then, and ended at {2}.",
}

WORDS: dict[str, str] = {
    **_FRAME,
    **_INPUT,
    **_NETWORK,
    **_SOFTMAX,
    **_TRAINING,
    **_MISTAKES,
    **_LEARNING,
    **_COMPARE,
    **_QUESTIONS,
}
