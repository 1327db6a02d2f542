"""Facts about results."""

from coldshelf.kit.events import EventType

RECOGNISED = EventType("picture.recognised", 1, public=False, meaning="A new result version is served")
CANDIDATE_WANTED = EventType(
    "candidate.wanted", 1, public=False, meaning="A picture of a reprocessing run is to be looked at again"
)
CANDIDATE_MADE = EventType("candidate.made", 1, public=False, meaning="A result stands beside the served one, unserved")
CANDIDATE_ACCEPTED = EventType("candidate.accepted", 1, public=False, meaning="A candidate is to be served")
EVENT_TYPES = (RECOGNISED, CANDIDATE_WANTED, CANDIDATE_MADE, CANDIDATE_ACCEPTED)
