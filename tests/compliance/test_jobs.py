"""Comparing on a real database: written once, for the result that is served, together with its event."""

import asyncio

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.compliance.cooler import Cooler

COMPLIANCE = """
    SELECT f.shelf, f.position, c.is_compliant, c.status FROM facing f
    LEFT JOIN facing_compliance c ON c.client_id = f.client_id AND c.facing_id = f.id
    WHERE f.result_id = $1 ORDER BY f.shelf, f.position"""
MATCHES = """
    SELECT shelf, position, status, facing_id IS NOT NULL AS is_seen, planned_product_id FROM position_match
    WHERE result_id = $1 ORDER BY shelf, position, status"""


async def test_every_facing_of_the_served_result_gets_its_compliance(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc", "def"])
    result_id = await cooler.recognise("ab?x", "d_")

    await cooler.settle("compliance.compare")

    assert [tuple(row) for row in await cooler.rows(COMPLIANCE, result_id)] == [
        (1, 1, True, "matched"),
        (1, 2, True, "matched"),
        (1, 3, False, "wrong_product"),
        (1, 4, False, "extra"),
        (2, 1, True, "matched"),
        (2, 2, False, "empty"),
    ]


async def test_every_place_gets_a_match_where_it_was_planned_or_else_found(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc", "def"])
    result_id = await cooler.recognise("abcx", "df")

    await cooler.settle("compliance.compare")

    product = cooler.products
    assert [tuple(row) for row in await cooler.rows(MATCHES, result_id)] == [
        (1, 1, "matched", True, product["a"]),
        (1, 2, "matched", True, product["b"]),
        (1, 3, "matched", True, product["c"]),
        (1, 4, "extra", True, None),
        (2, 1, "matched", True, product["d"]),
        (2, 2, "missing", False, product["e"]),
        (2, 3, "matched", True, product["f"]),
    ]


async def test_a_comparison_touches_the_rows_and_the_record_that_it_adds_to(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    await cooler.recognise("ab")
    before = await cooler.value("SELECT max(modified_on) FROM facing")

    await cooler.settle("compliance.compare")

    assert await cooler.value("SELECT min(modified_on) FROM facing") > before
    assert await cooler.value("SELECT modified_on FROM picture") > before
    assert await cooler.value("SELECT modified_by_user FROM facing") == "compliance.compare"


async def test_without_a_planogram_nothing_is_written_and_the_fact_goes_on(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, None)
    await cooler.recognise("ab")

    await cooler.settle("compliance.compare")

    assert await cooler.value("SELECT count(*) FROM position_match") == 0
    assert await cooler.value("SELECT count(*) FROM facing_compliance") == 0
    assert await cooler.events("picture.compared") == 1


async def test_a_planogram_without_places_is_like_none(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, [])
    await cooler.recognise("ab")

    await cooler.settle("compliance.compare")

    assert await cooler.value("SELECT count(*) FROM facing_compliance") == 0
    assert await cooler.events("picture.compared") == 1


async def test_a_picture_of_nothing_lacks_every_planned_product(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["ab"])
    result_id = await cooler.recognise()

    await cooler.settle("compliance.compare")

    assert [row["status"] for row in await cooler.rows(MATCHES, result_id)] == ["missing", "missing"]


async def test_a_job_that_runs_twice_changes_nothing_the_second_time(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    await cooler.recognise("abc")
    await cooler.settle("compliance.compare")
    before = await cooler.rows("SELECT * FROM facing ORDER BY id")

    await cooler.settle("compliance.compare")

    assert await cooler.rows("SELECT * FROM facing ORDER BY id") == before
    assert await cooler.value("SELECT count(*) FROM position_match") == 3
    assert await cooler.events("picture.compared") == 1


async def test_a_late_job_compares_the_result_that_is_served_now(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    first = await cooler.recognise("xxx")
    second = await cooler.recognise("abc")
    late, _ = await cooler.steps("compliance.compare")

    await cooler.perform(late)

    assert await cooler.value("SELECT count(*) FROM position_match WHERE result_id = $1", first) == 0
    assert await cooler.value("SELECT count(*) FROM position_match WHERE result_id = $1", second) == 3


async def test_two_jobs_at_once_write_one_comparison(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc", "d"])
    await cooler.recognise("xxx")
    await cooler.recognise("abc")

    await asyncio.gather(*(run.events.perform(run, job) for job in await cooler.steps("compliance.compare")))

    assert await cooler.value("SELECT count(*) FROM position_match") == 4
    assert await cooler.rows("SELECT error FROM event_step WHERE error <> ''") == []


async def test_a_comparison_and_a_new_result_at_once_never_block_each_other(run: Runtime, client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    await cooler.recognise("abc")
    for _ in range(10):
        jobs = await cooler.steps("compliance.compare")

        await asyncio.gather(run.events.perform(run, jobs[-1]), cooler.recognise("acb"))

    assert await cooler.rows("SELECT error FROM event_step WHERE error <> ''") == []


async def test_another_client_sees_no_comparison(run: Runtime, client_id: ClientId, other_client_id: ClientId) -> None:
    cooler = await Cooler.make(run, client_id, ["abc"])
    await cooler.recognise("abc")
    await cooler.settle("compliance.compare")

    async with run.database.scope(other_client_id, readonly=True) as connection:
        assert await connection.fetchval("SELECT count(*) FROM position_match") == 0
        assert await connection.fetchval("SELECT count(*) FROM facing_compliance") == 0
