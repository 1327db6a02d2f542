"""Every query of this room. Only the claim of what is due is not under a tenant's policy."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from coldshelf.deliveries.models import KEPT_BODY, Noted, Selection
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event


async def listening(connection: Connection) -> list[Record]:
    """Give the subscriptions of the client that are told anything."""
    return list(
        await connection.fetch(
            """
            SELECT id, url, events, market_id, channel_id, location_id, asset_id, deliver_by, recipient_id, digest,
                time_zone
            FROM subscription WHERE is_active AND NOT is_deleted ORDER BY id"""
        )
    )


async def add_deliveries(
    connection: Connection, event: Event, receivers: Sequence[tuple[int | None, str, str, str]], now: datetime
) -> None:
    """Put an event on its way to receivers: (subscription, channel, address, endpoint).

    Those it is on its way to stay as is.
    """
    await connection.execute(
        """
        INSERT INTO delivery (client_id, subscription_id, channel, url, endpoint, event_id, event_type, version,
            occurred_on, dataset, record_key, triggered, location_id, due_on, links)
        SELECT coldshelf_client(), receiver.*, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS receiver
        ON CONFLICT DO NOTHING""",
        [subscription for subscription, _, _, _ in receivers],
        [channel for _, channel, _, _ in receivers],
        [url for _, _, url, _ in receivers],
        [endpoint for _, _, _, endpoint in receivers],
        event.id,
        event.type,
        event.version,
        event.occurred_on,
        event.dataset,
        event.key,
        event.triggered,
        event.location_id,
        now,
        list(event.links),
    )


async def claim(
    connection: Connection,
    now: datetime,
    lease: timedelta,
    *,
    most: int,
    slow: Collection[str],
    most_to: tuple[int, int],
) -> list[Record]:
    """Take deliveries that are due, of all clients; the connection is the owner's.

    Of each endpoint at most so many are under way at a time, in all workers together, `most_to` (one that is quick, one
    that is slow), so that a slow one leaves room for others. What a killed worker had taken is due again when its lease
    ends.
    """
    return list(await connection.fetch(CLAIM, now, lease, most, *most_to, list(slow)))


# Endpoints are found by one look into the index each, however much waits for them; nothing is locked but what is taken.
CLAIM = """
    WITH RECURSIVE place AS (
        (SELECT client_id, endpoint FROM delivery WHERE state = 'waiting' ORDER BY client_id, endpoint LIMIT 1)
        UNION ALL
        SELECT next.client_id, next.endpoint FROM place CROSS JOIN LATERAL (
            SELECT d.client_id, d.endpoint FROM delivery d
            WHERE d.state = 'waiting' AND (d.client_id, d.endpoint) > (place.client_id, place.endpoint)
            ORDER BY d.client_id, d.endpoint LIMIT 1) AS next
    ), busy AS (
        SELECT client_id, endpoint, count(*) AS many
        FROM delivery WHERE state = 'waiting' AND leased_until > $1 GROUP BY client_id, endpoint
    ), chosen AS (
        SELECT place.client_id, due.id FROM place LEFT JOIN busy USING (client_id, endpoint) CROSS JOIN LATERAL (
            SELECT d.id, d.due_on FROM delivery d
            WHERE d.client_id = place.client_id AND d.endpoint = place.endpoint
                AND d.state = 'waiting' AND d.due_on <= $1 AND (d.leased_until IS NULL OR d.leased_until <= $1)
            ORDER BY d.due_on
            LIMIT greatest(0,
                CASE WHEN place.endpoint = ANY($6::text[]) THEN $5::bigint ELSE $4::bigint END - coalesce(busy.many, 0))
        ) AS due
        ORDER BY due.due_on LIMIT 2 * $3::bigint
    ), taken AS (
        SELECT d.client_id, d.id FROM delivery d JOIN chosen USING (client_id, id)
        WHERE d.state = 'waiting' AND (d.leased_until IS NULL OR d.leased_until <= $1)
        ORDER BY d.due_on LIMIT $3::bigint FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE delivery d SET leased_until = $1::timestamptz + $2::interval FROM taken
    WHERE d.client_id = taken.client_id AND d.id = taken.id
    RETURNING d.client_id, d.id, d.subscription_id, d.channel, d.url, d.endpoint, d.attempts, d.event_id, d.event_type,
        d.version, d.occurred_on, d.dataset, d.record_key, d.triggered, d.links,
        (SELECT s.user_id FROM subscription s
            WHERE s.client_id = d.client_id AND s.id = d.subscription_id) AS user_id,
        d.subscription_id IS NULL OR EXISTS (
            SELECT FROM subscription s WHERE s.client_id = d.client_id AND s.id = d.subscription_id
                AND s.is_active AND NOT s.is_deleted) AS is_on"""


async def secrets_of(
    connection: Connection, subscriptions: Collection[int | None], now: datetime
) -> dict[int | None, list[str]]:
    """Give what messages to subscriptions are signed with, the current secret first; None is the client itself."""
    rows = await connection.fetch(
        """
        SELECT subscription_id, array_agg(secret ORDER BY ends_on DESC NULLS FIRST) AS secrets FROM callback_secret
        WHERE coalesce(subscription_id, 0) = ANY($1) AND (ends_on IS NULL OR ends_on > $2)
        GROUP BY subscription_id""",
        [one or 0 for one in subscriptions],
        now,
    )
    return {row["subscription_id"]: row["secrets"] for row in rows}


async def change_secret(
    connection: Connection, subscription_id: int | None, secret: str, *, ends_on: datetime, now: datetime
) -> None:
    """Make a secret the current one; the one before it counts until then, those before that one no longer."""
    await connection.execute(
        """
        UPDATE callback_secret SET ends_on = CASE WHEN ends_on IS NULL THEN $2 ELSE least(ends_on, $3) END
        WHERE coalesce(subscription_id, 0) = coalesce($1, 0)""",
        subscription_id,
        ends_on,
        now,
    )
    await connection.execute(
        "INSERT INTO callback_secret (client_id, subscription_id, secret) VALUES (coldshelf_client(), $1, $2)",
        subscription_id,
        secret,
    )


async def first_secret(connection: Connection, subscription_id: int | None, secret: str) -> None:
    """Make a secret the current one unless there is one."""
    await connection.execute(
        """
        INSERT INTO callback_secret (client_id, subscription_id, secret) VALUES (coldshelf_client(), $1, $2)
        ON CONFLICT DO NOTHING""",
        subscription_id,
        secret,
    )


async def add_attempts(connection: Connection, made: Sequence[Noted]) -> None:
    """Keep what was sent and answered."""
    await connection.execute(
        """
        INSERT INTO delivery_attempt (client_id, delivery_id, number, sent_on, milliseconds, status, error, request,
            answer)
        SELECT coldshelf_client(), made.* FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[],
            $5::bigint[], $6::text[], $7::text[], $8::text[]) AS made""",
        [one.delivery.id for one in made],
        [one.delivery.number for one in made],
        [one.outcome.sent_on for one in made],
        [round(one.outcome.took.total_seconds() * 1000) for one in made],
        [one.outcome.status for one in made],
        [one.outcome.error for one in made],
        [one.outcome.body[:KEPT_BODY].decode(errors="replace") for one in made],
        [one.outcome.answer for one in made],
    )


async def note_outcomes(connection: Connection, made: Sequence[Noted]) -> None:
    """Write what came of attempts on their deliveries."""
    await connection.execute(
        """
        UPDATE delivery d SET state = made.state, attempts = made.number, due_on = made.due_on, status = made.status,
            error = made.error, leased_until = NULL,
            delivered_on = CASE WHEN made.state = 'delivered' THEN made.sent_on ELSE d.delivered_on END
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::text[],
            $7::timestamptz[]) AS made (id, state, number, due_on, status, error, sent_on)
        WHERE d.client_id = coldshelf_client() AND d.id = made.id""",
        [one.delivery.id for one in made],
        [one.outcome.state for one in made],
        [one.delivery.number for one in made],
        [one.due_on for one in made],
        [one.outcome.status for one in made],
        [one.outcome.error for one in made],
        [one.outcome.sent_on for one in made],
    )


async def put_off(connection: Connection, delivery_id: int, until: datetime) -> None:
    """Let a delivery wait; nothing was sent."""
    await connection.execute("UPDATE delivery SET due_on = $2, leased_until = NULL WHERE id = $1", delivery_id, until)


async def note_arrivals(connection: Connection, subscriptions: Collection[int]) -> None:
    """Forget that receivers failed."""
    await connection.execute(
        """
        UPDATE subscription SET failing_since = NULL
        WHERE client_id = coldshelf_client() AND id = ANY($1) AND failing_since IS NOT NULL""",
        list(subscriptions),
    )


async def lock_subscription(connection: Connection, subscription_id: int) -> Record | None:
    """Give a subscription that is on; nobody else changes it until the end of the transaction."""
    rows = await connection.fetch(
        "SELECT failing_since FROM subscription WHERE id = $1 AND is_active FOR NO KEY UPDATE", subscription_id
    )
    return rows[0] if rows else None


async def note_failure(connection: Connection, subscription_id: int, now: datetime) -> None:
    """Remember since when a receiver fails."""
    await connection.execute("UPDATE subscription SET failing_since = $2 WHERE id = $1", subscription_id, now)


async def switch_off(connection: Connection, subscription_id: int, now: datetime, because: str) -> None:
    """Switch a subscription off and end what waits for it."""
    await connection.execute(
        """
        UPDATE subscription SET is_active = false, disabled_on = $2, disabled_because = $3 WHERE id = $1""",
        subscription_id,
        now,
        because,
    )
    await connection.execute(
        """
        UPDATE delivery SET state = 'failed', due_on = NULL, error = $2
        WHERE subscription_id = $1 AND state = 'waiting'""",
        subscription_id,
        f"The subscription was switched off: {because}",
    )


async def find_subscription(connection: Connection, subscription_id: int) -> Record | None:
    rows = await connection.fetch("SELECT * FROM subscription WHERE id = $1 AND NOT is_deleted", subscription_id)
    return rows[0] if rows else None


SELECTED = """($1::bigint[] IS NULL OR id = ANY($1)) AND ($2::text[] IS NULL OR state = ANY($2))
            AND ($3::text IS NULL OR event_type = $3) AND ($4::bigint IS NULL OR subscription_id = $4)
            AND ($5::bigint IS NULL OR location_id = $5)
            AND ($6::timestamptz IS NULL OR created_on >= $6) AND ($7::timestamptz IS NULL OR created_on < $7)"""


async def replay(connection: Connection, now: datetime, wanted: Selection) -> list[Record]:
    """Let deliveries begin anew; give their ids, events, and addresses. Those that wait already stay as they are."""
    return list(
        await connection.fetch(
            f"""
            UPDATE delivery SET state = 'waiting', attempts = 0, due_on = $8, leased_until = NULL, error = ''
            WHERE state <> 'waiting' AND {SELECTED}
                AND (subscription_id IS NULL OR EXISTS (
                    SELECT FROM subscription s WHERE s.client_id = delivery.client_id AND s.id = subscription_id
                        AND s.is_active AND NOT s.is_deleted))
            RETURNING id, event_type, url""",
            *_values(wanted),
            now,
        )
    )


async def latest(connection: Connection, wanted: Selection, most: int) -> list[Record]:
    return list(
        await connection.fetch(
            f"""
            SELECT id, event_id, event_type, url, state, attempts, due_on, status, error FROM delivery
            WHERE {SELECTED} ORDER BY id DESC LIMIT $8""",
            *_values(wanted),
            most,
        )
    )


def _values(wanted: Selection) -> tuple[object, ...]:
    """Give the parameters of SELECTED."""
    ids, states = (None if these is None else list(these) for these in (wanted.ids, wanted.states))
    place = wanted.subscription_id, wanted.location_id
    return ids, states, wanted.event_type, *place, wanted.since, wanted.until


async def forget_bodies(connection: Connection, before: datetime) -> None:
    """Empty the requests and answers of old attempts of all clients; the connection is the owner's."""
    await connection.execute(
        "UPDATE delivery_attempt SET request = '', answer = '' WHERE sent_on < $1 AND (request <> '' OR answer <> '')",
        before,
    )


async def unsubscribe(connection: Connection, subscription_id: int, now: datetime, because: str) -> bool:
    """Switch a subscription off for the person whom it reaches; say whether it was on."""
    if await lock_subscription(connection, subscription_id) is None:
        return False
    await switch_off(connection, subscription_id, now, because)
    return True
