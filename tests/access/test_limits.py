"""One limiter of rows and fields, whatever the door: lists, loads, saves, cursors, further actions, uploads."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

from coldshelf.access.service import add_token
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime

ROUNDS = 40


@dataclass
class Scene:
    """Two outlets with a cooler each; the partner sees the first one only."""

    run: Runtime
    client_id: ClientId
    user_id: UserId
    admin: httpx.AsyncClient
    http: httpx.AsyncClient
    outlets: tuple[int, int]
    assets: tuple[int, int]
    asset_type: int

    def of(self, name: str) -> Handler:
        return Handler(self.http, name)

    def by_admin(self, name: str) -> Handler:
        return Handler(self.admin, name)


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def scene(run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient) -> AsyncIterator[Scene]:
    model = (await Handler(admin, "AssetType").save(Name="M"))["id"]
    outlets = [(await Handler(admin, "Location").save(Code=f"L{n}", Name=f"Outlet {n}"))["id"] for n in (1, 2)]
    assets = [
        (await Handler(admin, "Asset").save(SerialNumber=f"S{n}", AssetTypeId=model, LocationId=outlet))["id"]
        for n, outlet in enumerate(outlets, 1)
    ]
    user_id = await partner(run, client_id)
    await limit_user(run, client_id, user_id, {"outlet": outlets[:1]})
    async with signed_in(app, "partner") as http:
        yield Scene(run, client_id, user_id, admin, http, (outlets[0], outlets[1]), (assets[0], assets[1]), model)


async def _codes(handler: Handler, **params: object) -> list[str]:
    return [record["Code"] for record in await handler.records(**params)]


async def test_lists_counts_and_loads_show_what_stands_in_granted_outlets(scene: Scene) -> None:
    page = await scene.of("Asset").page()
    outlets = await _codes(scene.of("Location"))
    own = await scene.of("Asset").load(id=scene.assets[0])

    assert (page["totalRecords"], [record["SerialNumber"] for record in page["records"]]) == (1, ["S1"])
    assert outlets == ["L1"]
    assert own["data"]["SerialNumber"] == "S1"
    assert (await scene.by_admin("Asset").page())["totalRecords"] == 2


async def test_a_foreign_record_is_neither_loaded_saved_deleted_nor_referred_to(scene: Scene) -> None:
    asset, outlet = scene.assets[1], scene.outlets[1]
    before = await scene.by_admin("Asset").load(id=asset)

    for action in ("load", "save", "delete"):
        assert await scene.of("Asset").refused(action, id=asset) == f"There is no Asset with id {asset}"
        by_code = await scene.of("Asset").refused(action, SerialNumber="S2", AssetTypeId=scene.asset_type)
        assert by_code.startswith("There is no Asset SerialNumber=S2" if action != "save" else "Asset with SerialN")
    moved = await scene.of("Asset").refused("save", id=scene.assets[0], LocationId=outlet)
    by_name = await scene.of("Asset").refused("save", id=scene.assets[0], LocationCode="L2")
    device = await scene.of("SmartDevice").refused("save", SerialNumber="D1", AssetId=asset)

    assert moved == f"LocationId: there is no Location '{outlet}'"
    assert by_name == "LocationCode: there is no Location 'L2'"
    assert device == f"AssetId: there is no Asset '{asset}'"
    assert await scene.by_admin("Asset").load(id=asset) == before


async def test_a_save_leaves_nothing_where_the_partner_does_not_see_it(scene: Scene) -> None:
    reason = "would be where this credential does not see it. Name an outlet that this credential may see."

    emptied = await scene.of("Asset").refused("save", id=scene.assets[0], LocationId="")
    nowhere = await scene.of("Asset").refused("save", SerialNumber="S3", AssetTypeId=scene.asset_type)
    outlet = await scene.of("Location").refused("save", Code="L3", Name="Mine")

    assert (emptied, nowhere, outlet) == (f"This Asset {reason}", f"This Asset {reason}", f"This Location {reason}")
    assert (await scene.by_admin("Asset").page())["totalRecords"] == 2
    assert (await scene.by_admin("Location").page())["totalRecords"] == 2
    assert (await scene.by_admin("Asset").load(id=scene.assets[0]))["data"]["LocationId"] == scene.outlets[0]


async def test_devices_are_where_their_assets_are(scene: Scene) -> None:
    for n, asset in enumerate(scene.assets, 1):
        await scene.by_admin("SmartDevice").save(SerialNumber=f"D{n}", AssetId=asset)
    await scene.by_admin("SmartDevice").save(SerialNumber="D3")

    seen = [record["SerialNumber"] for record in await scene.of("SmartDevice").records()]

    assert seen == ["D1"]
    assert await scene.of("SmartDevice").refused("load", SerialNumber="D3") == (
        "There is no SmartDevice SerialNumber=D3"
    )


async def test_a_cursor_ends_when_the_sight_changes(scene: Scene) -> None:
    first = await scene.of("Asset").page(cursor="", limit=1)
    again = await scene.of("Asset").page(cursor=first["cursor"])

    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": list(scene.outlets)})
    answer = await scene.of("Asset").page_answer(cursor=first["cursor"])

    assert again["totalRecords"] == 0
    assert answer.status_code == 410
    assert len((await scene.of("Asset").page(cursor=""))["records"]) == 2


async def test_a_token_sees_what_both_it_and_its_user_are_granted(scene: Scene, app: FastAPI) -> None:
    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": list(scene.outlets)})
    token = await add_token(scene.run, scene.client_id, scene.user_id, "narrow")
    async with scene.run.database.scope(scene.client_id) as connection:
        token_id = await connection.fetchval("SELECT id FROM api_token WHERE name = 'narrow'")
    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": [scene.outlets[1]]}, token_id=token_id)

    async def seen() -> list[str]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://coldshelf.test",
            headers={"Authorization": f"Bearer {token}"},
        ) as http:
            return await _codes(Handler(http, "Location"))

    both = await seen()
    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": [scene.outlets[0]]})

    assert both == ["L2"]
    assert await seen() == []
    assert await _codes(scene.of("Location")) == ["L1"]


async def test_hidden_fields_are_unknown_in_every_way(scene: Scene) -> None:
    await limit_user(
        scene.run, scene.client_id, scene.user_id, hidden=["personal", "Location.City", "ExternalAssetCode", "Code"]
    )
    location = scene.of("Location")

    record = (await location.records())[0]
    loaded = (await location.load(id=scene.outlets[0]))["data"]
    saved = await location.save(id=scene.outlets[0], City="Graz", PrimaryPhone="1", Street="Ring")

    hidden = {"City", "PrimaryPhone", "PrimarySalesRep", "StoreOwner", "CreatedByUser", "ModifiedByUser", "Code"}
    assert not (hidden | {"LocationCode"}) & record.keys()
    assert record.keys() == loaded.keys() == saved["data"].keys()
    assert saved["warnings"] == [f"{name} was ignored: Location has no such field" for name in ("City", "PrimaryPhone")]
    assert "Location has no field 'City'" in await location.page_refused({"City": "x"})
    assert "Location has no field 'primaryPhone'" in await location.page_refused(sort="primaryPhone")
    assert "Location has no field 'code'" in await location.page_refused(fields="Name,Code")
    for answer in (await location.page_answer(format="csv"), await location.post("export", exportFormat="CSV")):
        assert not (hidden & set(answer.text.splitlines()[0].lstrip("\ufeff").split(",")))
    assert await location.refused("load", LocationCode="L1") == "There is no Location without id, ExternalLocationCode"
    assert "ExternalAssetCode" not in (await scene.of("Asset").records())[0]
    assert "City" in (await scene.of("Asset").records())[0]
    whole = (await scene.by_admin("Location").load(id=scene.outlets[0]))["data"]
    assert (whole["City"], whole["PrimaryPhone"], whole["Street"]) == (None, None, "Ring")


async def test_the_resources_are_limited_as_the_handlers_are(scene: Scene) -> None:
    seen, beyond = scene.assets
    await limit_user(
        scene.run, scene.client_id, scene.user_id, {"outlet": [scene.outlets[0]]}, hidden=["TagNumber", "personal"]
    )

    page = (await scene.http.get("/api/v1/assets")).json()
    changes = (await scene.http.get("/api/v1/assets/changes")).json()
    own = await scene.http.get(f"/api/v1/assets/{seen}")
    foreign = [
        await scene.http.get(f"/api/v1/assets/{beyond}"),
        await scene.http.patch(f"/api/v1/assets/{beyond}", json={"AssetCategory": "x"}),
        await scene.http.delete(f"/api/v1/assets/{beyond}"),
    ]
    moved = await scene.http.patch(f"/api/v1/assets/{seen}", json={"LocationId": scene.outlets[1]})
    shared = await scene.http.post("/api/v1/products", json={"SKU": "1", "ProductName": "x", "ShortName": "x"})

    for records in (page["data"], changes["data"], [own.json()]):
        assert [record["AssetId"] for record in records] == [seen]
        assert not {"TagNumber", "CreatedByUser"} & records[0].keys()
    assert [answer.status_code for answer in foreign] == [404, 404, 404]
    assert moved.status_code == 422
    assert shared.status_code == 403


async def test_datasets_that_are_not_granted_are_refused(scene: Scene) -> None:
    await limit_user(scene.run, scene.client_id, scene.user_id, {"outlet": list(scene.outlets)}, datasets=["Asset"])

    answers = {name: (await scene.of(name).page_answer()).status_code for name in ("Asset", "Location", "AssetPurity")}
    saved = await scene.of("Location").post("save", id=scene.outlets[0], Name="x")

    assert answers == {"Asset": 200, "Location": 403, "AssetPurity": 403}
    assert saved.status_code == 403


async def test_what_reaches_every_outlet_is_refused(scene: Scene) -> None:
    market = (await scene.by_admin("Market").save(Name="M"))["id"]
    planogram = (await scene.by_admin("Planogram").save(PlanogramName="P"))["id"]

    for name, action, row_id in (
        ("Reprocessing", "apply", 1),
        ("Reprocessing", "discard", 1),
        ("Reprocessing", "differences", 1),
        ("Planogram", "duplicate", planogram),
        ("Planogram", "save", planogram),
        ("Market", "save", market),
        ("User", "list", 1),
    ):
        answer = await scene.of(name).post(action, id=row_id)
        assert answer.status_code == 403, name
        assert "this credential is limited to some" in answer.text
    assert (await scene.of("Planogram").load(id=planogram))["data"]["PlanogramName"] == "P"


async def test_a_row_that_leaves_during_a_pull_lets_the_reader_miss_no_other(scene: Scene) -> None:
    for n in range(3, 9):
        await scene.by_admin("Asset").save(
            SerialNumber=f"S{n}", AssetTypeId=scene.asset_type, LocationId=scene.outlets[0]
        )
    wanted: dict[str, Any] = {"modifiedOn": {"operator": ">", "value": "2000-01-01"}}

    first = await scene.of("Asset").page(wanted, start=0, limit=3)
    await scene.by_admin("Asset").save(SerialNumber="S3", LocationId=scene.outlets[1])
    second = await scene.of("Asset").page(wanted, start=3, limit=3)
    third = await scene.of("Asset").page(wanted, start=6, limit=3)

    seen = [record["SerialNumber"] for page in (first, second, third) for record in page["records"]]
    assert seen == ["S1", "S3", "S4", "S5", "S6", "S7", "S8"]


async def test_a_row_that_leaves_the_sight_arrives_as_deleted_and_empty(scene: Scene) -> None:
    device = (await scene.by_admin("SmartDevice").save(SerialNumber="D1", AssetId=scene.assets[0]))["id"]
    begun = {name: await scene.of(name).page(cursor="") for name in ("Asset", "SmartDevice")}
    mark = max(record["ModifiedOn"] for page in begun.values() for record in page["records"])

    await scene.by_admin("Asset").save(id=scene.assets[0], LocationId=scene.outlets[1])
    for name, row_id in (("Asset", scene.assets[0]), ("SmartDevice", device)):
        by_cursor = await scene.of(name).page(cursor=begun[name]["cursor"])
        by_time = await scene.of(name).page({"modifiedOn": {"operator": ">", "value": mark}})

        for page in (by_cursor, by_time):
            assert page["totalRecords"] == 1
            told = {key: value for key, value in page["records"][0].items() if value is not None}
            assert told.keys() == {f"{name}Id", "ClientId", "IsDeleted", "ModifiedOn", "RowNumber"}
            assert (told[f"{name}Id"], told["IsDeleted"]) == (row_id, 1)
        assert (await scene.of(name).page(includeDeleted=1))["totalRecords"] == 0
        assert (await scene.of(name).page({"LocationId": scene.outlets[1]} if name == "Asset" else {}))[
            "totalRecords"
        ] == 0

    await scene.by_admin("Asset").save(id=scene.assets[0], LocationId=scene.outlets[0])
    back = await scene.of("Asset").page(cursor=begun["Asset"]["cursor"])

    assert [(record["SerialNumber"], record["IsDeleted"]) for record in back["records"]] == [("S1", 0)]


async def test_a_row_that_never_was_in_sight_is_not_told_as_deleted(scene: Scene) -> None:
    begun = await scene.of("Asset").page(cursor="")

    await scene.by_admin("Asset").save(id=scene.assets[1], TagNumber="changed")

    assert (await scene.of("Asset").page(cursor=begun["cursor"]))["records"] == []


async def test_a_grant_and_an_outlet_that_are_saved_at_the_same_time_both_count(
    scene: Scene, url: str, owner: asyncpg.Connection, run: Runtime, client_id: ClientId
) -> None:
    """Whichever commits first, the other one waits for it and sees it."""
    market = (await scene.by_admin("Market").save(Name="M"))["id"]
    other = await asyncpg.connect(url)
    add = "INSERT INTO location (client_id, code, name, market_id) VALUES ($1, $2, 'x', $3)"

    async with owner.transaction():
        await owner.execute(add, client_id, "first", market)
        granting = asyncio.create_task(limit_user(run, client_id, scene.user_id, {"market": [market]}))
        waits_for_the_outlet = not (await asyncio.wait([granting], timeout=0.5))[0]
    limit_id = await granting
    seen_then = await _codes(scene.of("Location"))
    async with owner.transaction():
        # The grant of the market goes, and that of the outlet, which it replaced, comes back.
        await owner.execute("UPDATE access_grant SET is_deleted = NOT is_deleted WHERE limit_id = $1", limit_id)
        adding = asyncio.create_task(other.execute(add, client_id, "second", market))
        waits_for_the_grant = not (await asyncio.wait([adding], timeout=0.5))[0]
    await adding
    await other.close()

    assert (waits_for_the_outlet, waits_for_the_grant) == (True, True)
    assert seen_then == ["first"]
    assert await _codes(scene.of("Location")) == ["L1"]


async def test_random_limits_equal_the_brute_force_filter(
    scene: Scene, owner: asyncpg.Connection, run: Runtime, client_id: ClientId
) -> None:
    """Grants, outlets and the tree of markets change in any order; the expanded grants are those that Python finds."""
    dice = random.Random(seed := random.randrange(10**6))
    world = await World.make(owner, client_id, dice)

    for step in range(ROUNDS):
        await world.change(owner, run, scene.user_id)
        wanted = world.visible()
        found = {record["LocationId"] for record in await scene.of("Location").records(limit=1000)}

        assert found == wanted, f"seed {seed}, step {step}: {world.grants}"


@dataclass
class World:
    """Outlets, a tree of markets and grants, as Python knows them."""

    client_id: ClientId
    dice: random.Random
    parents: dict[int, int | None]
    outlets: dict[int, dict[str, int | None]]
    grants: dict[str, list[int]]
    names: dict[str, list[int]]

    @classmethod
    async def make(cls, owner: asyncpg.Connection, client_id: ClientId, dice: random.Random) -> "World":
        names: dict[str, list[int]] = {}
        for table in ("market", "channel", "distributor"):
            rows = await owner.fetch(
                f"INSERT INTO {table} (client_id, name) SELECT $1, '{table} ' || n FROM generate_series(1, 6) n"
                " RETURNING id",
                client_id,
            )
            names[table] = [row["id"] for row in rows]
        world = cls(client_id, dice, dict.fromkeys(names["market"]), {}, {}, names)
        for row in await owner.fetch("SELECT id FROM location WHERE client_id = $1", client_id):
            world.outlets[row["id"]] = dict.fromkeys(("market", "channel", "distributor"))
        return world

    async def change(self, owner: asyncpg.Connection, run: Runtime, user_id: UserId) -> None:
        await self.dice.choice((self._add, self._move, self._replant, self._grant, self._grant))(owner, run, user_id)

    async def _add(self, owner: asyncpg.Connection, run: Runtime, user_id: UserId) -> None:
        places = [self._place() for _ in range(5)]
        rows = await owner.fetch(
            """
            INSERT INTO location (client_id, code, name, market_id, channel_id, distributor_id)
            SELECT $1, gen_random_uuid()::text, 'x', * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])
            RETURNING id""",
            self.client_id,
            *([place[name] for place in places] for name in ("market", "channel", "distributor")),
        )
        self.outlets |= {row["id"]: place for row, place in zip(rows, places, strict=True)}

    async def _move(self, owner: asyncpg.Connection, run: Runtime, user_id: UserId) -> None:
        outlet, place = self.dice.choice(list(self.outlets)), self._place()
        await owner.execute(
            "UPDATE location SET market_id = $3, channel_id = $4, distributor_id = $5 WHERE client_id = $1 AND id = $2",
            self.client_id,
            outlet,
            *place.values(),
        )
        self.outlets[outlet] = place

    async def _replant(self, owner: asyncpg.Connection, run: Runtime, user_id: UserId) -> None:
        market, parent = self.dice.sample(list(self.parents), 2)
        if market not in self._line(parent):
            await owner.execute(
                "UPDATE market SET parent_market_id = $3 WHERE client_id = $1 AND id = $2",
                self.client_id,
                market,
                parent,
            )
            self.parents[market] = parent

    async def _grant(self, owner: asyncpg.Connection, run: Runtime, user_id: UserId) -> None:
        names = {**self.names, "outlet": list(self.outlets)}
        chosen = self.dice.sample(sorted(names), self.dice.randint(1, 2))
        self.grants = {
            name: self.dice.sample(names[name], min(len(names[name]), self.dice.randint(1, 4))) for name in chosen
        }
        await limit_user(run, self.client_id, user_id, self.grants)

    def _place(self) -> dict[str, int | None]:
        return {name: self.dice.choice([*self.names[name], None]) for name in ("market", "channel", "distributor")}

    def _line(self, market: int | None) -> list[int]:
        return [] if market is None else [market, *self._line(self.parents[market])]

    def visible(self) -> set[int]:
        if not self.grants:
            return set(list(self.outlets)[:1])  # as the scene limits the partner
        return {outlet for outlet, place in self.outlets.items() if self._sees(outlet, place)}

    def _sees(self, outlet: int, place: dict[str, int | None]) -> bool:
        return all(
            outlet in ids
            if name == "outlet"
            else bool(set(self._line(place["market"])) & set(ids))
            if name == "market"
            else place[name] in ids
            for name, ids in self.grants.items()
        )
