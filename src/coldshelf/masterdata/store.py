"""Every query of master data that is not a declared list or save."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from coldshelf.kit.db import Connection

RETIRE_PLACES = """
    UPDATE planogram_product p SET is_deleted = true
    WHERE planogram_id = $1 AND NOT is_deleted AND NOT EXISTS (
        SELECT FROM unnest($2::bigint[], $3::bigint[]) AS kept (shelf, position)
        WHERE kept.shelf = p.shelf AND kept.position = p.position)"""
# A place has one row for life, and a time of change that moves only when the place does.
WRITE_PLACES = """
    INSERT INTO planogram_product AS p (client_id, planogram_id, shelf, position, product_id, stack_size)
    SELECT coldshelf_client(), $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    ON CONFLICT (client_id, planogram_id, shelf, position) DO UPDATE
        SET product_id = excluded.product_id, stack_size = excluded.stack_size, is_deleted = false
        WHERE (p.product_id, p.stack_size, p.is_deleted) <> (excluded.product_id, excluded.stack_size, false)"""

# Rows are locked in order, so that two such changes never deadlock.
MARK_FOREIGN = """
    UPDATE product SET is_foreign = $2 WHERE id IN (
        SELECT id FROM product WHERE manufacturer_id = $1 AND is_foreign <> $2 ORDER BY id FOR NO KEY UPDATE)"""
CHANGE_MAKER = """
    UPDATE product p SET manufacturer_id = after.id,
        is_foreign = CASE WHEN p.is_foreign = coalesce(before.is_foreign, false)
            THEN after.is_foreign ELSE p.is_foreign END
    FROM manufacturer after LEFT JOIN manufacturer before ON before.id = $2
    WHERE after.id = $3 AND p.id IN (
        SELECT id FROM product
        WHERE brand_id = $1 AND manufacturer_id IS NOT DISTINCT FROM $2 ORDER BY id FOR NO KEY UPDATE)"""


async def makers_of_brands(connection: Connection, brand_ids: Collection[int]) -> dict[int, int]:
    """Give the maker of each brand that has one."""
    rows = await connection.fetch(
        "SELECT id, manufacturer_id FROM brand WHERE id = ANY($1) AND manufacturer_id IS NOT NULL", list(brand_ids)
    )
    return {row["id"]: row["manufacturer_id"] for row in rows}


async def foreign_makers(connection: Connection, maker_ids: Collection[int]) -> set[int]:
    """Give those of the makers that are foreign."""
    rows = await connection.fetch("SELECT id FROM manufacturer WHERE id = ANY($1) AND is_foreign", list(maker_ids))
    return {row["id"] for row in rows}


async def mark_foreign(connection: Connection, manufacturer_id: int, *, is_foreign: bool) -> None:
    await connection.execute(MARK_FOREIGN, manufacturer_id, is_foreign)


async def change_maker(connection: Connection, brand_id: int, *, before: int | None, after: int) -> None:
    """Give the products of a brand that have the brand's old maker, or none, the new one and its foreign mark.

    A mark that differs from the old maker's was set by hand and stays.
    """
    await connection.execute(CHANGE_MAKER, brand_id, before, after)


async def existing_products(connection: Connection, wanted: Collection[int]) -> set[int]:
    rows = await connection.fetch("SELECT id FROM product WHERE id = ANY($1) AND NOT is_deleted", list(wanted))
    return {row["id"] for row in rows}


async def replace_places(connection: Connection, planogram_id: int, rows: Sequence[Sequence[tuple[int, int]]]) -> None:
    """Write the (product id, stack size) of each place of each shelf; places that are no more become deleted."""
    places = [
        (shelf, position, product_id, stack)
        for shelf, row in enumerate(rows, 1)
        for position, (product_id, stack) in enumerate(row, 1)
    ]
    shelves, positions, products, stacks = map(list, zip(*places, strict=True)) if places else ([], [], [], [])
    await connection.execute(RETIRE_PLACES, planogram_id, shelves, positions)
    await connection.execute(WRITE_PLACES, planogram_id, shelves, positions, products, stacks)


ASSETS = """
    SELECT a.id, a.serial_number, a.is_active, a.location_id, a.planogram_id, p.name AS planogram_name,
        t.doors, t.columns, t.shelves, t.items_per_column
    FROM asset a
    JOIN asset_type t ON t.client_id = a.client_id AND t.id = a.asset_type_id
    LEFT JOIN planogram p ON p.client_id = a.client_id AND p.id = a.planogram_id AND NOT p.is_deleted
    WHERE NOT a.is_deleted AND """
OUTLETS = """
    SELECT l.id, l.code, l.name, l.city, s.name AS state, c.name AS country, z.name AS time_zone, l.is_active
    FROM location l
    LEFT JOIN state s ON s.client_id = l.client_id AND s.id = l.state_id
    LEFT JOIN country c ON c.client_id = l.client_id AND c.id = l.country_id
    LEFT JOIN time_zone z ON z.client_id = l.client_id AND z.id = l.time_zone_id
    WHERE NOT l.is_deleted AND """


async def asset_by_serial(connection: Connection, serial_number: str) -> Record | None:
    return _one(await connection.fetch(ASSETS + "a.serial_number_key = lower($1::text)", serial_number))


async def asset_by_id(connection: Connection, asset_id: int) -> Record | None:
    return _one(await connection.fetch(ASSETS + "a.id = $1", asset_id))


async def asset_of_imei(connection: Connection, imei: str) -> int | None:
    value: int | None = await connection.fetchval(
        "SELECT asset_id FROM smart_device WHERE imei_key = lower($1::text) AND is_active AND NOT is_deleted", imei
    )
    return value


async def asset_of_device(connection: Connection, smart_device_id: int) -> int | None:
    value: int | None = await connection.fetchval(
        "SELECT asset_id FROM smart_device WHERE id = $1 AND is_active AND NOT is_deleted", smart_device_id
    )
    return value


async def assets_of_outlet(connection: Connection, location_id: int) -> list[Record]:
    """Give at most two active assets: enough to tell none, one and several apart."""
    return list(
        await connection.fetch(ASSETS + "a.location_id = $1 AND a.is_active ORDER BY a.id LIMIT 2", location_id)
    )


async def outlet_by_code(connection: Connection, code: str) -> Record | None:
    return _one(await connection.fetch(OUTLETS + "l.code_key = lower($1::text)", code))


async def outlet_by_id(connection: Connection, location_id: int) -> Record | None:
    return _one(await connection.fetch(OUTLETS + "l.id = $1", location_id))


async def outlet_place(connection: Connection, location_id: int) -> dict[str, Any]:  # columns of any type
    rows = await connection.fetch(
        """
        WITH RECURSIVE held AS (
            SELECT market_id AS id FROM location WHERE id = $1
            UNION SELECT m.parent_market_id FROM held JOIN market m ON m.id = held.id
        )
        SELECT (SELECT channel_id FROM location WHERE id = $1) AS channel_id,
            array(SELECT id FROM held WHERE id IS NOT NULL) AS market_ids""",
        location_id,
    )
    return dict(rows[0])


async def catalogue(connection: Connection) -> list[Record]:
    """Active products with the object keys of their reference pictures; also the two pseudo-products."""
    return list(
        await connection.fetch(
            """
            SELECT p.id, p.sku, p.name, p.short_name, p.is_foreign, p.is_empty, p.is_unknown,
                coalesce(array_agg(i.object_key ORDER BY i.id) FILTER (WHERE i.id IS NOT NULL), '{}') AS object_keys
            FROM product p
            LEFT JOIN product_image i ON i.client_id = p.client_id AND i.product_id = p.id AND NOT i.is_deleted
            WHERE p.is_active AND NOT p.is_deleted
            GROUP BY p.client_id, p.id ORDER BY p.id"""
        )
    )


async def planned_places(connection: Connection, planogram_id: int) -> list[Record]:
    return list(
        await connection.fetch(
            """
            SELECT s.shelf, s.position, s.product_id, s.stack_size, p.short_name
            FROM planogram_product s JOIN product p ON p.client_id = s.client_id AND p.id = s.product_id
            WHERE s.planogram_id = $1 AND NOT s.is_deleted ORDER BY s.shelf, s.position""",
            planogram_id,
        )
    )


async def first_images(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """Give the object key of the first reference picture of each product that has one."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (product_id) product_id, object_key FROM product_image
        WHERE product_id = ANY($1) AND NOT is_deleted ORDER BY product_id, id""",
        list(product_ids),
    )
    return {row["product_id"]: row["object_key"] for row in rows}


async def freeze_planogram(connection: Connection, planogram_id: int) -> None:
    await connection.execute(
        "UPDATE planogram SET used_on = clock_timestamp() WHERE id = $1 AND used_on IS NULL", planogram_id
    )


async def planogram_use(connection: Connection, planogram_id: int) -> str | None:
    value: str | None = await connection.fetchval("SELECT planogram_use FROM planogram WHERE id = $1", planogram_id)
    return value


async def planogram_to_copy(connection: Connection, planogram_id: int) -> Record | None:
    """Give an active planogram and hold it: copies of it are made one after another, each with a name of its own."""
    return _one(
        await connection.fetch(
            """
            SELECT name, version, planogram_use, facing_details, asset_type_id, replenish_model_id FROM planogram
            WHERE id = $1 AND NOT is_deleted FOR NO KEY UPDATE""",
            planogram_id,
        )
    )


async def taken_names(connection: Connection, names: Collection[str]) -> set[str]:
    """Give those of the names that an active planogram has, in lower case."""
    rows = await connection.fetch(
        """
        SELECT name_key FROM planogram
        WHERE name_key = ANY(SELECT lower(name) FROM unnest($1::text[]) AS names (name)) AND NOT is_deleted""",
        list(names),
    )
    return {row["name_key"] for row in rows}


async def relink_assets(connection: Connection, before: int, after: int) -> int:
    """Link the active assets of one planogram to another one, in order; give how many."""
    done = await connection.execute(
        """
        UPDATE asset SET planogram_id = $2 WHERE id IN (
            SELECT id FROM asset WHERE planogram_id = $1 AND NOT is_deleted ORDER BY id FOR NO KEY UPDATE)""",
        before,
        after,
    )
    return int(done.split()[-1])


async def product_names(connection: Connection, product_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("SELECT id, sku, name FROM product WHERE id = ANY($1)", list(product_ids))
    return {row["id"]: (row["sku"], row["name"]) for row in rows}


async def product_categories(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    rows = await connection.fetch(
        """
        SELECT p.id, c.name FROM product p
        JOIN product_category c ON c.client_id = p.client_id AND c.id = p.product_category_id
        WHERE p.id = ANY($1)""",
        list(product_ids),
    )
    return {row["id"]: row["name"] for row in rows}


async def planogram_stamp(connection: Connection, planogram_id: int) -> tuple[int | None, datetime | None]:
    row = await connection.fetchrow("SELECT version, modified_on FROM planogram WHERE id = $1", planogram_id)
    return (row["version"], row["modified_on"]) if row else (None, None)


async def beverage_types(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    rows = await connection.fetch(
        """
        SELECT p.id, b.name FROM product p
        JOIN beverage_type b ON b.client_id = p.client_id AND b.id = p.beverage_type_id
        WHERE p.id = ANY($1)""",
        list(product_ids),
    )
    return {row["id"]: row["name"] for row in rows}


async def planogram_name(connection: Connection, planogram_id: int) -> str | None:
    value: str | None = await connection.fetchval("SELECT name FROM planogram WHERE id = $1", planogram_id)
    return value


async def country_code(connection: Connection, country_id: int) -> str | None:
    """Give the code of a country; None when it has none, as a country of the client's own."""
    value: str | None = await connection.fetchval("SELECT code FROM country WHERE id = $1", country_id)
    return value


async def ensure_country(connection: Connection, name: str, code: str) -> int:
    """Give the id of the country with this code, or else with this name; add it where there is none."""
    await connection.execute(
        "INSERT INTO country (client_id, name, code) VALUES (coldshelf_client(), $1, $2) ON CONFLICT DO NOTHING",
        name,
        code,
    )
    return int(
        await connection.fetchval(
            """
            SELECT id FROM country WHERE (code_key = lower($2::text) OR name_key = lower($1::text)) AND NOT is_deleted
            ORDER BY code_key IS DISTINCT FROM lower($2::text) LIMIT 1""",
            name,
            code,
        )
    )


async def places_of_states(connection: Connection, state_ids: Collection[int]) -> dict[int | None, Record]:
    """Give the name and country of each state."""
    rows = await connection.fetch(
        """
        SELECT s.id, s.name, s.country_id, c.name AS country FROM state s
        LEFT JOIN country c ON c.client_id = s.client_id AND c.id = s.country_id WHERE s.id = ANY($1)""",
        list(state_ids),
    )
    return {row["id"]: row for row in rows}


async def ensure_time_zone(connection: Connection, name: str) -> int:
    """Give the id of a time zone; add it where there is none."""
    await connection.execute(
        "INSERT INTO time_zone (client_id, name) VALUES (coldshelf_client(), $1) ON CONFLICT DO NOTHING", name
    )
    return int(
        await connection.fetchval("SELECT id FROM time_zone WHERE name_key = lower($1::text) AND NOT is_deleted", name)
    )


async def sales_reps_of(connection: Connection, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Find the rows that say that users look after outlets; `pairs` are (outlet, user)."""
    rows = await connection.fetch(
        """
        SELECT location_id, user_id, min(id) AS id FROM sales_rep
        WHERE location_id IN (SELECT unnest($1::bigint[])) AND NOT is_deleted GROUP BY location_id, user_id""",
        [location_id for location_id, _ in pairs],
    )
    wanted = set(pairs)
    found = {(row["location_id"], row["user_id"]): row["id"] for row in rows}
    return {pair: row_id for pair, row_id in found.items() if pair in wanted}


async def add_pseudo_product(connection: Connection, name: str, sku: str, *, is_empty: bool) -> None:
    await connection.execute(
        """
        INSERT INTO product (client_id, name, sku, short_name, is_empty, is_unknown)
        VALUES (coldshelf_client(), $1, $2, $1, $3, NOT $3) ON CONFLICT DO NOTHING""",
        name,
        sku,
        is_empty,
    )


async def add_image(
    connection: Connection, product_id: int, object_key: str, *, sha256: bytes, width: int, height: int
) -> int | None:
    """Add a reference picture; None when the product has these bytes already.

    The product is held: its picture shows the SKU, so a new one waits, and then finds and touches the picture.
    """
    value: int | None = await connection.fetchval(
        """
        WITH held AS MATERIALIZED (SELECT id FROM product WHERE id = $1 FOR SHARE)
        INSERT INTO product_image (client_id, product_id, object_key, sha256, width, height)
        SELECT coldshelf_client(), id, $2, $3, $4, $5 FROM held ON CONFLICT DO NOTHING RETURNING id""",
        product_id,
        object_key,
        sha256,
        width,
        height,
    )
    return value


def _one(rows: Sequence[Record]) -> Record | None:
    return rows[0] if rows else None


async def product_id_by_sku(connection: Connection, sku: str) -> int | None:
    value: int | None = await connection.fetchval(
        "SELECT id FROM product WHERE sku_key = lower($1::text) AND NOT is_deleted", sku
    )
    return value


async def retire_image(connection: Connection, image_id: int) -> int | None:
    """Delete a reference picture; None when there is none."""
    value: int | None = await connection.fetchval(
        "UPDATE product_image SET is_deleted = true WHERE id = $1 AND NOT is_deleted RETURNING id", image_id
    )
    return value
