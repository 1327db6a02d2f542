"""Takes an upload: checks it in the order of contract 2.1, records it, answers.

The order: client scope, action, files, identifier, asset and outlet, inactive, grid order, content. Bytes go to the
object store first, then record, event and job into one transaction, then the answer. Whatever fails, no record is
without its bytes: bytes are removed only when it is certain that no record names them.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from coldshelf.access.models import Client
from coldshelf.access.principal import Permission, Principal
from coldshelf.access.service import load_client
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.idempotency import RequestKey, claim, hash_request, in_turn, keep
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import (
    ActionNotFound,
    ClientNotSpecified,
    FaultSwitched,
    NoImageFiles,
    SaveFailed,
    UploadTooLarge,
)
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.models import ReceivedFile
from coldshelf.pictures.request import IMAGE_URL, UploadRequest, read_upload_request
from coldshelf.pictures.service.answers import Refused, UploadAnswer, answer_of
from coldshelf.pictures.service.drafts import Group, Session, check_grid_order, group_files, object_keys
from coldshelf.pictures.service.examine import Examined, examine_all
from coldshelf.pictures.service.fetching import fetch_pictures
from coldshelf.pictures.service.quarantine import quarantine
from coldshelf.pictures.service.recording import write_groups
from coldshelf.pictures.target import find_target

log = get_logger("pictures")

CLIENT_KEPT_SECONDS = 1.0

Settle = Callable[[Connection, UploadAnswer], Awaitable[None]]
"""What a door adds to the transaction that records an upload; what it raises undoes the upload."""


class Clients:
    """The rows of clients, read at most once a second: every upload needs its own."""

    def __init__(self) -> None:
        self._kept: dict[ClientId, tuple[float, Client]] = {}

    async def load(self, run: Runtime, client_id: ClientId) -> Client:
        read_at, client = self._kept.get(client_id, (0.0, None))
        now = time.monotonic()
        if client is None or now - read_at > CLIENT_KEPT_SECONDS:
            client = await load_client(run, client_id)
            self._kept[client_id] = now, client
        return client


_clients: Memory[Clients] = Memory(lambda _: Clients())


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload on its way: who sends it, what was said, and what came; `files` are those of the body."""

    principal: Principal
    client_id: ClientId
    params: Params
    intake: Intake
    files: Sequence[ReceivedFile]
    now: datetime
    examined: Sequence[Examined] = ()
    request: RequestKey | None = None
    settle: Settle | None = None

    @property
    def urls(self) -> list[str]:
        """Where pictures are fetched from, behind the files that were sent."""
        return self.params.every(IMAGE_URL)

    @property
    def count(self) -> int:
        return len(self.files) + len(self.urls)


class Kept:
    """The bytes of one upload in the object store, and how far the transaction came that names them."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.used: set[str] = set()
        self.is_sent = self.is_done = False

    @property
    def unused(self) -> list[str]:
        """Objects that no record names. A commit that was sent and not confirmed may have happened: then none."""
        if self.is_sent and not self.is_done:
            return []
        return [key for key in self.keys if key not in self.used]


async def store_upload(
    run: Runtime,
    principal: Principal,
    intake: Intake,
    params: Params,
    *,
    idempotency_key: str = "",
    settle: Settle | None = None,
) -> UploadAnswer:
    """Accept or refuse an upload; raise the contract's errors. What is not committed is discarded by the caller."""
    if principal.client_id is None:
        raise ClientNotSpecified
    principal.require_permission(Permission.UPLOAD)
    files, now = tuple(intake.files), run.clock.now()
    upload = Upload(principal, principal.client_id, params, intake, files, now, settle=settle)
    if not idempotency_key:
        return await _take(run, upload)
    examined = await run.off_loop(examine_all, intake.files, max_pixels=_most_pixels(run))
    request = RequestKey(principal.client_id, principal.user_id, idempotency_key, _hash(params, examined))
    async with in_turn(run, request):
        stored = await _stored_answer(run, request)
        return stored or await _take(run, replace(upload, examined=examined, request=request))


def _most_pixels(run: Runtime) -> int:
    return int(run.settings.max_megapixels * 1_000_000)


def _hash(params: Params, examined: Sequence[Examined]) -> bytes:
    values = sorted((name.lower(), value) for name, value in params.pairs())
    return hash_request(*(f"{name}={value}".encode() for name, value in values), *(part.sha256 for part in examined))


class Unclaimed(Exception):
    """Nobody used this key yet: rolls the look back, the claim that counts is made with the effect"""


async def _stored_answer(run: Runtime, request: RequestKey) -> UploadAnswer | None:
    """Look for the answer that this key got before: it stands whatever has changed since."""
    with suppress(Unclaimed):
        async with run.database.scope(request.client_id) as connection:
            stored = await claim(connection, request, wait=run.settings.idempotency_wait)
            if stored is None:
                raise Unclaimed
            return UploadAnswer(stored.status, stored.body, replayed=True)
    return None


async def _take(run: Runtime, upload: Upload) -> UploadAnswer:
    wanted = _read(run, upload)
    if upload.urls:
        upload = await _fetch(run, upload, wanted)
    kept = Kept()
    try:
        groups = await run.off_loop(_keep_bytes, upload, wanted, kept, max_pixels=_most_pixels(run))
        answer = await _record(run, upload, wanted, groups, kept)
    except ColdshelfError:
        raise
    except Exception as error:
        log.exception("upload.save_failed")
        raise SaveFailed from error
    finally:
        if kept.unused:
            await run.off_loop(_delete, run, kept.unused)
    await quarantine(run, upload.client_id, upload.now, groups)
    return answer


def _read(run: Runtime, upload: Upload) -> UploadRequest:
    if upload.params.text("action").lower() != "uploadimage":
        raise ActionNotFound
    if not upload.count:
        raise NoImageFiles
    if upload.count > run.settings.max_files:
        raise UploadTooLarge(f"The upload has more than {run.settings.max_files} files")
    wanted = read_upload_request(upload.params)
    if "upload" in run.settings.faults.split(","):
        raise FaultSwitched
    return wanted


async def _fetch(run: Runtime, upload: Upload, wanted: UploadRequest) -> Upload:
    """Fetch what is named by URL, once it is clear that the pictures would be taken."""
    async with run.database.scope(upload.client_id, readonly=True) as connection:
        await find_target(connection, upload.principal, wanted)
    check_grid_order(wanted, upload.count)
    sent = upload.examined or await run.off_loop(examine_all, upload.files, max_pixels=_most_pixels(run))
    fetched = await fetch_pictures(run, upload.intake, upload.urls, max_pixels=_most_pixels(run))
    return replace(upload, examined=[*sent, *fetched])


def _keep_bytes(upload: Upload, wanted: UploadRequest, kept: Kept, *, max_pixels: int) -> list[Group | Refused]:
    """Examine the files and make those durable that shall have a record. Blocking."""
    groups = group_files(wanted, upload.examined or examine_all(upload.files, max_pixels=max_pixels))
    for group in groups:
        if isinstance(group, Group):
            for part, key in zip(group.parts, object_keys(upload.client_id, upload.now, group), strict=True):
                kept.keys.append(key)
                part.file.writer.commit(key)
    return groups


def _delete(run: Runtime, keys: Sequence[str]) -> None:
    for key in keys:
        run.objects.delete(key)


async def _record(
    run: Runtime, upload: Upload, wanted: UploadRequest, groups: Sequence[Group | Refused], kept: Kept
) -> UploadAnswer:
    client, principal, request = await _clients.of(run).load(run, upload.client_id), upload.principal, upload.request
    async with run.database.scope(client.id, user_id=principal.user_id, user_name=principal.user_name) as connection:
        stored = await claim(connection, request, wait=run.settings.idempotency_wait) if request else None
        if stored:
            return UploadAnswer(stored.status, stored.body, replayed=True)
        target = await find_target(connection, principal, wanted)
        check_grid_order(wanted, upload.count)
        if "save" in run.settings.faults.split(","):
            raise SaveFailed
        session = Session(client, principal, wanted, target, upload.now)
        answer = answer_of(await write_groups(run, connection, session, groups, kept.used))
        if request:
            await keep(connection, request, status=answer.status, body=answer.body)
        if upload.settle:
            await upload.settle(connection, answer)
        kept.is_sent = True
    kept.is_done = True
    return answer
