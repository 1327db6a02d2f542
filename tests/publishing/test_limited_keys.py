"""A partner's files of a dataset whose key has several columns: what leaves the sight goes by its whole key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import asyncpg
import pytest
from deltalake import DeltaTable

from coldshelf.access.models import Client
from coldshelf.access.principal import Limit, house
from coldshelf.entrypoints.bootstrap import registry as registry_of_house
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.models import BULK_DATASETS, Mode, RunManifest
from coldshelf.publishing.open_tables import keep_table
from coldshelf.publishing.plan import Plan
from coldshelf.publishing.service import source_of, write
from coldshelf.publishing.writing import Writing
from coldshelf.records.columns import day, text, whole
from coldshelf.records.dataset import Dataset, Join, common_columns
from coldshelf.records.limits import dataset_for
from tests.publishing.support import Cast, Row, merged, rows
from tests.support.limits import limit_user, partner

NAME = "AssetKpiDaily"
KEY = ("AssetId", "Date")
VISITS = Dataset(
    name=NAME,  # stands in for the published dataset, whose rows come later
    relation="visit",
    key="VisitId",
    keys=KEY,
    meaning="One row a cooler and day",
    location="location_id",
    joins=(Join(name="asset", relation="asset", on="asset_id"),),
    columns=(
        replace(whole("VisitId", "Key", "id"), parquet=None),
        whole("AssetId", "Cooler"),
        day("Date", "Day"),
        text("Note", "What was seen"),
        replace(text("SerialNumber", "Serial number of the cooler"), of="asset"),
        *common_columns(),
    ),
)


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to a database with the table."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        """
        CREATE TABLE visit (asset_id bigint NOT NULL, date date NOT NULL, location_id bigint, note text);
        SELECT coldshelf_tenant_table('visit');
        CREATE TRIGGER row_left AFTER UPDATE OF location_id ON visit FOR EACH ROW
            WHEN (OLD.location_id IS DISTINCT FROM NEW.location_id) EXECUTE FUNCTION coldshelf_row_left();
        """
    )
    yield connection
    await connection.close()


Publish = Callable[[Mode], Awaitable[RunManifest]]


@pytest.fixture
def publish_within(run: Runtime, url: str, client: Client, folder: Path) -> Callable[[int], Publish]:
    """Publish visits within the sight of a limit."""

    def within(limit_id: int) -> Publish:
        reader = replace(house(client.id), limit=Limit(outlets=limit_id, hidden=frozenset({NAME + ".Date"})))

        async def publish(mode: Mode) -> RunManifest:
            plan = Plan(
                client=client,
                mode=mode,
                datasets=(dataset_for(reader, VISITS),),
                started_on=run.clock.now(),
                limit_id=limit_id,
            )
            writing = Writing(plan=plan, destination=FileDestination(folder), open_source=source_of(url, plan))
            return await write(run, writing)

        return publish

    return within


def told(row: Row) -> Row:
    """Give what a row says, besides when it changed."""
    return {name: value for name, value in row.items() if value is not None and name not in {"ModifiedOn", "ClientId"}}


def shown(found: list[Row]) -> set[tuple[int, int]]:
    return {(row["AssetId"], row["Date"].day) for row in found if not row["IsDeleted"]}


@pytest.mark.parametrize("mode", [Mode.DELTA, Mode.SINCE])
async def test_what_leaves_the_sight_goes_by_its_whole_key_and_tells_nothing_else(
    run: Runtime,
    cast: Cast,
    client: Client,
    owner: asyncpg.Connection,
    folder: Path,
    publish_within: Callable[[int], Publish],
    mode: Mode,
) -> None:
    near, far, lost = await cast.outlets([1, 2, 3])
    await cast.save("AssetType", Name="M")
    first, second = [
        await cast.save("Asset", SerialNumber=serial, AssetType="M", LocationCode="L1") for serial in ("S1", "S2")
    ]
    insert = "INSERT INTO visit (client_id, asset_id, date, location_id, note) VALUES ($1, $2, $3, $4, 'seen')"
    for asset, number, place in ((first, 1, near), (first, 2, near), (second, 1, far), (second, 2, lost)):
        await owner.execute(insert, client.id, asset, date(2026, 1, number), place)
    user = await partner(run, client.id)
    limit = await limit_user(run, client.id, user, {"outlet": [near, lost]})
    publish = publish_within(limit)
    full = await publish(Mode.FULL)

    await owner.execute("UPDATE visit SET location_id = $1, note = 'secret' WHERE date = '2026-01-02'", far)
    await owner.execute("UPDATE visit SET note = 'never seen' WHERE date = '2026-01-01' AND asset_id = $1", second)
    moved = await publish(mode)
    await limit_user(run, client.id, user, {"outlet": [lost]})
    narrowed = await publish(mode)

    at_first, after, at_last = [rows(folder, manifest, NAME) for manifest in (full, moved, narrowed)]
    gone = [told(row) for row in after if row["IsDeleted"]]
    assert shown(at_first) == {(first, 1), (first, 2), (second, 2)}
    assert gone == [
        {"AssetId": first, "Date": date(2026, 1, 2), "IsDeleted": 1},
        {"AssetId": second, "Date": date(2026, 1, 2), "IsDeleted": 1},
    ]
    assert shown(merged(KEY, at_first, after)) == {(first, 1)}
    assert shown(merged(KEY, at_first, after, at_last)) == set()
    assert (second, 1) not in {(row["AssetId"], row["Date"].day) for row in (*at_first, *after, *at_last)}
    assert {row["SerialNumber"] for row in at_first} == {"S1", "S2"}
    if mode is Mode.DELTA:
        for manifest in (full, moved):
            keep_table(FileDestination(folder), manifest.head.table_folder(NAME), "partner")
        assert shown(DeltaTable(folder / "Tables/demo" / NAME).to_pyarrow_table().to_pylist()) == {(first, 1)}


def test_keys_of_limited_datasets_are_columns_of_their_own_relation() -> None:
    for name in BULK_DATASETS:
        dataset = registry_of_house().datasets[name]
        if dataset.location is not None and dataset.has_rows:
            assert len(dataset.key_columns) == len(dataset.whole_key), name
