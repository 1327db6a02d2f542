"""Events that are tried out: about a real record, through the real path, and nothing else happens."""

from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import HANDLERS
from tests.deliveries.conftest import Hook, Pushing
from tests.house.filling import fill
from tests.records.support import Handler
from tests.support.limits import partner, signed_in

PATH = "/api/v1/events/image.processed/trigger"


@pytest.fixture
async def pictures(url: str, push: Pushing) -> list[int]:
    """The ids of two pictures in one outlet."""
    owner = await asyncpg.connect(url)
    await fill(owner, push.client_id, ["location", "picture", "picture"])
    outlet = await owner.fetchval("SELECT max(id) FROM location WHERE client_id = $1", push.client_id)
    await owner.execute("UPDATE picture SET location_id = $1, callback_url = 'https://upload.example/'", outlet)
    rows = await owner.fetch("SELECT id FROM picture WHERE client_id = $1", push.client_id)
    await owner.close()
    return sorted(row["id"] for row in rows)


async def test_a_triggered_event_goes_the_real_way_and_says_what_it_is(
    push: Pushing, hook: Hook, pictures: list[int]
) -> None:
    await push.subscribe(Name="Mine", Url=hook.seen.url, Events="image.*")
    before = await _pictures(push.http)

    answered = await push.http.post(PATH, json={"Record": pictures[0]})
    await _take_steps(push, answered.json()["EventId"])
    await push.deliver()

    (message,) = hook.messages
    assert answered.status_code == 202
    assert answered.json() == {"EventId": message["id"], "Dataset": "AssetPurity", "Record": pictures[0]}
    assert (message["type"], message["data"]["AssetPurityId"]) == ("image.processed", pictures[0])
    assert hook.headers(0)["coldshelf-trigger"] == "1"
    assert await _pictures(push.http) == before


async def test_without_a_record_it_is_about_the_newest(push: Pushing, pictures: list[int]) -> None:
    answered = await push.http.post(PATH)

    assert (answered.status_code, answered.json()["Record"]) == (202, pictures[-1])


async def test_filters_of_subscriptions_hold(push: Pushing, hook: Hook, pictures: list[int]) -> None:
    outlet = await push.outlet("ELSEWHERE")
    await push.subscribe(Name="Other outlet", Url=f"{hook.seen.url}/other", LocationCode="ELSEWHERE")
    assert outlet

    answered = await push.http.post(PATH)
    await _take_steps(push, answered.json()["EventId"])

    assert await push.deliver() == 0


async def test_only_deliveries_get_it(push: Pushing, pictures: list[int]) -> None:
    """Handlers of other rooms would change the record."""
    event_id = (await push.http.post(PATH)).json()["EventId"]

    async with push.run.database.scope(push.client_id, readonly=True) as connection:
        steps = await connection.fetch("SELECT handler FROM event_step WHERE event_id = $1", event_id)
    assert [step["handler"] for step in steps] == ["deliveries.image.processed"]
    assert {handler.name.split(".")[0] for handler in HANDLERS} > {"deliveries"}


async def test_the_same_key_publishes_it_once(push: Pushing, pictures: list[int]) -> None:
    said = [await push.http.post(PATH, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert said[0].json() == said[1].json()
    assert await _events(push) == 1


@pytest.mark.parametrize(
    ("event", "body", "status", "code"),
    [
        ("image.processed", None, 404, "nothing_to_trigger"),
        ("image.processed", {"Record": 5}, 404, "nothing_to_trigger"),
        ("alert.opened", None, 404, "nothing_to_trigger"),
        ("image.eaten", None, 404, "event_not_found"),
        ("subscription.test", None, 404, "event_not_found"),
        ("picture.stored", None, 404, "event_not_found"),
        ("image.processed", {"Record": 0}, 400, "input_invalid"),
        ("image.processed", {"Key": 1}, 400, "input_invalid"),
    ],
)
async def test_what_cannot_be_triggered_is_said(
    push: Pushing, event: str, body: dict[str, int] | None, status: int, code: str
) -> None:
    answered = await push.http.post(f"/api/v1/events/{event}/trigger", json=body)

    assert (answered.status_code, answered.json()["code"]) == (status, code)
    assert await _events(push) == 0


async def test_strangers_trigger_nothing_about_records_of_others(
    push: Pushing, pictures: list[int], stranger: httpx.AsyncClient, app: FastAPI
) -> None:
    foreign = await stranger.post(PATH, json={"Record": pictures[0]})
    await partner(push.run, push.client_id, "sales", Role.SALES_REP)
    async with signed_in(app, "sales") as sales_rep:
        role = await sales_rep.post(PATH)

    assert (foreign.status_code, role.status_code) == (404, 403)
    assert await _events(push) == 0


async def _take_steps(push: Pushing, event_id: str) -> None:
    payload = {"client": push.client_id, "event": event_id, "handler": "deliveries.image.processed"}
    await push.run.events.perform(push.run, orjson.dumps(payload))


async def _pictures(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    page = await Handler(http, "AssetPurity").page()
    return list(page["records"])


async def _events(push: Pushing) -> int:
    async with push.run.database.scope(push.client_id, readonly=True) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM event WHERE triggered"))
