"""Reactions of this room."""

from coldshelf.compliance.events import COMPARED
from coldshelf.kit.events import Handler
from coldshelf.kpis.service import compare_candidate, measure_picture
from coldshelf.pictures.service.prepare import give_up
from coldshelf.recognition.events import CANDIDATE_MADE
from coldshelf.recognition.service import give_up_candidate

HANDLERS = (
    Handler("kpis.measure", COMPARED.name, measure_picture, give_up),
    Handler("kpis.compare_candidate", CANDIDATE_MADE.name, compare_candidate, give_up_candidate, in_background=True),
)
