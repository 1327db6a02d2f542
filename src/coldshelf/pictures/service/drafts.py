"""Drafts: the pictures that an upload wants recorded, before anything is written. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from coldshelf.access.models import Client
from coldshelf.access.principal import Principal
from coldshelf.kit.idempotency import hash_request
from coldshelf.kit.ids import ClientId, new_guid
from coldshelf.pictures.imaging.capture_time import CaptureTime, capture_time
from coldshelf.pictures.imaging.combine import parse_grid_order
from coldshelf.pictures.models import Picture, PictureId, StoredFile, Verdict
from coldshelf.pictures.outcomes import Facts, decide
from coldshelf.pictures.request import UploadRequest
from coldshelf.pictures.service.answers import Refused
from coldshelf.pictures.service.examine import Examined
from coldshelf.pictures.sources import DEFAULT_SOURCE
from coldshelf.pictures.target import Target

ZERO_BYTES = "Image saved with 0 bytes"


@dataclass(frozen=True, slots=True)
class Session:
    """What all pictures of one upload share."""

    client: Client
    principal: Principal
    wanted: UploadRequest
    target: Target
    now: datetime

    @property
    def window(self) -> timedelta | None:
        return (self.wanted.source or DEFAULT_SOURCE).duplicate_window

    @property
    def zone(self) -> str:
        return (self.target.outlet and self.target.outlet.time_zone) or self.client.time_zone


@dataclass(frozen=True, slots=True)
class Group:
    """Files of an upload that make one picture, in the order in which they were uploaded."""

    guid: UUID
    parts: tuple[Examined, ...]

    @property
    def is_stitched(self) -> bool:
        return len(self.parts) > 1


@dataclass(frozen=True, slots=True)
class Draft:
    """A picture to be recorded; `places` are those of its files from the left."""

    group: Group
    places: tuple[int, ...]
    captured: CaptureTime
    verdict: Verdict
    fingerprint: bytes
    notes: tuple[str, ...]


def group_files(wanted: UploadRequest, examined: Sequence[Examined]) -> list[Group | Refused]:
    """Give one group for each file, or one for all when they are to be combined; a bad file refuses its group."""
    if not wanted.stitches or len(examined) < 2:
        return [_single(wanted, part) for part in examined]
    bad = next((part for part in examined if part.fault or part.is_empty), None)
    if bad is None:
        return [Group(new_guid(), tuple(examined))]
    words = bad.fault.message if bad.fault else ZERO_BYTES
    return [Refused(f"{words}: {bad.file.name}", (bad,))]


def _single(wanted: UploadRequest, part: Examined) -> Group | Refused:
    if part.fault:
        return Refused(part.fault.message, (part,))
    if part.is_empty and wanted.verifies_size:
        return Refused(ZERO_BYTES, (part,))
    return Group(new_guid(), (part,))


def check_grid_order(wanted: UploadRequest, count: int) -> None:
    """Raise GridOrderMismatch when files are to be combined and their places do not fit."""
    if wanted.stitches and count > 1:
        parse_grid_order(wanted.grid_order, count)


def make_draft(session: Session, group: Group) -> Draft:
    target, wanted, client = session.target, session.wanted, session.client
    places = parse_grid_order(wanted.grid_order if group.is_stitched else None, len(group.parts))
    captured = capture_time(group.parts[places.index(1)].captured, zone=session.zone, received=session.now)
    facts = Facts(
        scene=wanted.scene,
        is_empty=group.parts[0].is_empty,
        has_asset=target.asset is not None,
        has_planogram=target.asset is not None and target.asset.planogram_name is not None,
        demands_planogram=client.demands_planogram,
        reviews_by_hand=client.reviews_by_hand,
        is_in_future=captured.is_future,
    )
    return Draft(
        group=group,
        places=places,
        captured=captured,
        verdict=decide(facts),
        fingerprint=_fingerprint(session, group.parts, places),
        notes=_notes(session, stitched=group.is_stitched),
    )


def _fingerprint(session: Session, parts: Sequence[Examined], places: Sequence[int]) -> bytes:
    """Name the bytes, the asset (or outlet), the scene and the before / after flag: the same again is a retry."""
    target, wanted = session.target, session.wanted
    where = f"asset {target.asset.id}" if target.asset else f"outlet {target.outlet.id if target.outlet else 0}"
    what = f"{where} {wanted.scene_name.lower()} {wanted.before_after} {list(places)}"
    return hashlib.sha256(hash_request(what.encode(), *(part.sha256 for part in parts))).digest()


def _notes(session: Session, *, stitched: bool) -> tuple[str, ...]:
    wanted, notes = session.wanted, list(session.target.notes)
    if wanted.source is None:
        notes.append(f"ImageReceivedFrom {wanted.source_number} is not a known source")
    if wanted.grid_order and not stitched:
        notes.append("GridOrder was ignored: nothing is stitched")
    if wanted.scene is None:
        notes.append(f"SceneType {wanted.scene_name} is not a known scene")
    return tuple(notes)


def object_keys(client_id: ClientId, now: datetime, group: Group) -> list[str]:
    """Name the objects of a group: one folder a client and day, so that an upload syncs one folder only."""
    return [f"originals/{client_id}/{now:%Y%m%d}/{group.guid}_{n}" for n in range(1, len(group.parts) + 1)]


def stored_files(session: Session, draft: Draft) -> list[StoredFile]:
    keys = object_keys(session.client.id, session.now, draft.group)
    return [
        StoredFile(n, place, part.file.name, key, part.sha256, part.file.size)
        for n, (part, place, key) in enumerate(zip(draft.group.parts, draft.places, keys, strict=True), 1)
    ]


def picture_of(session: Session, draft: Draft, picture_id: PictureId) -> Picture:
    """Give the record as its steps see it."""
    place = session.target.placement
    return Picture(
        id=picture_id,
        guid=draft.group.guid,
        asset_id=place.asset_id,
        location_id=place.location_id,
        planogram_id=place.planogram_id,
        scene_type=session.wanted.scene_name,
        status_id=draft.verdict.status_id,
        submission_outcome=draft.verdict.outcome.value,
        rejection_reason=draft.verdict.reason,
        is_stitched=draft.group.is_stitched,
        columns=place.columns,
        items_per_column=place.items_per_column,
        serial_number=place.serial_number,
        location_code=place.location_code,
        location_name=place.location_name,
        city=place.city,
        state=place.state,
        country=place.country,
        captured_on=draft.captured.event_time_utc,
        callback_url=session.wanted.callback_url or None,
        prepared_on=None,
    )


def columns_of(session: Session, draft: Draft) -> dict[str, object]:
    """Give the columns of the record; names are those of this moment."""
    picture, wanted = picture_of(session, draft, PictureId(0)), session.wanted
    shared = {
        name: getattr(picture, name) for name in Picture.__dataclass_fields__ if name not in {"id", "prepared_on"}
    }
    return {
        **shared,
        **asdict(session.target.placement),
        "store_number": wanted.store_number or None,
        "imei": wanted.imei or None,
        "image_received_from": wanted.source_number,
        "source_name": wanted.source.name if wanted.source else None,
        "before_after": wanted.before_after,
        "grid_order": wanted.grid_order or None,
        "file_count": len(draft.group.parts),
        "image_name": f"{draft.group.guid}.jpg",
        "total_bytes": sum(part.file.size for part in draft.group.parts),
        "received_on": session.now,
        "captured_local": draft.captured.event_time.replace(tzinfo=None),
        "capture_time_source": draft.captured.source.value,
        "notes": "; ".join(draft.notes),
    }
