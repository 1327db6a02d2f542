"""Makes the tables of the race."""

import asyncpg

from coldshelf.kit.ids import ClientId
from coldshelf.migrations.upgrade import upgrade
from racing.table import CLIENT, table_of

TABLE = """
    CREATE TABLE {0} (guid uuid NOT NULL, code text NOT NULL, name text, city text, country text, scene text, note text,
        quantity integer, facings integer, price numeric(12, 2), share numeric(6, 4), temperature float8,
        latitude float8, is_verified boolean, captured_on timestamptz, best_before date)"""
ROWS = """
    INSERT INTO {0} (client_id, guid, code, name, city, country, scene, note, quantity, facings, price, share,
        temperature, latitude, is_verified, captured_on, best_before,
        is_deleted, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, md5(n::text)::uuid, 'C' || lpad(n::text, 8, '0'), 'Outlet ' || n * 31 % 50000, 'City ' || n * 17 % 500,
        'Country ' || n * 7 % 12, 'Scene ' || n % 4,
        CASE WHEN n % 3 = 0 THEN 'Kühlschrank ' || md5((n + 1)::text) || ' 冷蔵庫' END,
        n::bigint * 7919 % 1000, nullif(n::bigint * 104729 % 65, 0) % 61, (n::bigint * 15485863 % 1000000) / 100.0,
        CASE WHEN n % 5 > 0 THEN (n::bigint * 32452843 % 10001) / 10000.0 END,
        CASE WHEN n % 10 > 0 THEN (n::bigint * 7907 % 500 - 200) / 10.0 END, sin(n) * 90, n % 3 = 0,
        timestamptz '2026-01-01 00:00+00' + n::bigint * 1234567 % 31536000000000 * interval '1 us',
        date '2026-01-01' + n * 13 % 1095, n % 50 = 0, now() - interval '400 days', 'race',
        now() - n::bigint * 7919 % 400 * interval '1 day' - n * interval '1 us', 'race', 1
    FROM generate_series(1, $2::integer) n"""


async def fill(url: str, rows: int) -> ClientId:
    """Make the table of so many rows unless it is there."""
    await upgrade(url)
    connection = await asyncpg.connect(url)
    try:
        client_id = await _client(connection)
        if await connection.fetchval("SELECT to_regclass($1)", table_of(rows)) is None:
            print(f"filling {table_of(rows)}")
            async with connection.transaction():
                await connection.execute(TABLE.format(table_of(rows)))
                await connection.execute("SELECT coldshelf_tenant_table($1)", table_of(rows))
                await connection.execute("SET LOCAL session_replication_role = replica")  # the stamps cost minutes
                await connection.execute(ROWS.format(table_of(rows)), client_id, rows)
            await connection.execute(f"VACUUM (ANALYZE) {table_of(rows)}")
        return client_id
    finally:
        await connection.close()


async def _client(connection: asyncpg.Connection) -> ClientId:
    known = await connection.fetchval("SELECT id FROM client WHERE code = $1", CLIENT)
    return ClientId(
        known or await connection.fetchval("INSERT INTO client (code, name) VALUES ($1, $1) RETURNING id", CLIENT)
    )
