"""Places that were replaced by others become one row each; those of deleted planograms are deleted."""

from pathlib import Path

import asyncpg

import coldshelf
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

MIGRATION = Path(coldshelf.__file__).parent / "migrations" / "versions" / "0015_planogram_places.sql"
BEFORE = """
    DROP TRIGGER places_follow ON planogram;
    DROP FUNCTION coldshelf_places_follow;
    ALTER TABLE planogram_product ADD COLUMN ranking bigint;
    DROP INDEX planogram_place;
    CREATE UNIQUE INDEX planogram_place ON planogram_product (client_id, planogram_id, shelf, position)
        WHERE NOT is_deleted"""
PLANOGRAM = "INSERT INTO planogram (client_id, name, is_deleted) VALUES ($1, $2, $3) RETURNING id"
PLACE = """
    INSERT INTO planogram_product (client_id, planogram_id, shelf, position, product_id, stack_size, is_deleted)
    VALUES ($1, $2, 1, $3, (SELECT min(id) FROM product WHERE client_id = $1), $4, $5)"""


async def test_replaced_places_become_one_row(run: Runtime, url: str, client_id: ClientId) -> None:
    assert run.settings
    owner = await asyncpg.connect(url)
    await owner.execute(BEFORE)
    kept, deleted = [await owner.fetchval(PLANOGRAM, client_id, name, name == "old") for name in ("new", "old")]
    for planogram, position, stack, is_deleted in (
        (kept, 1, 1, True),
        (kept, 1, 2, False),
        (kept, 1, 3, True),
        (kept, 2, 4, True),
        (kept, 2, 5, True),
        (kept, 3, 1, False),
        (deleted, 1, 1, False),
    ):
        await owner.execute(PLACE, client_id, planogram, position, stack, is_deleted)

    await owner.execute(MIGRATION.read_text(encoding="utf-8"))

    rows = await owner.fetch("SELECT planogram_id, position, stack_size, is_deleted FROM planogram_product")
    await owner.close()
    assert sorted(tuple(row) for row in rows) == [
        (kept, 1, 2, False),
        (kept, 2, 5, True),
        (kept, 3, 1, False),
        (deleted, 1, 1, True),
    ]
