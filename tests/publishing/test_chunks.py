"""Chunks of a large source: short transactions, bounded memory, the next one read while this one is written."""

import threading

import asyncpg

from coldshelf.access.models import Client
from coldshelf.publishing.formats.snapshot import CHUNK_BYTES, FIRST_CHUNK, SMALLEST_CHUNK, open_snapshot
from coldshelf.records.bulk import Window
from coldshelf.records.registry import Registry
from tests.publishing.support import many_outlets

WIDE = 2 * CHUNK_BYTES // FIRST_CHUNK
"""Bytes of a text of which a first chunk takes twice the memory that it should."""


async def wide_outlets(url: str, client: Client, count: int) -> None:
    await many_outlets(url, client.id, count)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE location SET street = repeat('x', $1)", WIDE)
    finally:
        await connection.close()


async def test_a_chunk_behind_one_that_took_much_memory_is_smaller(
    url: str, client: Client, registry: Registry
) -> None:
    await wide_outlets(url, client, FIRST_CHUNK + SMALLEST_CHUNK + 10)

    with open_snapshot(url, client.id) as snapshot:
        sizes = [
            sum(batch.num_rows for batch in batches)
            for batches, _, _ in snapshot.chunks(registry.datasets["Location"], Window(), 0)
        ]

    assert sizes == [FIRST_CHUNK, SMALLEST_CHUNK, 10]


async def test_a_reader_that_goes_away_ends_the_reading_of_the_next_chunk(
    url: str, client: Client, registry: Registry
) -> None:
    await many_outlets(url, client.id, FIRST_CHUNK + 10)

    with open_snapshot(url, client.id) as snapshot:
        chunks = snapshot.chunks(registry.datasets["Location"], Window(), 0)
        batches, up_to_id, _ = next(chunks)
        rows = sum(batch.num_rows for batch in batches)
        reading = {thread.name for thread in threading.enumerate()}
        chunks.close()
        left = {thread.name for thread in threading.enumerate()}

    assert (rows, up_to_id) == (FIRST_CHUNK, FIRST_CHUNK)
    assert "coldshelf-bulk-chunk_0" in reading
    assert not any(name.startswith("coldshelf-bulk") for name in left)
