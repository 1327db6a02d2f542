"""Is it alive, is it ready, and its figures."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import prometheus_client
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.objects import ObjectStore
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.request import run_of
from coldshelf.migrations.upgrade import newest

PATIENCE_SECONDS = 5
OK = "ok"

router = APIRouter(tags=["Health"])
Check = Callable[[Runtime], Awaitable[str]]


class Live(BaseModel):
    live: bool


class Ready(BaseModel):
    """Whether requests can be served, and what each check says: `ok`, or what is wrong."""

    ready: bool
    checks: dict[str, str]


@router.get("/health/live", summary="Is the process alive")
async def live() -> Live:
    return Live(live=True)


@router.get("/health/ready", summary="Can it serve", responses={503: {"model": Ready, "description": "Not ready."}})
async def ready(request: Request, response: Response) -> Ready:
    """Check that the database answers and is migrated, and that pictures can be stored."""
    run = run_of(request)
    names = ("database", "migrations", "objects")
    findings = await asyncio.gather(*(_find(check, run) for check in (_database, _migrations, _objects)))
    checks = dict(zip(names, findings, strict=True))
    is_ready = set(checks.values()) == {OK}
    response.status_code = 200 if is_ready else 503
    return Ready(ready=is_ready, checks=checks)


@router.get("/metrics", summary="Figures of this process for Prometheus", response_class=Response)
async def metrics() -> Response:
    return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def _find(check: Check, run: Runtime) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check(run)
    except TimeoutError:
        return "does not answer in time"
    except (OSError, ColdshelfError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return type(error).__name__  # no more: everybody may ask, and messages name hosts and folders


async def _database(run: Runtime) -> str:
    async with run.database.door() as connection:
        await connection.fetchval("SELECT 1")
    return OK


async def _migrations(run: Runtime) -> str:
    wanted = await run.off_loop(newest)
    async with run.database.system() as connection:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    return OK if found == wanted else f"at {found}, this release needs {wanted}"


async def _objects(run: Runtime) -> str:
    await run.off_loop(_probe, run.objects)
    return OK


def _probe(objects: ObjectStore) -> None:
    writer = objects.writer()
    try:
        writer.write(b"ready")
        writer.reader().close()  # flushes, so that a full disk shows
    finally:
        writer.abort()
