"""Makes shelves level: most coolers are taken from the side, so shelves rise or fall and fan out. Pure."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from coldshelf.recognition.appearance import Floats
from coldshelf.recognition.recogniser import Pixels

_SLOPES: Final = np.linspace(-0.15, 0.15, 31)
_FANS: Final = np.linspace(-0.3, 0.3, 13)
_EDGE_PIXELS: Final = 8000
_RELUCTANCE: Final = 0.3
"""Share of the evidence a slope of 1 must win over none: pictures without shelves stay as they are."""


@dataclass(frozen=True, slots=True)
class Levelling:
    """Rows of the level picture lie in the taken one at slope `slope + fan * (y / height - 0.5)`, in pixels a pixel."""

    slope: float
    fan: float
    width: int
    height: int

    def lift(self, x: float, y: float) -> float:
        """Return the y of the taken picture for a point of the level one."""
        return y + (self.slope + self.fan * (y / self.height - 0.5)) * (x - self.width / 2)

    def level(self, image: Pixels) -> Pixels:
        """Return the picture with level rows, same shape."""
        ys, xs = np.mgrid[: self.height, : self.width].astype(np.float32)
        lifted = ys + (self.slope + self.fan * (ys / self.height - 0.5)) * (xs - self.width / 2)
        # An equal picture comes out where slope and fan are 0.
        moved = cv2.remap(image, xs, lifted.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)


def estimate_levelling(image: Pixels) -> Levelling:
    """Return the slopes at which the picture's flat edges fall together into the fewest rows."""
    height, width = image.shape[:2]
    xs, ys, weights = _flat_edges(image)
    best, best_value = Levelling(0.0, 0.0, width, height), -1.0
    if not len(xs):
        return best
    for fan in _FANS:
        for slope in _SLOPES:
            rows = np.rint(ys - (slope + fan * (ys / height - 0.5)) * (xs - width / 2))
            sums = np.bincount(np.clip(rows, 0, height - 1).astype(np.intp), weights, minlength=height)
            value = float((sums**2).sum()) * (1 - _RELUCTANCE * float(abs(slope) + abs(fan)))
            if value > best_value * (1 + 1e-9):
                best, best_value = Levelling(float(slope), float(fan), width, height), value
    return best


def _flat_edges(image: Pixels) -> tuple[Floats, Floats, Floats]:
    """Return x, y and signed strength of the strongest edges that run more across than down."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    down, across = cv2.Sobel(grey, cv2.CV_32F, 0, 1), cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    strength = np.where(np.abs(down) > 2 * np.abs(across), np.minimum(np.abs(down), 200), 0)
    ys, xs = np.nonzero(strength > 20)
    order = np.argsort(-strength[ys, xs], kind="stable")[:_EDGE_PIXELS]
    ys, xs = ys[order], xs[order]
    signed = strength[ys, xs] * np.sign(down[ys, xs])
    return xs.astype(np.float32), ys.astype(np.float32), signed.astype(np.float32)
