"""Takes an upload: checks it in the order of contract 2.1, then records it and answers.

The order: client scope, action, files, identifier, asset and outlet, inactive, grid order, content.
"""

import time
from collections.abc import Sequence

from coldshelf.access.models import Client
from coldshelf.access.principal import UPLOADERS, Principal
from coldshelf.access.service import load_client
from coldshelf.kit.idempotency import RequestKey, claim, hash_request, in_turn
from coldshelf.kit.ids import ClientId
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.pictures import store
from coldshelf.pictures.errors import ActionNotFound, ClientNotSpecified, FaultSwitched, NoImageFiles
from coldshelf.pictures.intake import Intake
from coldshelf.pictures.request import UploadRequest, read_upload_request
from coldshelf.pictures.service.answers import UploadAnswer
from coldshelf.pictures.service.drafts import Draft, Session, make_drafts
from coldshelf.pictures.service.examine import Examined, examine_all
from coldshelf.pictures.service.recording import record
from coldshelf.pictures.target import find_target

CLIENT_KEPT_SECONDS = 1.0


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


async def store_upload(
    run: Runtime, principal: Principal, intake: Intake, params: Params, *, idempotency_key: str = ""
) -> UploadAnswer:
    """Accept or refuse an upload; raise the contract's errors. What is not committed is discarded by the caller."""
    if principal.client_id is None:
        raise ClientNotSpecified
    principal.require(UPLOADERS)
    most = int(run.settings.max_megapixels * 1_000_000)
    examined = await run.off_loop(examine_all, intake.files, max_pixels=most) if intake.files else []
    if not idempotency_key:
        return await _store(run, principal, principal.client_id, params, examined, None)
    content = _hash(params, examined)
    request = RequestKey(principal.client_id, principal.user_id, idempotency_key, content)
    async with in_turn(run, request):
        return await _stored_answer(run, request) or await _store(
            run, principal, principal.client_id, params, examined, request
        )


def _hash(params: Params, examined: Sequence[Examined]) -> bytes:
    values = sorted((name.lower(), value) for name, value in params.items())
    return hash_request(*(f"{name}={value}".encode() for name, value in values), *(part.sha256 for part in examined))


class _NotYet(Exception):  # noqa: N818  # rolls a look back
    pass


async def _stored_answer(run: Runtime, request: RequestKey) -> UploadAnswer | None:
    """Look for the answer that this key got before: it stands whatever has changed since."""
    try:
        async with run.database.scope(request.client_id) as connection:
            stored = await claim(connection, request, wait=run.settings.idempotency_wait)
            if stored is None:
                raise _NotYet  # the claim that counts is made in the transaction of the upload
    except _NotYet:
        return None
    return UploadAnswer(stored.status, stored.body, replayed=True)


async def _store(
    run: Runtime,
    principal: Principal,
    client_id: ClientId,
    params: Params,
    examined: Sequence[Examined],
    request: RequestKey | None,
) -> UploadAnswer:
    wanted = _read(run, params, examined)
    client = await _clients.of(run).load(run, client_id)
    async with run.database.scope(client_id, readonly=True) as connection:
        target = await find_target(connection, principal, wanted)
        session = Session(client, principal, wanted, target, run.clock.now())
        drafts = make_drafts(session, examined)
        prints = [draft.fingerprint for draft in drafts if isinstance(draft, Draft)]
        window = session.window
        known = await store.answered(connection, prints, since=session.now - window) if window and prints else {}
    return await record(run, session, drafts, known=known, request=request)


def _read(run: Runtime, params: Params, examined: Sequence[Examined]) -> UploadRequest:
    if params.text("action").lower() != "uploadimage":
        raise ActionNotFound
    if not examined:
        raise NoImageFiles
    wanted = read_upload_request(params)
    if "upload" in run.settings.faults.split(","):
        raise FaultSwitched
    return wanted
