"""The declarations equal the migrated database, and every table with tenants is closed the same way."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from tests.house.filling import tenant_tables

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.records.dataset import NOWHERE, Column, Dataset
from coldshelf.records.entity import Entity, Field
from coldshelf.records.fields import TYPE_MAPS, FieldType

REGISTRY = registry()
ENTITIES = [*REGISTRY.entities.values()]
DATASETS = REGISTRY.listed
OPEN_TABLES = {
    "alembic_version",
    "server_generation",
    "server_secret",
    "pgqueuer",
    "pgqueuer_log",
    "pgqueuer_schedules",
    "pgqueuer_statistics",
}
"""Tables of the server itself: no row of theirs says anything about a client."""
PLUMBING = {"client_id", "id", "revision", "modified_on", "is_deleted"}
UNDECLARED = {
    "planogram": {"used_on", "shelves", "facings"},
    "product_image": {"object_key", "sha256"},
    "publication": {"scheduled_from"},
    "app_user": {"username", "username_key", "password_hash"},
}
"""Columns of entity tables that no field sets."""
TENANT_POLICY = "(client_id = (NULLIF(current_setting('coldshelf.client_id'::text, true), ''::text))::bigint)"


@pytest.fixture(scope="module")
async def owner(server: str, template: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.format(template))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def columns(owner: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """The types of all columns of all relations."""
    rows = await owner.fetch(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')"""
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["relname"], {})[row["attname"]] = row["type"]
    return found


@pytest.fixture(scope="module")
async def indexes(owner: asyncpg.Connection) -> dict[str, str]:
    """The definition of every index by its name."""
    rows = await owner.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    return {row["indexname"]: row["indexdef"] for row in rows}


def _wanted_type(item: Column | Field) -> str:
    name = TYPE_MAPS[item.type].postgres
    return f"{name}({item.precision},{item.scale})" if item.type is FieldType.DECIMAL else name


def _columns_of(dataset: Dataset) -> Iterator[tuple[str, Column]]:
    relations = {join.name: join.relation for join in dataset.joins} | {"": dataset.relation}
    for column in dataset.columns:
        if column.of != NOWHERE:
            yield relations[column.of], column


def _leads(definition: str, *names: str) -> bool:
    return f"({', '.join(names)}" in definition.replace('"', "")


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_column_of_a_dataset_exists_with_the_type_that_its_field_maps_to(
    dataset: Dataset, columns: dict[str, dict[str, str]]
) -> None:
    wanted = {(relation, column.name): _wanted_type(column) for relation, column in _columns_of(dataset)}

    found = {place: columns[place[0]].get(place[1]) for place in wanted}

    assert found == wanted


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
async def test_a_dataset_has_what_lists_and_deltas_need(
    dataset: Dataset, columns: dict[str, dict[str, str]], indexes: dict[str, str], owner: asyncpg.Connection
) -> None:
    table = columns[dataset.relation]
    definitions = [text for text in indexes.values() if f" ON public.{dataset.relation} " in text]
    wires = [column.wire.lower() for column in dataset.columns]

    assert table.keys() >= PLUMBING | {join.on for join in dataset.joins if not join.of}
    relations = {join.name: join.relation for join in dataset.joins}
    for join in dataset.joins:
        assert join.on in columns[relations.get(join.of, dataset.relation)]
        assert columns[join.relation].keys() >= {"client_id", join.key}
    for names in (("id",), ("revision", "id"), ("modified_on", "id")):
        assert any(_leads(text, "client_id", *names) for text in definitions), names
    for wire in (*dataset.plain_filters, *dict(dataset.plain_aliases).values()):
        column = dataset.column(wire)
        assert column
        assert any(_leads(text, "client_id", column.name) for text in definitions), wire
    assert len(wires) == len(set(wires))
    assert dataset.column(dataset.key)
    assert (dataset.location is None) == bool(dataset.client_wide)
    held = columns[dataset.location_of.relation] if dataset.location_of else table
    assert dataset.location is None or dataset.location in held
    assert dataset.location_of is None or dataset.location_of.on in table
    trigger = await owner.fetchval(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname = 'stamp'",
        dataset.relation,
    )
    assert trigger == (
        f"CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON public.{dataset.relation}"
        " FOR EACH ROW EXECUTE FUNCTION coldshelf_stamp()"
    )


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
async def test_the_columns_of_an_entity_are_those_that_it_declares(
    entity: Entity, columns: dict[str, dict[str, str]], owner: asyncpg.Connection
) -> None:
    rows = await owner.fetch(
        """
        SELECT attname, attnotnull, atthasdef, attgenerated <> '' AS is_generated FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped""",
        entity.table,
    )
    kept = {row["attname"]: row for row in rows}
    declared = {item.name for item in (*entity.fields, *entity.references)}
    common = {column.name for column in REGISTRY.datasets[entity.name].columns if column.wire in COMMON} | {
        "revision",
        "id",
    }
    keys = {f"{item.name}_key" for item in entity.fields if item.unique or item.unique_in}

    assert columns[entity.table].keys() == declared | common | keys | UNDECLARED.get(entity.table, set())
    for item in entity.fields:
        assert columns[entity.table][item.name] == _wanted_type(item), item.wire
    for item in (*entity.fields, *entity.references):
        has_default = kept[item.name]["atthasdef"]
        assert kept[item.name]["attnotnull"] == (item.required or has_default), item.wire
        assert not (item.required and has_default), item.wire


COMMON = {
    "ClientId",
    "IsDeleted",
    "CreatedByUserId",
    "CreatedByUser",
    "CreatedOn",
    "ModifiedByUserId",
    "ModifiedByUser",
    "ModifiedOn",
}


@pytest.mark.parametrize("dataset", REGISTRY.datasets.values(), ids=lambda dataset: dataset.name)
def test_every_dataset_carries_the_common_fields(dataset: Dataset) -> None:
    assert {column.wire for column in dataset.columns} >= COMMON


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
async def test_unique_fields_have_a_lower_case_key_and_its_index(
    entity: Entity, indexes: dict[str, str], owner: asyncpg.Connection
) -> None:
    for item in (item for item in entity.fields if item.unique or item.unique_in):
        generated = await owner.fetchval(
            """
            SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
            JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = $1::text::regclass AND a.attname = $2 AND a.attgenerated = 's'""",
            entity.table,
            f"{item.name}_key",
        )

        within = f", {item.unique_in}) NULLS NOT DISTINCT" if item.unique_in else ")"
        assert generated == f"lower({item.name})"
        assert indexes[f"{entity.table}_{item.name}"] == (
            f"CREATE UNIQUE INDEX {entity.table}_{item.name} ON public.{entity.table} USING btree"
            f" (client_id, {item.name}_key{within} WHERE (NOT is_deleted)"
        )
    assert {entity.field(wire).unique for wire in entity.keys.values()} == {True}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
async def test_references_are_foreign_keys_within_the_client_and_indexed(
    entity: Entity, indexes: dict[str, str], owner: asyncpg.Connection
) -> None:
    keys = {
        row["text"]
        for row in await owner.fetch(
            "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
            " WHERE conrelid = $1::text::regclass AND contype = 'f'",
            entity.table,
        )
    }
    for reference in entity.references:
        target = REGISTRY.entities[reference.to].table

        assert f"FOREIGN KEY (client_id, {reference.name}) REFERENCES {target}(client_id, id)" in keys
        assert any(
            f" ON public.{entity.table} " in text and _leads(text, "client_id", reference.name)
            for text in indexes.values()
        )


async def test_every_table_is_closed_by_row_level_security_but_those_of_the_server(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        """
        SELECT relname FROM pg_class
        WHERE relkind IN ('r', 'p', 'm', 'f') AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity"""
    )

    assert {row["relname"] for row in rows} == OPEN_TABLES


async def test_every_table_with_tenants_has_the_same_policy_and_the_same_grants(owner: asyncpg.Connection) -> None:
    for table in await tenant_tables(owner):
        policies = await owner.fetch(
            """
            SELECT polname, polcmd::text, polpermissive, polroles::text,
                pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS check
            FROM pg_policy WHERE polrelid = $1::text::regclass""",
            table,
        )
        grants = await owner.fetch(
            """
            SELECT grantee, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS may
            FROM information_schema.role_table_grants
            WHERE table_name = $1 AND grantee <> current_user GROUP BY grantee ORDER BY grantee""",
            table,
        )

        # No check of its own: what is written must satisfy what is seen.
        assert [tuple(row.values()) for row in policies] == [("tenant", "*", True, "{0}", TENANT_POLICY, None)], table
        assert [tuple(row.values()) for row in grants] == [
            ("coldshelf_app", "INSERT SELECT UPDATE"),
            ("coldshelf_reader", "SELECT"),
        ], table


async def test_foreign_keys_between_tables_with_tenants_stay_within_the_client(owner: asyncpg.Connection) -> None:
    """Their checks bypass policies: with the id alone, a row could refer to another client's."""
    rows = await owner.fetch(
        """
        SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS text FROM pg_constraint
        WHERE contype = 'f' AND confrelid <> 'client'::regclass"""
    )

    outside = [tuple(row.values()) for row in rows if not row["text"].startswith("FOREIGN KEY (client_id, ")]
    assert len(rows) > 20
    assert outside == []


async def test_views_show_what_their_reader_may_see(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    )

    assert {row["relname"]: row["reloptions"] for row in rows if row["reloptions"] != ["security_invoker=true"]} == {}


async def test_functions_that_see_all_tenants_are_known_and_pinned_to_their_schema(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        """
        SELECT p.proname, pg_get_function_result(p.oid) AS gives, array_to_string(p.proconfig, ';') AS settings
        FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace ORDER BY p.proname"""
    )

    assert {row["proname"]: row["gives"] for row in rows} == {
        "coldshelf_expand": "void",
        "coldshelf_horizon": "timestamp with time zone",
        "coldshelf_queue_age": "interval",
        "door_link": "TABLE(client_id bigint, link_id bigint)",
        "door_picture": "TABLE(client_id bigint, picture_id bigint)",
        "door_sms": "TABLE(client_id bigint)",
        "door_token": "TABLE(client_id bigint, token_id bigint, device boolean)",
        "door_user": "TABLE(client_id bigint, user_id bigint)",
    }
    assert {row["settings"] for row in rows} == {"search_path=pg_catalog", "search_path=public, pg_temp"}


async def test_no_column_has_a_type_whose_comparison_leaks(owner: asyncpg.Connection) -> None:
    """Enum equality is not leakproof: under a policy it reaches no index. The queue's own tables have no policy."""
    rows = await owner.fetch(
        """
        SELECT a.attrelid::regclass::text AS table, a.attname FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e' JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"""
    )

    assert {row["table"] for row in rows} <= {"pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"}
