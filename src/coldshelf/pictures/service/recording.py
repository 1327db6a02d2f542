"""Writes the records of an upload, with their events and jobs, in the caller's transaction."""

from collections.abc import Sequence

from coldshelf.kit.db import Connection
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import events, store
from coldshelf.pictures.models import Outcome, PictureId
from coldshelf.pictures.service.answers import Accepted, Entry, Refused
from coldshelf.pictures.service.drafts import (
    Draft,
    Group,
    Session,
    columns_of,
    make_draft,
    picture_of,
    stored_files,
)


async def write_groups(
    run: Runtime, connection: Connection, session: Session, groups: Sequence[Group | Refused], used: set[str]
) -> list[Entry]:
    """Record what is new and give what was answered before for the rest; add the objects that are named to `used`."""
    drafts = [make_draft(session, group) if isinstance(group, Group) else group for group in groups]
    made: dict[bytes, Entry] = {}
    # In the order of the fingerprints: two uploads of the same files must not wait for each other.
    for draft in sorted((one for one in drafts if isinstance(one, Draft)), key=lambda one: one.fingerprint):
        if draft.fingerprint not in made:  # the same file twice in one upload is one picture
            made[draft.fingerprint] = await _write(run, connection, session, draft, used)
    return [made[one.fingerprint] if isinstance(one, Draft) else one for one in drafts]


async def _write(run: Runtime, connection: Connection, session: Session, draft: Draft, used: set[str]) -> Accepted:
    if session.window is not None:
        earlier = await store.claim_bytes(
            connection, draft.fingerprint, now=session.now, guid=draft.group.guid, window=session.window
        )
        if earlier:
            return Accepted(earlier.guid, earlier.picture_id, repeated=True)
    files = stored_files(session, draft)
    picture_id = await store.add_picture(connection, columns_of(session, draft), files, draft.fingerprint)
    used.update(file.object_key for file in files)
    await _publish(run, connection, session, draft, picture_id)
    return Accepted(draft.group.guid, picture_id)


async def _publish(run: Runtime, connection: Connection, session: Session, draft: Draft, picture_id: PictureId) -> None:
    picture = picture_of(session, draft, picture_id)
    kinds = [] if draft.group.parts[0].is_empty else [events.STORED]
    kinds += {Outcome.PENDING: [events.PENDING], Outcome.REJECTED: [events.REJECTED]}.get(draft.verdict.outcome, [])
    for kind in kinds:
        await run.events.publish(connection, events.picture_event(kind, session.client.id, picture))
