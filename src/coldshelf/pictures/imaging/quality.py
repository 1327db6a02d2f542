"""Can anything be said about this picture? Only gross faults are called: a doubt costs a person's time.

Not judged: whether a cooler is in the picture, pictures of a screen, reflections, the light inside the cooler.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from coldshelf.pictures.imaging.pixels import Pixels

WORKING_LONG_SIDE = 416
"""Everything is measured at this size, where the limits below were set; sensor noise is averaged away on the way."""

# The limits, and the nearest of 230 real cooler pictures (samples cooler_pepsico_vn and …_train, all of them OK):
UNUSABLE_BRIGHTEST = 20  # nearest 154: the 99th percentile of brightness (0 to 255); a lens cap with sensor noise has 5
DOUBTFUL_BRIGHTEST = 50  # a real picture at a tenth of its light has 25
STRUCTURELESS_RANGE = 10  # nearest 154: 1st to 99th percentile; a noisy grey wall has 4
DOUBTFUL_CLIPPED = 0.9  # nearest 0.17, white-ground packshots 0.6 to 0.8: share of pixels at 250 or above
BLURRED_SHARPNESS = 0.004  # nearest 0.010: below lie all of them after a blur of 2 px (sigma), i.e. 10 px at 2048


class QualityVerdict(StrEnum):
    """What can be done with a picture; the outcomes of an upload follow from it."""

    OK = "ok"
    DOUBTFUL = "doubtful"
    UNUSABLE = "unusable"


class QualityReason(StrEnum):
    """Why a picture is not OK, as the record names it."""

    TOO_DARK = "TooDark"
    TOO_BRIGHT = "TooBright"
    NO_STRUCTURE = "NoStructure"
    BLURRED = "Blurred"


@dataclass(frozen=True, slots=True)
class Quality:
    """The measures, and the verdict that follows from them."""

    brightness: float
    """Mean, 0 to 255."""
    contrast: float
    """Standard deviation of the brightness, 0 to 127.5."""
    sharpness: float
    """Variance of the second derivative by variance of the brightness, in the worse of both directions."""
    verdict: QualityVerdict
    reason: QualityReason | None


def assess(image: Pixels) -> Quality:
    """Measure a picture and judge it; 28 ms of CPU for 12 megapixels."""
    grey = _small_grey(image)
    sharpness = _sharpness(grey)
    verdict, reason = _judge(grey, sharpness)
    return Quality(
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        sharpness=sharpness,
        verdict=verdict,
        reason=reason,
    )


def _small_grey(image: Pixels) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    scale = min(1.0, WORKING_LONG_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _sharpness(grey: NDArray[np.float32]) -> float:
    # a shaken camera blurs along one direction only, therefore the worse one counts
    along_rows, along_columns = np.diff(grey, 2, axis=1), np.diff(grey, 2, axis=0)
    if not along_rows.size or not along_columns.size:
        return 0.0
    return float(min(along_rows.var(), along_columns.var()) / max(1.0, float(grey.var())))


def _judge(grey: NDArray[np.float32], sharpness: float) -> tuple[QualityVerdict, QualityReason | None]:
    darkest, brightest = np.percentile(grey, (1, 99))
    if brightest < UNUSABLE_BRIGHTEST:
        return QualityVerdict.UNUSABLE, QualityReason.TOO_DARK
    if brightest - darkest < STRUCTURELESS_RANGE:
        return QualityVerdict.UNUSABLE, QualityReason.NO_STRUCTURE
    if brightest < DOUBTFUL_BRIGHTEST:
        return QualityVerdict.DOUBTFUL, QualityReason.TOO_DARK
    if (grey >= 250).mean() > DOUBTFUL_CLIPPED:
        return QualityVerdict.DOUBTFUL, QualityReason.TOO_BRIGHT
    if sharpness < BLURRED_SHARPNESS:
        return QualityVerdict.DOUBTFUL, QualityReason.BLURRED
    return QualityVerdict.OK, None
