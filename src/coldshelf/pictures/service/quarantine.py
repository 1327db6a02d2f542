"""Keeps undecodable files apart for the operator."""

from collections.abc import Sequence
from datetime import datetime

from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures import store
from coldshelf.pictures.service.answers import Refused
from coldshelf.pictures.service.drafts import Group
from coldshelf.pictures.service.examine import Examined

log = get_logger("pictures")


async def quarantine(run: Runtime, client_id: ClientId, now: datetime, groups: Sequence[Group | Refused]) -> None:
    """Keep what no decoder will read. The upload's answer stands, also when this fails."""
    for part in (part for group in groups if isinstance(group, Refused) for part in group.parts):
        if part.is_undecodable:
            try:
                await _keep(run, client_id, now, part)
            except Exception:  # see above
                log.exception("upload.quarantine_failed")


async def _keep(run: Runtime, client_id: ClientId, now: datetime, part: Examined) -> None:
    # named by its bytes: a device that sends the same broken file all day fills one file
    key = f"quarantine/{client_id}/{now:%Y%m%d}/{part.sha256.hex()}"
    await run.off_loop(part.file.writer.commit, key)
    async with run.database.scope(client_id) as connection:
        await store.quarantine(
            connection,
            key,
            file_name=part.file.name,
            reason=part.fault.message if part.fault else "",
            size=part.file.size,
            sha256=part.sha256,
        )
