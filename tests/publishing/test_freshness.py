"""How fresh published tables are, who may ask, and what `doctor` says of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.entrypoints.doctor import Finding, _publications
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock
from coldshelf.publishing.freshness import Freshness, freshness
from coldshelf.publishing.scheduling import look
from tests.conftest import signed_in_client
from tests.publishing.support import Cast, perform_waiting, runs_of

SLOT = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)
PATH = "/api/v1/exports/freshness"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SLOT + timedelta(minutes=1))


@pytest.fixture
async def timed(run: Runtime, clock: FakeClock) -> Runtime:
    return replace(run, clock=clock)


async def seen(run: Runtime, client_id: ClientId) -> list[Freshness]:
    async with run.database.scope(client_id, readonly=True) as connection:
        return await freshness(connection, run.clock.now())


async def test_a_publication_is_late_from_its_slot_on_until_a_run_is_done(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save(
        "Publication", Name="Nightly", Datasets="Location,Asset", Schedule="0 2 * * *", LateAfter="30", CatchUp="none"
    )
    clock.set(datetime.now(UTC))
    new = await seen(timed, client_id)
    clock.set(SLOT + timedelta(minutes=1))
    await look(timed)
    await perform_waiting(timed)
    done = await seen(timed, client_id)
    clock.advance(timedelta(days=1, minutes=28))
    not_yet = await seen(timed, client_id)
    clock.advance(timedelta(minutes=2))
    late = await seen(timed, client_id)

    run_id = next(row["id"] for row in await runs_of(timed, client_id) if row["state"] == "done")
    as_of = next(row["as_of"] for row in await runs_of(timed, client_id) if row["state"] == "done")
    assert [(one.table, one.as_of, one.age, one.is_late) for one in new] == [
        ("Location", None, None, False),
        ("Asset", None, None, False),
    ]
    assert [(one.table, one.as_of, one.run) for one in done] == [("Location", as_of, run_id), ("Asset", as_of, run_id)]
    assert [{one.is_late for one in found} for found in (done, not_yet, late)] == [{False}, {False}, {True}]
    assert late[0].age == clock.now() - as_of


async def test_without_a_schedule_or_when_switched_off_nothing_is_late(
    timed: Runtime, cast: Cast, client_id: ClientId, clock: FakeClock
) -> None:
    await cast.save("Publication", Name="By hand", Datasets="Location")
    await cast.save("Publication", Name="Off", Datasets="Location", Schedule="0 2 * * *", IsActive="false")
    clock.advance(timedelta(days=30))

    found = await seen(timed, client_id)

    assert [(one.publication, one.is_late) for one in found] == [("By hand", False), ("Off", False)]


async def test_admins_ask_for_it_over_the_api(
    run: Runtime, admin: httpx.AsyncClient, cast: Cast, client_id: ClientId
) -> None:
    await cast.save("Publication", Name="Now", Mode="full", Datasets="Location")
    started = await admin.post("/api/v1/exports", json={"Publication": "Now"})
    await perform_waiting(run)

    (table,) = (await admin.get(PATH)).json()["data"]

    (row,) = await runs_of(run, client_id)
    assert {**table, "AgeSeconds": 0 <= table["AgeSeconds"] < 600} == {
        "PublicationId": row["publication_id"],
        "Publication": "Now",
        "Destination": "exports",
        "Table": "Location",
        "AsOf": f"{row['as_of']:%Y-%m-%dT%H:%M:%S.%f}",
        "AgeSeconds": True,
        "IsLate": False,
        "PublicationRunId": started.json()["PublicationRunId"],
    }


@pytest.fixture
async def rep(run: Runtime, app: FastAPI, client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as http:
        yield http


async def test_nobody_else_sees_it(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, rep: httpx.AsyncClient, cast: Cast
) -> None:
    await cast.save("Publication", Name="Now", Datasets="Location")

    foreign, refused = await stranger.get(PATH), await rep.get(PATH)

    assert (foreign.status_code, foreign.json()) == (200, {"data": []})
    assert refused.status_code == 403
    assert len((await admin.get(PATH)).json()["data"]) == 1


async def test_doctor_names_late_publications_and_destinations_that_do_not_open(
    timed: Runtime, cast: Cast, clock: FakeClock
) -> None:
    await cast.save("Publication", Name="Nightly", Datasets="Location", Schedule="0 2 * * *")
    clock.set(datetime.now(UTC))
    well = await _publications(timed)
    await cast.save("Publication", Name="Lake", Datasets="Location", Destination="lake")
    clock.set(SLOT + timedelta(hours=2))

    bad = await _publications(timed)

    assert well == Finding("ok", "1 publications, none late, their destinations open")
    assert (bad.state, bad.what) == (
        "bad",
        "publication Nightly of demo is late; destination lake of demo: There is no destination 'lake' for demo",
    )
    assert "whether a scheduler and a worker run" in bad.cure
