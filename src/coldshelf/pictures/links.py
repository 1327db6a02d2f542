"""What links to a picture are for: to look at it, and to decide on it while it waits for review."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from coldshelf.access.links import Opened, Page, Purpose, Render
from coldshelf.access.principal import Permission, Principal, Role
from coldshelf.access.service import client_time_zone
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import UserId
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures import store
from coldshelf.pictures.errors import AssetMissing, PictureDecided, PictureGone, PictureNotFound
from coldshelf.pictures.events import DATASET, REVIEW_LINK, VIEW_LINK
from coldshelf.pictures.link_pages import Shelf, Sight, review_body, title_of, view_body
from coldshelf.pictures.models import Status
from coldshelf.pictures.service.preview import PreviewNotFound, PreviewNotReady, RenditionPreview, best_rendition
from coldshelf.pictures.service.review import Decision, Review, decide_one, open_desk

NOBODY = UserId(0)
"""The user who acts by a link: none. The name says which link it was."""
REFRESH = timedelta(seconds=15)
"""How often a page is loaded again while its picture is worked on, which takes some seconds."""
FindShelf = Callable[[Connection, int], Awaitable[Shelf | None]]
"""Takes the id of a picture; later rooms know what was found in it."""


def picture_purposes(find_shelf: FindShelf) -> tuple[Purpose, ...]:
    """Declare what links to pictures are for."""

    async def show(opened: Opened) -> Page:
        sight = await _sight(opened, find_shelf)
        return Page(title_of(sight), view_body(sight), REFRESH if sight.is_under_way else None)

    async def show_review(opened: Opened) -> Page:
        sight = await _sight(opened, find_shelf)
        waits_for_person = sight.picture.status_id == Status.UNPROVISIONED
        return Page(
            title_of(sight), review_body(sight), REFRESH if sight.is_under_way and not waits_for_person else None
        )

    return (
        Purpose(
            name=VIEW_LINK,
            dataset=DATASET,
            title="Picture of a cooler",
            meaning="Shows a picture and what was found in it",
            show=show,
            picture=_picture,
        ),
        Purpose(
            name=REVIEW_LINK,
            dataset=DATASET,
            title="Picture that waits for review",
            meaning="Shows a picture, and approves or rejects it while it waits for review",
            show=show_review,
            lifetime=timedelta(days=7),
            actions={
                Decision.APPROVE.value: "The picture is processed",
                Decision.REJECT.value: "The picture ends here; takes a reason",
            },
            act=_decide,
            picture=_picture,
            permission=Permission.REVIEW,
        ),
    )


async def _sight(opened: Opened, find_shelf: FindShelf) -> Sight:
    connection, key = opened.connection, opened.link.record_key
    picture = await store.load_reviewable(connection, key)
    record = await store.load_picture(connection, key)
    if picture is None or record is None:
        raise PictureGone
    outlet = None if record.location_id is None else await masterdata.outlet_by_id(connection, record.location_id)
    return Sight(
        picture=picture,
        place=record,
        zone=(outlet and outlet.time_zone) or await client_time_zone(connection),
        image=await _rendition(opened),
        shelf=await find_shelf(connection, key),
        past=await store.newest_review(connection, key),
        link=opened.link,
        picture_path=opened.picture_path,
    )


async def _rendition(opened: Opened) -> RenditionPreview | None:
    picture = await store.load_picture(opened.connection, opened.link.record_key)
    if picture is None:
        raise PictureGone
    try:
        return await best_rendition(opened.run.objects, opened.connection, picture)
    except (PreviewNotFound, PreviewNotReady):
        return None


async def _picture(opened: Opened) -> Render:
    found = await _rendition(opened)
    if found is None:
        raise PreviewNotReady
    return found.render


async def _decide(opened: Opened, action: str, form: Mapping[str, str]) -> str:
    """Decide as a reviewer would who has no other rights; give the reason."""
    reason = _reason(form) if action == Decision.REJECT else ""
    review = Review(Decision(action), reason)
    reviewer = Principal(opened.link.client_id, NOBODY, opened.link.actor, Role.CLIENT_ADMIN)
    desk = await open_desk(opened.run, opened.connection, reviewer)
    try:
        decided = await decide_one(desk, opened.link.record_key, review)
    # The words of these errors name users and ids, which is more than a link may tell.
    except PictureDecided as error:
        raise PictureDecided(MEANWHILE, cure="") from error
    except PictureNotFound as error:
        raise PictureGone from error
    except AssetMissing as error:
        raise AssetMissing("Nobody said yet which cooler this picture shows", cure=ASK) from error
    if decided.repeated:  # by another link
        raise PictureDecided(MEANWHILE, cure="")
    return reason


MEANWHILE = "Somebody else has decided on this picture meanwhile"
ASK = "It can be approved with an account only, where the cooler can be named. Here it can be rejected."


def _reason(form: Mapping[str, str]) -> str:
    parts = [form.get(name, "").strip() for name in ("why", "reason")]
    return ": ".join(part for part in parts if part)
