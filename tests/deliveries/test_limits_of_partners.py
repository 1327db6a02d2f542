"""A partner's callback carries what the partner's own list shows at that moment: no other row, no other field.

`COLDSHELF_PARTNERS` says how many partners are drawn (6 unless set, 100 in `make soak`); the seed is printed.
"""

import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import PEOPLE
from coldshelf.deliveries.events import TEST
from coldshelf.entrypoints.bootstrap import EVENT_TYPES
from coldshelf.kit.events import Event, EventType
from coldshelf.records.dataset import Dataset
from coldshelf.records.limits import fixed_fields
from coldshelf.records.query import ROW_NUMBER
from tests.conformance.pairs import DATASETS, Records, fill_pairs
from tests.conftest import PASSWORD
from tests.deliveries.conftest import Hook, Pushing, Row
from tests.records.support import Handler
from tests.support.limits import limit_user, partner, signed_in

SOAK = bool(os.environ.get("SOAK"))
PARTNERS = int(os.environ.get("COLDSHELF_PARTNERS", "100" if SOAK else "6"))
SEED = int(os.environ.get("COLDSHELF_SEED", "7"))
FIELDS = [
    f"{dataset.name}.{column.wire}"
    for dataset in DATASETS.values()
    for column in dataset.columns
    if column.wire not in fixed_fields(dataset)
]
KINDS = [kind for kind in EVENT_TYPES if kind.public and kind != TEST]


@dataclass(frozen=True)
class Partner:
    name: str
    subscription: int
    http: httpx.AsyncClient


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def records(owner: asyncpg.Connection, push: Pushing) -> Records:
    """Two records of each dataset; what acts by itself is switched off, and limits are those of the test alone."""
    found = await fill_pairs(owner, push.client_id)
    await owner.execute("UPDATE event_step SET done_on = now()")
    await owner.execute("UPDATE subscription SET is_active = false")
    for table in ("principal_outlet", "access_grant", "left_sight", "access_limit"):
        await owner.execute(f"DELETE FROM {table}")
    return found


@pytest.mark.timeout(0 if SOAK else 300)
async def test_what_partners_are_sent_is_what_their_lists_show(
    push: Pushing, hook: Hook, app: FastAPI, records: Records
) -> None:
    choose = random.Random(SEED)
    states: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        partners = [await _draw(push, hook, app, records, choose, number) for number in range(PARTNERS)]
        for one in partners:
            await stack.enter_async_context(one.http)
        for number, name in enumerate(DATASETS):
            kind = KINDS[number % len(KINDS)]
            for ids in (records.seen, records.beyond):
                states += await _told(push, hook, partners, (name, ids[name]), kind)

    print(f"seed {SEED}: {PARTNERS} partners, {dict(states)}")
    assert set(states) == {"withheld", "delivered"}
    assert min(states.values()) > states.total() / 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_no_event_is_told_past_the_limits(push: Pushing, hook: Hook, app: FastAPI, kind: EventType) -> None:
    here, there = await push.outlet("L1", City="Wien", Phone="1"), await push.outlet("L2")
    user_id = await partner(push.run, push.client_id)
    await limit_user(push.run, push.client_id, user_id, {"outlet": [here]}, hidden=["Location.City", "personal"])
    subscription = await push.subscribe(Name="Partner", Url=f"{hook.seen.url}/partner", UserId=user_id)
    async with signed_in(app, "partner") as http:
        one = Partner("partner", subscription, http)
        told = await _told(push, hook, [one], ("Location", here), kind)
        withheld = await _told(push, hook, [one], ("Location", there), kind)

    (message,) = hook.messages
    assert (told, withheld) == (Counter(delivered=1), Counter(withheld=1))
    assert (message["type"], message["data"]["LocationCode"]) == (kind.name, "L1")
    assert not {"City", "Phone"} & set(message["data"])


async def _draw(
    push: Pushing, hook: Hook, app: FastAPI, records: Records, choose: random.Random, number: int
) -> Partner:
    """Make a partner with limits drawn by chance, and its subscription to everything."""
    name = f"partner{number}"
    user_id = await partner(push.run, push.client_id, name, choose.choice(sorted(PEOPLE)))
    grants = {"outlet": [records.seen["Location"]]} if number % 2 else {}
    datasets = choose.choice([None, choose.sample(sorted(DATASETS), len(DATASETS) // 2)])
    hidden = ["personal", *choose.sample(FIELDS, choose.choice([0, 20, 200]))]
    await limit_user(push.run, push.client_id, user_id, grants, datasets=datasets, hidden=hidden)
    subscription = await push.subscribe(Name=name, Url=f"{hook.seen.url}/{name}", UserId=user_id)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", auth=(name, PASSWORD)
    )
    return Partner(name, subscription, http)


async def _told(
    push: Pushing, hook: Hook, partners: list[Partner], about: tuple[str, int], kind: EventType
) -> Counter[str]:
    """Let a record be told to partners; expect that each is sent what its list shows, or nothing. Give the states."""
    dataset, key = DATASETS[about[0]], about[1]
    before = len(hook.seen.bodies)
    event = await push.publish(Event.of(kind, push.client_id, dataset.name, key, push.clock.now()))
    await push.deliver()
    sent = dict(zip(_paths(hook.seen.requests[before:]), hook.seen.bodies[before:], strict=True))
    states = {
        one["SubscriptionId"]: one["State"]
        for one in await Handler(push.http, "Delivery").records({"EventId": str(event.id)}, limit=1000)
    }

    for one in partners:
        shown = await _shown(one, dataset, key)
        assert states[one.subscription] == ("withheld" if shown is None else "delivered"), (one, about, kind)
        assert ("/" + one.name in sent) == (shown is not None), (one, about, kind)
        if shown is not None:
            data = sent["/" + one.name].partition(b'"data":')[2].rpartition(b',"links":')[0]
            assert data == shown, (one, about, kind)
    return Counter(states.values())


def _paths(requests: list[str]) -> list[str]:
    return [head.split(" ")[1] for head in requests]


async def _shown(one: Partner, dataset: Dataset, key: int) -> bytes | None:
    """Give the record as the partner's own list shows it, None when it does not."""
    answered = await Handler(one.http, dataset.name).page_answer({dataset.key: key}, includeDeleted="true")
    if answered.status_code == 403:
        return None
    assert answered.status_code == 200, answered.text
    found: list[Row] = answered.json()["records"]
    return orjson.dumps({name: value for name, value in found[0].items() if name != ROW_NUMBER}) if found else None
