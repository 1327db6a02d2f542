"""Reprocessing: differences are listed before anything is replaced; what replaces goes the way of every result."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import load_client
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.models import Kind
from coldshelf.pictures.service import renditions
from coldshelf.publishing.models import Mode
from coldshelf.publishing.service import export
from tests.compliance.cooler import Cooler
from tests.conftest import signed_in_client
from tests.pictures.uploading import work_off
from tests.publishing.support import rows as exported
from tests.recognition.scripted import Scripted, install, process
from tests.records.support import Handler, Json


@pytest.fixture(autouse=True)
def _scripted(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("packages")
    install(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(Scripted, "shows", ("ab",))


@pytest.fixture
async def cooler(run: Runtime, client_id: ClientId) -> Cooler:
    """A processed picture with the planogram `abc`, on which `axc` was seen."""
    made = await Cooler.make(run, client_id, ["abc"])
    Scripted.products = made.products
    await process(made, "axc")
    return made


@pytest.fixture
def runs(admin: httpx.AsyncClient) -> Handler:
    return Handler(admin, "Reprocessing")


async def started(runs: Handler, **params: object) -> int:
    answer = await runs.post("start", recogniser="scripted", **params)
    assert answer.json().get("success"), answer.text
    return int(answer.json()["id"])


async def done(runs: Handler, action: str, run_id: int, **params: object) -> Json:
    answer = await runs.post(action, id=run_id, **params)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True, answer.text
    return dict(answer.json())


async def differences(runs: Handler, run_id: int, **params: object) -> Json:
    answer = await runs.http.get(runs.path, params={"action": "differences", "id": str(run_id), **params})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def counts(runs: Handler, run_id: int) -> dict[str, int]:
    """Give the counts of a run that are not zero."""
    record = (await runs.load(id=run_id))["data"]
    names = ("Waiting", "Ready", "Accepted", "Applied", "Discarded", "Stale", "Failed")
    return {name: record[name] for name in names if record[name]}


async def shown(cooler: Cooler, http: httpx.AsyncClient) -> list[Any]:
    """Give all that readers see of the results: image records and product rows, deleted ones included."""
    pages = [await Handler(http, name).page(includeDeleted=1) for name in ("AssetPurity", "AssetPurityProduct")]
    async with cooler.run.database.scope(cooler.client_id, readonly=True) as connection:
        annotated = await renditions.newest_rendition(connection, cooler.picture_id, Kind.ANNOTATED)
    return [pages, annotated]


async def test_a_run_lists_what_would_change_and_changes_nothing(
    run: Runtime, cooler: Cooler, runs: Handler, admin: httpx.AsyncClient
) -> None:
    Scripted.shows = ("ab__",)
    before = await shown(cooler, admin)

    run_id = await started(runs, AssetPurityId=cooler.picture_id)
    assert await counts(runs, run_id) == {"Waiting": 1}
    await work_off(run)

    assert await counts(runs, run_id) == {"Ready": 1}
    page = await differences(runs, run_id)
    (record,) = page["records"]
    told = [
        (one["change"], one["before"] and one["before"]["Product"], one["after"] and one["after"]["Product"])
        for one in record["Differences"]
    ]
    assert told == [("renamed", "x", "b"), ("renamed", "c", "Empty"), ("added", None, "Empty")]
    assert record["Differences"][0]["before"]["Confidence"] == 90.0
    assert record["Differences"][0]["after"]["Confidence"] == 95.0
    assert [record[name] for name in ("Added", "Gone", "Renamed", "Moved", "Same")] == [1, 0, 2, 0, 1]
    assert (record["State"], record["AssetPurityId"], record["BaseResultVersion"]) == ("ready", cooler.picture_id, 1)
    assert (record["BaseModelVersion"], record["NewModelVersion"]) == ("fake 1", "scripted 2")
    figures = {one["name"]: (one["before"], one["after"]) for one in record["KpiDifferences"]}
    assert figures["TotalFacings"] == (3, 4)
    assert figures["Competition"] == (True, False)
    assert figures["OwnShareOfShelf"] == (66.67, 50.0)
    assert "OutOfStockSKUs" not in figures, "one was missing, another one is"
    assert await shown(cooler, admin) == before


async def test_the_totals_of_a_run_are_the_sums_of_its_pictures(run: Runtime, cooler: Cooler, runs: Handler) -> None:
    Scripted.shows = ("abc",)
    await cooler.add_picture()
    await process(cooler, "abx")
    await cooler.add_picture()
    await process(cooler, "abc")

    run_id = await started(runs, all="true")
    await work_off(run)

    totals = (await differences(runs, run_id))["totals"]
    assert {name: totals[name] for name in ("Pictures", "Added", "Gone", "Renamed", "Moved", "Same")} == {
        "Pictures": 2,
        "Added": 0,
        "Gone": 0,
        "Renamed": 2,
        "Moved": 0,
        "Same": 7,
    }
    assert totals["Renames"] == [
        {"Before": "x", "After": "b", "Facings": 1},
        {"Before": "x", "After": "c", "Facings": 1},
    ]
    kpis = {one["Name"]: (one["Pictures"], one["MeanChange"]) for one in totals["Kpis"]}
    assert kpis["OwnFacings"] == (2, 1.0)
    assert kpis["OwnShareOfShelf"] == (2, 33.33)
    assert kpis["Competition"] == (2, None)
    assert (await runs.load(id=run_id))["data"]["Differing"] == 2


async def test_applied_candidates_are_served_like_any_new_result(
    run: Runtime, cooler: Cooler, runs: Handler, admin: httpx.AsyncClient
) -> None:
    Scripted.shows = ("abc",)
    run_id = await started(runs, all="true")
    await work_off(run)
    told = await cooler.events("image.processed")

    answer = await done(runs, "apply", run_id)
    assert await counts(runs, run_id) == {"Accepted": 1}
    await work_off(run)

    assert answer["accepted"] == 1
    assert await counts(runs, run_id) == {"Applied": 1}
    (record,) = await Handler(admin, "AssetPurity").records()
    assert (record["ModelVersion"], record["ResultVersion"], record["StatusId"]) == ("scripted 2", 2, 13)
    assert (record["PlanogramCompliance"], record["OwnFacings"], record["Competition"]) == (100.0, 3, False)
    products = await Handler(admin, "AssetPurityProduct").records(includeDeleted=1)
    assert [
        (row["Product"], row["IsDeleted"], row["ComplianceStatus"]) for row in products if not row["IsDeleted"]
    ] == [
        ("a", 0, "matched"),
        ("b", 0, "matched"),
        ("c", 0, "matched"),
    ]
    assert [row["Product"] for row in products if row["IsDeleted"]] == ["a", "x", "c"]
    assert await cooler.events("image.processed") == told + 1
    async with run.database.scope(cooler.client_id, readonly=True) as connection:
        annotated = await renditions.newest_rendition(connection, cooler.picture_id, Kind.ANNOTATED)
    assert annotated is not None
    assert annotated.made_by == "scripted 2"
    assert len(run.objects.get(annotated.object_key)) == annotated.bytes
    (row,) = await cooler.rows("SELECT candidate, differences FROM reprocessing_picture")
    assert (row["candidate"], row["differences"] != "[]") == ("[]", True)


async def test_bulk_files_hold_candidates_only_when_they_are_served(
    run: Runtime, cooler: Cooler, runs: Handler, url: str, tmp_path: Path
) -> None:
    async def product_rows(mode: Mode) -> list[tuple[Any, ...]]:
        client = await load_client(run, cooler.client_id)
        manifest = await export(run, registry(), url=url, client=client, mode=mode, destination=tmp_path / "out")
        return [
            (row["Product"], row["IsDeleted"]) for row in exported(tmp_path / "out", manifest, "AssetPurityProduct")
        ]

    Scripted.shows = ("abb",)
    before = await product_rows(Mode.FULL)
    run_id = await started(runs, all="true")
    await work_off(run)

    assert await product_rows(Mode.FULL) == before
    assert await product_rows(Mode.DELTA) == before
    await done(runs, "apply", run_id)
    await work_off(run)
    now = sorted(await product_rows(Mode.DELTA))
    assert now == sorted([("a", 1), ("x", 1), ("c", 1), ("a", 0), ("b", 0), ("b", 0)])
    assert sorted(await product_rows(Mode.FULL)) == now


async def test_discarded_candidates_leave_no_trace_in_the_results(
    run: Runtime, cooler: Cooler, runs: Handler, admin: httpx.AsyncClient
) -> None:
    before = await shown(cooler, admin)
    run_id = await started(runs, all="true")
    await work_off(run)

    assert (await done(runs, "discard", run_id))["discarded"] == 1
    await work_off(run)

    assert await counts(runs, run_id) == {"Discarded": 1}
    assert await shown(cooler, admin) == before
    assert (await done(runs, "apply", run_id))["accepted"] == 0


async def test_a_run_that_is_discarded_looks_at_no_further_picture(run: Runtime, cooler: Cooler, runs: Handler) -> None:
    await cooler.add_picture()
    await process(cooler, "abc")
    run_id = await started(runs, all="true")

    await done(runs, "discard", run_id)
    await work_off(run)

    assert await counts(runs, run_id) == {"Discarded": 2}
    assert await cooler.events("candidate.made") == 0


async def test_chosen_pictures_are_applied_and_the_others_wait(
    run: Runtime, cooler: Cooler, runs: Handler, admin: httpx.AsyncClient
) -> None:
    first = cooler.picture_id
    await cooler.add_picture()
    second = await process(cooler, "ax")
    run_id = await started(runs, AssetPurityId=f"{first},{second}")
    await work_off(run)

    await done(runs, "apply", run_id, AssetPurityId=second)
    await work_off(run)

    assert await counts(runs, run_id) == {"Ready": 1, "Applied": 1}
    versions = {row["AssetPurityId"]: row["ResultVersion"] for row in await Handler(admin, "AssetPurity").records()}
    assert versions == {first: 1, second: 2}
    again = await runs.refused("apply", id=run_id, AssetPurityId=second)
    assert again.startswith(f"AssetPurity {second} has no candidate in Reprocessing {run_id} to decide on")


async def test_candidates_without_differences_can_be_left_out(run: Runtime, cooler: Cooler, runs: Handler) -> None:
    Scripted.shows = ("abc",)
    await cooler.add_picture()
    await process(cooler, "abc")
    run_id = await started(runs, all="true")
    await work_off(run)

    assert (await done(runs, "apply", run_id, onlyDiffering="true"))["accepted"] == 1
    await work_off(run)

    assert await counts(runs, run_id) == {"Ready": 1, "Applied": 1}


async def test_a_candidate_is_stale_when_another_result_was_served_meanwhile(
    run: Runtime, cooler: Cooler, runs: Handler, admin: httpx.AsyncClient
) -> None:
    run_id = await started(runs, all="true")
    await work_off(run)
    await cooler.recognise("ccc")
    await work_off(run)
    before = await shown(cooler, admin)

    await done(runs, "apply", run_id)
    await work_off(run)

    assert await counts(runs, run_id) == {"Stale": 1}
    (record,) = (await differences(runs, run_id))["records"]
    assert (record["State"], record["Reason"]) == ("stale", "Version 2 was served meanwhile")
    assert await shown(cooler, admin) == before


async def test_a_filter_chooses_as_the_list_of_images_does(run: Runtime, cooler: Cooler, runs: Handler) -> None:
    await cooler.add_picture()
    second = await process(cooler, "abc")

    run_id = await started(runs, filters=json.dumps({"competition": False, "ModelVersion": "fake 1"}))
    await work_off(run)

    assert [record["AssetPurityId"] for record in (await differences(runs, run_id))["records"]] == [second]
    assert (await runs.load(id=run_id))["data"]["Selection"].startswith("filters=")


async def test_what_cannot_be_started_is_refused_with_the_reason(cooler: Cooler, runs: Handler) -> None:
    await cooler.add_picture()
    waiting = cooler.picture_id

    assert (await runs.refused("start")).startswith("No processed picture is chosen. Say which")
    assert (await runs.refused("start", all="true", AssetPurityId=1)).startswith("No processed picture is chosen.")
    assert await runs.refused("start", AssetPurityId=f"1,{waiting}") == (
        f"There is no processed AssetPurity with id {waiting}"
    )
    assert await runs.refused("start", filters='{"Competition": false}') == "No processed picture meets the filter"
    assert "no field 'colour'" in await runs.refused("start", filters='{"colour": 1}')
    unknown = await runs.post("start", all="true", recogniser="nobody")
    assert (unknown.status_code, unknown.json()["success"]) == (404, False)
    assert await cooler.value("SELECT count(*) FROM reprocessing") == 0


async def test_a_picture_that_cannot_be_looked_at_fails_visibly_and_the_run_goes_on(
    run: Runtime, cooler: Cooler, runs: Handler
) -> None:
    await cooler.add_picture()
    await process(cooler, "abc")
    run_id = await started(runs, all="true")
    Scripted.shows = None
    for job in await cooler.steps("recognition.reconsider") * 5:
        await run.events.perform(run, job)
    assert await counts(runs, run_id) == {"Waiting": 1, "Failed": 1}

    Scripted.shows = ("abc",)
    await work_off(run)

    assert await counts(runs, run_id) == {"Ready": 1, "Failed": 1}
    states = [(record["State"], record["Reason"]) for record in (await differences(runs, run_id))["records"]]
    assert states == [("failed", "ProcessingFailed"), ("ready", "")]


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_a_run_goes_on_where_a_killed_worker_left_it(
    run: Runtime, cooler: Cooler, runs: Handler, owner: asyncpg.Connection
) -> None:
    for _ in range(3):
        await cooler.add_picture()
        await process(cooler, "abc")
    run_id = await started(runs, all="true")
    await cooler.perform(*await cooler.steps("recognition.reconsider"))
    await owner.execute("DELETE FROM pgqueuer")

    assert await run.events.sweep(timedelta(0)) == 2
    await work_off(run)

    assert await counts(runs, run_id) == {"Ready": 4}
    assert await cooler.events("candidate.made") == 4


async def test_a_run_works_on_one_picture_of_a_lane_at_a_time_behind_everything_else(
    run: Runtime, cooler: Cooler, runs: Handler, owner: asyncpg.Connection
) -> None:
    for _ in range(3):
        await cooler.add_picture()
        await process(cooler, "abc")

    await started(runs, all="true")
    await cooler.recognise("abc")

    jobs = await owner.fetch("SELECT entrypoint, priority FROM pgqueuer ORDER BY priority DESC, id")
    assert [tuple(job) for job in jobs] == [("compliance.compare", 0), ("recognition.reconsider", -1)]
    await owner.execute("DELETE FROM pgqueuer WHERE priority = 0")
    await owner.execute("UPDATE pgqueuer SET execute_after = now() - interval '8 hours'")
    assert await owner.fetchval("SELECT coldshelf_queue_age()") == timedelta(0)


async def test_several_lanes_share_the_pictures(run: Runtime, cooler: Cooler, runs: Handler, app: FastAPI) -> None:
    for _ in range(4):
        await cooler.add_picture()
        await process(cooler, "abc")
    settings = run.settings.model_copy(update={"reprocessing_lanes": 3})
    object.__setattr__(app.state.run, "settings", settings)

    run_id = await started(runs, all="true")

    assert await cooler.events("candidate.wanted") == 3
    await work_off(run)
    assert await counts(runs, run_id) == {"Ready": 5}
    await done(runs, "apply", run_id)
    await work_off(run)
    assert await counts(runs, run_id) == {"Applied": 5}


async def test_two_decisions_at_once_serve_each_candidate_once(run: Runtime, cooler: Cooler, runs: Handler) -> None:
    for _ in range(3):
        await cooler.add_picture()
        await process(cooler, "abc")
    run_id = await started(runs, all="true")
    await work_off(run)

    answers = await asyncio.gather(*(done(runs, "apply", run_id) for _ in range(4)))
    jobs = await cooler.steps("recognition.replace")
    await asyncio.gather(*(run.events.perform(run, job) for job in jobs))
    await work_off(run)

    assert sorted(answer["accepted"] for answer in answers) == [0, 0, 0, 4]
    assert await counts(runs, run_id) == {"Applied": 4}
    assert await cooler.value("SELECT count(*) FROM recognition_result") == 8
    assert await cooler.value("SELECT count(*) FROM recognition_result WHERE is_served") == 4
    assert await cooler.rows("SELECT handler, error FROM event_step WHERE error <> ''") == []


async def test_a_run_gets_a_new_modification_time_whenever_its_counts_change(
    run: Runtime, cooler: Cooler, runs: Handler
) -> None:
    async def modified_on() -> str:
        return str((await runs.load(id=run_id))["data"]["ModifiedOn"])

    run_id = await started(runs, all="true")
    times = [await modified_on()]
    await cooler.perform(*await cooler.steps("recognition.reconsider"))
    await work_off(run)
    times.append(await modified_on())
    await done(runs, "apply", run_id)
    times.append(await modified_on())
    await work_off(run)
    times.append(await modified_on())

    assert times == sorted(set(times))
    mark = {"ModifiedOn": {"operator": ">", "value": times[2]}}
    assert [record["Applied"] for record in await runs.records(mark)] == [1]


async def test_a_start_that_is_sent_again_with_its_key_starts_one_run(cooler: Cooler, runs: Handler) -> None:
    answers = [await runs.post("start", {"Idempotency-Key": "once"}, all="true", recogniser="scripted") for _ in "ab"]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert await cooler.value("SELECT count(*) FROM reprocessing") == 1


async def test_only_client_admins_reprocess(
    run: Runtime, app: FastAPI, client_id: ClientId, cooler: Cooler, runs: Handler
) -> None:
    run_id = await started(runs, all="true")

    async with await signed_in_client(run, app, client_id, "rep", Role.SALES_REP) as http:
        rep = Handler(http, "Reprocessing")
        answers = [await rep.post(action, id=run_id, all="true") for action in ("start", "apply", "discard")]
        answers += [await rep.post(action, id=run_id) for action in ("list", "load", "differences")]
        answers.append(await Handler(http, "ReprocessingPicture").page_answer())

    assert {answer.status_code for answer in answers} == {403}
    assert await cooler.value("SELECT count(*) FROM reprocessing") == 1


async def test_a_foreign_run_and_foreign_pictures_are_not_there(
    run: Runtime, cooler: Cooler, runs: Handler, stranger: httpx.AsyncClient
) -> None:
    run_id = await started(runs, all="true")
    await work_off(run)
    theirs = Handler(stranger, "Reprocessing")

    missing = f"There is no Reprocessing with id {run_id}"
    for action in ("load", "apply", "discard"):
        assert await theirs.refused(action, id=run_id) == missing
    listed = await theirs.post("differences", id=run_id)
    assert (listed.status_code, listed.json()["info"], listed.json()["records"]) == (400, missing, [])
    assert await theirs.refused("start", AssetPurityId=cooler.picture_id) == (
        f"There is no processed AssetPurity with id {cooler.picture_id}"
    )
    assert await Handler(stranger, "ReprocessingPicture").records(ReprocessingId=run_id) == []
    assert await counts(runs, run_id) == {"Ready": 1}


async def test_what_changes_something_takes_post(cooler: Cooler, admin: httpx.AsyncClient) -> None:
    for action in ("start", "apply", "discard"):
        answer = await admin.get("/controllers/Reprocessing.ashx", params={"action": action, "all": "true", "id": "1"})

        assert (answer.status_code, answer.json()["info"]) == (400, f"action={action} takes POST, not GET")
    assert await cooler.value("SELECT count(*) FROM reprocessing") == 0


async def test_the_actions_are_documented(app: FastAPI) -> None:
    paths = app.openapi()["paths"]["/controllers/reprocessing.ashx"]

    actions = {method: paths[method]["parameters"][0]["schema"]["enum"] for method in ("get", "post")}
    assert actions["get"] == ["list", "export", "load", "differences"]
    assert actions["post"] == ["list", "export", "start", "load", "apply", "discard", "differences"]
    documented = {parameter["name"] for parameter in paths["post"]["parameters"]}
    assert documented >= {"recogniser", "AssetPurityId", "all", "onlyDiffering", "filters", "id"}
