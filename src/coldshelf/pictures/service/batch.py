"""Takes many uploads of one request: each is stored or refused for itself, as if it had come alone."""

import asyncio
import hashlib
from collections.abc import Sequence

from coldshelf.access.principal import Permission, Principal
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.errors import ClientNotSpecified
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.manifest import Item
from coldshelf.pictures.service.answers import UploadAnswer, error_answer
from coldshelf.pictures.service.upload import store_upload

log = get_logger("pictures")

AT_ONCE = 4
"""Uploads of one batch that are stored at the same time: the disk gathers their writes."""


async def store_batch(
    run: Runtime, principal: Principal, items: Sequence[Item], *, idempotency_key: str = ""
) -> list[UploadAnswer]:
    """Give the answer of each upload in order; what is not committed is discarded by the caller.

    With a key each upload has its own one made of it, so that a batch sent again goes on where it broke.
    """
    if principal.client_id is None:
        raise ClientNotSpecified
    principal.require_permission(Permission.UPLOAD)
    room = asyncio.Semaphore(AT_ONCE)

    async def store(place: int, item: Item) -> UploadAnswer:
        async with room:
            return await _store(run, principal, item, _key(idempotency_key, place))

    return await asyncio.gather(*(store(place, item) for place, item in enumerate(items)))


async def _store(run: Runtime, principal: Principal, item: Item, key: str) -> UploadAnswer:
    intake = Intake.of(run.objects, item.files)
    try:
        return await store_upload(run, principal, intake, item.params, idempotency_key=key)
    except ColdshelfError as error:
        if error.status >= 500:
            log.exception("upload.failed")
        return error_answer(error)
    except Exception:  # one upload's fault must not hide the answers of the others
        log.exception("upload.failed")
        return error_answer(ColdshelfError())


def _key(key: str, place: int) -> str:
    return f"batch {hashlib.sha256(key.encode()).hexdigest()} {place}" if key else ""
