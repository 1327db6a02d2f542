"""What outlets, products, devices and users held as text before the entities came is theirs afterwards."""

import os
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from coldshelf.migrations.upgrade import upgrade

FILLED = """
INSERT INTO client (code, name) VALUES ('one', 'One'), ('two', 'Two');
INSERT INTO app_user (client_id, username, password_hash, role, email) VALUES
    (1, 'ann', 'hash', 'Sales Rep', 'Ann@Example.org'), (1, 'bob', 'hash', 'Sales Rep', ''),
    (1, 'ann2', 'hash', 'Sales Rep', 'ann@example.org'), (2, 'eve', 'hash', 'Sales Rep', 'ann@example.org');
INSERT INTO location (client_id, code, name, market, channel, location_type, classification, customer, distributor,
    country, state, time_zone, primary_sales_rep, sales_rep) VALUES
    (1, 'A', 'A', 'North', 'Grocery', 'Kiosk', 'Gold', 'Acme', 'Fast', 'India', 'Punjab', 'Asia/Kolkata',
        'ANN@example.org', NULL),
    (1, 'B', 'B', ' NORTH ', 'kiosk', NULL, '', NULL, 'fast', 'Pakistan', 'punjab', 'Asia/Karachi', 'bob', NULL),
    (1, 'C', 'C', 'ПІВНІЧ', NULL, NULL, NULL, NULL, NULL, NULL, 'Punjab', NULL, 'Carl', 'Dora'),
    (1, 'D', 'D', 'північ', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (2, 'A', 'A', 'North', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'bob', NULL),
    (1, 'E', 'E', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE location SET is_deleted = true WHERE code = 'D';
INSERT INTO product (client_id, name, sku, short_name, packaging_type, measurement_unit, product_category,
    beverage_type) VALUES
    (1, 'P', 'P', 'P', 'Can', 'ml', 'Soft drinks', 'SSD'), (1, 'Q', 'Q', 'Q', 'CAN', NULL, 'soft drinks', '');
INSERT INTO smart_device (client_id, serial_number, smart_device_type) VALUES (1, 'S', 'Hub'), (1, 'T', ' hub');
"""
OUTLETS = """
    SELECT l.client_id, l.code, m.name AS market, ch.name AS channel, t.name AS type, cl.name AS classification,
        cu.name AS customer, d.name AS distributor, co.name AS country, s.name || ' ' || coalesce(sc.name, '') AS state,
        z.name AS zone, u.username AS rep, l.sales_rep
    FROM location l LEFT JOIN market m ON m.id = l.market_id LEFT JOIN channel ch ON ch.id = l.channel_id
    LEFT JOIN channel t ON t.id = l.location_type_id LEFT JOIN classification cl ON cl.id = l.classification_id
    LEFT JOIN customer cu ON cu.id = l.customer_id LEFT JOIN distributor d ON d.id = l.distributor_id
    LEFT JOIN country co ON co.id = l.country_id LEFT JOIN state s ON s.id = l.state_id
    LEFT JOIN country sc ON sc.id = s.country_id LEFT JOIN time_zone z ON z.id = l.time_zone_id
    LEFT JOIN app_user u ON u.id = l.primary_sales_rep_id ORDER BY l.id"""
UNTOUCHED = "SELECT modified_on FROM location WHERE code = 'E'"


@pytest.fixture
async def old(server: str) -> AsyncIterator[asyncpg.Connection]:
    """A filled database of the release before."""
    name = f"old_{os.getpid()}_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server.format("postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    await upgrade(server.format(name), "0006")
    connection = await asyncpg.connect(server.format(name))
    await connection.execute(FILLED)
    yield connection
    await connection.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_text_becomes_rows_whatever_its_letter_case_and_nothing_is_lost(
    server: str, old: asyncpg.Connection
) -> None:
    before = await old.fetchval(UNTOUCHED)

    await upgrade(server.format(await old.fetchval("SELECT current_database()")), "0007")

    assert [tuple(row.values()) for row in await old.fetch(OUTLETS)] == [
        (1, "A", "North", "Grocery", "Kiosk", "Gold", "Acme", "Fast", "India", "Punjab India",
            "Asia/Kolkata", "ann", None),
        (1, "B", "North", "Kiosk", None, None, None, "Fast", "Pakistan", "punjab Pakistan",
            "Asia/Karachi", "bob", None),
        (1, "C", "ПІВНІЧ", None, None, None, None, None, None, "Punjab ", None, None, "Dora, Carl"),
        (1, "D", "ПІВНІЧ", None, None, None, None, None, None, None, None, None, None),
        (2, "A", "North", None, None, None, None, None, None, None, None, None, "bob"),
        (1, "E", None, None, None, None, None, None, None, None, None, None, None),
    ]  # fmt: skip
    assert await old.fetchval("SELECT count(*) FROM market") == 3
    assert await old.fetchval(UNTOUCHED) == before
    products = await old.fetch(
        """
        SELECT p.sku, t.name AS packaging, u.name AS unit, c.name AS category, b.name AS beverage FROM product p
        LEFT JOIN packaging_type t ON t.id = p.packaging_type_id
        LEFT JOIN measurement_unit u ON u.id = p.measurement_unit_id
        LEFT JOIN product_category c ON c.id = p.product_category_id
        LEFT JOIN beverage_type b ON b.id = p.beverage_type_id ORDER BY p.id"""
    )
    assert [tuple(row.values()) for row in products] == [
        ("P", "Can", "ml", "Soft drinks", "SSD"),
        ("Q", "Can", None, "Soft drinks", None),
    ]
    devices = await old.fetch(
        "SELECT t.name FROM smart_device d JOIN smart_device_type t ON t.id = d.smart_device_type_id ORDER BY d.id"
    )
    assert [row["name"] for row in devices] == ["Hub", "Hub"]


async def test_e_mails_of_users_are_lowered_and_the_second_of_two_equal_ones_is_emptied(
    server: str, old: asyncpg.Connection
) -> None:
    await upgrade(server.format(await old.fetchval("SELECT current_database()")), "0007")

    users = await old.fetch("SELECT username, email, password_hash FROM app_user ORDER BY id")
    assert [tuple(row.values()) for row in users] == [
        ("ann", "ann@example.org", "hash"),
        ("bob", None, "hash"),
        ("ann2", None, "hash"),
        ("eve", "ann@example.org", "hash"),
    ]
