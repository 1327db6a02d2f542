"""Credentials that are limited, as a client admin makes them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.service import LimitDraft, add_user, set_limit
from coldshelf.entrypoints.bootstrap import known, registry
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from tests.conftest import PASSWORD

KNOWN = known(registry())


async def limit_user(
    run: Runtime,
    client_id: ClientId,
    user_id: UserId,
    grants: Mapping[str, Sequence[int]] | None = None,
    *,
    token_id: int | None = None,
    datasets: Sequence[str] | None = None,
    hidden: Sequence[str] = (),
) -> int:
    draft = LimitDraft(grants or {}, datasets, hidden)
    async with run.database.scope(client_id) as connection:
        return await set_limit(connection, client_id, user_id, token_id, draft=draft, known=KNOWN)


@asynccontextmanager
async def signed_in(app: FastAPI, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://coldshelf.test", auth=(name, PASSWORD)
    ) as http:
        yield http


async def partner(run: Runtime, client_id: ClientId, name: str = "partner", role: Role = Role.CLIENT_ADMIN) -> UserId:
    user_id, _ = await add_user(run, client_id, name, password=PASSWORD, role=role, email=f"{name}@example.org")
    return user_id
