"""Records an upload: bytes to the object store first, then record, event and job in one transaction, then the answer.

Whatever fails, no record is without its bytes: bytes are removed only when it is certain that no record names them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.idempotency import RequestKey, claim, keep
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import events, store
from coldshelf.pictures.errors import SaveFailed
from coldshelf.pictures.models import Outcome, PictureId
from coldshelf.pictures.service.answers import Accepted, Entry, Refused, UploadAnswer, answer_of
from coldshelf.pictures.service.drafts import Draft, Session, columns_of, picture_of, stored_files
from coldshelf.pictures.service.examine import Examined
from coldshelf.pictures.store import Answered

log = get_logger("pictures")


@dataclass(slots=True)
class Attempt:
    """What one upload has put into the object store, and how far its transaction came."""

    keys: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    is_sent: bool = False
    is_done: bool = False

    @property
    def unused(self) -> list[str]:
        """Objects that no record names. A commit that was sent and not confirmed may have happened: then none."""
        if self.is_sent and not self.is_done:
            return []
        return [key for key in self.keys if key not in self.used]


async def record(
    run: Runtime,
    session: Session,
    drafts: Sequence[Draft | Refused],
    *,
    known: Mapping[bytes, Answered],
    request: RequestKey | None,
) -> UploadAnswer:
    """Record the drafts that are new; the known ones get the answer that they got before."""
    new = [draft for draft in drafts if isinstance(draft, Draft) and draft.fingerprint not in known]
    if new or request:
        answer = await _store(run, session, drafts, new, request)
    else:
        answer = answer_of([_repeated(known[one.fingerprint]) if isinstance(one, Draft) else one for one in drafts])
    await _quarantine(run, session, drafts)
    return answer


async def _store(
    run: Runtime,
    session: Session,
    drafts: Sequence[Draft | Refused],
    new: Sequence[Draft],
    request: RequestKey | None,
) -> UploadAnswer:
    attempt = Attempt()
    try:
        if "save" in run.settings.faults.split(","):
            raise SaveFailed
        if new:
            await run.off_loop(_commit_bytes, session, new, attempt)
        return await _write(run, session, drafts, request, attempt)
    except ColdshelfError:
        raise
    except Exception as error:
        log.exception("upload.save_failed")
        raise SaveFailed from error
    finally:
        if attempt.unused:
            await run.off_loop(_delete, run, attempt.unused)


def _commit_bytes(session: Session, drafts: Sequence[Draft], attempt: Attempt) -> None:
    for draft in drafts:
        for file in stored_files(session, draft):
            attempt.keys.append(file.object_key)
            draft.parts[file.number - 1].file.writer.commit(file.object_key)


def _delete(run: Runtime, keys: Sequence[str]) -> None:
    for key in keys:
        run.objects.delete(key)


async def _write(
    run: Runtime, session: Session, drafts: Sequence[Draft | Refused], request: RequestKey | None, attempt: Attempt
) -> UploadAnswer:
    principal = session.principal
    async with run.database.scope(
        session.client.id, user_id=principal.user_id, user_name=principal.user_name
    ) as connection:
        if request:
            stored = await claim(connection, request, wait=run.settings.idempotency_wait)
            if stored:
                attempt.is_sent = attempt.is_done = True
                return UploadAnswer(stored.status, stored.body, replayed=True)
        entries = await _write_drafts(run, connection, session, drafts, attempt)
        answer = answer_of(entries)
        if request:
            await keep(connection, request, status=answer.status, body=answer.body)
        attempt.is_sent = True
    attempt.is_done = True
    return answer


async def _write_drafts(
    run: Runtime, connection: Connection, session: Session, drafts: Sequence[Draft | Refused], attempt: Attempt
) -> list[Entry]:
    """Write in the order of the fingerprints: two uploads of the same files must not wait for each other."""
    made: dict[bytes, Entry] = {}
    for draft in sorted((one for one in drafts if isinstance(one, Draft)), key=lambda one: one.fingerprint):
        if draft.fingerprint not in made:  # the same file twice in one upload is one picture
            made[draft.fingerprint] = await _write_draft(run, connection, session, draft, attempt)
    return [made[one.fingerprint] if isinstance(one, Draft) else one for one in drafts]


async def _write_draft(
    run: Runtime, connection: Connection, session: Session, draft: Draft, attempt: Attempt
) -> Accepted:
    if session.window is not None:
        earlier = await store.claim_bytes(
            connection, draft.fingerprint, now=session.now, guid=draft.guid, window=session.window
        )
        if earlier:
            return _repeated(earlier)
    files = stored_files(session, draft)
    picture_id = await store.add_picture(connection, columns_of(session, draft), files, draft.fingerprint)
    attempt.used.update(file.object_key for file in files)
    await _publish(run, connection, session, draft, picture_id)
    return Accepted(draft.guid, picture_id)


def _repeated(earlier: Answered) -> Accepted:
    return Accepted(earlier.guid, earlier.picture_id, repeated=True)


async def _publish(
    run: Runtime, connection: Connection, session: Session, draft: Draft, picture_id: PictureId
) -> None:
    picture = picture_of(session, draft, picture_id)
    kinds = [] if draft.parts[0].is_empty else [events.STORED]
    kinds += {Outcome.PENDING: [events.PENDING], Outcome.REJECTED: [events.REJECTED]}.get(draft.verdict.outcome, [])
    for kind in kinds:
        await run.events.publish(connection, events.picture_event(kind, session.client.id, picture))


async def _quarantine(run: Runtime, session: Session, drafts: Sequence[Draft | Refused]) -> None:
    """Keep undecodable files apart for the operator. The answer stands, also when that fails."""
    for part in (part for draft in drafts if isinstance(draft, Refused) for part in draft.parts):
        if part.is_undecodable:
            try:
                await _quarantine_one(run, session, part)
            except Exception:  # noqa: BLE001  # see above
                log.exception("upload.quarantine_failed")


async def _quarantine_one(run: Runtime, session: Session, part: Examined) -> None:
    # named by its bytes: a device that sends the same broken file all day fills one file
    key = f"quarantine/{session.client.id}/{session.now:%Y%m%d}/{part.sha256.hex()}"
    await run.off_loop(part.file.writer.commit, key)
    async with run.database.scope(session.client.id) as connection:
        await store.quarantine(
            connection,
            key,
            file_name=part.file.name,
            reason=part.fault.message if part.fault else "",
            size=part.file.size,
            sha256=part.sha256,
        )
