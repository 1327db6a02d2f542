"""Every query about SMS: what is counted, what became of it, who wants none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from asyncpg import Record

from coldshelf.deliveries.sms.text import Encoding
from coldshelf.deliveries.sms.twilio import Report, Status
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether a client sends SMS, and how many segments a month; None: as many as it likes."""

    is_on: bool
    cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An SMS that is about to be sent. `month`: as 2026-11, in UTC."""

    delivery_id: int
    phone: str
    month: str
    encoding: Encoding
    segments: int


async def find_switch(connection: Connection) -> Switch:
    rows = await connection.fetch("SELECT sms_is_on, sms_monthly_cap FROM message_setting WHERE NOT is_deleted")
    return Switch(rows[0]["sms_is_on"], rows[0]["sms_monthly_cap"]) if rows else Switch(is_on=False, cap=None)


async def reserve(connection: Connection, draft: Draft) -> None:
    """Keep a draft as the one of its delivery, and take back what was counted for the attempt before it."""
    await uncount(connection, draft.delivery_id)
    await connection.execute(
        """
        INSERT INTO sms_message (client_id, delivery_id, phone, month, encoding, segments, state)
        VALUES (coldshelf_client(), $1, $2, $3, $4, $5, 'new')
        ON CONFLICT (client_id, delivery_id) WHERE sid IS NULL AND state IN ('new', 'refused') DO UPDATE
        SET phone = $2, month = $3, encoding = $4, segments = $5, is_counted = true, state = 'new', error_code = NULL
        """,
        draft.delivery_id,
        draft.phone,
        draft.month,
        draft.encoding,
        draft.segments,
    )


async def count(connection: Connection, draft: Draft, cap: int | None) -> bool:
    """Count a draft in its month, unless that would be more segments than the cap; say whether it was."""
    counted = await connection.fetchval(
        """
        INSERT INTO sms_month AS held (client_id, month, messages, segments)
        SELECT coldshelf_client(), $1, 1, $2::bigint WHERE $3::bigint IS NULL OR $2 <= $3
        ON CONFLICT (client_id, month) DO UPDATE
        SET messages = held.messages + 1, segments = held.segments + $2
        WHERE $3::bigint IS NULL OR held.segments + $2 <= $3
        RETURNING 1""",
        draft.month,
        draft.segments,
        cap,
    )
    return counted is not None


async def uncount(connection: Connection, delivery_id: int, error_code: int | None = None) -> None:
    """Take back what was counted for the message of a delivery that nobody has taken."""
    await connection.execute(
        """
        WITH freed AS (
            UPDATE sms_message SET is_counted = false, state = 'refused', error_code = $2
            WHERE delivery_id = $1 AND sid IS NULL AND is_counted RETURNING month, segments)
        UPDATE sms_month held SET messages = held.messages - 1, segments = held.segments - freed.segments
        FROM freed WHERE held.month = freed.month""",
        delivery_id,
        error_code,
    )


async def lock_message(connection: Connection, delivery_id: int, sid: str) -> Record | None:
    """Give the message that is reported on: the one with this id of the provider's, else the one without any."""
    rows = await connection.fetch(
        """
        SELECT id, month, segments, price, sid, state FROM sms_message
        WHERE delivery_id = $1 AND (sid = $2 OR sid IS NULL AND is_counted)
        ORDER BY sid NULLS LAST LIMIT 1 FOR UPDATE""",
        delivery_id,
        sid,
    )
    return rows[0] if rows else None


async def note_report(connection: Connection, message_id: int, report: Report, now: datetime) -> None:
    """Write who the provider says it is, how many segments it has and what it costs, each as soon as it is known."""
    await connection.execute(
        """
        UPDATE sms_message SET sid = $2, sent_on = coalesce(sent_on, $3), segments = coalesce($4, segments),
            price = coalesce(price, $5), currency = coalesce(nullif($6, ''), currency)
        WHERE id = $1""",
        message_id,
        report.sid,
        now,
        report.segments or None,
        report.price,
        report.currency,
    )


async def note_state(
    connection: Connection, message_id: int, status: Status, error_code: int | None, ended_on: datetime | None
) -> None:
    await connection.execute(
        "UPDATE sms_message SET state = $2, error_code = $3, ended_on = $4 WHERE id = $1",
        message_id,
        status,
        error_code,
        ended_on,
    )


async def correct_month(connection: Connection, month: str, segments: int, price: Decimal, currency: str) -> None:
    """Add what a message has more, or fewer, than was counted for it."""
    await connection.execute(
        """
        UPDATE sms_month SET segments = segments + $2, price = price + $3,
            currency = coalesce(nullif($4, ''), currency)
        WHERE month = $1""",
        month,
        segments,
        price,
        currency,
    )


async def note_arrived(connection: Connection, delivery_id: int, now: datetime) -> None:
    """End a delivery that waits for another attempt although the one before had arrived."""
    await connection.execute(
        """
        UPDATE delivery SET state = 'delivered', due_on = NULL, error = '', delivered_on = $2
        WHERE id = $1 AND state = 'waiting' AND (leased_until IS NULL OR leased_until <= $2)""",
        delivery_id,
        now,
    )


async def note_received(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Write when a phone has a message that had been handed over before."""
    await connection.execute(
        "UPDATE delivery SET delivered_on = $2 WHERE id = $1 AND state = 'delivered'", delivery_id, now
    )


async def note_lost(connection: Connection, delivery_id: int, message_id: int, error: str) -> None:
    """End a delivery as failed that was handed over and then lost, unless a later message is under way."""
    await connection.execute(
        """
        UPDATE delivery SET state = 'failed', error = $3, delivered_on = NULL
        WHERE id = $1 AND state = 'delivered'
            AND NOT EXISTS (SELECT FROM sms_message m WHERE m.delivery_id = $1 AND m.id > $2)""",
        delivery_id,
        message_id,
        error,
    )


async def is_out(connection: Connection, phone: str) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM sms_opt_out WHERE phone = $1 AND is_out)", phone))


async def opt_out(connection: Connection, phone: str, because: str, now: datetime) -> None:
    """Note that a number wants none; one that has said so before stays as it is."""
    await connection.execute(
        """
        INSERT INTO sms_opt_out AS held (client_id, phone, because, changed_on) VALUES (coldshelf_client(), $1, $2, $3)
        ON CONFLICT (client_id, phone) DO UPDATE SET is_out = true, because = $2, changed_on = $3
        WHERE NOT held.is_out""",
        phone,
        because,
        now,
    )


async def opt_in(connection: Connection, phone: str, because: str, now: datetime) -> None:
    """Note that a number wants them again."""
    await connection.execute(
        "UPDATE sms_opt_out SET is_out = false, because = $2, changed_on = $3 WHERE phone = $1 AND is_out",
        phone,
        because,
        now,
    )


async def writers_to(connection: Connection, phone: str) -> list[ClientId]:
    """Give the clients that have written to a number; the connection has no tenant."""
    rows = await connection.fetch("SELECT client_id FROM door_sms($1) ORDER BY client_id", phone)
    return [ClientId(row["client_id"]) for row in rows]


async def take_unsettled(connection: Connection, now: datetime, before: datetime, most: int) -> Sequence[Record]:
    """Take messages of all clients whose end or price is not known and that were not asked for since `before`.

    The connection is the owner's.
    """
    rows: list[Record] = await connection.fetch(
        """
        WITH taken AS (
            SELECT client_id, id FROM sms_message
            WHERE sid IS NOT NULL AND NOT is_settled AND coalesce(checked_on, sent_on) <= $2
            ORDER BY checked_on NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED)
        UPDATE sms_message m SET checked_on = $1 FROM taken WHERE m.client_id = taken.client_id AND m.id = taken.id
        RETURNING m.client_id, m.id, m.delivery_id, m.sid, m.sent_on""",
        now,
        before,
        most,
    )
    return rows


async def settle(connection: Connection, message_id: int) -> None:
    """Note that nothing more will become known of a message."""
    await connection.execute("UPDATE sms_message SET is_settled = true WHERE id = $1", message_id)
