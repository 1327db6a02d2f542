"""An outlet's worth of rows, and `publish`: an export of the client `demo` into a folder."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from coldshelf.access.models import Client
from coldshelf.access.service import load_client
from coldshelf.entrypoints import bootstrap
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.models import RunManifest
from coldshelf.publishing.service import export
from coldshelf.records.registry import Registry
from tests.publishing.servers import (  # noqa: F401  # fixtures
    azure_places,
    azurite,
    file_places,
    ftps_places,
    openssh,
    s3_endpoint,
    s3_places,
    sftp_places,
    vsftpd,
)
from tests.publishing.support import Cast

Publish = Callable[..., Awaitable[RunManifest]]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return bootstrap.registry()


@pytest.fixture
async def client(run: Runtime, client_id: ClientId) -> Client:
    return await load_client(run, client_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "exports"


@pytest.fixture
def publish(run: Runtime, registry: Registry, url: str, client: Client, folder: Path) -> Publish:
    """`export` with everything but the mode given."""
    return partial(export, run, registry, url=url, client=client, destination=folder)


@pytest.fixture
def cast(run: Runtime, registry: Registry, client_id: ClientId) -> Cast:
    """Saves and deletes records of the client `demo`."""
    return Cast(run, registry, client_id)
