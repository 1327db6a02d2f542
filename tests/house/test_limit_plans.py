"""What a limit costs: one semi-join that reaches an index for those whom it limits, and nothing for the others."""

import asyncpg
import pytest
from tests.house.filling import fill, tenant_tables
from tests.house.test_tenancy import _plan, _reaches, _scans, owner
from tests.support.limits import limit_user, partner

from coldshelf.access.principal import Limit, Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.dataset import Dataset
from coldshelf.records.limits import GONE, SIGHT, dataset_for
from coldshelf.records.query import Shape, count_statement, ids_statement, page_statement

__all__ = ["owner"]
DATASETS = registry().listed
LOCATED = [dataset for dataset in DATASETS if dataset.location]
OUTLETS = 5_000
SEEN = 50


def _principal(client_id: ClientId, limit: Limit) -> Principal:
    return Principal(client_id, UserId(1), "partner", Role.CLIENT_ADMIN, limit=limit)


def _shape(dataset: Dataset) -> Shape:
    key = dataset.column(dataset.key)
    assert key
    return Shape(dataset=dataset, sort=key)


def test_without_a_limit_a_statement_has_no_join_for_it() -> None:
    free = _principal(ClientId(1), Limit())

    for dataset in DATASETS:
        shape = _shape(dataset_for(free, dataset))
        texts = [make(shape).text for make in (page_statement, count_statement, ids_statement)]

        assert dataset_for(free, dataset) is dataset
        assert not any(name in text for text in texts for name in (SIGHT, GONE, "limit_id"))


def test_with_a_limit_a_statement_has_one_semi_join() -> None:
    limited = _principal(ClientId(1), Limit(outlets=1))

    for dataset in DATASETS:
        narrowed = dataset_for(limited, dataset)
        for make in (page_statement, count_statement, ids_statement):
            statement = make(_shape(narrowed))

            assert statement.text.count(SIGHT) == (1 if dataset.location else 0), dataset.name
            assert statement.names.count("limit_id") == (1 if dataset.location else 0)


@pytest.fixture
async def limit_id(run: Runtime, owner: asyncpg.Connection, client_id: ClientId) -> int:
    """Five thousand outlets with their rows; one partner sees all of them, the other fifty."""
    tables = await tenant_tables(owner)
    await fill(owner, client_id, tables)
    await fill(owner, client_id, ["location"], count=OUTLETS)
    outlets = [row["id"] for row in await owner.fetch("SELECT id FROM location WHERE client_id = $1", client_id)]
    for dataset in LOCATED:
        if dataset.relation != "location":
            await fill(owner, client_id, [dataset.relation], count=OUTLETS)
            via = dataset.location_of
            column, target = (via.on, via.relation) if via else (dataset.location, "location")
            async with owner.transaction():
                await owner.execute("SET LOCAL session_replication_role = replica")  # as in `fill`
                await owner.execute(
                    f"""
                    UPDATE {dataset.relation} t SET {column} = s.id FROM (
                        SELECT id, row_number() OVER (ORDER BY id) AS n FROM {target} WHERE client_id = $1) AS s
                    WHERE t.client_id = $1 AND s.n = t.id % {OUTLETS} + 1""",
                    client_id,
                )
    await limit_user(run, client_id, await partner(run, client_id, "wide"), {"outlet": outlets})
    found = await limit_user(run, client_id, await partner(run, client_id, "narrow"), {"outlet": outlets[:SEEN]})
    await owner.execute("ANALYZE")
    return found


async def test_the_semi_join_and_the_sight_of_one_outlet_reach_an_index_as_the_application_role(
    run: Runtime, client_id: ClientId, limit_id: int
) -> None:
    limited = _principal(client_id, Limit(outlets=limit_id))
    for dataset in LOCATED:
        for make in (page_statement, count_statement):
            statement = make(_shape(dataset_for(limited, dataset)))
            values = {"start": 0, "first": 0, "limit": 100, "limit_id": limit_id}

            nodes = await _plan(run, client_id, statement.text, *statement.arguments(values))

            assert _reaches(nodes, "limit_id = "), dataset.name
            assert not _scans(nodes, SIGHT), dataset.name

    # Asked by its outlet alone, the sight reaches it too.
    nodes = await _plan(
        run,
        client_id,
        f"SELECT FROM {SIGHT} WHERE client_id = $1 AND limit_id = $2 AND location_id = $3",
        client_id,
        limit_id,
        1,
    )
    assert _reaches(nodes, "limit_id = ", "location_id = ")
