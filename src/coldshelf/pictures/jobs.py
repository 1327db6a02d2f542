"""Reactions of this room."""

from coldshelf.kit.events import Handler
from coldshelf.pictures.events import STORED
from coldshelf.pictures.service.prepare import give_up, prepare_picture

HANDLERS = (Handler("pictures.prepare", STORED.name, prepare_picture, give_up),)
