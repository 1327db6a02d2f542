"""What an import costs does not grow with its file beyond its rows: statements are counted, and index entries read."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coldshelf.access.principal import house
from coldshelf.access.service import add_client
from coldshelf.entrypoints.bootstrap import imports
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.masterdata.service import prepare_client
from coldshelf.records.imports.checking import FileCheck
from coldshelf.records.imports.child import spool_file
from coldshelf.records.imports.noted import Noted
from coldshelf.records.imports.runs import Options, Outcome, Sender, find_type, measure, new_run
from coldshelf.records.imports.service import Importing, import_file, import_now
from tests.masterdata.import_support import Rows, as_csv

TYPE = {
    "Asset Type": "Acme 500",
    "Model Number": "500",
    "Manufacturer": "Acme",
    "Orientation Type": "vertical",
    "Door Handle Location": "left",
}


def _outlets(count: int) -> Rows:
    """Make outlets that no import has said before, each with a market of its own, a contact, an asset and a device."""
    return [
        {
            "Code": f"OUT-{count}-{number}", "Name": "Corner", "Street": "1 Main Street", "Country": "Austria",
            "Market": f"Market {count} {number}", "Contact Name": "Bob", "Asset Name": f"SN-{count}-{number}",
            "Asset Type": "Acme 500", "Smart Device Serial": f"CAM-{count}-{number}",
        }
        for number in range(count)
    ]  # fmt: skip


async def _import(run: Runtime, client_id: ClientId, folder: Path, name: str, rows: Rows) -> Outcome:
    path = folder / "rows.csv"
    path.write_bytes(as_csv(rows))
    at_work = Importing(run, imports(), Sender(client_id, None, "test"))
    outcome = await import_file(at_work, find_type(imports(), name), measure(path, path.name), Options())
    assert outcome.is_done, outcome.problems
    return outcome


@dataclass(slots=True)
class Cost:
    """What the transaction that wrote a file asked of the database. `fetched`: outlets and assets found by an index."""

    statements: list[str] = field(default_factory=list)
    fetched: int = 0


async def _fetched(connection: Connection) -> int:
    return int(
        await connection.fetchval(
            "SELECT sum(idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname IN ('location', 'asset')"
        )
    )


async def _cost(run: Runtime, client_id: ClientId, folder: Path, rows: Rows) -> Cost:
    path, kind, cost = folder / "rows.csv", find_type(imports(), "Outlet"), Cost()
    path.write_bytes(as_csv(rows))
    file = measure(path, path.name)
    async with spool_file() as spool:
        checked = await FileCheck(run, imports(), house(client_id), kind).run(file, spool, Options())
        async with run.database.scope(client_id) as connection:
            before = await _fetched(connection)
            with connection.query_logger(lambda query: cost.statements.append(query.query)):
                new = new_run(kind, file, Options())
                outcome = await import_now(connection, imports(), house(client_id), checked, new, run=run)
            cost.fetched = await _fetched(connection) - before
    assert outcome.counts.inserted == len(rows)
    return cost


async def test_a_batch_takes_as_many_statements_as_a_row(run: Runtime, client_id: ClientId, tmp_path: Path) -> None:
    await _import(run, client_id, tmp_path, "AssetType", [TYPE])
    await _import(run, client_id, tmp_path, "Outlet", _outlets(1))

    few = await _cost(run, client_id, tmp_path, _outlets(2))
    many = await _cost(run, client_id, tmp_path, _outlets(300))

    assert len(few.statements) > 10
    assert len(many.statements) == len(few.statements)


async def test_a_client_of_whom_the_statistics_know_nothing_is_written_by_the_key(
    run: Runtime, client_id: ClientId, tmp_path: Path
) -> None:
    await _import(run, client_id, tmp_path, "AssetType", [TYPE])
    await _import(run, client_id, tmp_path, "Outlet", _outlets(400))
    async with run.database.owner_pool.acquire() as owner:
        await owner.execute("ANALYZE")
    newcomer = await add_client(run, "newcomer", "Newcomer")
    await prepare_client(run, newcomer)
    await _import(run, newcomer, tmp_path, "AssetType", [TYPE])

    cost = await _cost(run, newcomer, tmp_path, _outlets(300))

    # An outlet is fetched for its contact and its asset, an asset for its device; by another index than the key all
    # that the client has so far would be, each time.
    assert 3 * 300 <= cost.fetched < 10 * 300


@pytest.mark.parametrize("ids", [[7, 8, 9], [9, 7, 8]])
def test_a_record_is_noted_once_in_whatever_order_ids_come(ids: list[int]) -> None:
    asset = next(part.entity for part in find_type(imports(), "Asset").parts)
    noted = Noted()

    first = noted.first(asset, [(2, 5), (3, ids[0]), (4, 5)])
    second = noted.first(asset, list(enumerate(ids, 10)))
    third = noted.first(asset, [(20, 6), (21, 5), (22, ids[0])])

    assert first == [(1, 2, 5), (2, 3, ids[0])]
    assert second == [(3, 11, ids[1]), (4, 12, ids[2])]
    assert third == [(5, 20, 6)]
