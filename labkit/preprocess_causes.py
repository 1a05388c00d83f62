"""What a row shows that is not as those of X (exercise 8 of lab_digits)."""

from __future__ import annotations

from labkit.asking import Symptom

FORMS = (
    Symptom(
        "The picture is 20 by 20, but not unrolled: X has 400 numbers in a row.",
        "Unroll it; section 2 shows in which order.",
        lambda row: row.shape == (20, 20),
    ),
    Symptom(
        "There is an axis too many: one picture is one row of 400 numbers.",
        "Print the shape after each step.",
        lambda row: row.shape in ((1, 400), (400, 1)),
    ),
    Symptom(
        "The picture is 28 by 28, as in MNIST; X has pictures of 20 by 20.",
        "Make it 20 by 20 in the last step.",
        lambda row: row.size == 784,
    ),
    Symptom(
        "The colours were kept: {size} = {colours} x 400 numbers.",
        "Turn the picture into one grey channel first.",
        lambda row: row.size in (800, 1200, 1600),
    ),
    Symptom(
        "There are numbers in it that are not finite (nan or inf): a division by 0.",
        "Print what you divide by.",
        lambda row: row.shape == (400,),
    ),
)
"""What an array shows that is no row of 400 finite numbers."""

SIZES = (
    Symptom(
        "The digit fills the whole picture, both ways: it was stretched, or has no margin.",
        "Keep the digit's proportions, and leave the margin that the digits of X have.",
        lambda larger, smaller, cut: larger >= 19 and smaller >= 19,
    ),
    Symptom(
        "The digit has hardly any margin: in X it is about 14 of 20 pixels long.",
        "MNIST puts a digit of 20 pixels into a picture of 28; only that is made 20 by 20.",
        lambda larger, smaller, cut: cut or larger > 17,
    ),
    Symptom(
        "The digit is stretched: it was 4 high to {wide} wide.",
        "Use the same factor for both sides.",
        lambda larger, smaller, cut: 11 <= larger <= 17,
    ),
    Symptom(
        "The digit is only {larger} pixels long: the picture was resized without a crop "
        "(accuracy about 0.47).",
        "Find the first and last row and column with ink, and cut there before you resize.",
        lambda larger, smaller, cut: larger > 0,
    ),
)
"""What the sides of the ink's box show of a digit that is not as large as those of X."""

INK = (
    Symptom(
        "The picture was standardised: its mean is 0 and its deviation 1. X was not, and the network "
        "was trained on X.",
        "Scale to 0..1, so that paper is 0 and ink is 1.",
        lambda row, paper, top: abs(row.mean()) < 0.05 and abs(row.std() - 1) < 0.1,
    ),
    Symptom(
        "The numbers go up to 255, those of X to about 1, on which the network was trained. The picture "
        "is not inverted either: paper is bright.",
        "Scale the picture to 0..1, and turn light into dark.",
        lambda row, paper, top: top > 127 and paper > 127,
    ),
    Symptom(
        "The numbers go up to 255, those of X to about 1, on which the network was trained.",
        "Scale the picture to 0..1.",
        lambda row, paper, top: top > 100,
    ),
    Symptom(
        "The picture is not inverted: paper is bright and ink is dark, in X it is the other way round "
        "(accuracy about 0.01).",
        "Turn light into dark, so that ink is bright.",
        lambda row, paper, top: 0.5 < paper < 1.5,
    ),
    Symptom(
        "The paper is not dark enough: it is grey after inverting.",
        "Measure the ink against the paper around it, and let what is only paper be 0.",
        lambda row, paper, top: 0.12 < paper <= 0.5,
    ),
    Symptom(
        "The ink is too faint: strokes of X reach 1.",
        "Stretch the range, so that full ink is 1.",
        lambda row, paper, top: top <= 0.6,
    ),
)
"""What a row (400,) shows of ink and paper: its median `paper`, its largest number `top`."""
