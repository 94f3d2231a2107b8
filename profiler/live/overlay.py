"""A frame with its answer drawn into it."""

from profiler.pixels import Pixels
from profiler.records import Shown

SMALLEST, LARGEST = 320, 960
"""Pixels of a picture's longer side: in a smaller one no text can be read, a larger one takes long to encode."""

_HEIGHT = 1 / 14
"""Of a capital, in picture heights; in a narrow picture it is smaller, so that the text fits."""
_CAPITAL = 21
"""Pixels that a capital of OpenCV's font is high at scale 1."""
_LEAST_SCALE = 0.55
"""Capitals are then 12 pixels high. Of a label that does not fit even so the end is cut."""
_CUT = "..."
_PAPER, _INK = (32, 28, 24), (255, 255, 255)


def chance(probability: float) -> str:
    """A probability in percent with one digit after the point. What is not certain is not rounded to it: `>99.9 %` is
    not 100, `<0.1 %` not 0.
    """
    percent = 100 * probability
    if 99.95 <= percent < 100:
        return ">99.9 %"
    return "<0.1 %" if 0 < percent < 0.05 else f"{percent:.1f} %"


def annotated(pixels: Pixels, answer: Shown | None) -> Pixels:
    """A copy of a BGR picture with the answer in a box at its lower left, as `cat 97.3 %`.

    Its longer side is brought between `SMALLEST` and `LARGEST`. OpenCV's fonts have ASCII alone: what else is in the
    label is drawn as `?`.
    """
    import cv2

    picture = _sized(pixels)
    if answer is None:
        return picture
    rows, columns = picture.shape[:2]
    margin = max(2, rows // 60)
    text, scale = _fitted(_plain(answer.label), f" {chance(answer.probability)}", rows, columns - 4 * margin)
    width, height, below = _extent(text, scale)
    low = rows - margin
    cv2.rectangle(picture, (margin, low - height - below - 2 * margin), (3 * margin + width, low), _PAPER, cv2.FILLED)
    start = (2 * margin, low - margin - below)
    cv2.putText(picture, text, start, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, _thickness(scale), cv2.LINE_AA)
    return picture


def _sized(pixels: Pixels) -> Pixels:
    """A copy, within the bounds of a picture's size."""
    import cv2
    import numpy as np

    longer = max(pixels.shape[:2])
    factor = min(max(longer, SMALLEST), LARGEST) / longer
    if factor == 1:
        return pixels.copy()
    rows, columns = (max(1, round(side * factor)) for side in pixels.shape[:2])
    return cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _plain(label: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in label)


def _fitted(label: str, figure: str, rows: int, width: int) -> tuple[str, float]:
    """The whole text, its label cut where it must be, and the font's scale at which it fits into that width."""
    scale = max(_LEAST_SCALE, rows * _HEIGHT / _CAPITAL)
    while (wide := _extent(label + figure, scale)[0]) > width and scale > _LEAST_SCALE:
        scale = max(_LEAST_SCALE, scale * min(0.97, width / wide))
    shown = label
    while shown and (wide := _extent(shown + figure, scale)[0]) > width:
        label = label[: min(len(label) - 1, 1 + len(label) * width // wide)]
        shown = label + _CUT if label else ""
    return shown + figure, scale


def _thickness(scale: float) -> int:
    return max(1, round(scale * 1.6))


def _extent(text: str, scale: float) -> tuple[int, int, int]:
    """Width, height above the base line and depth below it, in pixels."""
    import cv2

    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, _thickness(scale))
    return width, height, below
