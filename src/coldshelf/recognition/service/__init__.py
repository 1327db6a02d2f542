"""What is done with results: made, served, handed out."""

from coldshelf.recognition.product_rows import rows_of
from coldshelf.recognition.service.recognise import draw, recognise_picture, served_json, served_result, touch_rows
from coldshelf.recognition.service.reprocess import (
    Decision,
    Selection,
    accept_candidates,
    discard_candidates,
    finish_candidate,
    give_up_candidate,
    recognised_candidate,
    start_reprocessing,
    summarise,
)

__all__ = [
    "Decision",
    "Selection",
    "accept_candidates",
    "discard_candidates",
    "draw",
    "finish_candidate",
    "give_up_candidate",
    "recognise_picture",
    "recognised_candidate",
    "rows_of",
    "served_json",
    "served_result",
    "start_reprocessing",
    "summarise",
    "touch_rows",
]
