"""Plain drawings of cans and bottles, so that products without a reference picture are found as well. Pure."""

import colorsys
from functools import cache
from typing import Final

import numpy as np

from coldshelf.recognition.appearance import Floats
from coldshelf.recognition.recogniser import Pixels

_HEIGHT: Final = 56
_CAN_WIDTH: Final = 32
_BOTTLE_WIDTH: Final = 26
_HUES: Final = 6
_SHADE: Final = np.array([60, 60, 64], np.float32)
_LABEL: Final = np.array([225, 225, 220], np.float32)


@cache
def prototypes() -> tuple[Pixels, ...]:
    """Return cans and bottles in the round of hues, white and black, some with a light label."""
    colours = [colorsys.hsv_to_rgb(step / _HUES, 0.8, 0.65) for step in range(_HUES)]
    colours += [(0.8, 0.8, 0.8), (0.15, 0.13, 0.13)]
    rgb = [np.array(colour, np.float32) * 255 for colour in colours]
    cans = [_can(colour) for colour in rgb]
    bottles = [_bottle(colour, label) for colour in rgb for label in (colour, _LABEL)]
    return tuple(cans + bottles)


def _can(colour: Floats) -> Pixels:
    picture = np.tile(colour, (_HEIGHT, _CAN_WIDTH, 1)) * _roundness(_CAN_WIDTH)
    picture[:4] = _LABEL * 0.8
    picture[-3:] = _LABEL * 0.6
    return np.clip(picture, 0, 255).astype(np.uint8)


def _bottle(colour: Floats, label: Floats) -> Pixels:
    picture = np.tile(colour, (_HEIGHT, _BOTTLE_WIDTH, 1))
    picture[_HEIGHT * 2 // 5 : _HEIGHT * 3 // 4] = label
    picture[:6] = colour * 0.8 + 40
    picture *= _roundness(_BOTTLE_WIDTH)
    rows = np.arange(_HEIGHT)
    # A cap of a third of the width, then shoulders that reach full width at a third of the height.
    reach = np.clip(0.34 + 0.66 * (rows - 8) / (_HEIGHT / 3 - 8), 0.34, 1.0)
    across = np.abs(np.linspace(-1, 1, _BOTTLE_WIDTH))
    picture[across[None, :] > reach[:, None]] = _SHADE
    return np.clip(picture, 0, 255).astype(np.uint8)


def _roundness(width: int) -> Floats:
    """Return the light on an upright cylinder, shape (1, width, 1)."""
    across = np.linspace(-0.95, 0.95, width)
    return np.asarray((0.35 + 0.75 * np.sqrt(1 - across**2))[None, :, None], np.float32)
