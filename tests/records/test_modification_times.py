"""A modification time is true for the whole record as lists show it, names of other records included."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.service import add_reference_picture
from tests.conformance.world import save_world, whole_world
from tests.masterdata.import_support import Importer
from tests.records.support import Handler, Json

REGISTRY = registry()
WORLD: dict[str, dict[str, object]] = whole_world(REGISTRY)
"""One record of each entity, each referring to those before it."""
NEW_NAMES = {
    "TimeZone.Name": ("Asia/Hovd", "Asia/Tokyo"),
    "User.PrimaryEmail": ("new@example.org", "newer@example.org"),
    "User.Role": ("Installer", "Sales Rep"),
}
"""What a record that takes only certain names is renamed to."""

OUTLET = {"Code": "OUT-1", "Name": "Corner", "Street": "1 Main Street"}


@dataclass(frozen=True)
class Shown:
    """`dataset` shows the field `wire` of `entity` under the name `shown`."""

    entity: str
    wire: str
    dataset: str
    shown: str

    def __str__(self) -> str:
        return f"{self.entity}.{self.wire} in {self.dataset}.{self.shown}"


def everything_shown() -> list[Shown]:
    tables = {entity.table: entity for entity in REGISTRY.entities.values()}
    found = []
    for dataset in REGISTRY.datasets.values():
        relations = {join.name: join.relation for join in dataset.joins}
        for column in dataset.columns:
            entity = tables.get(relations.get(column.of, ""))
            if entity and entity.name != dataset.name:  # a record and the one above it have a test of their own
                wire = next(item.wire for item in entity.fields if item.name == column.name)
                found.append(Shown(entity.name, wire, dataset.name, column.wire))
    return found


@pytest.fixture
async def world(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> dict[str, int]:
    """The id of one record of each dataset that shows names of others."""
    ids = await save_world(admin)
    async with run.database.scope(client_id) as connection:
        ids["ProductImage"] = await connection.fetchval(
            """
            INSERT INTO product_image (client_id, product_id, object_key, sha256, width, height)
            VALUES (coldshelf_client(), $1, 'key', 'hash', 64, 128) RETURNING id""",
            ids["Product"],
        )
        ids["PublicationRun"] = await connection.fetchval(
            """
            INSERT INTO publication_run (client_id, publication_id, state, mode)
            VALUES (coldshelf_client(), $1, 'skipped', 'full') RETURNING id""",
            ids["Publication"],
        )
    return ids


async def revision(run: Runtime, client_id: ClientId, dataset: str, row_id: int) -> int:
    async with run.database.scope(client_id, readonly=True) as connection:
        relation = REGISTRY.datasets[dataset].relation
        return int(await connection.fetchval(f"SELECT revision FROM {relation} WHERE id = $1", row_id))


def test_the_world_holds_every_dataset_that_shows_names_of_others() -> None:
    assert {shown.dataset for shown in everything_shown()} <= WORLD.keys() | {"ProductImage", "PublicationRun"}
    assert {str(shown) for shown in everything_shown()} >= {
        "Brand.Name in Product.BrandName",
        "Manufacturer.Name in Product.Manufacturer",
        "Manufacturer.Name in Brand.Manufacturer",
        "Manufacturer.Name in AssetType.Manufacturer",
        "AssetType.Name in Asset.AssetType",
        "Location.Name in Asset.Location",
        "Location.Code in Asset.LocationCode",
        "Planogram.PlanogramName in Asset.PlanogramName",
        "Asset.SerialNumber in SmartDevice.AssetSerialNumber",
        "Product.SKU in ProductImage.SKU",
    }


def test_no_shown_name_is_itself_shown_from_further_away() -> None:
    """So a rename touches the rows that show it, or whose join leads to it, and nothing behind those."""
    own = {entity.table: {item.name for item in entity.fields} for entity in REGISTRY.entities.values()}

    for dataset in REGISTRY.datasets.values():
        relations = {join.name: join.relation for join in dataset.joins}
        for column in dataset.columns:
            assert column.name in own.get(relations.get(column.of, ""), {column.name}), column


def _another(value: object, names: tuple[str, ...]) -> object:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else next(name for name in names if name != value)


async def test_a_rename_touches_every_row_that_shows_it(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    for number, shown in enumerate(everything_shown()):
        handler = Handler(admin, shown.dataset)
        of_it = {REGISTRY.datasets[shown.dataset].key: world[shown.dataset]}
        before = (await handler.records(of_it))[0]
        earlier = await revision(run, client_id, shown.dataset, world[shown.dataset])
        value = _another(before[shown.shown], NEW_NAMES.get(f"{shown.entity}.{shown.wire}", (f"new {number}",)))

        await Handler(admin, shown.entity).save(id=world[shown.entity], **{shown.wire: value})

        after = (await handler.records(of_it))[0]
        assert after[shown.shown] == value, shown
        assert after["ModifiedOn"] > before["ModifiedOn"], shown
        assert after["ModifiedByUser"] == "admin"
        assert await revision(run, client_id, shown.dataset, world[shown.dataset]) > earlier, shown


async def test_a_rename_reaches_a_reader_of_deltas_with_the_new_name(
    admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    assets = Handler(admin, "Asset")
    mark = (await assets.page_answer(_since("2024-08-01T00:00:00"))).headers["X-Data-As-Of"]

    await Handler(admin, "Location").save(id=world["Location"], Name="Corner Shop")

    assert [(record["AssetId"], record["Location"]) for record in await assets.records(_since(mark))] == [
        (world["Asset"], "Corner Shop")
    ]


async def test_deleted_rows_that_show_a_name_are_touched_too(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    devices = Handler(admin, "SmartDevice")
    deleted = (await devices.delete(id=world["SmartDevice"]))["data"]

    await Handler(admin, "Asset").save(id=world["Asset"], SerialNumber="SN-2")

    after = (await devices.records(includeDeleted=1))[0]
    assert after["AssetSerialNumber"] == "SN-2"
    assert after["ModifiedOn"] > deleted["ModifiedOn"]


async def test_what_nobody_shows_touches_nobody(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    others = {name: (await Handler(admin, name).records(includeDeleted=1)) for name in ("Asset", "Product", "Brand")}

    await Handler(admin, "Location").save(id=world["Location"], TDLinx="77", Name=WORLD["Location"]["Name"])
    await Handler(admin, "Manufacturer").save(id=world["Manufacturer"], Code="ACME", Name=WORLD["Manufacturer"]["Name"])

    for name, before in others.items():
        assert await Handler(admin, name).records(includeDeleted=1) == before


@pytest.mark.parametrize("entity", WORLD)
async def test_every_edit_and_deletion_raises_time_and_revision(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, entity: str
) -> None:
    ids = await save_world(admin)
    handler = Handler(admin, entity)
    for name in reversed([*WORLD]):
        if name == entity:
            break
        await Handler(admin, name).delete(id=ids[name])
    seen: list[tuple[str, int]] = []

    async def look(record: Json) -> None:
        seen.append((record["ModifiedOn"], await revision(run, client_id, entity, ids[entity])))

    await look((await handler.load(id=ids[entity]))["data"])
    await look((await handler.save(id=ids[entity]))["data"])
    await look((await handler.save(**WORLD[entity]))["data"])
    await look((await handler.delete(id=ids[entity]))["data"])

    assert seen == sorted(set(seen))
    assert len({number for _, number in seen}) == 4
    assert seen[0][1] < seen[-1][1]


async def test_a_link_made_while_its_target_is_renamed_shows_the_new_name_with_a_true_time(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    """The save waits for the rename: otherwise its row would show a name that changed behind its time."""
    await Handler(admin, "Asset").save(id=world["Asset"], LocationId=0)
    async with run.database.scope(client_id) as renaming:
        await renaming.execute("UPDATE location SET name = 'Corner Shop' WHERE id = $1", world["Location"])
        renamed_on = await renaming.fetchval("SELECT modified_on FROM location WHERE id = $1", world["Location"])
        saving = asyncio.create_task(
            Handler(admin, "Asset").save(id=world["Asset"], LocationCode=WORLD["Location"]["Code"])
        )
        await wait_for_a_lock(run)

    saved = (await saving)["data"]

    assert saved["Location"] == "Corner Shop"
    assert saved["ModifiedOn"] > renamed_on.strftime("%Y-%m-%dT%H:%M:%S.%f")


async def test_a_reference_picture_added_while_its_product_gets_another_sku_has_a_true_time(
    run: Runtime, client_id: ClientId, world: dict[str, int]
) -> None:
    async with run.database.scope(client_id) as renaming:
        await renaming.execute("UPDATE product SET sku = 'NEW' WHERE id = $1", world["Product"])
        renamed_on = await renaming.fetchval("SELECT modified_on FROM product WHERE id = $1", world["Product"])

        async def add() -> datetime:
            async with run.database.scope(client_id) as adding:
                found = await add_reference_picture(adding, world["Product"], "key", sha256=b"new", size=(1, 1))
                added_on = await adding.fetchval("SELECT modified_on FROM product_image WHERE id = $1", found)
            assert isinstance(added_on, datetime)
            return added_on

        adding = asyncio.create_task(add())
        await wait_for_a_lock(run)

    assert await adding > renamed_on


async def test_what_an_undo_gives_back_while_it_is_renamed_shows_the_new_name_with_a_true_time(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    markets, outlets = Handler(admin, "Market"), Handler(admin, "Location")
    west = (await markets.save(Code="W", Name="West"))["id"]
    await outlets.save(**OUTLET, MarketCode="W")
    done = await Importer(admin, "Outlet").done([{**OUTLET, "Market": "East"}])
    async with run.database.scope(client_id) as renaming:
        await renaming.execute("UPDATE market SET name = 'Far West' WHERE id = $1", west)
        renamed_on = await renaming.fetchval("SELECT modified_on FROM market WHERE id = $1", west)
        undoing = asyncio.create_task(Importer(admin, "Outlet").undo(done["importId"]))
        await wait_for_a_lock(run)

    assert (await undoing)["restored"] == 1
    outlet = (await outlets.load(Code="OUT-1"))["data"]
    assert outlet["MarketName"] == "Far West"
    assert outlet["ModifiedOn"] > renamed_on.strftime("%Y-%m-%dT%H:%M:%S.%f")


async def wait_for_a_lock(run: Runtime) -> None:
    """Wait until some transaction of this database waits for another one."""
    async with asyncio.timeout(20), run.database.system() as owner:
        while not await owner.fetchval(  # noqa: ASYNC110  # the database tells nobody
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        ):
            await asyncio.sleep(0.01)


def _since(mark: str) -> Json:
    return {"modifiedOn": {"operator": ">", "value": mark}}
