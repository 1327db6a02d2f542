"""Reactions of this room."""

from coldshelf.compliance.service import compare_picture
from coldshelf.kit.events import Handler
from coldshelf.pictures.service.prepare import give_up
from coldshelf.recognition.events import RECOGNISED

HANDLERS = (Handler("compliance.compare", RECOGNISED.name, compare_picture, give_up),)
