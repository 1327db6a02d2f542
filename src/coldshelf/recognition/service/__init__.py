"""What is done with results: made, served, handed out."""

from coldshelf.recognition.product_rows import rows_of
from coldshelf.recognition.service.recognise import (
    draw,
    recognise_picture,
    served_result,
    touch_rows,
)

__all__ = ["draw", "recognise_picture", "rows_of", "served_result", "touch_rows"]
