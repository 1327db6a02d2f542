"""Where products stand: shelves, rows, positions, doors, stacks, fill levels and gaps, from boxes and the picture.

Comes from: the boxes of front-row facings that a detector found, and the picture for what they do not show.
Goes to: recognisers that find boxes and leave the rest to this. Knows no products; numpy and OpenCV only.
"""

from coldshelf.recognition.geometry.arrange import arrange
from coldshelf.recognition.geometry.parts import Arrangement, Placed

__all__ = ["Arrangement", "Placed", "arrange"]
