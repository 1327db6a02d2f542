"""Real servers of destinations on 127.0.0.1, started once for all tests that want them; skipped where they are missing.

Each fixture gives a function that makes a place nobody else uses: an address and its secret.
"""

import base64
import hashlib
import hmac
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

REPOSITORY = Path(__file__).parent.parent.parent
AZURITE = REPOSITORY / ".cache" / "npm" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same in every copy of it."""


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    secret: dict[str, str] = field(default_factory=dict)


Places = Callable[[], Place]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until the end of the block; go on once it listens."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for_port(process, port, folder)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for_port(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r}: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
        else:
            return


def account_sas(permissions: str = "rwdlacup") -> str:
    """Sign in to all of the account, as the portal's `Shared access signature` page does."""
    given = {"sv": "2021-08-06", "ss": "b", "srt": "sco", "sp": permissions, "se": "2099-01-01T00:00:00Z"}
    signed = "\n".join((ACCOUNT, permissions, "b", "sco", "", given["se"], "", "", given["sv"], "", ""))
    digest = hmac.digest(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256)
    return urlencode(given | {"sig": base64.b64encode(digest).decode()})


@contextmanager
def azurite_running(folder: Path, *options: str) -> Iterator[int]:
    """Start Azurite; give its port."""
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip(f"Azurite is not in {AZURITE.parents[5]}: run .ci/servers (needs Node.js and npm)")
    port = free_port()
    fixed = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--disableTelemetry")
    modes = ("--skipApiVersionCheck", "--inMemoryPersistence", "--loose", "--silent")
    with running([node, str(AZURITE), *fixed, *modes, *options], port, folder):
        yield port


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite with a container `exports`: its endpoint."""
    with azurite_running(tmp_path_factory.mktemp("azurite")) as port:
        endpoint = f"http://127.0.0.1:{port}"
        httpx.put(f"{endpoint}/{ACCOUNT}/exports?restype=container&{account_sas()}").raise_for_status()
        yield endpoint


@pytest.fixture(scope="session")
def azure_places(azurite: str) -> Places:
    def make() -> Place:
        address = f"azure://{ACCOUNT}/exports/{secrets.token_hex(4)}?endpoint={azurite}"
        return Place(address, {"account_key": ACCOUNT_KEY})

    return make


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's S3 with a bucket `exports`."""
    pytest.importorskip("moto", reason="moto is not installed")
    port = free_port()
    start = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with running([sys.executable, "-c", start], port, tmp_path_factory.mktemp("s3")):
        httpx.put(f"http://127.0.0.1:{port}/exports").raise_for_status()
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def s3_places(s3_endpoint: str) -> Places:
    def make() -> Place:
        address = f"s3://exports/{secrets.token_hex(4)}?region=eu-west-1&endpoint={s3_endpoint}"
        return Place(address, {"access_key_id": "tester", "secret_access_key": "not-a-real-key"})

    return make


@pytest.fixture(scope="session")
def file_places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return lambda: Place(tmp_path_factory.mktemp("places").as_uri())
