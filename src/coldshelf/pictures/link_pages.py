"""The pages of links to pictures, as HTML for phones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coldshelf.access.links import Link
from coldshelf.kit.web.html import EMPTY, Html, fill, join
from coldshelf.pictures.models import PastReview, Picture, Reviewable, Status
from coldshelf.pictures.scenes import is_analysed
from coldshelf.pictures.service.preview import RenditionPreview

LARGEST_WIDTH = 1280
"""Pixels of the picture in the page: sharp on a phone at three pixels a point, and some 200 kB."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was found: products with how many there are, planned products that are not there, and the rest.

    `missing` is None where nothing was planned.
    """

    present: Sequence[tuple[str, int]]
    missing: Sequence[str] | None
    unknown: int
    gaps: int


@dataclass(frozen=True, slots=True)
class Sight:
    """All that a page of a picture shows."""

    picture: Reviewable
    place: Picture
    zone: str
    image: RenditionPreview | None
    shelf: Shelf | None
    past: PastReview | None
    link: Link
    picture_path: str

    @property
    def is_under_way(self) -> bool:
        """Say whether the picture is still being worked on."""
        status = self.picture.status_id
        if status in {Status.REJECTED, Status.PROCESSED}:
            return False
        return self.picture.prepared_on is None or (
            status != Status.UNPROVISIONED and is_analysed(self.picture.scene_type)
        )

    @property
    def waits(self) -> bool:
        """Say whether a reviewer has to decide."""
        return self.picture.status_id == Status.UNPROVISIONED


def title_of(sight: Sight) -> str:
    return sight.place.location_name or sight.picture.serial_number or "Picture"


def view_body(sight: Sight) -> Html:
    """Write the page that shows a picture."""
    return join((_head(sight), _image(sight), _found(sight), _foot(sight)))


def review_body(sight: Sight) -> Html:
    """Write the page on which a picture is decided."""
    return join((_head(sight), _decided(sight), _image(sight), _forms(sight), _found(sight), _foot(sight)))


def _head(sight: Sight) -> Html:
    place, at = sight.place, sight.picture.captured_local
    serial = fill("<p>Cooler <b>{serial}</b></p>\n", serial=place.serial_number) if place.serial_number else EMPTY
    town = ", ".join(part for part in (place.city, place.state, place.country) if part)
    offset = _offset(at - sight.picture.captured_on.replace(tzinfo=None))
    return fill(
        HEAD,
        title=title_of(sight),
        town=fill('<p class="soft">{town}</p>\n', town=town) if town else EMPTY,
        serial=serial,
        iso=sight.picture.captured_on.isoformat(),
        at=_words(at),
        zone=sight.zone,
        offset=offset,
        state=_state(sight),
    )


def _state(sight: Sight) -> Html:
    picture = sight.picture
    if picture.status_id == Status.REJECTED:
        kind, words = "bad", f"Rejected: {_because(picture.rejection_reason)}"
    elif sight.waits:
        kind, words = "wait", f"Waits for review: {_because(picture.rejection_reason)}"
    elif sight.is_under_way:
        kind, words = "", "Products are being recognised …"
    else:
        kind, words = "good", "Products recognised" if sight.shelf else "Accepted"
    return fill('<p class="state {kind}">{words}</p>', kind=kind, words=words)


def _because(reason: str | None) -> str:
    return REASONS.get(reason or "", reason or "no reason was given")


REASONS = {
    "ZeroBytes": "the file is empty",
    "NoPlanogram": "the cooler has no planogram",
    "UnknownScene": "it is not said what it shows",
    "SeveralAssets": "it is not said which cooler it shows",
    "CaptureTimeInFuture": "its time lies in the future",
    "TooDark": "it is too dark",
    "TooBright": "it is too bright",
    "NoStructure": "there is nothing to see",
    "Blurred": "it is blurred",
    "DoubtfulQuality": "its quality is doubtful",
    "Unusable": "it cannot be used",
}
"""Reasons of the house in words for everybody; those of reviewers are words already."""


def _image(sight: Sight) -> Html:
    image = sight.image
    if image is None:
        words = "The picture is being prepared." if sight.is_under_way else "There is no picture to show."
        return fill('<figure><div class="empty">{words}</div></figure>\n', words=words)
    return fill(
        FIGURE,
        path=sight.picture_path,
        largest=LARGEST_WIDTH,
        width=image.width,
        height=image.height,
        alt=f"Picture of {title_of(sight)}",
    )


def _found(sight: Sight) -> Html:
    shelf = sight.shelf
    if shelf is None:
        return EMPTY
    on_shelf = sum(count for _, count in shelf.present)
    tiles = [("", on_shelf, "on shelf")]
    if shelf.missing is not None:
        tiles.append(("bad" if shelf.missing else "good", len(shelf.missing), "missing"))
    tiles.append(("wait" if shelf.unknown else "", shelf.unknown, "unknown"))
    tiles.append(("", shelf.gaps, "gaps"))
    return fill(
        '<div class="counts">{tiles}</div>\n{missing}{present}',
        tiles=join(fill(TILE, kind=kind, count=count, words=words) for kind, count, words in tiles),
        missing=_missing(shelf),
        present=_present(shelf),
    )


def _missing(shelf: Shelf) -> Html:
    if not shelf.missing:
        return EMPTY
    items = join(fill("<li>{name}</li>", name=name) for name in shelf.missing)
    return fill('<section class="card"><h2>Missing</h2><ul>{items}</ul></section>\n', items=items)


def _present(shelf: Shelf) -> Html:
    if not shelf.present:
        return EMPTY
    items = join(fill("<li><span>{name}</span><b>{count}</b></li>", name=name, count=n) for name, n in shelf.present)
    kinds = f"{len(shelf.present)} {'product' if len(shelf.present) == 1 else 'different products'}"
    return fill(
        '<details class="card"><summary>On shelf: {kinds}</summary><ul>{items}</ul></details>\n',
        kinds=kinds,
        items=items,
    )


def _decided(sight: Sight) -> Html:
    """Say who decided what, without names: by this link, or somebody else."""
    link, past = sight.link, sight.past
    lines = []
    if link.used_by_action and link.used_on:
        kind = "good" if link.used_by_action == "approve" else "bad"
        lines.append((kind, f"You {PAST[link.used_by_action]} this picture on {_words(_local(sight, link.used_on))}."))
    is_own = past is not None and past.created_by_user_id is None and past.created_by_user == link.actor
    if past is not None and not is_own:
        kind = {"Approved": "good", "Rejected": "bad"}.get(past.decision, "wait")
        done = PAST.get(past.decision, past.decision.lower())
        lines.append((kind, f"Somebody else {done} on {_words(_local(sight, past.created_on))}."))
    elif not lines and not sight.waits:
        lines.append(("", "This picture does not wait for review any more."))
    return join(fill('<div class="said {kind}">{words}</div>\n', kind=kind, words=words) for kind, words in lines)


PAST = {
    "approve": "approved",
    "reject": "rejected",
    "Approved": "approved this picture",
    "Rejected": "rejected this picture",
    "Reopened": "took the decision back",
}


def _forms(sight: Sight) -> Html:
    if not sight.waits:
        return EMPTY
    if sight.link.used_by_action:
        return Html('<div class="card">The picture waits again. To decide once more, ask for a new link.</div>\n')
    choices = join(fill(CHOICE, words=words) for words in WHY)
    approve = APPROVE if sight.picture.asset_id is not None else NO_COOLER
    return fill(FORMS, approve=Html(approve), choices=choices)


WHY = ("Blurred or too dark", "Not a cooler", "Wrong cooler", "Products are hidden", "Something else")


def _foot(sight: Sight) -> Html:
    return fill(FOOT, until=_words(_local(sight, sight.link.expires_on)))


def _local(sight: Sight, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(sight.zone))


def _words(at: datetime) -> str:
    return f"{at:%A}, {at.day} {at:%B %Y, %H:%M}"


def _offset(difference: timedelta) -> str:
    minutes = round(difference.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "\N{MINUS SIGN}" if minutes < 0 else "+"
    return "UTC" if not minutes else f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


HEAD = """<header>
<h1>{title}</h1>
{town}{serial}<p><time datetime="{iso}">{at}</time> <span class="soft" title="{zone}">({offset})</span></p>
{state}
</header>
"""
FOOT = """<footer>This page opens until {until}. Whoever has its link can open it: pass it on with care.</footer>
"""
FIGURE = """<figure>
<a href="{path}"><img src="{path}?w={largest}" width="{width}" height="{height}" alt="{alt}"></a>
<figcaption class="soft">Tap the picture to see it in full size.</figcaption>
</figure>
"""
TILE = '<div class="{kind}"><b>{count}</b>{words}</div>'
CHOICE = '<label class="choice"><input type="radio" name="why" value="{words}" required><span>{words}</span></label>'
APPROVE = """<form method="post">
<input type="hidden" name="action" value="approve">
<button>Approve</button>
</form>
"""
NO_COOLER = """<p>Nobody said yet which cooler this picture shows, so it cannot be approved here: that takes an account,
where the cooler can be named.</p>
"""
FORMS = """<section class="card">
<h2>Can this picture be used?</h2>
{approve}<details class="reject">
<summary>Reject …</summary>
<form method="post">
<input type="hidden" name="action" value="reject">
<fieldset><legend>What is wrong with it?</legend>{choices}</fieldset>
<label class="words" for="reason">In your own words, if you like</label>
<textarea id="reason" name="reason" maxlength="1900"></textarea>
<button class="no">Reject</button>
</form>
</details>
</section>
"""
