"""Real servers of destinations on 127.0.0.1, started once for all tests that want them; skipped where they are missing.

Each fixture gives a function that makes a place nobody else uses: an address and its secret.
"""

import base64
import getpass
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

import asyncssh
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


SSHD = "/usr/sbin/sshd"
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


@dataclass(frozen=True, slots=True)
class Ssh:
    """A running sshd: the fingerprints of its host keys by kind, and a key that signs in."""

    port: int
    folder: Path
    fingerprints: dict[str, str]
    private_key: str

    def address(self, folder: str, *, port: int | None = None, kind: str = "ed25519") -> str:
        """Give the address of a folder below the server's."""
        place = f"sftp://{getpass.getuser()}@127.0.0.1:{port or self.port}{self.folder}/{folder}"
        return f"{place}?host_key={self.fingerprints[kind]}"


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """OpenSSH's server, with host keys and an authorized key of its own."""
    if not Path(SSHD).exists() or not Path(SFTP_SERVER).exists():
        pytest.skip(f"{SSHD} is missing: apt install openssh-server")
    if not Path("/run/sshd").exists():  # where sshd, run by root, puts what meets the network first
        Path("/run/sshd").mkdir(mode=0o755)
    folder = tmp_path_factory.mktemp("sshd")
    port = free_port()
    fingerprints = {}
    for kind, bits in (("ed25519", "256"), ("rsa", "2048")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", folder / kind], check=True)
        fingerprints[kind] = asyncssh.read_public_key(folder / f"{kind}.pub").get_fingerprint()
    key = asyncssh.generate_private_key("ssh-ed25519")
    (folder / "authorized").write_bytes(key.export_public_key())
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/ed25519\nHostKey {folder}/rsa\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp {SFTP_SERVER}\nMaxStartups 100\n"
    )
    with running([SSHD, "-D", "-e", "-f", str(folder / "config")], port, folder):
        yield Ssh(port, tmp_path_factory.mktemp("sftp"), fingerprints, key.export_private_key().decode())


@pytest.fixture(scope="session")
def sftp_places(openssh: Ssh) -> Places:
    return lambda: Place(openssh.address(secrets.token_hex(4)), {"private_key": openssh.private_key})
