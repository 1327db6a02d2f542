"""Facts about pictures."""

from coldshelf.kit.events import Event, EventType
from coldshelf.kit.ids import ClientId
from coldshelf.pictures.models import Picture

DATASET = "AssetPurity"
STORED = EventType("picture.stored", 1, public=False, meaning="An upload was accepted and its bytes are safe")
PREPARED = EventType("picture.prepared", 1, public=False, meaning="People are redacted; recognition may look at it")
PENDING = EventType("image.pending", 1, public=True, meaning="A picture waits for review", dataset=DATASET)
REJECTED = EventType("image.rejected", 1, public=True, meaning="A picture was rejected, with a reason", dataset=DATASET)
APPROVED = EventType(
    "image.approved", 1, public=True, meaning="A reviewer approved a picture that waited", dataset=DATASET
)
EVENT_TYPES = (STORED, PREPARED, PENDING, REJECTED, APPROVED)

VIEW_LINK, REVIEW_LINK = "picture.view", "picture.review"
LINKS = {PENDING.name: (REVIEW_LINK,), REJECTED.name: (VIEW_LINK,), APPROVED.name: (VIEW_LINK,)}
"""Purposes of the links that messages about an event carry."""


def picture_event(kind: EventType, client_id: ClientId, picture: Picture, *, links: tuple[str, ...] = ()) -> Event:
    """Make the envelope of a fact about a picture."""
    return Event(
        type=kind.name,
        version=kind.version,
        public=kind.public,
        client_id=client_id,
        dataset=DATASET,
        key=picture.id,
        occurred_on=picture.captured_on,
        location_id=picture.location_id,
        asset_id=picture.asset_id,
        links=links or LINKS.get(kind.name, ()),
        callback_urls=(picture.callback_url,) if picture.callback_url else (),
    )
