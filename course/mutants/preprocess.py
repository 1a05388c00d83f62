"""Exercise 8: what students write for ``preprocess``."""

from __future__ import annotations

from course.mutants import Listed, Variant

RIGHT_LINES = {
    "open": 'photo = Image.fromarray(image).convert("RGBA")',
    "sheet": 'sheet = Image.new("RGBA", photo.size, "white")',
    "grey": 'grey = np.asarray(Image.alpha_composite(sheet, photo).convert("L")) / 255',
    "ink": "ink = utils.paper_light(grey) - grey",
    "range": "ink = np.clip(ink / ink.max(), 0, 1)",
    "faint": "ink[ink < 0.3] = 0",
    "find": "rows, columns = np.nonzero(ink > 0.5)",
    "crop": "ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]",
    "scale": "scale = 20 / max(ink.shape)",
    "size": "height, width = (max(1, round(scale * side)) for side in ink.shape)",
    "centre": "digit = utils.centre_by_mass(utils.resize(ink, height, width), 28)",
    "row": 'row = utils.resize(digit, 20, 20).ravel(order="F")',
}
"""The steps of a right answer, by name, so that a mutant can change one."""


def cell(*lines: str) -> str:
    """Return the graded cell whose function has these body lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"# UNQ_C8\n# GRADED CELL: preprocess\ndef preprocess(image):\n{body}\n"


def steps(**changed: str) -> str:
    """Return the right cell with some steps changed."""
    return cell(*{**RIGHT_LINES, **changed}.values(), "return row")


def _mutant(id: str, row: int, check: str, says: str, code: str) -> Listed:
    return Listed(f"preprocess-{id}", "preprocess", code, check, says, row=row)


RIGHT = steps()

MUTANTS = (
    _mutant("not-started", 0, "preprocess-returns", "not started", cell("raise NotStarted")),
    _mutant("none", 0, "preprocess-returns", "returns nothing", cell("row = image / 255")),
    _mutant(
        "square",
        0,
        "preprocess-returns",
        "not unrolled",
        steps(row="row = utils.resize(digit, 20, 20)"),
    ),
    _mutant(
        "one-row-batch",
        0,
        "preprocess-returns",
        "an axis too many",
        steps(row="row = utils.resize(digit, 20, 20).T.reshape(1, 400)"),
    ),
    _mutant(
        "mnist-size", 0, "preprocess-returns", "28 by 28", steps(row='row = digit.ravel(order="F")')
    ),
    _mutant(
        "not-inverted",
        39,
        "preprocess-ink",
        "not inverted",
        cell(
            'photo = Image.fromarray(image).convert("L").resize((20, 20))',
            "return (np.asarray(photo) / 255).T.ravel()",
        ),
    ),
    _mutant(
        "not-inverted-after-crop",
        39,
        "preprocess-ink",
        "not inverted",
        steps(row='row = 1 - utils.resize(digit, 20, 20).ravel(order="F")'),
    ),
    _mutant(
        "no-crop",
        40,
        "preprocess-crop",
        "resized without a crop",
        cell(
            'photo = Image.fromarray(image).convert("L").resize((20, 20))',
            "ink = 1 - np.asarray(photo) / 255",
            "ink = (ink - ink.min()) / (ink.max() - ink.min())",
            "ink[ink < 0.3] = 0",
            "return ink.T.ravel()",
        ),
    ),
    _mutant(
        "no-margin",
        40,
        "preprocess-crop",
        "hardly any margin",
        steps(
            centre="digit = np.zeros((20, 20)); top, left = (20 - height) // 2, (20 - width) // 2",
            row="digit[top : top + height, left : left + width] = utils.resize(ink, height, width); "
            'row = digit.ravel(order="F")',
        ),
    ),
    _mutant(
        "no-28-square",
        40,
        "preprocess-crop",
        "hardly any margin",
        steps(
            centre="digit = utils.centre_by_mass(utils.resize(ink, height, width), 20)",
            row='row = digit.ravel(order="F")',
        ),
    ),
    _mutant(
        "sides-exchanged",
        40,
        "preprocess-order",
        "Height and width are exchanged",
        steps(size="width, height = (max(1, round(scale * side)) for side in ink.shape)"),
    ),
    _mutant(
        "against-white",
        39,
        "preprocess-shade",
        "shade is taken for ink",
        steps(ink="ink = 1 - grey"),
    ),
    _mutant(
        "against-one-grey",
        39,
        "preprocess-shade",
        "shade is taken for ink",
        steps(ink="ink = np.median(grey) - grey"),
    ),
    _mutant(
        "standardised",
        0,
        "preprocess-ink",
        "standardised",
        steps(
            row='row = utils.resize(digit, 20, 20).ravel(order="F"); '
            "row = (row - row.mean()) / row.std()"
        ),
    ),
    _mutant("stretched", 40, "preprocess-crop", "stretched", steps(size="height = width = 20")),
    _mutant(
        "corner",
        40,
        "preprocess-centre",
        "not in the middle",
        steps(
            centre="digit = np.zeros((28, 28)); "
            "digit[:height, :width] = utils.resize(ink, height, width)"
        ),
    ),
    _mutant(
        "row-order",
        38,
        "preprocess-order",
        "row by row",
        steps(row="row = utils.resize(digit, 20, 20).ravel()"),
    ),
    _mutant(
        "upside-down",
        38,
        "preprocess-order",
        "upside down",
        steps(row='row = utils.resize(digit, 20, 20)[::-1].ravel(order="F")'),
    ),
    _mutant(
        "0-to-255",
        41,
        "preprocess-ink",
        "up to 255",
        steps(row='row = 255 * utils.resize(digit, 20, 20).ravel(order="F")'),
    ),
    _mutant(
        "0-to-255-not-inverted",
        41,
        "preprocess-ink",
        "up to 255",
        cell(
            'photo = Image.fromarray(image).convert("L").resize((20, 20))',
            "return np.asarray(photo, dtype=float).T.ravel()",
        ),
    ),
    _mutant(
        "grey-only",
        41,
        "preprocess-colour",
        "3 channels",
        steps(open="", sheet="", grey="grey = image / 255"),
    ),
    _mutant(
        "colours-kept",
        41,
        "preprocess-colour",
        "colours were kept",
        cell(
            "if image.ndim == 3:",
            "    small = Image.fromarray(image[..., :3]).resize((20, 20))",
            "    return 1 - np.asarray(small).ravel() / 255",
            *list(RIGHT_LINES.values()),
            "return row",
        ),
    ),
    _mutant(
        "alpha-black",
        41,
        "preprocess-transparency",
        "alpha channel",
        steps(
            open="", sheet="", grey='grey = np.asarray(Image.fromarray(image).convert("L")) / 255'
        ),
    ),
    _mutant(
        "alpha-averaged",
        41,
        "preprocess-transparency",
        "alpha channel",
        steps(
            open="",
            sheet="",
            grey="grey = (image if image.ndim == 2 else image[..., :3].mean(axis=2)) / 255",
        ),
    ),
    _mutant(
        "nan",
        0,
        "preprocess-returns",
        "not finite",
        steps(row='row = utils.resize(digit, 20, 20).ravel(order="F") / 0'),
    ),
    _mutant(
        "same-for-all",
        0,
        "preprocess-looks",
        "the same row",
        cell(
            "from labkit.exercises.preprocess import SHEET",
            'return SHEET.pattern().ravel(order="F")',
        ),
    ),
    _mutant(
        "hardly-looks",
        0,
        "preprocess-looks",
        "the same row",
        cell(
            "from labkit.exercises.preprocess import SHEET",
            'return SHEET.pattern().ravel(order="F") + 1e-6 * image.mean()',
        ),
    ),
    _mutant(
        "thin-threshold",
        0,
        "preprocess-photographs",
        "too few of the digits",
        steps(
            ink="ink = 1 - grey",
            faint="ink[ink < 0.15] = 0",
            find="rows, columns = np.nonzero(ink)",
        ),
    ),
)

VARIANTS = (
    Variant("preprocess-model-solution", "preprocess", RIGHT),
    Variant(
        "preprocess-transposed-before-ravel",
        "preprocess",
        steps(row="row = utils.resize(digit, 20, 20).T.reshape(400).astype('float32')"),
    ),
    Variant(
        "preprocess-pillow-throughout",
        "preprocess",
        cell(
            "from PIL import ImageFilter, ImageOps",
            'photo = Image.fromarray(image).convert("RGBA")',
            'paper = Image.new("RGBA", photo.size, (255, 255, 255, 255))',
            "paper.paste(photo, mask=photo.getchannel('A'))",
            "light = paper.convert('L').filter(ImageFilter.GaussianBlur(40))",
            "ink = np.asarray(light, float) - np.asarray(paper.convert('L'), float)",
            "ink = np.clip(ink / np.percentile(ink, 99.8), 0, 1)",
            "ink[ink < 0.45] = 0",
            "picture = Image.fromarray(np.uint8(255 * ink))",
            "mask = picture.point(lambda v: 255 if v > 140 else 0)",
            "picture = picture.crop(mask.getbbox())",
            "picture = ImageOps.pad(picture, (max(picture.size),) * 2)",
            "picture = picture.resize((14, 14), Image.Resampling.LANCZOS)",
            "picture = ImageOps.expand(picture, border=3)",
            "return np.asarray(picture).T.ravel() / 255",
        ),
    ),
    Variant(
        "preprocess-scipy",
        "preprocess",
        cell(
            "from scipy import ndimage",
            "image = image.astype(float)",
            "if image.ndim == 3 and image.shape[2] == 4:",
            "    a = image[..., 3:] / 255",
            "    image = a * image[..., :3] + (1 - a) * 255",
            "if image.ndim == 3:",
            "    image = image @ np.array([0.299, 0.587, 0.114])",
            "smooth = ndimage.gaussian_filter(image, 1)",
            "paper = ndimage.grey_closing(smooth, size=(min(image.shape) // 2,) * 2)",
            "ink = (paper - smooth) / (paper - smooth).max()",
            "ink = np.where(ink > 0.35, ink, 0)",
            "r, c = np.nonzero(ink)",
            "ink = ink[r.min():r.max() + 1, c.min():c.max() + 1]",
            "ink = ndimage.gaussian_filter(ink, max(ink.shape) / 50)",
            "z = 14.3 / max(ink.shape)",
            "small = np.clip(ndimage.zoom(ink, z, order=1), 0, None)",
            "out = np.zeros((20, 20))",
            "top, left = (20 - small.shape[0]) // 2, (20 - small.shape[1]) // 2",
            "out[top:top + small.shape[0], left:left + small.shape[1]] = small / small.max()",
            "return out.flatten('F')",
        ),
    ),
)
