"""No client sees or changes another one's rows, whatever door it tries; and what it may look up reaches an index."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import pytest
from tests.house.filling import fill, tenant_tables
from tests.records.support import Handler

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.fields import FieldType
from coldshelf.records.query import Shape, Statement, page_statement

REGISTRY = registry()
ENTITIES = [*REGISTRY.entities.values()]
DATASETS = REGISTRY.listed
READABLE_WITHOUT_A_TENANT = {"server_generation": 1}
"""Relations that show rows without a scope, and how many: nothing of any client."""
QUEUE_COLUMNS = {"id", "entrypoint", "priority", "dedupe_key", "status"}
"""What the application may read of jobs, to enqueue each once."""
ROWS = 20_000


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def tables(owner: asyncpg.Connection, client_id: ClientId, other_client_id: ClientId) -> list[str]:
    """Every table with tenants, with rows of both clients in each."""
    found = await tenant_tables(owner)
    for client in (other_client_id, client_id):
        await fill(owner, client, found)
    return found


@pytest.fixture
async def app_role(url: str, tables: list[str]) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the application has it, outside any scope."""
    assert tables
    connection = await asyncpg.connect(url, server_settings={"role": "coldshelf_app"})
    yield connection
    await connection.close()


RELATIONS = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND relnamespace = 'public'::regnamespace ORDER BY relname"""


async def _visible(connection: asyncpg.Connection, relation: str) -> int:
    """Count the rows that can be seen; a relation that may not be read shows none."""
    try:
        return int(
            await connection.fetchval(f'SELECT count(*) FROM "{relation}" AS r WHERE r IS NOT NULL OR r IS NULL')
        )
    except asyncpg.InsufficientPrivilegeError:
        return 0


async def test_without_a_scope_no_relation_shows_a_row(owner: asyncpg.Connection, app_role: asyncpg.Connection) -> None:
    relations = [row["relname"] for row in await owner.fetch(RELATIONS)]

    seen = {relation: await _visible(app_role, relation) for relation in relations}
    await app_role.execute("SET coldshelf.client_id = ''")
    seen_when_empty = {relation: await _visible(app_role, relation) for relation in relations}

    assert len(relations) > 30
    assert {relation: rows for relation, rows in seen.items() if rows} == READABLE_WITHOUT_A_TENANT
    assert seen_when_empty == seen


async def test_in_a_scope_every_relation_shows_the_rows_of_that_client_only(
    owner: asyncpg.Connection, app_role: asyncpg.Connection, tables: list[str], client_id: ClientId
) -> None:
    await app_role.execute(f"SET coldshelf.client_id = '{client_id}'")

    for table in tables:
        clients = await app_role.fetch(f'SELECT client_id, count(*) AS rows FROM "{table}" GROUP BY client_id')
        everything = await owner.fetchval(f'SELECT count(*) FROM "{table}"')

        assert [row["client_id"] for row in clients] == [client_id], table
        assert clients[0]["rows"] < everything
    assert [row["id"] for row in await app_role.fetch("SELECT id FROM client")] == [client_id]


async def test_the_reader_role_sees_no_more(url: str, tables: list[str], client_id: ClientId) -> None:
    connection = await asyncpg.connect(url, server_settings={"role": "coldshelf_reader"})
    try:
        without = sum([await _visible(connection, table) for table in tables])
        await connection.execute(f"SET coldshelf.client_id = '{client_id}'")
        clients = {
            row["client_id"] for table in tables for row in await connection.fetch(f'SELECT client_id FROM "{table}"')
        }
    finally:
        await connection.close()

    assert (without, clients) == (0, {client_id})


async def test_no_row_is_written_for_another_client(
    app_role: asyncpg.Connection, tables: list[str], client_id: ClientId, other_client_id: ClientId
) -> None:
    await app_role.execute(f"SET coldshelf.client_id = '{client_id}'")
    insert = "INSERT INTO location (client_id, code, name) VALUES ($1, 'x', 'x')"

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app_role.execute(insert, other_client_id)
    for table in tables:
        changed = await app_role.execute(
            f'UPDATE "{table}" SET client_id = client_id WHERE client_id = $1', other_client_id
        )
        assert changed == "UPDATE 0", table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_role.execute(f'DELETE FROM "{table}"')


async def test_a_row_cannot_be_moved_to_another_client(
    app_role: asyncpg.Connection, client_id: ClientId, other_client_id: ClientId
) -> None:
    """The stamp puts the client back; where there is none, the policy refuses."""
    await app_role.execute(f"SET coldshelf.client_id = '{client_id}'")

    await app_role.execute("UPDATE location SET client_id = $1", other_client_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app_role.execute("UPDATE quarantine SET client_id = $1", other_client_id)

    assert await app_role.fetchval("SELECT count(*) FROM location") == 1


async def test_of_jobs_the_application_reads_no_payload(app_role: asyncpg.Connection) -> None:
    columns = await app_role.fetch(
        """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = 'pgqueuer' AND has_column_privilege('pgqueuer', column_name, 'SELECT')"""
    )

    assert {row["column_name"] for row in columns} == QUEUE_COLUMNS


# --- Through the handlers: the stranger tries the ids of the other client.


@pytest.fixture
async def foreign(owner: asyncpg.Connection, tables: list[str], client_id: ClientId) -> dict[str, int]:
    """The id of a record of each dataset of `demo`; no client shares ids with another."""
    assert tables
    return {
        dataset.name: await owner.fetchval(f"SELECT max(id) FROM {dataset.relation} WHERE client_id = $1", client_id)
        for dataset in DATASETS
    }


async def _state(owner: asyncpg.Connection, tables: list[str], client_id: ClientId) -> dict[str, Any]:
    """Give all rows of a client as text."""
    return {
        table: await owner.fetchval(
            f'SELECT string_agg(t::text, chr(10) ORDER BY t::text) FROM "{table}" t WHERE client_id = $1', client_id
        )
        for table in tables
    }


@pytest.fixture
async def untouched(
    owner: asyncpg.Connection, tables: list[str], client_id: ClientId, admin: httpx.AsyncClient
) -> AsyncIterator[None]:
    """Whatever the test does, no row of `demo` changes, of which `admin` is one."""
    assert admin.auth
    before = await _state(owner, tables, client_id)
    yield
    assert await _state(owner, tables, client_id) == before


@pytest.mark.usefixtures("untouched")
async def test_no_list_shows_a_foreign_record_whatever_it_filters_by(
    stranger: httpx.AsyncClient, foreign: dict[str, int], other_client_id: ClientId
) -> None:
    for dataset in DATASETS:
        handler = Handler(stranger, dataset.name)
        own = (await handler.page(includeDeleted=1))["totalRecords"]

        for page in (
            await handler.page({dataset.key: foreign[dataset.name]}),
            await handler.page({dataset.key: {"operator": "IN", "value": [foreign[dataset.name]]}}, includeDeleted=1),
            await handler.page(
                {dataset.key: foreign[dataset.name], "ModifiedOn": {"operator": ">", "value": "2000-01-01"}}
            ),
            await handler.page({dataset.key: foreign[dataset.name]}, cursor=""),
            await handler.page({"ClientId": {"operator": "!=", "value": 0}, dataset.key: foreign[dataset.name]}),
        ):
            assert (page["totalRecords"], page["records"]) == (0, []), dataset.name
        everything = await handler.page(limit=1000, includeDeleted=1, sort="ClientId")
        assert {record["ClientId"] for record in everything["records"]} == {other_client_id}, dataset.name
        assert everything["totalRecords"] == own


@pytest.mark.usefixtures("untouched")
async def test_plain_filters_with_foreign_ids_find_nothing(
    stranger: httpx.AsyncClient, foreign: dict[str, int], owner: asyncpg.Connection, client_id: ClientId
) -> None:
    assert foreign
    for dataset in DATASETS:
        for wire in dataset.plain_filters:
            column = dataset.column(wire)
            assert column
            values = await owner.fetch(
                f'SELECT DISTINCT "{column.name}" AS id FROM {dataset.relation}'
                f' WHERE client_id = $1 AND "{column.name}" IS NOT NULL',
                client_id,
            )
            for row in values:
                records = await Handler(stranger, dataset.name).records(**{wire: row["id"]})
                assert client_id not in {record["ClientId"] for record in records}, wire


@pytest.mark.usefixtures("untouched")
async def test_a_foreign_record_is_neither_loaded_nor_saved_nor_deleted(
    stranger: httpx.AsyncClient, foreign: dict[str, int]
) -> None:
    for entity in ENTITIES:
        handler, row_id = Handler(stranger, entity.name), foreign[entity.name]

        for action in ("load", "save", "delete"):
            reason = await handler.refused(action, id=row_id)
            assert reason == f"There is no {entity.name} with id {row_id}"


@pytest.mark.usefixtures("untouched")
async def test_a_foreign_code_is_not_found_and_free_to_use(
    stranger: httpx.AsyncClient, owner: asyncpg.Connection, foreign: dict[str, int]
) -> None:
    for entity in ENTITIES:
        handler = Handler(stranger, entity.name)
        for parameter, wire in entity.keys.items():
            column = entity.field(wire).name
            code = await owner.fetchval(f'SELECT "{column}" FROM {entity.table} WHERE id = $1', foreign[entity.name])
            if code is None:
                continue
            for action in ("load", "delete"):
                assert (
                    await handler.refused(action, **{parameter: code})
                    == f"There is no {entity.name} {parameter}={code}"
                )
    code = await owner.fetchval("SELECT code FROM location WHERE id = $1", foreign["Location"])
    assert (await Handler(stranger, "Location").save(Code=code, Name="Ours"))["data"]["ClientId"] == 2


@pytest.mark.usefixtures("untouched")
async def test_no_record_refers_to_a_foreign_one_by_id_or_name(
    stranger: httpx.AsyncClient, owner: asyncpg.Connection, foreign: dict[str, int], other_client_id: ClientId
) -> None:
    for entity in ENTITIES:
        own = await owner.fetchval(f"SELECT max(id) FROM {entity.table} WHERE client_id = $1", other_client_id)
        for reference in entity.references:
            target = REGISTRY.entities[reference.to]
            row = await owner.fetchrow(f"SELECT * FROM {target.table} WHERE id = $1", foreign[reference.to])
            sent = {reference.wire: row["id"]} | {
                name: row[target.field(wire).name]
                for name, wire in reference.by.items()
                if row[target.field(wire).name]
            }
            for name, value in sent.items():
                reason = await Handler(stranger, entity.name).refused("save", id=own, **{name: value})
                assert reason.startswith(f"{name}: there is no {reference.to} {str(value)!r}")


@pytest.mark.usefixtures("untouched")
async def test_planograms_hold_no_foreign_products(stranger: httpx.AsyncClient, foreign: dict[str, int]) -> None:
    product = foreign["Product"]

    reason = await Handler(stranger, "Planogram").refused(
        "save", PlanogramName="Ours", FacingDetails=json.dumps([{"products": [{"id": product}]}])
    )

    assert reason == f"FacingDetails: there is no product with id {product}"


@pytest.mark.usefixtures("untouched")
async def test_foreign_planograms_are_not_duplicated(stranger: httpx.AsyncClient, foreign: dict[str, int]) -> None:
    planogram = foreign["Planogram"]

    reason = await Handler(stranger, "Planogram").refused("duplicate", id=planogram, RelinkAssets=1)

    assert reason == f"There is no Planogram with id {planogram}"


@pytest.mark.usefixtures("untouched")
async def test_comparisons_of_a_foreign_image_are_not_there(
    stranger: httpx.AsyncClient, foreign: dict[str, int]
) -> None:
    for shape in ("json", "azure"):
        theirs = await Handler(stranger, "AssetPurity").post(
            "GetCompliance", AssetPurityId=foreign["AssetPurity"], format=shape
        )

        assert theirs.status_code == 400
        assert theirs.json()["info"] == (
            f"There is no comparison with a planogram for AssetPurityId {foreign['AssetPurity']}"
        )


@pytest.mark.usefixtures("untouched")
async def test_facings_of_a_foreign_image_are_not_there(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, foreign: dict[str, int]
) -> None:
    own = await Handler(admin, "AssetPurity").post("GetFacings", AssetPurityId=foreign["AssetPurity"])
    theirs = await Handler(stranger, "AssetPurity").post("GetFacings", AssetPurityId=foreign["AssetPurity"])

    assert own.status_code == 200, own.text
    assert theirs.status_code == 400
    assert theirs.json()["info"] == f"There is no result for AssetPurityId {foreign['AssetPurity']}"


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.usefixtures("untouched")
async def test_reference_pictures_of_foreign_products_are_neither_added_nor_deleted(
    stranger: httpx.AsyncClient, owner: asyncpg.Connection, foreign: dict[str, int]
) -> None:
    path = "/controllers/ProductImage.ashx"
    sku = await owner.fetchval("SELECT sku FROM product WHERE id = $1", foreign["Product"])

    by_id = await stranger.post(
        path, params={"action": "save", "ProductId": foreign["Product"]}, files={"file": ("a.png", PNG, "image/png")}
    )
    by_sku = await stranger.post(
        path, params={"action": "save", "SKU": sku}, files={"file": ("a.png", PNG, "image/png")}
    )
    deleted = await stranger.post(
        path, params={"action": "delete", "id": foreign["ProductImage"]}, files={"file": ("a.png", b"", "image/png")}
    )

    assert by_id.json()["info"].startswith(f"There is no product {foreign['Product']};")
    assert by_sku.json()["info"].startswith(f"There is no product {sku!r};")
    assert deleted.json()["info"].startswith(f"There is no ProductImage with id {foreign['ProductImage']}")


# --- What is looked up reaches an index, as the application role and under its policy.


@dataclass(frozen=True)
class Node:
    """A step of a plan, and the relations that are read below it."""

    kind: str
    relation: str
    condition: str
    below: frozenset[str]


@pytest.fixture
async def many(owner: asyncpg.Connection, client_id: ClientId, other_client_id: ClientId) -> None:
    """Twenty thousand rows of one client in every relation that is looked up, and statistics of them."""
    ordered = await tenant_tables(owner)
    relations = {dataset.relation for dataset in DATASETS}
    for client in (other_client_id, client_id):
        await fill(owner, client, ordered)
    for table in ordered:
        if table in relations:
            await fill(owner, client_id, [table], count=ROWS)
    await owner.execute("ANALYZE")


async def _plan(run: Runtime, client_id: ClientId, text: str, *values: object) -> list[Node]:
    async with run.database.scope(client_id, readonly=True) as connection:
        document = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *values)
    return list(_nodes(json.loads(document)[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    parts = [node for part in plan.get("Plans", ()) for node in _nodes(part)]
    condition = plan.get("Index Cond", "") + plan.get("Recheck Cond", "")
    below = frozenset(node.relation for node in parts)
    yield Node(plan["Node Type"], plan.get("Relation Name", ""), condition, below)
    yield from parts


def _reaches(nodes: list[Node], *conditions: str) -> bool:
    return any(all(part in node.condition for part in conditions) for node in nodes)


def _scans(nodes: list[Node], relation: str) -> bool:
    return any(node.kind == "Seq Scan" and node.relation == relation for node in nodes)


def _values(statement: Statement, **given: object) -> list[object]:
    return statement.arguments({"start": 0, "first": 0, "limit": 100, **given})


@pytest.mark.usefixtures("many")
async def test_what_callers_look_up_reaches_an_index_under_the_policy(
    run: Runtime, client_id: ClientId, owner: asyncpg.Connection
) -> None:
    for entity in ENTITIES:
        await _check_keys(run, client_id, entity)
    for dataset in DATASETS:
        await _check_pages(run, client_id, dataset, owner)
    # The check sees what reaches none: `lower()` of a column is not leakproof, whatever index there is.
    assert not _reaches(await _plan(run, client_id, "SELECT * FROM location WHERE lower(code) = $1", "v77abc"), "code")


async def _check_keys(run: Runtime, client_id: ClientId, entity: Entity) -> None:
    own = f"SELECT * FROM {entity.table} WHERE client_id = $1 AND NOT is_deleted AND"
    by_id = await _plan(run, client_id, f'{own} "id" = $2', client_id, 77)
    assert _reaches(by_id, "client_id", "id = "), entity.name
    for item in (item for item in entity.fields if item.unique):
        by_key = await _plan(run, client_id, f'{own} "{item.name}_key" = lower($2::text)', client_id, "V77ABC")
        assert _reaches(by_key, f"({item.name}_key = "), item.wire
        column = REGISTRY.datasets[entity.name].column(item.wire)
        assert column
        sort = REGISTRY.datasets[entity.name].columns[0]
        shape = Shape(dataset=REGISTRY.datasets[entity.name], sort=sort, conditions=((column, "="),))
        statement = page_statement(shape)
        by_filter = await _plan(run, client_id, statement.text, *_values(statement, v0_0="v77abc"))
        assert _reaches(by_filter, f"{item.name}_key = "), item.wire


async def _check_pages(run: Runtime, client_id: ClientId, dataset: Dataset, owner: asyncpg.Connection) -> None:
    key, modified = dataset.column(dataset.key), dataset.column("ModifiedOn")
    assert key
    assert modified
    first, late = await owner.fetchrow(
        f"SELECT min(modified_on), percentile_disc(0.99) WITHIN GROUP (ORDER BY modified_on) FROM {dataset.relation}"
    )
    now = await owner.fetchval("SELECT clock_timestamp()")
    revision = await owner.fetchval(f"SELECT max(revision) FROM {dataset.relation}")

    async def plan(shape: Shape, **given: object) -> list[Node]:
        statement = page_statement(shape)
        return await _plan(run, client_id, statement.text, *_values(statement, **given))

    delta = Shape(dataset=dataset, sort=key, conditions=((modified, ">"),), with_deleted=True, below_horizon=True)
    few = await plan(replace(delta, narrow=True), v0_0=late, horizon=now, as_of=now)
    many = await plan(delta, v0_0=first, horizon=now, as_of=now)
    behind = await plan(replace(delta, after_id=True), v0_0=first, horizon=now, as_of=now, after_id=5)
    cursor = await plan(
        Shape(dataset=dataset, sort=key, with_deleted=True, after_revision=True), after_revision=revision, after_id=5
    )
    plain = await plan(Shape(dataset=dataset, sort=key, descending=dataset.default_direction == "desc"))

    assert _reaches(few, "modified_on > ", "modified_on <= "), dataset.name
    assert _reaches(cursor, "ROW(revision, id) > ROW(", "revision < "), dataset.name
    assert _reaches(behind, "id > "), dataset.name
    for nodes in (many, behind, cursor, plain):
        assert not _scans(nodes, dataset.relation), dataset.name
    for wire in dataset.plain_filters:
        column = dataset.column(wire)
        assert column
        value = "none" if column.type is FieldType.TEXT else -5
        found = await plan(Shape(dataset=dataset, sort=key, conditions=((column, "="),), narrow=True), v0_0=value)
        assert _reaches(found, f"{column.name} = "), wire
    for name, wire in dataset.plain_aliases:
        column = dataset.column(wire)
        assert column
        found = await plan(Shape(dataset=dataset, sort=key, conditions=((column, "IN"),), narrow=True), v0=["none"])
        assert _reaches(found, f"{column.name} = "), name
