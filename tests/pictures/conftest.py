"""The shop world in which pictures are taken."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.pictures.uploading import Shop, open_shop

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
