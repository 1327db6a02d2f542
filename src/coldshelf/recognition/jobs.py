"""Reactions of this room."""

from coldshelf.kit.events import Handler
from coldshelf.pictures.events import PREPARED
from coldshelf.pictures.service.prepare import give_up
from coldshelf.recognition.service import recognise_picture

HANDLERS = (Handler("recognition.recognise", PREPARED.name, recognise_picture, give_up),)
