"""Links are minted, opened, acted by and revoked. Opening changes nothing; an action counts once."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from coldshelf.access import link_store
from coldshelf.access.errors import (
    LinkActionUnknown,
    LinkDecided,
    LinkExpired,
    LinkNotFound,
    LinkRevoked,
    LinkUsed,
    LinkWrong,
)
from coldshelf.access.links import (
    PATH,
    PICTURE,
    Link,
    Minted,
    Opened,
    Purpose,
    Purposes,
    hash_number,
    new_number,
    read_token,
    write_token,
)
from coldshelf.kit.db import Connection, wait_at_most
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.memory import Memory
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.turns import Turns

LONGEST_LIFE = timedelta(days=366)
LONGEST_RECIPIENT = 256

_turns: Memory[Turns] = Memory(lambda _: Turns())


async def mint(
    run: Runtime,
    connection: Connection,
    client_id: ClientId,
    purpose: Purpose,
    key: int,
    *,
    recipient: str = "",
    user_id: UserId | None = None,
    lifetime: timedelta | None = None,
    once: str = "",
) -> Minted:
    """Make a link to the record `key` for one purpose, in the caller's transaction of this client.

    `recipient` notes for whom, for the lists of client admins; it never leaves the database. `user_id`: the link ends
    when that user is shut out. With `once` (say, the id of a message) the same call gives the same link again, so that
    work that is done twice sends one URL. Raises InputInvalid for a lifetime that is not within a year, UserNotFound.
    """
    life = purpose.lifetime if lifetime is None else lifetime
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise InputInvalid(f"A link lives up to {LONGEST_LIFE.days} days, not {life}.")
    said = (client_id, purpose.name, key, recipient, once) if once else ()
    number = new_number(run.secret, *said)
    link_id, expires_on = await link_store.add(
        connection,
        hash_number(number),
        purpose=purpose.name,
        dataset=purpose.dataset,
        key=key,
        recipient=recipient[:LONGEST_RECIPIENT],
        user_id=user_id,
        expires_on=run.clock.now() + life,
    )
    url = f"{run.settings.public_base}{PATH}/{write_token(run.secret, number)}"
    return Minted(link_id, url, expires_on)


@asynccontextmanager
async def open_link(run: Runtime, purposes: Purposes, token: str) -> AsyncIterator[tuple[Purpose, Opened]]:
    """Open a read-only transaction in which a link shows its record.

    Raises LinkWrong, without a look into the database where the signature is not right; LinkExpired, LinkRevoked, or
    LinkUsed for a single-use link by which something was done.
    """
    client_id, link_id = await _at_door(run, token)
    async with run.database.scope(client_id, readonly=True) as connection:
        found = await link_store.load(connection, link_id)
        link, purpose = _holding(run, found, purposes)
        if purpose.single_use and link.used_on is not None:
            raise LinkUsed
        yield purpose, Opened(run, connection, link, f"{token}/{PICTURE}")


async def act(run: Runtime, purposes: Purposes, token: str, action: str, form: Mapping[str, str]) -> None:
    """Do an action by a link, once: the same one again changes nothing.

    Raises what `open_link` raises, LinkActionUnknown, LinkDecided after another action, and whatever the purpose
    raises; then nothing is changed and the link stays unused.
    """
    client_id, link_id = await _at_door(run, token)
    # One at a time in this process, so that those who wait hold no connection.
    async with (
        _turns.of(run).take(link_id, within=run.settings.idempotency_wait),
        run.database.scope(client_id, user_name=f"link {link_id}") as connection,
    ):
        async with wait_at_most(connection, run.settings.idempotency_wait.total_seconds()):
            found = await link_store.lock(connection, link_id)
        link, purpose = _holding(run, found, purposes)
        if purpose.act is None or action not in purpose.actions:
            raise LinkActionUnknown
        if link.used_by_action == action:
            return
        if link.used_by_action is not None:
            raise LinkDecided
        detail = await purpose.act(Opened(run, connection, link, f"{token}/{PICTURE}"), action, form)
        await link_store.use(connection, link, action, detail=detail, now=run.clock.now())


async def revoke(run: Runtime, connection: Connection, link_id: int) -> datetime:
    """Take a link back: it opens no more. Give since when, which a second time does not change; raise LinkNotFound."""
    revoked_on = await link_store.revoke(connection, link_id, run.clock.now())
    if revoked_on is None:
        raise LinkNotFound(f"There is no link with id {link_id}")
    return revoked_on


async def list_links(connection: Connection, *, most: int) -> list[Link]:
    """Give the latest links of the client of this scope."""
    return await link_store.latest(connection, most)


async def forget_links(connection: Connection, dataset: str, key: int) -> None:
    """Let links to an erased record open no more, and empty what they and the audit trail tell of persons."""
    await link_store.forget(connection, dataset, key)


async def forget_recipient(connection: Connection, user_id: int) -> None:
    """Empty the recipient of links that were made for an erased user."""
    await link_store.forget_recipient(connection, user_id)


async def _at_door(run: Runtime, token: str) -> tuple[ClientId, int]:
    number = read_token(run.secret, token)
    async with run.database.door() as connection:
        found = await link_store.at_door(connection, hash_number(number))
    if found is None:
        raise LinkWrong
    return found


def _holding(run: Runtime, link: Link | None, purposes: Purposes) -> tuple[Link, Purpose]:
    """Give a link that holds and what it is for; raise LinkWrong, LinkRevoked or LinkExpired."""
    if link is None:
        raise LinkWrong
    purpose = purposes.get(link.purpose)
    if link.revoked_on is not None or not link.is_open or purpose is None:
        raise LinkRevoked
    if link.expires_on <= run.clock.now():
        raise LinkExpired
    return link, purpose
