"""The catalogue of events: listed, described, and true of what is sent."""

from typing import Any

import asyncpg
import httpx
import jsonschema_rs
import orjson
import pytest

from coldshelf.deliveries.loading import load
from coldshelf.deliveries.models import Delivery
from coldshelf.deliveries.payload import write_body
from coldshelf.entrypoints.bootstrap import PUBLIC, PUBLIC_TYPES, registry, surroundings
from coldshelf.kit.ids import ClientId, new_sorted_id
from coldshelf.kit.runtime import Runtime
from tests.deliveries.conftest import Hook, Pushing
from tests.house.filling import fill, tenant_tables
from tests.support.limits import limit_user, partner

ABOUT_ROWS = [name for name, kind in PUBLIC_TYPES.items() if registry().datasets[kind.dataset].has_rows]
"""Events whose records can be there already."""


async def test_every_event_that_can_be_subscribed_to_is_listed(admin: httpx.AsyncClient) -> None:
    listed = (await admin.get("/api/v1/events")).json()["data"]

    assert [one["type"] for one in listed] == list(PUBLIC)
    (processed,) = [one for one in listed if one["type"] == "image.processed"]
    assert (processed["version"], processed["dataset"], processed["isPromised"]) == (1, "AssetPurity", False)


async def test_an_event_is_described_by_schema_and_sample(admin: httpx.AsyncClient) -> None:
    answered = await admin.get("/api/v1/events/image.processed")
    unknown = await admin.get("/api/v1/events/image.eaten")

    assert answered.status_code == 200
    schema = answered.json()["schema"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["data"]["properties"]["Recognition"]["properties"]["shelf"]["type"] == "array"
    _validate(schema, answered.json()["sample"])
    assert (unknown.status_code, unknown.json()["code"]) == (404, "event_not_found")


async def test_the_catalogue_takes_a_sign_in(app: Any) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test") as nobody:
        assert (await nobody.get("/api/v1/events")).status_code == 401
        assert (await nobody.get("/api/v1/events/image.processed")).status_code == 401


async def test_a_test_is_what_its_schema_says(push: Pushing, hook: Hook) -> None:
    subscription = await push.subscribe(Name="Ours", Url=hook.seen.url)

    await push.http.post(f"/api/v1/subscriptions/{subscription}/test")
    await push.deliver()

    _validate(await _schema(push.http, "subscription.test"), hook.messages[0])


@pytest.fixture
async def records(url: str, client_id: ClientId) -> dict[str, int]:
    """The id of a record of each dataset."""
    owner = await asyncpg.connect(url)
    await fill(owner, client_id, await tenant_tables(owner))
    found = {
        dataset.name: await owner.fetchval(f"SELECT max(id) FROM {dataset.relation} WHERE client_id = $1", client_id)
        for dataset in registry().listed
    }
    await owner.close()
    return found


async def test_every_real_body_is_what_its_schema_says(
    run: Runtime, admin: httpx.AsyncClient, client_id: ClientId, records: dict[str, int]
) -> None:
    partner_id = await partner(run, client_id)
    await limit_user(run, client_id, partner_id, hidden=["personal", "Notes"])

    for name in ABOUT_ROWS:
        schema = await _schema(admin, name)
        for user_id in (None, partner_id):
            (loaded,) = await load(run, surroundings(), [_delivery(run, name, client_id, records, user_id)])
            _validate(schema, orjson.loads(write_body(surroundings(), loaded)))

    assert len(ABOUT_ROWS) >= 9


def _delivery(run: Runtime, name: str, client_id: ClientId, records: dict[str, int], user_id: int | None) -> Delivery:
    kind = PUBLIC_TYPES[name]
    return Delivery(
        client_id=client_id,
        id=1,
        subscription_id=records["Subscription"],
        user_id=user_id,
        url="https://a.example",
        number=1,
        event_id=new_sorted_id(),
        type=name,
        version=kind.version,
        occurred_on=run.clock.now(),
        dataset=kind.dataset,
        key=records[kind.dataset],
    )


async def _schema(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get(f"/api/v1/events/{name}")).json()["schema"]
    return found


def _validate(schema: dict[str, Any], body: dict[str, Any]) -> None:
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(body)
