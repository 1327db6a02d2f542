"""Reactions of this room."""

from coldshelf.kit.events import Handler
from coldshelf.pictures.events import PREPARED
from coldshelf.pictures.service.prepare import give_up
from coldshelf.recognition.events import CANDIDATE_ACCEPTED, CANDIDATE_WANTED
from coldshelf.recognition.service import recognise_picture
from coldshelf.recognition.service.reprocess import give_up_candidate, make_candidate, serve_candidate

HANDLERS = (
    Handler("recognition.recognise", PREPARED.name, recognise_picture, give_up),
    Handler("recognition.reconsider", CANDIDATE_WANTED.name, make_candidate, give_up_candidate, in_background=True),
    Handler("recognition.replace", CANDIDATE_ACCEPTED.name, serve_candidate, give_up_candidate, in_background=True),
)
