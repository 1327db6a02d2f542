"""The entities of this room."""

from coldshelf.publishing.entities.publication import PUBLICATION

ENTITIES = (PUBLICATION,)
