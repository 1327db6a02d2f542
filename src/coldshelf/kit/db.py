"""The only way to a connection: `async with db.scope(client_id)` opens a transaction that sees one tenant.

Rows are hidden by policies, so a query outside a scope sees nothing. `door()` is for the few places where the
tenant is not known yet and that call `SECURITY DEFINER` functions; `system()` is the owner's, for sweeps.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import Pool, PoolConnectionProxy

from coldshelf.kit.errors import RequestInFlight, SettingsInvalid, Unavailable
from coldshelf.kit.ids import ClientId, UserId

Connection = PoolConnectionProxy
"""A connection inside an open transaction."""

OLDEST_SERVER = 150_000
ENTER = "set_config('coldshelf.client_id', client_id::text, true)"
"""Part of a SELECT of one `client_id` at the door: the rest of the transaction sees the rows of this client only."""
OPEN = """
    SELECT set_config('coldshelf.client_id', $1, true), set_config('coldshelf.user_id', $2, true),
        set_config('coldshelf.user_name', $3, true)"""
OPEN_TO_READ = """
    SELECT set_config('coldshelf.client_id', $1, true), set_config('join_collapse_limit', '1', true)"""


class Database:
    """Two pools on one PostgreSQL: the application role under policies, and the owner for system jobs."""

    def __init__(self, app: Pool, owner: Pool, url: str) -> None:
        self.url = url
        self._app = app
        self._owner = owner

    @classmethod
    async def connect(cls, url: str, *, size: int = 20) -> "Database":
        """Connect; raise Unavailable when nothing answers and SettingsInvalid when the server is too old."""
        settings = {"application_name": "coldshelf", "timezone": "UTC", "jit": "off"}
        try:
            owner = await asyncpg.create_pool(url, min_size=1, max_size=4, server_settings=settings)
            version = await owner.fetchval("SELECT current_setting('server_version_num')::int")
            if version < OLDEST_SERVER:
                await owner.close()
                raise SettingsInvalid(f"PostgreSQL {version // 10_000} is too old", cure="Use PostgreSQL 15 or newer.")
            app = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                server_settings={**settings, "role": "coldshelf_app"},
                reset=_leave_as_it_is,
            )
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            raise Unavailable(f"The database does not answer: {error}") from error
        return cls(app, owner, url)

    async def close(self) -> None:
        await self._app.close()
        await self._owner.close()

    @property
    def owner_pool(self) -> Pool:
        """The owner's pool, for the queue manager."""
        return self._owner

    @asynccontextmanager
    async def scope(
        self,
        client_id: ClientId,
        *,
        user_id: UserId | None = None,
        user_name: str = "",
        readonly: bool = False,
    ) -> AsyncIterator[Connection]:
        """Open a transaction that sees and writes the rows of one client only; it commits at the end."""
        async with self._app.acquire() as connection, connection.transaction(readonly=readonly):
            acting = "" if user_id is None else str(user_id)
            await connection.execute(OPEN, str(client_id), acting, user_name)
            yield connection

    @asynccontextmanager
    async def snapshot(self, client_id: ClientId) -> AsyncIterator[Connection]:
        """Open a transaction that reads the rows of one client as they are at one moment.

        Joins are planned in the order in which they are written: over a dozen, planning all orders would take as long
        as reading a thousand rows.
        """
        async with (
            self._app.acquire() as connection,
            connection.transaction(readonly=True, isolation="repeatable_read"),
        ):
            await connection.execute(OPEN_TO_READ, str(client_id))
            yield connection

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Connection]:
        """Open a transaction without a tenant: it can only call functions that return ids."""
        async with self._app.acquire() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """Open a transaction of the owner, for sweeps and administration over all tenants."""
        async with self._owner.acquire() as connection, connection.transaction():
            yield connection

    async def horizon(self) -> object:
        """Read the moment before which every committed change is visible (see the function in the first migration).

        Must be read before the transaction whose rows it bounds takes its snapshot.
        """
        async with self._app.acquire() as connection:
            return await connection.fetchval("SELECT coldshelf_horizon()")


async def _leave_as_it_is(_connection: object) -> None:
    """Spare the round trip that makes a connection new: whatever a transaction here sets ends with it."""


@asynccontextmanager
async def wait_at_most(connection: Connection, seconds: float) -> AsyncIterator[None]:
    """Wait for locks inside this block at most so long; then raise RequestInFlight."""
    await connection.execute("SELECT set_config('lock_timeout', $1, true)", f"{int(seconds * 1000)}ms")
    try:
        yield
    except asyncpg.LockNotAvailableError as error:
        raise RequestInFlight from error
    await connection.execute("SELECT set_config('lock_timeout', '0', true)")
