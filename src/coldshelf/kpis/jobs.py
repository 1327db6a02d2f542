"""Reactions of this room."""

from coldshelf.compliance.events import COMPARED
from coldshelf.kit.events import Handler
from coldshelf.kpis.service import measure_picture
from coldshelf.pictures.service.prepare import give_up

HANDLERS = (Handler("kpis.measure", COMPARED.name, measure_picture, give_up),)
