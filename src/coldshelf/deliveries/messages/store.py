"""Every query about messages: what is set, words, addresses that bounce, digests."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from coldshelf.deliveries.models import DIGEST, SUBSCRIPTIONS
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event


async def find_settings(connection: Connection) -> Record | None:
    """Give what the client has set about messages; of two that were added at the same moment the older one counts."""
    rows = await connection.fetch("SELECT * FROM message_setting WHERE NOT is_deleted ORDER BY id LIMIT 1")
    return rows[0] if rows else None


async def find_template(connection: Connection, event: str, channel: str, languages: Sequence[str]) -> Record | None:
    """Give the client's own words in the first of these languages that it has, lower case."""
    rows = await connection.fetch(
        """
        SELECT subject, body, language FROM message_template
        WHERE event = $1 AND channel = $2 AND lower(language) = ANY($3::text[]) AND NOT is_deleted
        ORDER BY array_position($3::text[], lower(language)) LIMIT 1""",
        event,
        channel,
        list(languages),
    )
    return rows[0] if rows else None


async def has_bounced(connection: Connection, address: str) -> bool:
    """Say whether nothing is to be sent to an address."""
    rows = await connection.fetch(
        "SELECT FROM bounced_address WHERE address_key = $1 AND kind = 'hard' AND NOT is_deleted", address.lower()
    )
    return bool(rows)


async def note_bounce(connection: Connection, address: str, kind: str, diagnostic: str, now: datetime) -> int:
    """Remember that an address came back; give the id. What is soft never takes the place of what is hard."""
    rows = await connection.fetch(
        """
        INSERT INTO bounced_address (client_id, address, kind, diagnostic, bounced_on)
        VALUES (coldshelf_client(), $1, $2, $3, $4)
        ON CONFLICT (client_id, address_key) WHERE NOT is_deleted DO UPDATE SET
            kind = CASE WHEN bounced_address.kind = 'hard' THEN 'hard' ELSE excluded.kind END,
            diagnostic = excluded.diagnostic, bounced_on = excluded.bounced_on
        RETURNING id""",
        address,
        kind,
        diagnostic,
        now,
    )
    return int(rows[0]["id"])


async def open_digest(
    connection: Connection, receiver: tuple[int, str, str, str], digest_id: UUID, due_on: datetime
) -> int | None:
    """Give the digest of a slot, which is made when it is missing; None: it is on its way already.

    The row stays locked until the end of the transaction, and workers skip it: what is added is in it when it is sent.
    """
    subscription, channel, url, endpoint = receiver
    await connection.execute(
        """
        INSERT INTO delivery (client_id, subscription_id, channel, url, endpoint, event_id, event_type, version,
            occurred_on, dataset, record_key, due_on)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6, 1, $7, $8, $1, $7)
        ON CONFLICT DO NOTHING""",
        subscription,
        channel,
        url,
        endpoint,
        digest_id,
        DIGEST,
        due_on,
        SUBSCRIPTIONS,
    )
    rows = await connection.fetch(
        """
        SELECT id FROM delivery
        WHERE event_id = $1 AND subscription_id = $2 AND state = 'waiting' AND attempts = 0 AND leased_until IS NULL
        ORDER BY id LIMIT 1 FOR NO KEY UPDATE""",
        digest_id,
        subscription,
    )
    return int(rows[0]["id"]) if rows else None


async def add_entry(connection: Connection, delivery_id: int, event: Event) -> None:
    await connection.execute(
        """
        INSERT INTO digest_entry (client_id, delivery_id, event_id, event_type, occurred_on, dataset, record_key)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING""",
        delivery_id,
        event.id,
        event.type,
        event.occurred_on,
        event.dataset,
        event.key,
    )


async def entries(connection: Connection, delivery_id: int) -> list[Record]:
    """Give what a digest tells of, in the order in which it happened."""
    return list(
        await connection.fetch(
            """
            SELECT event_type, occurred_on, dataset, record_key FROM digest_entry
            WHERE delivery_id = $1 ORDER BY occurred_on, id""",
            delivery_id,
        )
    )
