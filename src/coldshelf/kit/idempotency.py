"""An `Idempotency-Key` makes a repeated write answer as the first one did, without a second effect.

The claim, the effect and the kept answer share the caller's transaction, so what is rolled back was never claimed:

    request = RequestKey(client_id, user_id, key, hash_request(path, body))
    async with in_turn(run, request), run.database.scope(client_id) as connection:
        stored = await claim(connection, request, wait=run.settings.idempotency_wait)
        if stored is None:
            … the effect …
            await keep(connection, request, status=200, body=answer)

`in_turn` lets the requests of one process wait for each other without a database connection each; the claim itself
holds across processes, where a second one waits for the row of the first.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from coldshelf.kit.db import Connection, wait_at_most
from coldshelf.kit.errors import Conflict, IdempotencyKeyReused, InputInvalid, RequestInFlight
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.turns import Turns

KEPT = timedelta(hours=24)
LONGEST_KEY = 255
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""The header that says, with `true`, that an answer is the stored one."""

_turns: Memory[Turns] = Memory(lambda _: Turns())


class AnswerMissing(Conflict):
    """The first request with this key left no answer"""

    code = "answer_missing"
    cure = "Look whether the first request took effect; then use a new key."


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What makes two requests the same one: who sends it, its key, and the hash of its content."""

    client_id: ClientId
    user_id: UserId
    key: str
    request_hash: bytes

    def __post_init__(self) -> None:
        if not (1 <= len(self.key) <= LONGEST_KEY and self.key.isascii() and self.key.isprintable()):
            raise InputInvalid(f"{HEADER} takes 1 to {LONGEST_KEY} printable ASCII characters.")


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that the first request got."""

    status: int
    body: bytes


def hash_request(*parts: bytes) -> bytes:
    """Hash what a request says; no two lists of parts run into each other."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


@asynccontextmanager
async def in_turn(run: Runtime, request: RequestKey) -> AsyncIterator[None]:
    """Let one request with this key through at a time; raise RequestInFlight after `idempotency_wait`."""
    identity = (request.client_id, request.user_id, request.key)
    async with _turns.of(run).take(identity, within=run.settings.idempotency_wait):
        yield


async def claim(connection: Connection, request: RequestKey, *, wait: timedelta) -> StoredAnswer | None:
    """Return the stored answer, or None when this transaction is the first and must act.

    Needs READ COMMITTED. Raises RequestInFlight when the holder does not end within `wait`, IdempotencyKeyReused when
    the key stands for another content.
    """
    identity = (request.client_id, request.user_id, request.key)
    async with wait_at_most(connection, max(wait.total_seconds(), 0.001)):
        # A row that the sweep deletes between the statements is gone the next time round.
        for _ in range(3):
            if await connection.fetchval(CLAIM, *identity, request.request_hash):
                return None
            row = await connection.fetchrow(STORED, *identity, KEPT)
            if row is None and await connection.fetchval(CLAIM_OLD, *identity, request.request_hash, KEPT):
                return None
            if row is not None:
                return _answer(row["request_hash"], row["status"], row["answer"], request)
    raise RequestInFlight


def _answer(request_hash: bytes, status: int | None, body: bytes | None, request: RequestKey) -> StoredAnswer:
    if request_hash != request.request_hash:
        raise IdempotencyKeyReused
    if status is None or body is None:
        raise AnswerMissing
    return StoredAnswer(status, body)


async def keep(connection: Connection, request: RequestKey, *, status: int, body: bytes) -> None:
    """Keep the answer of a claimed request, in the transaction of its effect."""
    kept = await connection.fetchval(KEEP, request.client_id, request.user_id, request.key, status, body)
    if kept is None:
        raise ValueError("keep() without claim()")


async def forget_old(connection: Connection) -> int:
    """Delete what is older than 24 hours, for all tenants; the connection is the owner's. Return how many."""
    deleted = await connection.fetchval(FORGET_OLD, KEPT)
    return int(deleted)


CLAIM = """
    INSERT INTO idempotency (client_id, user_id, key, request_hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (client_id, user_id, key) DO NOTHING RETURNING true"""
STORED = """
    SELECT request_hash, status, answer FROM idempotency
    WHERE client_id = $1 AND user_id = $2 AND key = $3 AND created_on >= clock_timestamp() - $4::interval"""
CLAIM_OLD = """
    UPDATE idempotency SET request_hash = $4, created_on = clock_timestamp(), status = NULL, answer = NULL
    WHERE client_id = $1 AND user_id = $2 AND key = $3 AND created_on < clock_timestamp() - $5::interval
    RETURNING true"""
KEEP = """
    UPDATE idempotency SET status = $4, answer = $5
    WHERE client_id = $1 AND user_id = $2 AND key = $3 AND status IS NULL RETURNING true"""
FORGET_OLD = """
    WITH old AS (DELETE FROM idempotency WHERE created_on < clock_timestamp() - $1::interval RETURNING 1)
    SELECT count(*) FROM old"""
