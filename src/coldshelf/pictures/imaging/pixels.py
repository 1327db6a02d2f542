"""The array every function of this folder passes on."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""RGB picture, shape (height, width, 3); nobody writes into one that was handed over."""

MAX_PIXELS = 50_000_000
"""Published on `/api/v1/limits`: 50 megapixels a picture."""

MAX_SIDE = 16_384
"""Longest side of a picture. Phones stay below (8,160 at 50 megapixels); WebP itself ends at 16,383."""
