"""What a sandbox keeps: every query of the outbox. Only the sweep is not under a tenant's policy."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from asyncpg import Record

from coldshelf.deliveries.models import Delivery, Kept, Parcel
from coldshelf.kit.db import Connection


async def add(connection: Connection, delivery: Delivery, parcel: Parcel, kept: Kept) -> None:
    await connection.execute(
        """
        INSERT INTO outbox (client_id, delivery_id, number, channel, event_id, event_type, address, subject, headers,
            body, size, behaviour, status, error)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        delivery.id,
        delivery.number,
        delivery.channel,
        delivery.event_id,
        delivery.type,
        parcel.address,
        kept.subject.replace("\0", ""),
        orjson.dumps(dict(parcel.headers)).decode(),
        parcel.body,
        len(parcel.body),
        kept.behaviour,
        kept.status,
        kept.error,
    )


async def find(connection: Connection, message_id: int) -> Record | None:
    rows = await connection.fetch("SELECT channel, address, headers, body FROM outbox WHERE id = $1", message_id)
    return rows[0] if rows else None


async def switches(connection: Connection) -> dict[str, str]:
    """Give how channels behave; those that are not named behave well."""
    rows = await connection.fetch("SELECT channel, behaviour FROM outbox_switch")
    return {row["channel"]: row["behaviour"] for row in rows}


async def switch(connection: Connection, wanted: Mapping[str, str]) -> None:
    """Say how channels behave from now on."""
    await connection.execute(
        """
        INSERT INTO outbox_switch (client_id, channel, behaviour)
        SELECT coldshelf_client(), * FROM unnest($1::text[], $2::text[])
        ON CONFLICT (client_id, channel) DO UPDATE SET behaviour = excluded.behaviour""",
        list(wanted),
        list(wanted.values()),
    )


async def forget(connection: Connection, before: datetime, most: int) -> None:
    """Delete what is older, and of each client all but the newest; the connection is the owner's."""
    await connection.execute(
        """
        WITH kept AS (
            SELECT of_client.client_id, (
                SELECT o.id FROM outbox o WHERE o.client_id = of_client.client_id
                ORDER BY o.id DESC OFFSET $2::bigint LIMIT 1) AS last
            FROM (SELECT DISTINCT client_id FROM outbox) of_client
        )
        DELETE FROM outbox o USING kept
        WHERE o.client_id = kept.client_id AND (o.id <= kept.last OR o.created_on < $1)""",
        before,
        most,
    )
