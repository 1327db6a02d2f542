"""The shop world in which pictures are taken."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.pictures.uploading import Shop, accepted, open_shop, picture, rows, taken, upload, work_off

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock


@pytest.fixture
async def shop(run: Runtime, client_id: ClientId) -> Shop:
    return await open_shop(run, client_id)


@pytest.fixture
def clock(app: FastAPI) -> FakeClock:
    """The application's clock, standing still."""
    clock = FakeClock()
    app.state.run = replace(app.state.run, clock=clock)
    return clock


@pytest.fixture
def set_up(app: FastAPI) -> Callable[..., None]:
    """Change settings of the application."""

    def change(**settings: object) -> None:
        run = app.state.run
        app.state.run = replace(run, settings=run.settings.model_copy(update=settings))

    return change


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without credentials."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://coldshelf.test") as http:
        yield http


@pytest.fixture(scope="session")
def heic() -> bytes:
    return (Path(__file__).parent / "heic" / "plain.heic").read_bytes()


@pytest.fixture
async def waiting(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> int:
    """A prepared picture of C-1 that waits for review: its time lies in the future."""
    content = taken(picture(1, size=(640, 480)), "2999:03:04 12:00:00")
    (entry,) = accepted(await upload(admin, content, SerialNumber="C-1"))
    await work_off(run, only="pictures.")
    (record,) = await rows(run, shop.client_id)
    assert (record["status_id"], record["rejection_reason"]) == (0, "CaptureTimeInFuture")
    return int(entry["AssetPurityId"])
