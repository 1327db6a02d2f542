"""Every role at every action of every handler, with a record in sight and one beyond: exactly as declared."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import OPERATORS, PEOPLE, Role
from coldshelf.access.service import add_device_token, add_user
from coldshelf.entrypoints.api import extra_actions
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.entrypoints.roles import Line, role_lines
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.handlers import WRITES, ExtraWrite
from tests.conformance.pairs import DATASETS, Records, fill_pairs
from tests.conftest import PASSWORD
from tests.records.support import Handler
from tests.support.limits import limit_user, partner

REGISTRY = registry()
EXTRA = extra_actions(REGISTRY)
LINES = [
    line
    for line in role_lines(REGISTRY, EXTRA)
    if line.handler in DATASETS and (DATASETS[line.handler].handler or line.action in {"list", "export"})
]


@pytest.fixture
async def owner(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def records(owner: asyncpg.Connection, client_id: ClientId) -> Records:
    return await fill_pairs(owner, client_id)


@dataclass(frozen=True)
class Caller:
    """One credential: its role, whether it is limited to the first outlet, and its connection."""

    role: Role
    is_limited: bool
    http: httpx.AsyncClient


@pytest.fixture
async def callers(run: Runtime, app: FastAPI, client_id: ClientId, records: Records) -> AsyncIterator[list[Caller]]:
    made = []
    for role in sorted(PEOPLE):
        await partner(run, client_id, f"free {role}", role)
        user_id = await partner(run, client_id, f"limited {role}", role)
        await limit_user(run, client_id, user_id, {"outlet": [records.seen["Location"]]})
        made += [
            Caller(role, limited, _client(app, f"{'limited' if limited else 'free'} {role}")) for limited in (0, 1)
        ]
    await add_user(run, OPERATORS, "op", password=PASSWORD, role=Role.OPERATOR)
    token = await add_device_token(run, client_id, records.seen["SmartDevice"])
    made.append(Caller(Role.OPERATOR, False, _client(app, "op")))
    made.append(Caller(Role.DEVICE, False, _client(app, "device", token)))
    yield made
    for caller in made:
        await caller.http.aclose()


def _client(app: FastAPI, name: str, password: str = PASSWORD) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", auth=(name, password)
    )


async def test_every_role_may_do_what_is_declared_and_nothing_else(
    callers: list[Caller], records: Records, owner: asyncpg.Connection
) -> None:
    wrong = []
    for line in LINES:
        for caller in callers:
            for place, ids in (("seen", records.seen), ("beyond", records.beyond)):
                if place == "beyond" and not caller.is_limited:
                    continue
                found = await _outcome(caller, line, ids[line.handler])
                wanted = _wanted(caller, line, place)
                if found != wanted:
                    wrong.append((line.handler, line.action, caller.role, caller.is_limited, place, found, wanted))
            if line.action == "delete":
                for table in (DATASETS[line.handler].relation, "planogram_product"):  # which goes with its planogram
                    await owner.execute(f"UPDATE {table} SET is_deleted = false WHERE is_deleted")

    assert len(LINES) > 40
    assert wrong == []


def _wanted(caller: Caller, line: Line, place: str) -> str:
    dataset, item = DATASETS[line.handler], EXTRA.get(line.handler, {}).get(line.action)
    if caller.role not in line.roles:
        return "forbidden"
    every_outlet = dataset.every_outlet or (item is not None and item.every_outlet)
    writes = isinstance(item, ExtraWrite) or line.action in WRITES
    every_outlet |= writes and dataset.location is None
    if caller.is_limited and every_outlet:
        return "forbidden"
    names_a_row = item is None or bool(item.row)
    if place == "beyond" and dataset.location and names_a_row:
        return "not there"
    return "done"


async def _outcome(caller: Caller, line: Line, row_id: int) -> str:
    handler, dataset = Handler(caller.http, line.handler), DATASETS[line.handler]
    if line.action == "list":
        answer = await handler.page_answer({dataset.key: row_id})
        there = answer.status_code == 200 and answer.json()["totalRecords"] == 1
        return "forbidden" if answer.status_code == 403 else "done" if there else "not there"
    if line.action == "export":
        wanted = json.dumps({dataset.key: row_id})
        answer = await handler.post("export", exportFormat="CSV", filters=wanted)
        found = answer.headers.get("X-Total-Records")
        return "forbidden" if answer.status_code == 403 else {"1": "done", "0": "not there"}[str(found)]
    row = _row_parameter(line)
    answer = await handler.post(line.action, **{row: row_id})
    if answer.status_code == 403:
        return "forbidden"
    assert answer.status_code in {200, 400}, answer.text
    body = answer.json()
    is_missing = body.get("info", "").startswith(f"There is no {line.handler} with id {row_id}")
    if line.action in {"load", "save"} and not is_missing:
        assert body["success"] is True, body
        assert body["data"][dataset.key] == row_id
    return "not there" if is_missing else "done"


def _row_parameter(line: Line) -> str:
    item = EXTRA.get(line.handler, {}).get(line.action)
    return item.row if item and item.row else "id"
