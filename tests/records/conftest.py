"""Further callers of the standing cast."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import OPERATORS, Role
from coldshelf.access.service import add_device_token, add_user
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.conftest import PASSWORD, signed_in_client
from tests.records.support import Handler

BASE = "http://coldshelf.test"


@pytest.fixture
async def installer(run: Runtime, app: FastAPI, client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    async with await signed_in_client(run, app, client_id, "installer", Role.INSTALLER) as http:
        yield http


@pytest.fixture
async def sales_rep(run: Runtime, app: FastAPI, client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    async with await signed_in_client(run, app, client_id, "sales", Role.SALES_REP) as http:
        yield http


@pytest.fixture
async def operator(run: Runtime, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with await signed_in_client(run, app, OPERATORS, "operator", Role.OPERATOR) as http:
        yield http


@pytest.fixture
async def device(
    run: Runtime, app: FastAPI, client_id: ClientId, admin: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    camera = await Handler(admin, "SmartDevice").save(SerialNumber="CAM-9")
    token = await add_device_token(run, client_id, camera["id"])
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, headers=headers) as http:
        yield http


@pytest.fixture
async def browser(run: Runtime, app: FastAPI, client_id: ClientId) -> AsyncIterator[httpx.AsyncClient]:
    """A client admin with the cookie of the Login handler instead of credentials."""
    await add_user(run, client_id, "browser", password=PASSWORD, role=Role.CLIENT_ADMIN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        await http.post("/controllers/login.ashx", data={"Username": "browser", "Password": PASSWORD})
        yield http


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield http
