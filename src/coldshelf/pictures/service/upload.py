"""Stores an upload: bytes to the object store first, then record, event and job in one transaction, then the answer.

The order of checks is that of contract 2.1: action, files, identifier, asset and outlet, inactive, grid order, content.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from coldshelf.access.models import Client
from coldshelf.access.principal import UPLOADERS, Principal
from coldshelf.access.service import load_client
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.idempotency import RequestKey, claim, hash_request, in_turn, keep
from coldshelf.kit.ids import new_guid
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.pictures import events, store
from coldshelf.pictures.errors import ActionNotFound, ClientNotSpecified, FaultSwitched, NoImageFiles, SaveFailed
from coldshelf.pictures.imaging.capture_time import CaptureTime, capture_time
from coldshelf.pictures.imaging.combine import parse_grid_order
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.models import Outcome, PictureId, StoredFile, Verdict
from coldshelf.pictures.outcomes import Facts, decide
from coldshelf.pictures.request import UploadRequest, read_upload_request
from coldshelf.pictures.service.answers import Accepted, Entry, Refused, UploadAnswer, answer_of
from coldshelf.pictures.service.examine import Examined, examine
from coldshelf.pictures.sources import DEFAULT_SOURCE
from coldshelf.pictures.target import Target, find_target

log = get_logger("pictures")


@dataclass(frozen=True, slots=True)
class Draft:
    """A picture to be recorded: one file, or several that are combined, in the order in which they were uploaded."""

    guid: UUID
    parts: tuple[Examined, ...]
    places: tuple[int, ...]
    captured: CaptureTime
    verdict: Verdict
    fingerprint: bytes
    notes: tuple[str, ...]

    @property
    def is_stitched(self) -> bool:
        return len(self.parts) > 1


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


async def store_upload(
    run: Runtime, principal: Principal, intake: Intake, params: Params, *, idempotency_key: str = ""
) -> UploadAnswer:
    """Accept or refuse an upload; raise the contract's errors. What is not committed is discarded by the caller."""
    session, order = await _check(run, principal, intake, params)
    examined = [
        await run.off_loop(examine, file, max_pixels=int(run.settings.max_megapixels * 1_000_000))
        for file in intake.files
    ]
    drafts = _drafts(session, examined, order)
    if not idempotency_key:
        return await _record(run, session, drafts, None)
    content = hash_request(*(f"{name}={value}".encode() for name, value in sorted(params.items())), *_hashes(intake))
    request = RequestKey(session.client.id, principal.user_id, idempotency_key, content)
    async with in_turn(run, request):
        return await _record(run, session, drafts, request)


def _hashes(intake: Intake) -> list[bytes]:
    return [file.sha256 for file in intake.files]


async def _check(
    run: Runtime, principal: Principal, intake: Intake, params: Params
) -> tuple[Session, tuple[int, ...] | None]:
    if principal.client_id is None:
        raise ClientNotSpecified
    principal.require(UPLOADERS)
    if params.text("action").lower() != "uploadimage":
        raise ActionNotFound
    if not intake.files:
        raise NoImageFiles
    wanted = read_upload_request(params)
    if "upload" in run.settings.faults.split(","):
        raise FaultSwitched
    client = await load_client(run, principal.client_id)
    async with run.database.scope(principal.client_id, readonly=True) as connection:
        target = await find_target(connection, principal, wanted)
    order = _order(wanted, len(intake.files))
    return Session(client, principal, wanted, target, run.clock.now()), order


def _order(wanted: UploadRequest, count: int) -> tuple[int, ...] | None:
    """Give the place of each file when they are to be combined, else None."""
    if not wanted.stitches or count < 2:
        return None
    return parse_grid_order(wanted.grid_order, count)


def _drafts(session: Session, examined: Sequence[Examined], order: tuple[int, ...] | None) -> list[Draft | Refused]:
    if order is not None:
        bad = next((part for part in examined if part.fault or part.is_empty), None)
        if bad:
            words = bad.fault.message if bad.fault else "Image saved with 0 bytes"
            return [Refused(f"{words}: {bad.file.name}", (bad,))]
        return [_draft(session, tuple(examined), order)]
    return [_single(session, part) for part in examined]


def _single(session: Session, part: Examined) -> Draft | Refused:
    if part.fault:
        return Refused(part.fault.message, (part,))
    if part.is_empty and session.wanted.verifies_size:
        return Refused("Image saved with 0 bytes", (part,))
    return _draft(session, (part,), (1,))


def _draft(session: Session, parts: tuple[Examined, ...], places: tuple[int, ...]) -> Draft:
    target, wanted = session.target, session.wanted
    captured = capture_time(parts[places.index(1)].captured, zone=session.zone, received=session.now)
    facts = Facts(
        scene=wanted.scene,
        is_empty=parts[0].is_empty,
        has_asset=target.asset is not None,
        has_planogram=target.asset is not None and target.asset.planogram_name is not None,
        demands_planogram=session.client.demands_planogram,
        reviews_by_hand=session.client.reviews_by_hand,
        is_in_future=captured.is_future,
    )
    return Draft(
        guid=new_guid(),
        parts=parts,
        places=places,
        captured=captured,
        verdict=decide(facts),
        fingerprint=_fingerprint(session, parts, places),
        notes=_notes(session, stitched=len(parts) > 1),
    )


def _fingerprint(session: Session, parts: Sequence[Examined], places: Sequence[int]) -> bytes:
    """Name the bytes, the asset (or outlet), the scene and the before / after flag: the same again is a retry."""
    target, wanted = session.target, session.wanted
    where = f"asset {target.asset.id}" if target.asset else f"outlet {target.outlet.id if target.outlet else 0}"
    what = f"{where} {wanted.scene_name} {wanted.before_after} {list(places)}"
    return hashlib.sha256(hash_request(what.encode(), *(part.file.sha256 for part in parts))).digest()


def _notes(session: Session, *, stitched: bool) -> tuple[str, ...]:
    wanted, notes = session.wanted, list(session.target.notes)
    if wanted.source is None:
        notes.append(f"ImageReceivedFrom {wanted.source_number} is not a known source")
    if wanted.grid_order and not stitched:
        notes.append("GridOrder was ignored: nothing is stitched")
    if wanted.scene is None:
        notes.append(f"SceneType {wanted.scene_name} is not a known scene")
    return tuple(notes)


async def _record(
    run: Runtime, session: Session, drafts: Sequence[Draft | Refused], request: RequestKey | None
) -> UploadAnswer:
    known = await _answered_before(run, session, drafts)
    new = [draft for draft in drafts if isinstance(draft, Draft) and draft.fingerprint not in known]
    committed = await _commit_bytes(run, session, new)
    try:
        answer, used = await _write(run, session, drafts, request)
    except ColdshelfError:
        await run.off_loop(_delete, run, committed)
        raise
    except Exception as error:
        await run.off_loop(_delete, run, committed)
        log.exception("upload.save_failed")
        raise SaveFailed from error
    await run.off_loop(_delete, run, [key for key in committed if key not in used])
    await _quarantine(run, session, drafts)
    return answer


async def _answered_before(run: Runtime, session: Session, drafts: Sequence[Draft | Refused]) -> set[bytes]:
    """Look for retries before their bytes are made durable once more."""
    if session.window is None:
        return set()
    async with run.database.scope(session.client.id, readonly=True) as connection:
        return {
            draft.fingerprint
            for draft in drafts
            if isinstance(draft, Draft)
            and await store.answered(connection, draft.fingerprint, now=session.now, window=session.window)
        }


async def _commit_bytes(run: Runtime, session: Session, drafts: Sequence[Draft]) -> list[str]:
    if "save" in run.settings.faults.split(","):
        raise SaveFailed
    keys: list[str] = []
    for draft in drafts:
        for file in stored_files(session, draft):
            try:
                await run.off_loop(draft.parts[file.number - 1].file.writer.commit, file.object_key)
            except OSError as error:
                await run.off_loop(_delete, run, keys)
                log.exception("upload.save_failed")
                raise SaveFailed from error
            keys.append(file.object_key)
    return keys


def stored_files(session: Session, draft: Draft) -> list[StoredFile]:
    """Name the objects of a draft: one folder a client and day, so that an upload syncs one folder only."""
    folder = f"originals/{session.client.id}/{session.now:%Y%m%d}"
    return [
        StoredFile(n, place, part.file.name, f"{folder}/{draft.guid}_{n}", part.file.sha256, part.file.size)
        for n, (part, place) in enumerate(zip(draft.parts, draft.places, strict=True), 1)
    ]


def _delete(run: Runtime, keys: Sequence[str]) -> None:
    for key in keys:
        run.objects.delete(key)


async def _write(
    run: Runtime, session: Session, drafts: Sequence[Draft | Refused], request: RequestKey | None
) -> tuple[UploadAnswer, set[str]]:
    """Write records, events and jobs in one transaction; give the answer and the object keys that are used."""
    principal = session.principal
    async with run.database.scope(
        session.client.id, user_id=principal.user_id, user_name=principal.user_name
    ) as connection:
        if request:
            stored = await claim(connection, request, wait=run.settings.idempotency_wait)
            if stored:
                return UploadAnswer(stored.status, stored.body, replayed=True), set()
        entries: dict[int, Entry] = {}
        used: set[str] = set()
        in_lock_order = sorted(enumerate(drafts), key=lambda item: getattr(item[1], "fingerprint", b""))
        for number, draft in in_lock_order:
            if isinstance(draft, Refused):
                entries[number] = draft
                continue
            entries[number], keys = await _write_draft(run, connection, session, draft)
            used |= keys
        answer = answer_of([entries[number] for number in range(len(drafts))])
        if request:
            await keep(connection, request, status=answer.status, body=answer.body)
        return answer, used


async def _write_draft(
    run: Runtime, connection: Connection, session: Session, draft: Draft
) -> tuple[Entry, set[str]]:
    if session.window is not None:
        earlier = await store.claim_bytes(
            connection, draft.fingerprint, now=session.now, guid=draft.guid, window=session.window
        )
        if earlier:
            return Accepted(earlier[1], earlier[0], repeated=True), set()
    files = stored_files(session, draft)
    picture_id = await store.add_picture(connection, _columns(session, draft), files)
    if session.window is not None:
        await store.settle_claim(connection, draft.fingerprint, picture_id)
    await _publish(run, connection, session, draft, picture_id)
    return Accepted(draft.guid, picture_id), {file.object_key for file in files}


async def _publish(
    run: Runtime, connection: Connection, session: Session, draft: Draft, picture_id: PictureId
) -> None:
    picture = await store.load_picture(connection, picture_id)
    if picture is None:
        raise SaveFailed
    kinds = [] if draft.parts[0].is_empty else [events.STORED]
    kinds += {Outcome.PENDING: [events.PENDING], Outcome.REJECTED: [events.REJECTED]}.get(draft.verdict.outcome, [])
    for kind in kinds:
        await run.events.publish(connection, events.picture_event(kind, session.client.id, picture))


def _columns(session: Session, draft: Draft) -> dict[str, object]:
    """Give the columns of the record; names are those of this moment."""
    asset, outlet, wanted = session.target.asset, session.target.outlet, session.wanted
    return {
        "guid": draft.guid,
        "asset_id": asset and asset.id,
        "serial_number": asset and asset.serial_number,
        "planogram_id": asset.planogram_id if asset is not None and asset.planogram_name is not None else None,
        "planogram_name": asset and asset.planogram_name,
        "door_count": asset and asset.doors,
        "columns": asset and asset.columns,
        "shelves": asset and asset.shelves,
        "location_id": outlet and outlet.id,
        "location_code": outlet and outlet.code,
        "location_name": outlet and outlet.name,
        "city": outlet and outlet.city,
        "state": outlet and outlet.state,
        "country": outlet and outlet.country,
        "store_number": wanted.store_number or None,
        "imei": wanted.imei or None,
        "scene_type": wanted.scene_name,
        "image_received_from": wanted.source_number,
        "source_name": wanted.source.name if wanted.source else None,
        "before_after": wanted.before_after,
        "is_stitched": draft.is_stitched,
        "grid_order": wanted.grid_order or None,
        "file_count": len(draft.parts),
        "image_name": f"{draft.guid}.jpg",
        "total_bytes": sum(part.file.size for part in draft.parts),
        "received_on": session.now,
        "captured_on": draft.captured.event_time_utc,
        "captured_local": draft.captured.event_time.replace(tzinfo=None),
        "capture_time_source": draft.captured.source.value,
        "status_id": draft.verdict.status_id,
        "submission_outcome": draft.verdict.outcome.value,
        "rejection_reason": draft.verdict.reason,
        "notes": "; ".join(draft.notes),
        "callback_url": wanted.callback_url or None,
    }


async def _quarantine(run: Runtime, session: Session, drafts: Sequence[Draft | Refused]) -> None:
    """Keep undecodable files apart for the operator."""
    parts = [part for draft in drafts if isinstance(draft, Refused) for part in draft.parts if part.is_undecodable]
    for part in parts:
        key = f"quarantine/{session.client.id}/{session.now:%Y%m%d}/{new_guid()}"
        await run.off_loop(part.file.writer.commit, key)
        async with run.database.scope(session.client.id) as connection:
            await store.quarantine(
                connection,
                key,
                file_name=part.file.name,
                reason=part.fault.message if part.fault else "",
                size=part.file.size,
                sha256=part.file.sha256,
            )
